// `dugnad submit`: one job from the command line to its answer.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "dugnad/swarm.h"
#include "sdk/cli/command.h"
#include "sdk/cli/detach.h"
#include "sdk/cli/hosted.h"
#include "sdk/cli/inbox.h"
#include "sdk/cli/interrupts.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/json_report.h"
#include "sdk/cli/out_file.h"
#include "sdk/cli/patience.h"
#include "sdk/cli/progress_line.h"
#include "sdk/cli/reach.h"
#include "sdk/cli/submit_options.h"
#include "sdk/cli/text_report.h"

namespace dugnad::sdk::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_interval = std::chrono::milliseconds(200);
constexpr auto fetch_patience = std::chrono::minutes(2);

/// What stops a submission before its job has started.
struct Refusal {
  ExitCode code;
  std::string reason;
};

class Submission {
 public:
  Submission(SubmitOptions options, Report& report) : options_(std::move(options)), report_(report) {}

  Ending run() {
    const Interrupts interrupts([this] {
      interrupted_ = true;
      inbox_.put(Interrupted{});
      stop_.stop();
    });
    if (auto refusal = start()) {
      Ending refused;
      refused.code = refusal->code;
      refused.reason = std::move(refusal->reason);
      return refused;
    }
    std::thread waiter([this] { wait_for_end(); });
    Ending ending = watch();
    stop_.stop();
    inbox_.close();
    swarm_.reset();  // ends the job for the waiter, where it has not ended
    waiter.join();
    return ending;
  }

 private:
  // --- Before the job ---

  std::optional<Refusal> start() {
    const bool elsewhere = is_elsewhere();
    if (elsewhere) {
      if (auto refusal = fetch_resumed()) return refusal;
    }
    if (!options_.resume.empty()) {
      if (auto refusal = find_resumed()) return refusal;
    } else if (options_.task != nullptr) {
      started_.task = options_.task->name;
      started_.parameters = options_.parameters;
    }
    if (options_.module) {
      if (auto refusal = prepare_module()) return refusal;
    }
    if (!options_.out.empty() && !module_) {
      if (const auto writable = check_out_file(options_.out); !writable) return Refusal{ExitCode::environment, writable.error().message};
    }
    started_.has_answer = !module_;
    if (options_.resume.empty() || module_) {
      started_.copies = options_.job.copies;
      started_.confidence = options_.job.confidence;
    }
    options_.swarm.modules = module_.has_value();
    options_.swarm.log = [this](const std::string& line) { inbox_.put(Trouble{line}); };
    auto swarm = Swarm::join(options_.swarm);
    if (!swarm) return Refusal{ExitCode::environment, swarm.error().message};
    swarm_ = std::make_unique<Swarm>(*std::move(swarm));
    if (auto refusal = check_reach()) return refusal;
    auto job = begin();
    if (!job && interrupted_) return Refusal{ExitCode::interrupted, "interrupted"};  // while it waited for the first unit
    if (!job) return Refusal{ExitCode::environment, job.error().message};
    job_ = *std::move(job);
    started_.job = job_->id();
    started_.units_expected = job_->progress().units_expected;
    report_.started(started_);
    job_->on_notice([this](const Notice& notice) { inbox_.put(notice); });
    return std::nullopt;
  }

  /// Where this machine computes nothing, or no modules, nothing can settle a dispute.
  std::optional<Refusal> check_reach() {
    if (!started_.confidence) return std::nullopt;
    if (options_.swarm.local == 0) {
      return Refusal{ExitCode::out_of_reach, out_of_reach(computes_nothing, *started_.confidence)};
    }
    if (!module_) return std::nullopt;
    const auto able = swarm_->computes_modules();
    if (able) return std::nullopt;
    const std::string why = "this machine cannot compute the program, which would settle disputes: " + able.error().message;
    if (!options_.policy_by_default) return Refusal{ExitCode::out_of_reach, out_of_reach(why, *started_.confidence)};
    report_.trouble("two copies of each unit instead of a confidence: " + why);
    started_.confidence.reset();
    options_.job.confidence.reset();
    return std::nullopt;
  }

  Result<Job> begin() {
    if (!module_) {
      return options_.resume.empty() ? swarm_->run(started_.task, options_.parameters, options_.job) : swarm_->resume(options_.resume);
    }
    if (module_->kind() == Module::Kind::command)
      return swarm_->map_commands(
          *module_, [this] { return reader_->next(); }, options_.job);
    return swarm_->map(
        *module_,
        [this]() -> Result<std::optional<Bytes>> {
          auto unit = reader_->next();
          if (!unit) return unit.error();
          if (!*unit) return std::optional<Bytes>();
          return std::optional(std::move((*unit)->standard_input));
        },
        options_.job);
  }

