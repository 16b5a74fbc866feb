// `dugnad results`: what a job has come to so far, from the journal.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "sdk/cli/command.h"
#include "sdk/cli/hosted.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/options.h"
#include "sdk/cli/out_file.h"
#include "sdk/cli/outputs.h"
#include "sdk/cli/replay.h"
#include "sdk/cli/report.h"
#include "worker/control_socket.h"

namespace dugnad::sdk::cli {
namespace {

constexpr auto look_interval = std::chrono::milliseconds(200);
constexpr auto worker_patience = std::chrono::seconds(10);  // it may be restarting

const char* name_of(Outcome outcome) { return outcome == Outcome::ok ? "ok" : "failed"; }

/// In unit order. Where an input has changed between two runs, a unit is there twice, and the later one counts.
std::vector<AcceptedUnit> in_order(std::vector<AcceptedUnit> units) {
  std::stable_sort(units.begin(), units.end(), [](const auto& a, const auto& b) { return a.unit < b.unit; });
  std::vector<AcceptedUnit> last;
  for (AcceptedUnit& unit : units) {
    if (!last.empty() && last.back().unit == unit.unit) last.pop_back();
    last.push_back(std::move(unit));
  }
  return last;
}

void print(const AcceptedUnit& unit, const Bytes& bytes, bool json) {
  const std::string output = unit.outcome == Outcome::ok ? to_hex(bytes) : to_text(bytes);
  if (!json) {
    std::cout << unit.unit.value << '\t' << name_of(unit.outcome) << '\t' << to_hex(bytes) << '\n';
    return;
  }
  nlohmann::ordered_json object{{"unit", unit.unit.value}, {"outcome", name_of(unit.outcome)}};
  object[unit.outcome == Outcome::ok ? "output" : "reason"] = output;
  std::cout << object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

/// What `dugnad submit` would have written: the outputs one after the other, or each to its file.
ExitCode write_outputs(const Journal& journal, const std::vector<AcceptedUnit>& units, const std::string& directory) {
  auto outputs = directory.empty() ? Result<std::unique_ptr<Outputs>>(outputs_in_order()) : outputs_in(directory);
  if (!outputs) return fail(ExitCode::environment, outputs.error().message);
  bool failed = false;
  std::uint64_t place = 0;  // on stdout what is missing leaves no gap
  for (const AcceptedUnit& unit : units) {
    const bool ok = unit.outcome == Outcome::ok;
    if (!ok) complain("unit " + std::to_string(unit.unit.value) + " failed: " + to_text(unit.output.bytes));
    failed |= !ok;
    const std::uint64_t at = directory.empty() ? place++ : unit.unit.value;
    auto output = journal.output_of(unit);
    if (!output) return fail(ExitCode::environment, output.error().message);
    const auto written = (*outputs)->take({.unit = at, .ok = ok, .output = ok ? *std::move(output) : Bytes{}, .reason = {}});
    if (!written) return fail(ExitCode::environment, written.error().message);
  }
  if (const auto flushed = (*outputs)->flush(); !flushed) return fail(ExitCode::environment, flushed.error().message);
  return failed ? ExitCode::units_failed : ExitCode::ok;
}

/// Until the job has ended, or nobody works on it any more.
Result<KnownJob> at_its_end(const Journal& journal, KnownJob job) {
  const std::string id = job.stored.job.hex();
  auto worker_seen = std::chrono::steady_clock::now();
  bool seen_unfinished = false;
  for (;;) {
    const std::string state = state_of(journal, job.stored);
    if (job.stored.state != JobState::running) break;
    // Seen twice: it may have ended between the look at its state and the one at its program.
    if (state == "unfinished" && std::exchange(seen_unfinished, true)) break;
    const auto now_at = std::chrono::steady_clock::now();
    if (state != "waiting" || worker::ask_contact(journal.data())) worker_seen = now_at;
    if (now_at - worker_seen > worker_patience) break;
    std::this_thread::sleep_for(look_interval);
    auto now = journal.find(id);
    if (!now) return now.error();
    job = *std::move(now);
  }
  return job;
}

}  // namespace

ExitCode show_results(Arguments arguments) {
  std::string id;
  std::string data;
  std::string out;
  bool json = false;
  bool wait = false;
  CLI::App app("Prints what was accepted for a job's units, and behind that the answer, once every unit is there. Also while the job runs.",
               "dugnad results");
  app.footer(
      "Of a program of your own: the outputs as they are, in the order of the units. Else a line per unit: its number, ok or failed, and "
      "the output's bytes in hex (a failed one's are the reason), with tabs between.\n\n"
      "Examples:\n  dugnad results 3f2a | tail -n 1          the answer\n  dugnad results 3f2a --out picture.png    mandelbrot's picture "
      "again\n");
  app.add_option("JOB", id, "The job's id, or as much of its beginning as no other job has.")->type_name("")->required();
  app.add_flag("--json", json, "Print a JSON object per unit, and one for the answer.");
  app.add_flag(
      "--wait", wait,
      "First wait for the job's end. The exit code is then 3 where units failed, and 130 where the job was cancelled, or was interrupted "
      "and nobody works on it.");
  app.add_option("--out", out, "Write the answer to FILE; of a program of your own, each output to DIR/000000.out and so on.")
      ->type_name("FILE|DIR");
  add_data_option(app, data);
  if (const auto exit = parse(app, arguments)) return *exit;

  const auto journal = Journal::open(data);
  if (!journal) return fail(ExitCode::environment, journal.error().message);
  auto job = journal->find(id);
  if (!job) return fail(ExitCode::bad_usage, job.error().message);
  if (wait) {
    job = at_its_end(*journal, *std::move(job));
    if (!job) return fail(ExitCode::environment, job.error().message);
    const std::string name = brief(job->stored.job.hex());
    if (job->stored.state == JobState::cancelled) return fail(ExitCode::interrupted, "job " + name + " was cancelled");
    const bool ended = job->stored.state != JobState::running;
    if (!ended && is_hosted(*journal, job->stored.job)) {
      return fail(ExitCode::interrupted, "job " + name + " waits for the worker here, which does not run; dugnad-worker starts it");
    }
    if (!ended) {
      return fail(ExitCode::interrupted, "nobody works on job " + name + "; dugnad submit --resume " + name + " goes on with it");
    }
  }
  auto accepted = journal->accepted(job->stored.job);
  if (!accepted) return fail(ExitCode::environment, accepted.error().message);
  const std::vector<AcceptedUnit> units = in_order(*std::move(accepted));
  const bool over = job->stored.state != JobState::running;
  if (job->recipe && job->recipe->module && !json) {
    const ExitCode code = write_outputs(*journal, units, out);
    if (over && (code == ExitCode::ok || code == ExitCode::units_failed)) journal->outputs_given(job->stored.job);
    return code;
  }
  for (const AcceptedUnit& unit : units) {
    const auto output = journal->output_of(unit);
    if (!output) return fail(ExitCode::environment, output.error().message);
    print(unit, *output, json);
  }

  const auto output_of = [&](const AcceptedUnit& unit) { return journal->output_of(unit); };
  const auto answer = job->recipe ? replay(*job->recipe, units, tasks::builtin_tasks(), output_of) : std::nullopt;
  if (!out.empty()) {
    if (!answer) return fail(ExitCode::units_failed, "there is no answer yet to write to " + out);
    if (const auto written = write_out_file(*answer, out); !written) return fail(ExitCode::environment, written.error().message);
  }
  if (answer) std::cout << (json ? nlohmann::json{{"answer", answer->text}}.dump() : answer->text) << '\n';
  if (over) journal->outputs_given(job->stored.job);
  return wait && job->stored.state == JobState::failed ? ExitCode::units_failed : ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
