#include "sdk/cli/detach.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "coordinatorless/store/data_dir.h"
#include "sdk/cages.h"
#include "sdk/cli/hosted.h"
#include "sdk/cli/interrupts.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/out_file.h"
#include "sdk/cli/outputs.h"
#include "sdk/cli/reach.h"
#include "sdk/cli/report.h"
#include "sdk/cli/spool.h"
#include "sdk/job_control.h"
#include "sdk/register_job.h"
#include "sdk/request.h"
#include "worker/control_socket.h"
#include "worker/hosted_orders.h"
#include "worker/node_swarm.h"

namespace dugnad::sdk::cli {
namespace {

constexpr auto start_patience = std::chrono::seconds(20);
constexpr auto look_interval = std::chrono::milliseconds(50);

struct Refused {
  ExitCode code;
  std::string reason;
};
template <class T>
using Or = std::variant<T, Refused>;

std::string absolute(const std::string& path) {
  std::error_code unknown;
  const auto whole = std::filesystem::absolute(path, unknown);
  return unknown ? path : whole.lexically_normal().string();
}

/// What is said again to the process that runs the job; the rest is in the job's recipe.
std::vector<std::string> arguments_of(const SubmitOptions& options) {
  std::vector<std::string> words{"--swarm", options.swarm.swarm, "--local", std::to_string(options.swarm.local)};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {name, value});
  };
  if (!options.swarm.swarm_secret.empty()) add("--swarm-secret", absolute(options.swarm.swarm_secret));
  for (const std::string& contact : options.swarm.join) add("--join", contact);
  add("--listen", options.swarm.listen);
  add("--advertise", options.swarm.advertise);
  if (options.wait) add("--wait", std::to_string(static_cast<double>(options.wait->count()) / 1000));
  if (!options.out.empty()) add("--out", absolute(options.out));
  return words;
}

/// Asked before the job is made, as a submission does in its own terminal.
std::optional<Refused> check_out(const SubmitOptions& options, bool module) {
  if (options.out.empty()) return std::nullopt;
  if (module) {
    if (const auto opened = outputs_in(absolute(options.out)); !opened) return Refused{ExitCode::environment, opened.error().message};
  } else if (const auto writable = check_out_file(absolute(options.out)); !writable) {
    return Refused{ExitCode::environment, writable.error().message};
  }
  return std::nullopt;
}

/// Where this machine computes nothing, or no modules, nothing would settle a dispute.
std::optional<Refused> check_reach(SubmitOptions& options) {
  if (!options.job.confidence) return std::nullopt;
  if (options.swarm.local == 0) return Refused{ExitCode::out_of_reach, out_of_reach(computes_nothing, *options.job.confidence)};
  if (!options.module) return std::nullopt;
  const Cages cages = find_cages();
  if (cages.launcher) return std::nullopt;
  const std::string why = "this machine cannot compute the program, which would settle disputes: " + cages.none_because;
  if (!options.policy_by_default) return Refused{ExitCode::out_of_reach, out_of_reach(why, *options.job.confidence)};
  complain("two copies of each unit instead of a confidence: " + why);
  options.job.confidence.reset();
  return std::nullopt;
}

Or<Recipe> recipe_of_module(SubmitOptions& options, const Module& module, const ModuleOrder& order, const Stop& stop) {
  const auto reader = UnitReader::open(order.units, module.kind(), stop);
  if (!reader) return Refused{ExitCode::bad_usage, reader.error().message};
  options.job.source = order.text();
  const bool command = module.kind() == Module::Kind::command;
  auto recipe = recipe_of(Recipe::Kind::stream, module, options.job);
  if (!recipe) return Refused{ExitCode::bad_usage, recipe.error().message};
  const auto inputs = coming_inputs(
      [&]() -> Result<std::optional<Bytes>> {
        auto unit = (*reader)->next();
        if (!unit) return unit.error();
        if (!*unit) return std::optional<Bytes>();
        return std::optional(command ? tasks::wasm::encode(**unit) : std::move((*unit)->standard_input));
      },
      options.job, *recipe);
  if (!inputs) return Refused{ExitCode::bad_usage, inputs.error().message};
  return *std::move(recipe);
}

Or<JobId> registered(const std::string& data, const SubmitOptions& options, const Recipe& recipe) {
  const auto swarm = worker::read_swarm(options.swarm.swarm, options.swarm.swarm_secret);
  if (!swarm) return Refused{ExitCode::environment, swarm.error().message};
  const auto job = register_job(data, swarm->id(), recipe);
  if (!job) return Refused{ExitCode::environment, job.error().message};
  return *job;
}

/// `source`: what was spooled, once it was.
Or<JobId> register_spooled(const std::string& data, SubmitOptions& options, const Module& module, std::string& source) {
  if (options.module->units.kind == UnitSource::Kind::files) {
    if (const auto found = matching_files(options.module->units.what); !found) return Refused{ExitCode::bad_usage, found.error().message};
  }
  const Stop stop;
  const Interrupts interrupts([&stop] { stop.stop(); });
  const auto spooled = spool(data, *options.module, module, stop);
  if (!spooled) {
    const bool interrupted = spooled.error().message == "interrupted";
    return Refused{interrupted ? ExitCode::interrupted : ExitCode::environment, spooled.error().message};
  }
  source = spooled->order.text();
  const auto recipe = recipe_of_module(options, module, spooled->order, stop);
  if (const auto* refused = std::get_if<Refused>(&recipe)) return *refused;
  return registered(data, options, std::get<Recipe>(recipe));
}