  /// The program, checked as donors will, its units, and where the outputs go.
  std::optional<Refusal> prepare_module() {
    auto module = Module::load(options_.module->path);
    if (!module) return Refusal{ExitCode::bad_usage, module.error().message};
    if (const auto fits = module->check(options_.job.memory_bytes, options_.job.fuel); !fits) {
      return Refusal{ExitCode::bad_usage, fits.error().message};
    }
    auto reader = UnitReader::open(options_.module->units, module->kind(), stop_);
    if (!reader) return Refusal{ExitCode::bad_usage, reader.error().message};
    auto outputs = open_outputs();
    if (!outputs) return Refusal{ExitCode::environment, outputs.error().message};
    module_ = *std::move(module);
    reader_ = *std::move(reader);
    outputs_ = *std::move(outputs);
    options_.job.source = options_.module->text();
    options_.job.units_expected = reader_->expected();
    if (!options_.out.empty()) {
      options_.job.stored_output = [directory = options_.out](std::uint64_t unit) { return stored_output(directory, unit); };
    }
    started_.task = module_->name();
    started_.source = options_.job.source;
    return std::nullopt;
  }

  Result<std::unique_ptr<Outputs>> open_outputs() {
    std::unique_ptr<Outputs> files;
    if (!options_.out.empty()) {
      auto opened = outputs_in(options_.out, [this](const std::vector<std::uint64_t>& units) { job_->stored(units); });
      if (!opened) return opened;
      files = *std::move(opened);
    }
    if (options_.json) return outputs_as_events(options_.out, std::move(files));
    if (options_.hosted != 0 && !files) return outputs_nowhere();
    return files ? std::move(files) : outputs_in_order();
  }

  /// A whole id that the journal does not have: perhaps stewards do.
  bool is_elsewhere() const {
    if (options_.hosted != 0 || !JobId::from_hex(options_.resume)) return false;
    const auto journal = Journal::open(options_.swarm.data);
    return !journal || !journal->find(options_.resume);
  }

  /// In a swarm of its own, which is left again: what the job needs of this program shows once it is here.
  std::optional<Refusal> fetch_resumed() {
    auto swarm = Swarm::join(options_.swarm);
    if (!swarm) return Refusal{ExitCode::environment, swarm.error().message};
    report_.trouble("job " + brief(options_.resume) + " is not in the journal here; asking the swarm for stewards that hold it");
    const auto fetched = swarm->fetch(options_.resume, options_.wait.value_or(fetch_patience));
    if (!fetched) return Refusal{ExitCode::environment, fetched.error().message};
    return std::nullopt;
  }

  /// Makes the whole of a shortened id, and finds out what that job is.
  std::optional<Refusal> find_resumed() {
    const auto journal = Journal::open(options_.swarm.data);
    if (!journal) return Refusal{ExitCode::environment, journal.error().message};
    const auto job = journal->find(options_.resume);
    if (!job) return Refusal{ExitCode::bad_usage, job.error().message};
    if (auto refusal = why_not_resumed(*journal, *job)) {
      // A worker tries again what another program works on now: that may be interrupted.
      const bool later = options_.hosted != 0 && journal->busy(job->stored.job);
      return Refusal{later ? ExitCode::environment : ExitCode::bad_usage, *std::move(refusal)};
    }
    options_.resume = job->stored.job.hex();
    if (job->recipe->module) return read_module_job(*job->recipe);
    started_.task = job->recipe->task;
    started_.parameters = job->recipe->parameters;
    started_.copies = job->recipe->copies;
    started_.confidence = confidence_of(*job->recipe);
    return std::nullopt;
  }

  /// What was typed for a module's job when it was submitted.
  std::optional<Refusal> read_module_job(const Recipe& recipe) {
    options_.module = ModuleOrder::read(recipe.source);
    options_.job.copies = recipe.copies;
    options_.job.confidence = confidence_of(recipe);
    options_.job.unit_timeout = recipe.unit_timeout;
    options_.job.memory_bytes = recipe.memory_bytes;
    options_.job.fuel = recipe.fuel;
    options_.job.stewards = recipe.stewards;
    options_.job.resume_only = options_.resume;
    return std::nullopt;
  }

  // --- While it runs ---

