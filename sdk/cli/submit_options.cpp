#include "sdk/cli/submit_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "coordinatorless/core/limits.h"
#include "sdk/cli/options.h"
#include "sdk/cli/task_parameters.h"
#include "sdk/cli/words.h"
#include "worker/run_worker_sizes.h"

namespace dugnad::sdk::cli {
namespace {

constexpr double seconds_most = 1e9;  // some 30 years: whoever wants more means for ever
constexpr unsigned copies_most = 16;
constexpr unsigned local_most = 1024;

struct Typed {
  std::string task;
  std::string lines;
  std::string arguments;
  std::string files;
  std::uint64_t memory = 0;
  std::optional<unsigned> copies;
  std::optional<double> confidence;
  std::optional<double> unit_confidence;
  std::optional<double> assume;
  std::string final;
  std::optional<double> unit_timeout;
  std::optional<double> wait;
};

void describe(CLI::App& app, SubmitOptions& options, Typed& typed) {
  app.add_option("TASK", typed.task,
                 "What to compute: a built-in task, which `dugnad tasks` lists, its parameters following as --NAME VALUE; or a program of "
                 "your own, PATH.wasm, with one of the sources of units below.")
      ->type_name("");
  const std::string module = "Your own program";
  const auto source = [&](const char* name, std::string& value, const char* type, const char* help) {
    return app.add_option(name, value, help)->type_name(type)->group(module);
  };
  source("--lines", typed.lines, "FILE", "Each line is one unit's standard input. In place of this option, -: standard input's lines.");
  source("--args", typed.arguments, "FILE", "Each line is one unit's argument list, quoted as for xargs.");
  source("--files", typed.files, "GLOB", "Each file that the pattern matches is one unit's standard input; quote the pattern.");
  app.add_option("--memory", typed.memory, "What a unit may take of memory, as in 64M or 1GiB, up to 4 GiB. Default: 256 MiB.")
      ->type_name("SIZE")
      ->transform(worker::size_value())
      ->group(module);
  app.add_option("--fuel", options.job.fuel,
                 "How many instructions a unit may spend before it fails, the same on every machine. Default: not counted.")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, core::limits::fuel_max).description(""))
      ->group(module);
  add_swarm_options(app, options.swarm);
  add_rate_options(app, options.swarm);
  const std::string job = "Job";
  app.add_option("--confidence", typed.confidence,
                 "How sure to be: the probability that the answer is right; of your own program, the share of right outputs. Default: 0.99 of an "
                 "answer, 0.999 of outputs.")
      ->type_name("P")
      ->group(job);
  app.add_option("--unit-confidence", typed.unit_confidence, "The share of right results among a job's units, also where there is an answer.")
      ->type_name("P")
      ->group(job);
  app.add_option("--assume", typed.assume, "The share of saboteurs that a confidence reckons with. Default: 0.1.")->type_name("F")->group(job);
  app.add_option("--final", typed.final,
                 "When results count as final: at the `end`, which costs least and is the default, or block by block, in a `stream`.")
      ->type_name("end|stream")
      ->check(CLI::IsMember({"end", "stream"}).description(""))
      ->group(job);
  app.add_option("--stewards", options.job.stewards,
                 "So many other peers, up to 8, hold the job while this program is away, and go on with it; any but one of them may vanish. "
                 "--resume, here or on another machine with the same owner.key and the job's whole id, checks what they have gathered.")
      ->type_name("K")
      ->check(CLI::Range(0U, core::limits::stewards_max).description(""))
      ->group(job);
  app.add_option("--copies", typed.copies,
                 "Instead: accept a unit once so many different peers, 1 to 16, returned the same bytes.")
      ->type_name("N")
      ->check(CLI::Range(1u, copies_most).description(""))
      ->group(job);
  app.add_option("--timeout-unit", typed.unit_timeout, "An attempt that takes longer is its donor's failure. Default: 600.")
      ->type_name("SECONDS")
      ->group(job);
  app.add_option("--local", options.swarm.local,
                 "Threads with which this program computes and audits too; it counts as one peer. 0: none, and no confidence. Default: 1.")
      ->type_name("N")
      ->check(CLI::Range(0u, local_most).description(""))
      ->group(job);
  app.add_option("--wait", typed.wait,
                 "Give up when there were too few peers for so long: 4 where there is none, 5 where the confidence is out of reach, or there are "
                 "fewer than --copies, or disagree on what all of them have computed. Default: wait for ever.")
      ->type_name("SECONDS")
      ->group(job);
  app.add_option("--resume", options.resume, "Go on with this unfinished job (its id, or the beginning of it), as it was submitted.")
      ->type_name("JOB")
      ->group(job);
  app.add_flag("--detach", options.detach,
               "Leave the job to the worker that runs in this data directory: it goes on without this terminal, and after a restart of the worker. "
               "Standard input, or a file of lines, is read to its end first; the files of --files are those of "
               "this moment, copied up to 64 MiB in all; larger ones are to stay as they are. Prints the job's id; "
               "dugnad status, results and cancel do the rest. Outputs over 64 KiB are kept while there is room for them: give --out.")
      ->group(job);
  app.add_option("--hosted", options.hosted)->group("");  // for the worker, which says who it is
  const std::string output = "Output";
  app.add_option("--out", options.out,
                 "Also write the answer to FILE: mandelbrot's picture as a PNG, else the text. Of your own program: write each unit's "
                 "output to DIR/000000.out and so on, instead of to stdout.")
      ->type_name("FILE|DIR")
      ->group(output);
  app.add_flag("--json", options.json, "Print one JSON object per event on stdout instead.")->group(output);
  add_cache_option(app, options.swarm);
  add_data_option(app, options.swarm.data);
}

