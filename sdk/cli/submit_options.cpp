#include "sdk/cli/submit_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sdk/cli/options.h"
#include "sdk/cli/task_parameters.h"

namespace dugnad::sdk::cli {
namespace {

constexpr double seconds_most = 1e9;  // some 30 years: whoever wants more means for ever
constexpr unsigned copies_most = 16;
constexpr unsigned local_most = 1024;

/// What contract.md promises and this version does not do yet. Accepted as names, so that the answer says so.
struct Later {
  std::vector<CLI::Option*> options;
  std::string value;
  bool flag = false;
};

void add_later(CLI::App& app, Later& later) {
  const std::string group = "Not in this version";
  const auto option = [&](const char* name, const char* type, const char* help) {
    later.options.push_back(app.add_option(name, later.value, help)->type_name(type)->take_last()->group(group));
  };
  option("--confidence", "P", "The probability that the answer is right.");
  option("--unit-confidence", "P", "The share of right results among those accepted.");
  option("--assume", "F", "The share of saboteurs to reckon with.");
  option("--final", "end|stream", "When an output counts as final.");
  option("--memory", "SIZE", "Memory that a unit may take.");
  option("--lines", "FILE", "A module's units: each line is one's standard input.");
  option("--args", "FILE", "A module's units: each line is one's arguments.");
  option("--files", "GLOB", "A module's units: each file is one's standard input.");
  later.options.push_back(app.add_flag("--detach", later.flag, "Leave the job to the swarm.")->group(group));
}

struct Typed {
  std::string task;
  std::optional<double> unit_timeout;
  std::optional<double> wait;
};

void describe(CLI::App& app, SubmitOptions& options, Typed& typed) {
  app.add_option("TASK", typed.task, "What to compute; `dugnad tasks` lists what is built in. Its parameters follow as --NAME VALUE.")
      ->type_name("");
  add_swarm_options(app, options.swarm);
  const std::string job = "Job";
  app.add_option("--copies", options.job.copies,
                 "Accept a unit once so many different peers, 1 to 16, returned the same bytes. Default: 2.")
      ->type_name("N")
      ->check(CLI::Range(1u, copies_most).description(""))
      ->group(job);
  app.add_option("--timeout-unit", typed.unit_timeout, "An attempt that takes longer is its donor's failure. Default: 600.")
      ->type_name("SECONDS")
      ->group(job);
  app.add_option("--local", options.swarm.local,
                 "Threads with which this program computes too; it counts as one peer. 0: none. Default: 1.")
      ->type_name("N")
      ->check(CLI::Range(0u, local_most).description(""))
      ->group(job);
  app.add_option("--wait", typed.wait,
                 "Give up when there were too few peers for so long: 4 where there is none, 5 where there are fewer than "
                 "--copies. Default: wait for ever.")
      ->type_name("SECONDS")
      ->group(job);
  app.add_option("--resume", options.resume, "Go on with this unfinished job (its id, or the beginning of it), as it was submitted.")
      ->type_name("JOB")
      ->group(job);
  const std::string output = "Output";
  app.add_option("--out", options.out, "Also write the answer to FILE: mandelbrot's picture as a PNG, else the text.")
      ->type_name("FILE")
      ->group(output);
  app.add_flag("--json", options.json, "Print one JSON object per event on stdout instead.")->group(output);
  add_data_option(app, options.swarm.data);
}

constexpr const char* about =
    "Submits a job, waits for it, and prints the answer alone on the last line of stdout.\n"
    "The task cuts itself into units. Peers compute them, each unit once --copies of them agree.\n"
    "Interrupted, by Ctrl-C or a crash, it loses nothing that was accepted: the same command goes on.";

constexpr const char* examples =
    "Examples:\n"
    "  dugnad submit primes --to 1e10 --join tcp://192.0.2.7:4210/PEERID/CURVE\n"
    "  dugnad submit nqueens --n 16 --copies 3        three matching results; found through this machine's worker\n"
    "  dugnad submit mandelbrot --width 1920 --height 1080 --out picture.png\n"
    "  dugnad submit walks --n 22 --listen none       from behind a NAT\n"
    "  dugnad submit --resume 3f2a                    go on with an unfinished job; `dugnad jobs` lists them\n"
    "\n"
    "--json prints objects with an \"event\" each: started, progress (at most one a second), outvoted, alone, donors_back, unreachable, "
    "trouble,\n"
    "unit_failed, answer, and last: end, with the exit code.\n"
    "\n"
    "Exit codes: 0 every unit accepted, 1 the machine refuses, 2 bad usage, 3 units failed, 4 nobody to compute them within --wait,\n"
    "5 fewer different peers than --copies after --wait, 130 interrupted.\n";

Result<std::chrono::milliseconds> milliseconds_of(double seconds, double least, const char* option) {
  if (!std::isfinite(seconds) || seconds < least || seconds > seconds_most) {
    return Error{std::string(option) + " wants seconds, " + (least > 0 ? "above" : "from") + " 0 and at most a thousand million"};
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

bool is_module(const std::string& task) { return task == "-" || task.ends_with(".wasm"); }

Result<void> check_later(const Later& later, const Typed& typed, const std::vector<std::string>& left_over) {
  for (const CLI::Option* option : later.options) {
    if (option->count() > 0) return Error{option->get_name() + " is not in this version"};
  }
  if (is_module(typed.task)) return Error{"modules are not in this version; `dugnad tasks` lists the tasks that are built in"};
  if (std::find(left_over.begin(), left_over.end(), "-") != left_over.end())
    return Error{"units from standard input are not in this version"};
  return {};
}

Result<void> check_task(SubmitOptions& options, const Typed& typed, const std::vector<std::string>& left_over,
                        const std::vector<std::string>& names, const tasks::TaskTable& tasks) {
  if (!options.resume.empty()) {
    if (!typed.task.empty() || !left_over.empty()) {
      return Error{"--resume goes on with a job as it was submitted; leave out '" + (typed.task.empty() ? left_over.front() : typed.task) +
                   "'"};
    }
    return {};
  }
  if (typed.task.empty()) return Error{"which task? As in: dugnad submit nqueens --n 12; `dugnad tasks` lists them"};
  const auto task = find_task(tasks, typed.task);
  if (!task) return task.error();
  auto parameters = read_parameters(**task, left_over, names);
  if (!parameters) return parameters.error();
  options.task = *task;
  options.parameters = *std::move(parameters);
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

std::variant<SubmitOptions, ExitCode> read_submit_options(Arguments arguments, const tasks::TaskTable& tasks) {
  SubmitOptions options;
  options.swarm.tasks = tasks;
  Typed typed;
  Later later;
  CLI::App app(about, "dugnad submit");
  app.footer(examples);
  app.allow_extras();
  describe(app, options, typed);
  add_later(app, later);
  if (const auto exit = parse(app, arguments)) return *exit;

  const std::vector<std::string> left_over = app.remaining();
  Result<void> checked = check_later(later, typed, left_over);
  if (checked) checked = check_swarm_options(options.swarm);
  if (checked) checked = check_times(options, typed);
  if (checked) checked = check_task(options, typed, left_over, option_names(app), tasks);
  if (!checked) return fail(ExitCode::bad_usage, checked.error().message);
  return options;
}

}  // namespace dugnad::sdk::cli