Or<JobId> register_module(const std::string& data, SubmitOptions& options) {
  const auto module = Module::load(options.module->path);
  if (!module) return Refused{ExitCode::bad_usage, module.error().message};
  if (const auto fits = module->check(options.job.memory_bytes, options.job.fuel); !fits)
    return Refused{ExitCode::bad_usage, fits.error().message};
  if (auto refused = check_out(options, true)) return *std::move(refused);
  Recipe made;
  auto job = register_spooled(data, options, *module, made.source);
  if (std::holds_alternative<Refused>(job)) {
    if (const auto journal = Journal::open(data)) release_spooled(*journal, made);
  }
  return job;
}

Or<JobId> register_task(const std::string& data, const SubmitOptions& options) {
  if (auto refused = check_out(options, false)) return *std::move(refused);
  auto recipe = recipe_of(Recipe::Kind::run, *options.task, options.job);
  if (!recipe) return Refused{ExitCode::bad_usage, recipe.error().message};
  const auto checked = tasks::check_parameters(*options.task, options.parameters);
  if (!checked) return Refused{ExitCode::bad_usage, checked.error().message};
  recipe->parameters = *checked;
  return registered(data, options, *recipe);
}

Or<JobId> find_unfinished(const SubmitOptions& options) {
  const auto journal = Journal::open(options.swarm.data);
  if (!journal) return Refused{ExitCode::environment, journal.error().message};
  const auto job = journal->find(options.resume);
  if (!job) return Refused{ExitCode::bad_usage, job.error().message};
  if (auto refusal = why_not_resumed(*journal, *job)) return Refused{ExitCode::bad_usage, *std::move(refusal)};
  if (auto refused = check_out(options, job->recipe->module.has_value())) return *std::move(refused);
  return job->stored.job;
}

Or<JobId> find_or_register(const std::string& data, SubmitOptions& options) {
  if (!options.resume.empty()) return find_unfinished(options);
  if (auto refused = check_reach(options)) return *std::move(refused);
  return options.module ? register_module(data, options) : register_task(data, options);
}

std::string last_line_of(const std::string& path) {
  std::ifstream in(path);
  std::string line, last;
  while (std::getline(in, line)) last = line;
  return last;
}

/// Waits until the job runs, or has ended, or its process has given up on it.
std::optional<Refused> await_start(const std::string& data, const JobId& job) {
  const worker::HostedOrders orders(data);
  const auto journal = Journal::open(data);
  if (!journal) return Refused{ExitCode::environment, journal.error().message};
  const std::string name = "job " + brief(job.hex());
  for (const auto until = std::chrono::steady_clock::now() + start_patience; std::chrono::steady_clock::now() < until;) {
    if (ask_progress(data, job)) return std::nullopt;
    const bool ordered = orders.has(job);
    const auto known = journal->find(job.hex());
    if (!known) return Refused{ExitCode::environment, known.error().message};
    if (known->stored.state != JobState::running) return std::nullopt;
    if (!ordered) return Refused{ExitCode::environment, name + " cannot be run: " + last_line_of(orders.log_of(job))};
    std::this_thread::sleep_for(look_interval);
  }
  complain(name + " waits for its turn in the worker; " + orders.log_of(job) + " says how its last start went");
  return std::nullopt;
}

std::optional<Refused> hand_over(const std::string& data, const SubmitOptions& options, const JobId& job) {
  const worker::HostedOrders orders(data);
  if (const auto put = orders.put(job, arguments_of(options)); !put) return Refused{ExitCode::environment, put.error().message};
  const worker::Asked asked = worker::ask(worker::control_path(data), {"host", job.hex()});
  if (asked.answer && asked.answer->ok) return await_start(data, job);
  orders.remove(job);
  return Refused{ExitCode::environment, "the worker here does not take job " + brief(job.hex()) + ": " +
                                            (asked.answer ? asked.answer->text : asked.reason) + "; dugnad submit --resume " +
                                            brief(job.hex()) + " goes on with it"};
}

}  // namespace

ExitCode detach(SubmitOptions options) {
  const auto dir = store::DataDir::open(options.swarm.data);
  if (!dir) return fail(ExitCode::environment, dir.error().message);
  const std::string data = absolute(dir->path());
  if (const auto contact = worker::ask_contact(data); !contact) {
    return fail(ExitCode::environment, contact.error().message + "; to leave a job to it, start one: dugnad-worker" +
                                           (options.swarm.data.empty() ? "" : " --data " + options.swarm.data) + " &");
  }
  const auto job = find_or_register(data, options);
  if (const auto* refused = std::get_if<Refused>(&job)) return fail(refused->code, refused->reason);
  const std::string id = std::get<JobId>(job).hex();
  if (const auto refused = hand_over(data, options, std::get<JobId>(job))) return fail(refused->code, refused->reason);
  if (options.json) {
    std::printf("%s\n", nlohmann::ordered_json{{"event", "detached"}, {"job", id}}.dump().c_str());
  } else {
    const std::string here = options.swarm.data.empty() ? "" : " --data " + options.swarm.data;
    std::fprintf(stderr, "dugnad: job %s is the worker's now: dugnad status %s%s, dugnad results %s%s --wait\n", brief(id).c_str(),
                 brief(id).c_str(), here.c_str(), brief(id).c_str(), here.c_str());
    std::printf("%s\n", id.c_str());
  }
  return ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