constexpr const char* about =
    "Submits a job, waits for it, and prints the answer alone on the last line of stdout.\n"
    "The task cuts itself into units, which peers compute; audits that nobody can foresee, and this program's own computing, make sure of the\n"
    "results, as far as --confidence asks. What that will cost is said first, and what it came to at the end.\n"
    "Of your own program, outputs come on stdout in the order of the units, one after the other.\n"
    "Interrupted, by Ctrl-C or a crash, it loses nothing that was final: the same command goes on.";

constexpr const char* examples =
    "Examples:\n"
    "  dugnad submit primes --to 1e10 --join tcp://192.0.2.7:4210/PEERID/CURVE\n"
    "  dugnad submit nqueens --n 16 --copies 3        three matching results; found through this machine's worker\n"
    "  dugnad submit mandelbrot --width 1920 --height 1080 --out picture.png\n"
    "  dugnad submit walks --n 22 --listen none       from behind a NAT\n"
    "  dugnad submit ./prog.wasm --lines units.txt > results.txt     your own program, compiled for wasm32-wasi\n"
    "  dugnad submit ./prog.wasm --files 'corpus/*' --out results/\n"
    "  dugnad submit pi --samples 1e12 --detach       the worker here goes on with it; dugnad results JOB --wait for the answer\n"
    "  dugnad submit pi --samples 1e13 --stewards 3   this machine may be switched off meanwhile; --resume comes back\n"
    "  dugnad submit --resume 3f2a                    go on with an unfinished job; `dugnad jobs` lists them\n"
    "\n"
    "--json prints objects with an \"event\" each: started, cost (expected), progress (at most one a second), outvoted, convicted, alone,\n"
    "donors_back, stewards, unreachable, trouble,\n"
    "unit_failed, output (of your own program, in any order, the bytes in hex or the file), answer, and last: end, with the exit code.\n"
    "\n"
    "Exit codes: 0 every unit accepted, 1 the machine refuses, 2 bad usage, 3 units failed, 4 nobody to compute them within --wait,\n"
    "5 the confidence or --copies is out of reach after --wait, 130 interrupted.\n";