  /// A thread of its own: takes what the job delivers until nothing more comes.
  void wait_for_end() {
    while (auto result = job_->next()) {
      if (!result->ok) {
        inbox_.put_in_turn(FailedUnit{result->unit, result->reason});
      } else if (module_) {
        inbox_.put_in_turn(Output{*std::move(result)});
      }
    }
    const auto end = job_->end();
    JobOver over{end ? *end : End{EndKind::swarm_left, 0, {}}, std::nullopt};
    if (over.end.kind == EndKind::complete && !module_) over.answer = job_->answer();
    inbox_.put(std::move(over));
  }

  Ending watch() {
    began_ = Clock::now();
    Patience patience(options_.wait, started_.confidence ? 1 : started_.copies, began_);
    for (auto next_look = began_ + look_interval;;) {
      if (auto happening = inbox_.take_within(look_interval)) {
        if (auto ending = std::visit([this](auto&& what) { return on(std::forward<decltype(what)>(what)); }, *std::move(happening))) {
          return *std::move(ending);
        }
        if (Clock::now() < next_look) continue;
      }
      next_look = Clock::now() + look_interval;
      const Progress progress = job_->progress();
      report_.progress(progress);
      if (const auto code = patience.look(progress, Clock::now())) return given_up(*code, progress);
    }
  }

  std::optional<Ending> on(const Interrupted&) {
    report_.interrupting();
    return end_with(ExitCode::interrupted, "interrupted; " + how_to_go_on());
  }

  std::optional<Ending> on(const Notice& notice) {
    switch (notice.kind) {
      case Notice::Kind::outvoted:
        ++outvoted_[notice.peer];
        report_.outvoted(notice.peer, notice.unit);
        break;
      case Notice::Kind::convicted:
        ++convicted_[notice.peer];
        report_.convicted(notice.peer, notice.unit, notice.branded);
        break;
      case Notice::Kind::cost_expected: report_.cost_expected(notice.cost); break;
      case Notice::Kind::known_answer_wrong: break;  // the command line gives none
      case Notice::Kind::nobody_to_compute: report_.alone(); break;
      case Notice::Kind::donors_back: report_.donors_back(); break;
      case Notice::Kind::stewards: report_.stewards(notice.stewards, notice.stewards_wanted); break;
      case Notice::Kind::output_gone:
        report_.trouble("the output of unit " + std::to_string(notice.unit) + " that an earlier run accepted is gone from the cache" +
                        (module_ && !options_.out.empty() ? " and from " + options_.out : "") + "; it, and others like it, are computed again");
        break;
      case Notice::Kind::inputs_wait:
        report_.trouble("the job's inputs take more than the quarter of the cache that they may: stewards get the rest as units are done, and before "
                        "that this program must not leave; a larger --cache makes room");
        break;
      case Notice::Kind::unreachable: report_.unreachable(notice.peer, notice.reason); break;
    }
    return std::nullopt;
  }

  std::optional<Ending> on(const Trouble& trouble) {
    report_.trouble(trouble.line);
    return std::nullopt;
  }

  std::optional<Ending> on(const FailedUnit& failed) {
    ++failed_;
    report_.unit_failed(failed.unit, reader_ ? reader_->name_of(failed.unit) : "", failed.reason);
    if (!module_) return std::nullopt;
    return write_output({.unit = failed.unit, .ok = false});
  }

  std::optional<Ending> on(Output output) { return write_output(std::move(output.result)); }

  std::optional<Ending> write_output(UnitResult result) {
    report_.make_way();
    auto written = outputs_->take(std::move(result));
    if (written && inbox_.empty()) written = outputs_->flush();
    if (!written) return end_with(ExitCode::environment, written.error().message + "; " + how_to_go_on());
    return std::nullopt;
  }

