// `dugnad jobs`, `status` and `cancel`: what the journal knows of this owner's jobs.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "sdk/cli/command.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/options.h"
#include "sdk/cli/report.h"
#include "sdk/cli/table.h"

namespace dugnad::sdk::cli {
namespace {

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

}  // namespace

ExitCode list_jobs(Arguments arguments) {
  std::string data;
  bool json = false;
  CLI::App app("Lists the jobs in this user's journal, the oldest first.", "dugnad jobs");
  app.footer(
      "Examples:\n  dugnad jobs\n  dugnad submit --resume 3f2a\n\nA running job has a program that works on it; an unfinished one was "
      "interrupted and can be resumed.\n");
  app.add_flag("--json", json, "Print a JSON object per job.");
  add_data_option(app, data);
  if (const auto exit = parse(app, arguments)) return *exit;
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
  CLI::App app("Says how a job stands, as far as the journal knows.", "dugnad status");
  app.footer("Example:\n  dugnad status 3f2a\n");
  app.add_flag("--json", json, "Print a JSON object.");
  const Chosen chosen = choose(app, arguments);
  if (chosen.exit) return *chosen.exit;
  const KnownJob& job = *chosen.job;
  if (json) {
    std::cout << json_of(*chosen.journal, job).dump() << '\n';
    return ExitCode::ok;
  }
  std::cout << "job       " << job.stored.job.hex() << '\n'
            << "task      " << what_of(job) << '\n'
            << "sure by   " << policy_of(job) << '\n'
            << "state     " << state_of(*chosen.journal, job.stored) << '\n'
            << "accepted  " << job.stored.units_accepted << (job.stored.units_accepted == 1 ? " unit\n" : " units\n") << "created   "
            << text_of(job.stored.created) << '\n';
  return ExitCode::ok;
}

ExitCode cancel_job(Arguments arguments) {
  CLI::App app("Marks an unfinished job as cancelled: it is not resumed any more. Its results stay in the journal.", "dugnad cancel");
  app.footer("Example:\n  dugnad cancel 3f2a\n");
  const Chosen chosen = choose(app, arguments);
  if (chosen.exit) return *chosen.exit;
  const store::StoredJob& job = chosen.job->stored;
  const std::string name = "job " + brief(job.job.hex());
  if (job.state != JobState::running) return fail(ExitCode::bad_usage, name + " is " + state_of(*chosen.journal, job) + " already");
  if (chosen.journal->busy(job.job)) {
    return fail(ExitCode::bad_usage, "a running program works on " + name + ": end that one first; from here, this is not in this version");
  }
  if (const auto cancelled = chosen.journal->cancel(job.job); !cancelled) return fail(ExitCode::environment, cancelled.error().message);
  std::cerr << "dugnad: " << name << " is cancelled\n";
  return ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