Result<std::chrono::milliseconds> milliseconds_of(double seconds, double least, const char* option) {
  if (!std::isfinite(seconds) || seconds < least || seconds > seconds_most) {
    return Error{std::string(option) + " wants seconds, " + (least > 0 ? "above" : "from") + " 0 and at most a thousand million"};
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

bool is_module(const std::string& task) { return task.ends_with(".wasm"); }

/// The one source of units that was given.
Result<UnitSource> read_source(const Typed& typed, const std::vector<std::string>& left_over) {
  using Kind = UnitSource::Kind;
  std::vector<UnitSource> sources;
  const auto add = [&](Kind kind, const std::string& what) {
    if (!what.empty()) sources.push_back({kind, what});
  };
  add(Kind::lines, typed.lines);
  add(Kind::arguments, typed.arguments);
  add(Kind::files, typed.files);
  for (const std::string& word : left_over) {
    if (word == "-") {
      sources.push_back({Kind::standard_input, ""});
    } else if (word.starts_with("-")) {
      return Error{"what is '" + word + "'? A program of your own has no parameters; its units come from --lines, --args, --files or -"};
    } else {
      return Error{"what is '" + word + "'?" + (typed.files.empty() ? "" : " Quote the pattern, as in --files 'corpus/*'")};
    }
  }
  if (sources.empty()) return Error{"where are the units of " + typed.task + "? Give one of --lines FILE, --args FILE, --files GLOB, or -"};
  if (sources.size() > 1) return Error{"units come from one source; give one of --lines, --args, --files and -"};
  if (sources[0].kind == Kind::lines && sources[0].what == "-") return UnitSource{Kind::standard_input, ""};
  return sources[0];
}

Result<void> check_module(SubmitOptions& options, const Typed& typed, const std::vector<std::string>& left_over) {
  auto source = read_source(typed, left_over);
  if (!source) return source.error();
  options.module = ModuleOrder{typed.task, *std::move(source)};
  if (typed.memory > core::limits::memory_bytes_max) return Error{"--memory is at most 4 GiB"};
  options.job.memory_bytes = typed.memory;
  return {};
}

Result<void> check_no_module_options(const SubmitOptions& options, const Typed& typed) {
  for (const auto& [name, given] :
       {std::pair("--lines", !typed.lines.empty()), std::pair("--args", !typed.arguments.empty()),
        std::pair("--files", !typed.files.empty()), std::pair("--memory", typed.memory > 0), std::pair("--fuel", options.job.fuel > 0)}) {
    if (given) return Error{std::string(name) + " is for a program of your own, as in: dugnad submit ./prog.wasm --lines units.txt"};
  }
  return {};
}

Result<void> check_task(SubmitOptions& options, const Typed& typed, const std::vector<std::string>& left_over,
                        const std::vector<std::string>& names, const tasks::TaskTable& tasks) {
  if (!options.resume.empty()) {
    if (!typed.task.empty() || !left_over.empty()) {
      return Error{"--resume goes on with a job as it was submitted; leave out '" + (typed.task.empty() ? left_over.front() : typed.task) +
                   "'"};
    }
    return check_no_module_options(options, typed);
  }
  if (is_module(typed.task)) return check_module(options, typed, left_over);
  if (const auto none = check_no_module_options(options, typed); !none) return none;
  if (typed.task.empty()) return Error{"which task? As in: dugnad submit nqueens --n 12; `dugnad tasks` lists them"};
  const auto task = find_task(tasks, typed.task);
  if (!task) return task.error();
  auto parameters = read_parameters(**task, left_over, names);
  if (!parameters) return parameters.error();
  options.task = *task;
  options.parameters = *std::move(parameters);
  return {};
}

/// What the job is to be sure of: of three ways to say it, one at most.
Result<void> check_policy(SubmitOptions& options, const Typed& typed) {
  const int said = typed.copies.has_value() + typed.confidence.has_value() + typed.unit_confidence.has_value();
  if (said > 1) return Error{"give one of --confidence, --unit-confidence and --copies"};
  if (!options.resume.empty()) {
    if (said > 0 || typed.assume || !typed.final.empty() || options.job.stewards > 0) {
      return Error{
          "--resume goes on with a job as it was submitted; leave out --copies, --confidence, --unit-confidence, --assume, --final and --stewards"};
    }
    return {};
  }
  options.job.copies = typed.copies.value_or(2);
  options.policy_by_default = said == 0;
  const bool by_copies = typed.copies || (said == 0 && options.swarm.local == 0);
  if (by_copies) {
    if (typed.assume || !typed.final.empty()) {
      const std::string option = typed.assume ? "--assume" : "--final";
      return Error{option + " is of a confidence, not of --copies" + (typed.copies ? "" : ", nor of --local 0")};
    }
    return {};
  }
  const double probability = typed.confidence ? *typed.confidence : typed.unit_confidence.value_or(options.module ? 0.999 : 0.99);
  if (!(probability > 0 && probability <= 1 - 1e-9)) {
    return Error{std::string(typed.confidence ? "--confidence" : "--unit-confidence") + " lies between 0 and 0.999999999; nothing is certain"};
  }
  const double assume = typed.assume.value_or(0.1);
  if (!(assume >= 0 && assume <= 0.95)) return Error{"--assume lies between 0 and 0.95"};
  options.job.confidence = Confidence{probability, typed.unit_confidence.has_value(), assume, typed.final == "stream"};
  return {};
}

Result<void> check_times(SubmitOptions& options, const Typed& typed) {
  if (typed.unit_timeout) {
    const auto limit = milliseconds_of(*typed.unit_timeout, 0.001, "--timeout-unit");
    if (!limit) return limit.error();
    options.job.unit_timeout = *limit;
  }
  if (typed.wait) {
    const auto patience = milliseconds_of(*typed.wait, 0, "--wait");
    if (!patience) return patience.error();
    options.wait = *patience;
  }
  return {};
}

}  // namespace

std::string ModuleOrder::text() const {
  std::error_code unknown;
  const auto whole = std::filesystem::absolute(path, unknown);
  return quoted(unknown ? path : whole.lexically_normal().string()) + " " + units.text();
}

std::optional<ModuleOrder> ModuleOrder::read(const std::string& text) {
  const auto words = split_words(text);
  if (!words || words->size() < 2 || words->size() > 3 || !is_module(words->front())) return std::nullopt;
  using Kind = UnitSource::Kind;
  const std::string& option = (*words)[1];
  if (words->size() == 2) {
    if (option != "-") return std::nullopt;
    return ModuleOrder{words->front(), {Kind::standard_input, ""}};
  }
  for (const auto& [name, kind] :
       {std::pair("--lines", Kind::lines), std::pair("--args", Kind::arguments), std::pair("--files", Kind::files),
        std::pair("--listed", Kind::listed)}) {
    if (option == name) return ModuleOrder{words->front(), {kind, words->back()}};
  }
  return std::nullopt;
}

std::variant<SubmitOptions, ExitCode> read_submit_options(Arguments arguments, const tasks::TaskTable& tasks) {
  SubmitOptions options;
  options.swarm.tasks = tasks;
  Typed typed;
  CLI::App app(about, "dugnad submit");
  app.footer(examples);
  app.allow_extras();
  describe(app, options, typed);
  if (const auto exit = parse(app, arguments)) return *exit;

  const std::vector<std::string> left_over = app.remaining();
  Result<void> checked = check_swarm_options(options.swarm);
  if (checked) checked = check_times(options, typed);
  if (checked) checked = check_task(options, typed, left_over, option_names(app), tasks);
  if (checked) checked = check_policy(options, typed);
  if (!checked) return fail(ExitCode::bad_usage, checked.error().message);
  return options;
}

}  // namespace dugnad::sdk::cli