  std::optional<Ending> on(const JobOver& over) {
    if (module_) {
      report_.make_way();
      if (const auto flushed = outputs_->flush(); !flushed) return end_with(ExitCode::environment, flushed.error().message);
    }
    switch (over.end.kind) {
      case EndKind::complete:
        if (!module_ || failed_ == 0) break;
        [[fallthrough]];  // an output was lost on its way here
      case EndKind::units_failed:
        return end_with(ExitCode::units_failed, std::to_string(failed_) + (failed_ == 1 ? " unit" : " units") + " failed" +
                                                    (module_ ? "" : ", so that there is no answer"));
      case EndKind::inputs_failed:
        if (interrupted_) return end_with(ExitCode::interrupted, "interrupted; " + how_to_go_on());
        return end_with(ExitCode::environment, over.end.reason + "; " + how_to_go_on());
      case EndKind::cancelled: return end_with(ExitCode::interrupted, "the job was cancelled");
      case EndKind::swarm_left: return end_with(ExitCode::interrupted, "interrupted; " + how_to_go_on());
    }
    if (module_) return end_with(ExitCode::ok, "");
    if (!*over.answer) return end_with(ExitCode::units_failed, over.answer->error().message);
    const tasks::Answer& answer = **over.answer;
    if (!options_.out.empty()) {
      if (const auto written = write_out_file(answer, options_.out); !written) {
        report_.answer(answer.text, "");
        return end_with(ExitCode::environment, written.error().message);
      }
    }
    report_.answer(answer.text, options_.out);
    if (std::fflush(stdout) != 0) return end_with(ExitCode::environment, "cannot write the answer to standard output");
    return end_with(ExitCode::ok, "");
  }

  // --- The end ---

  Ending given_up(ExitCode code, const Progress& progress) {
    const std::string waited = describe(std::chrono::duration_cast<std::chrono::seconds>(*options_.wait));
    if (code == ExitCode::nobody) return end_with(code, "nobody to compute the units within " + waited + "; " + how_to_go_on());
    if (started_.confidence) {
      return end_with(code, "the confidence is out of reach: for " + waited + " this program could not compute, and nothing else settles disputes; " +
                                offer_instead(*started_.confidence) + "; " + how_to_go_on());
    }
    const std::string possible = "--copies " + std::to_string(Patience::in_reach(progress)) + " is possible";
    std::string reason = std::to_string(started_.copies) + " copies are out of reach: for " + waited + " there ";
    reason += progress.donors == 1 ? "was 1 peer" : "were " + std::to_string(progress.donors) + " peers";
    if (progress.donors < started_.copies) {
      reason += ", with which " + possible;
    } else {
      reason += ", who disagree on what they have all computed; with one more " + std::to_string(started_.copies) +
                " copies may agree, with these " + possible;
    }
    return end_with(code, reason + "; " + how_to_go_on());
  }

  std::string how_to_go_on() const {
    const std::string data = options_.swarm.data.empty() ? "" : " --data " + options_.swarm.data;
    if (options_.module && options_.module->units.kind == UnitSource::Kind::standard_input) {
      return "nothing accepted is lost: the same command with the same input goes on";
    }
    return "nothing accepted is lost: dugnad submit --resume " + brief(started_.job) + data + ", or the same command, goes on";
  }

  Ending end_with(ExitCode code, std::string reason) {
    return {.code = code,
            .reason = std::move(reason),
            .job = started_.job,
            .progress = job_->progress(),
            .took = Clock::now() - began_,
            .outvoted = outvoted_,
            .convicted = convicted_,
            .confidence = started_.confidence};
  }

  SubmitOptions options_;
  Report& report_;
  std::atomic<bool> interrupted_{false};
  Stop stop_;
  std::unique_ptr<UnitReader> reader_;  // these of a module
  std::unique_ptr<Outputs> outputs_;
  std::optional<Module> module_;
  Inbox inbox_;  // outlives all who put something into it
  Started started_;
  std::unique_ptr<Swarm> swarm_;
  std::optional<Job> job_;
  Clock::time_point began_{};
  std::uint64_t failed_ = 0;
  std::map<std::string, std::uint64_t> outvoted_, convicted_;
};

}  // namespace

ExitCode submit(Arguments arguments) {
  const tasks::TaskTable tasks = tasks::builtin_tasks();
  auto read = read_submit_options(arguments, tasks);
  if (const auto* exit = std::get_if<ExitCode>(&read)) return *exit;
  auto& options = std::get<SubmitOptions>(read);
  if (options.detach) return detach(std::move(options));
  const bool hosted = options.hosted != 0;
  const std::string data = options.swarm.data, resumed = options.resume;
  std::unique_ptr<Report> report;
  if (hosted) {
    end_with(options.hosted);
    report = hosted_report();
  } else if (options.json) {
    report = std::make_unique<JsonReport>();
  } else {
    report = std::make_unique<TextReport>();
  }
  const Ending ending = Submission(std::move(options), *report).run();
  report->ended(ending);
  if (!ending.reason.empty()) complain(ending.reason);
  if (hosted) settle_hosted(data, resumed, ending.code);
  return ending.code;
}

}  // namespace dugnad::sdk::cli
