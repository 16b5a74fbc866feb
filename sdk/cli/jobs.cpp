// `dugnad jobs`, `status` and `cancel`: what the journal knows of this owner's jobs, and what the programs that run them say.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "sdk/cli/command.h"
#include "sdk/cli/hosted.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/options.h"
#include "sdk/cli/progress_json.h"
#include "sdk/cli/progress_line.h"
#include "sdk/cli/repair.h"
#include "sdk/cli/report.h"
#include "sdk/cli/table.h"
#include "sdk/job_control.h"
#include "coordinatorless/store/data_dir.h"
#include "worker/held_jobs.h"

namespace dugnad::sdk::cli {
namespace {

constexpr auto cancel_patience = std::chrono::seconds(10);  // its program has one row to write
constexpr auto look_interval = std::chrono::milliseconds(50);

/// Local time, as in 2026-05-17 18:02.
std::string text_of(WallTime time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  char text[32] = "";
  if (::localtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
  return text;
}

/// What it is to be sure of: `2 copies`, `0.99` of the answer, `0.999 a unit`.
std::string policy_of(const KnownJob& job) {
  if (!job.recipe) return "?";
  const auto confidence = confidence_of(*job.recipe);
  if (!confidence) return std::to_string(job.recipe->copies) + (job.recipe->copies == 1 ? " copy" : " copies");
  char text[48];
  std::snprintf(text, sizeof text, "%.9g%s", confidence->probability, job.recipe->confidence->combined ? "" : " a unit");
  return text;
}

nlohmann::ordered_json json_of(const Journal& journal, const KnownJob& job) {
  nlohmann::ordered_json object{{"job", job.stored.job.hex()}};
  if (job.recipe) {
    object["task"] = job.recipe->task;
    object["parameters"] = job.recipe->parameters;
    const auto confidence = confidence_of(*job.recipe);
    object["copies"] = confidence ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(job.recipe->copies);
    if (confidence) object["confidence"] = confidence->probability;
  }
  object["state"] = state_of(journal, job.stored);
  object["units_accepted"] = job.stored.units_accepted;
  object["created_ms"] = job.stored.created.time_since_epoch().count();
  return object;
}

ExitCode list_held_jobs(const std::string& data, bool json) {
  const auto dir = store::DataDir::open_for_reading(data);
  if (!dir) return fail(ExitCode::environment, dir.error().message);
  const auto held = worker::ask_held_jobs(dir->path());
  if (!held) return fail(ExitCode::environment, held.error().message);
  using Align = Table::Align;
  Table table({{"JOB"}, {"UNITS", Align::right}, {"GATHERED", Align::right}, {"WHO LEASES THEM OUT"}});
  for (const core::HeldJob& job : *held) {
    if (json) {
      const nlohmann::ordered_json object{
          {"job", job.job.hex()}, {"units", job.units}, {"units_gathered", job.units_done}, {"leads", job.leads}};
      std::cout << object.dump() << '\n';
    }
    table.add({brief(job.job.hex()), std::to_string(job.units), std::to_string(job.units_done), job.leads ? "this worker" : "others"});
  }
  if (json) return ExitCode::ok;
  if (table.empty()) std::cerr << "it holds no jobs of others\n";
  else std::cout << table.text();
  return ExitCode::ok;
}

/// What `status` and `cancel` begin with: options, the journal, and the job in it.
struct Chosen {
  std::optional<ExitCode> exit;  // set where that is all
  std::optional<Journal> journal;
  std::optional<KnownJob> job;
};

Chosen choose(CLI::App& app, Arguments arguments) {
  std::string id;
  std::string data;
  app.add_option("JOB", id, "The job's id, or as much of its beginning as no other job has.")->type_name("")->required();
  add_data_option(app, data);
  if (const auto exit = parse(app, arguments)) return {.exit = exit, .journal = {}, .job = {}};
  auto journal = Journal::open(data);
  if (!journal) return {.exit = fail(ExitCode::environment, journal.error().message), .journal = {}, .job = {}};
  auto job = journal->find(id);
  if (!job) return {.exit = fail(ExitCode::bad_usage, job.error().message), .journal = {}, .job = {}};
  return {.exit = {}, .journal = *std::move(journal), .job = *std::move(job)};
}

nlohmann::ordered_json json_of(const Progress& progress, bool confident) {
  nlohmann::ordered_json object{{"units_known", progress.units_known}};
  add(object, progress);
  object["units_per_second"] = progress.units_per_second;
  object["unit_seconds"] = progress.unit_seconds;
  if (confident) object["confidence_reached"] = progress.confidence;
  return object;
}

/// The job's own program ends it, where there is one; else the journal is told. One that is just leaving, or starting, answers nobody and still has
/// the job: it is waited for.
Result<void> cancel(const Journal& journal, const JobId& job) {
  const std::string name = "job " + brief(job.hex());
  bool told = false;
  for (const auto until = std::chrono::steady_clock::now() + cancel_patience; std::chrono::steady_clock::now() < until;) {
    const auto now = journal.find(job.hex());
    if (!now) return now.error();
    if (now->stored.state == JobState::cancelled) return {};
    if (now->stored.state != JobState::running) return Error{name + " has ended before: it is " + state_of(journal, now->stored)};
    const auto asked = ask_to_cancel(journal.data(), job);
    if (!asked) return asked.error();
    told = told || *asked;
    if (!*asked && !journal.busy(job)) return journal.cancel(job);
    std::this_thread::sleep_for(look_interval);
  }
  if (told) return Error{"the program that runs " + name + " was told to end it and has not done so; end that program"};
  return Error{"a running program works on " + name + " and does not answer; end that one first"};
}

}  // namespace

ExitCode list_jobs(Arguments arguments) {
  std::string data;
  bool json = false;
  bool repair = false;
  bool held = false;
  CLI::App app("Lists the jobs in this user's journal, the oldest first.", "dugnad jobs");
  app.footer(
      "Examples:\n  dugnad jobs\n  dugnad submit --resume 3f2a\n  dugnad jobs --repair\n\nA running job has a program that works on it; an "
      "unfinished one was interrupted and can be resumed; a waiting one was left to the worker here, which takes it up when it runs.\n");
  app.add_flag("--json", json, "Print a JSON object per job.");
  app.add_flag("--repair", repair,
               "Look at every byte of the journals, this user's and the worker's, and save what is whole of damaged ones in new ones. Damaged ones "
               "are kept.");
  app.add_flag("--held", held, "Instead: jobs of others that the worker here holds while their submitters are away (dugnad-worker --steward).");
  add_data_option(app, data);
  if (const auto exit = parse(app, arguments)) return *exit;
  if (held) return list_held_jobs(data, json);
  if (repair) return repair_journals(data, json);
  const auto journal = Journal::open(data);
  if (!journal) return fail(ExitCode::environment, journal.error().message);
  const auto jobs = journal->jobs();
  if (!jobs) return fail(ExitCode::environment, jobs.error().message);
  if (json) {
    for (const KnownJob& job : *jobs) std::cout << json_of(*journal, job).dump() << '\n';
    return ExitCode::ok;
  }
  using Align = Table::Align;
  Table table({{"JOB"}, {"TASK"}, {"SURE BY"}, {"UNITS ACCEPTED", Align::right}, {"STATE"}, {"CREATED"}});
  for (const KnownJob& job : *jobs) {
    table.add({brief(job.stored.job.hex()), what_of(job), policy_of(job), std::to_string(job.stored.units_accepted),
               state_of(*journal, job.stored), text_of(job.stored.created)});
  }
  if (table.empty()) {
    std::cerr << "no jobs yet\n";
  } else {
    std::cout << table.text();
  }
  return ExitCode::ok;
}

ExitCode show_status(Arguments arguments) {
  bool json = false;
  CLI::App app("Says how a job stands: what the journal knows, and while it runs what its program says.", "dugnad status");
  app.footer("Example:\n  dugnad status 3f2a\n");
  app.add_flag("--json", json, "Print a JSON object; what the running program says is in `progress`.");
  const Chosen chosen = choose(app, arguments);
  if (chosen.exit) return *chosen.exit;
  const KnownJob& job = *chosen.job;
  const auto progress =
      job.stored.state == JobState::running ? ask_progress(chosen.journal->data(), job.stored.job) : std::optional<Progress>();
  const bool confident = job.recipe && job.recipe->confidence;
  if (json) {
    auto object = json_of(*chosen.journal, job);
    if (progress) object["progress"] = json_of(*progress, confident);
    std::cout << object.dump() << '\n';
    return ExitCode::ok;
  }
  std::cout << "job       " << job.stored.job.hex() << '\n'
            << "task      " << what_of(job) << '\n'
            << "sure by   " << policy_of(job) << '\n'
            << "state     " << state_of(*chosen.journal, job.stored) << '\n'
            << "accepted  " << job.stored.units_accepted << (job.stored.units_accepted == 1 ? " unit\n" : " units\n") << "created   "
            << text_of(job.stored.created) << '\n';
  if (!progress) return ExitCode::ok;
  std::cout << "progress  " << describe(*progress) << '\n';
  if (progress->units_held > 0) std::cout << "held      " << progress->units_held << " with a result that is not final\n";
  if (confident) std::cout << "so far    a confidence of " << progress->confidence << '\n';
  if (progress->convicted > 0) std::cout << "caught    " << progress->convicted << (progress->convicted == 1 ? " lie\n" : " lies\n");
  return ExitCode::ok;
}

ExitCode cancel_job(Arguments arguments) {
  bool json = false;
  CLI::App app(
      "Ends a job for good, wherever it runs: it is not resumed any more, and the program that runs it ends. What was accepted stays in "
      "the "
      "journal.",
      "dugnad cancel");
  app.footer("Example:\n  dugnad cancel 3f2a\n");
  app.add_flag("--json", json, "Print a JSON object.");
  const Chosen chosen = choose(app, arguments);
  if (chosen.exit) return *chosen.exit;
  const store::StoredJob& job = chosen.job->stored;
  const std::string name = "job " + brief(job.job.hex());
  if (job.state != JobState::running) return fail(ExitCode::bad_usage, name + " is " + state_of(*chosen.journal, job) + " already");
  if (const auto cancelled = cancel(*chosen.journal, job.job); !cancelled) return fail(ExitCode::environment, cancelled.error().message);
  if (const auto now = chosen.journal->find(job.job.hex())) forget_hosted(*chosen.journal, *now);
  if (json) {
    std::cout << nlohmann::ordered_json{{"job", job.job.hex()}, {"state", "cancelled"}}.dump() << '\n';
  } else {
    std::cerr << "dugnad: " << name << " is cancelled\n";
  }
  return ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
