#include "sdk/cli/journal.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "coordinatorless/store/blob_store.h"
#include "coordinatorless/store/data_dir.h"
#include "sdk/cli/report.h"
#include "sdk/cli/spool.h"
#include "sdk/cli/submit_options.h"
#include "sdk/cli/task_parameters.h"
#include "sdk/job_lock.h"
#include "worker/hosted_orders.h"

namespace dugnad::sdk::cli {
namespace {

constexpr const char* file_name = "submitter.journal";
constexpr const char* blobs_name = "/blobs";

bool is_hex(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789abcdef") == text.npos; }

}  // namespace

Result<Journal> Journal::open(const std::string& data) {
  const auto dir = store::DataDir::open_for_reading(data);
  if (!dir) return dir.error();
  const std::string path = dir->file(file_name);
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown) && !unknown) return Journal(dir->path(), nullptr);
  auto store = store::Store::open_for_reading(path);
  if (!store) return store.error();
  return Journal(dir->path(), *std::move(store));
}

Result<std::vector<KnownJob>> Journal::jobs() const {
  std::vector<KnownJob> known;
  if (!store_) return known;
  auto stored = store_->jobs();
  if (!stored) return stored.error();
  for (store::StoredJob& job : *stored) {
    auto recipe = decode_recipe(job.recipe);
    known.push_back({std::move(job), std::move(recipe)});
  }
  return known;
}

Result<KnownJob> Journal::find(const std::string& id) const {
  if (!is_hex(id)) return Error{"'" + id + "' is no job: an id is lower-case hex digits; `dugnad jobs` lists them"};
  auto all = jobs();
  if (!all) return all.error();
  std::vector<KnownJob> found;
  for (KnownJob& job : *all) {
    if (job.stored.job.hex().starts_with(id)) found.push_back(std::move(job));
  }
  if (found.empty()) return Error{"the journal in " + data_ + " has no job " + id + "; `dugnad jobs` lists those it has"};
  if (found.size() > 1) return Error{std::to_string(found.size()) + " jobs begin with " + id + "; write more of its id"};
  return std::move(found.front());
}

Result<std::vector<AcceptedUnit>> Journal::accepted(const JobId& job) const {
  if (!store_) return std::vector<AcceptedUnit>();
  return store_->accepted(job);
}

Result<std::optional<PapersRow>> Journal::papers(const JobId& job) const {
  if (!store_) return std::optional<PapersRow>();
  return store_->papers(job);
}

Result<std::vector<Bytes>> Journal::evidence(const JobId& job) const {
  if (!store_) return std::vector<Bytes>();
  return store_->evidence(job);
}

Result<std::optional<Bytes>> Journal::summary(const JobId& job) const {
  if (!store_) return std::optional<Bytes>();
  return store_->summary(job);
}

void Journal::outputs_given(const JobId& job) const { store::KeptOutputs(data_ + blobs_name).forget(job); }

Result<Bytes> Journal::output_of(const AcceptedUnit& unit) const {
  if (!unit.output.large) return unit.output.bytes;
  const auto bytes = store::BlobStore(store::files_to_read(data_ + blobs_name)).get(unit.output.blob());
  if (!bytes) return Error{"the output of unit " + std::to_string(unit.unit.value) + " is not on this disk any more; submit the job again"};
  return *bytes;
}

bool Journal::busy(const JobId& job) const {
  const auto lock = JobLock::try_lock(data_, job);
  return lock && !*lock;
}

Result<void> Journal::cancel(const JobId& job) const {
  const auto lock = JobLock::try_lock(data_, job);
  if (!lock) return lock.error();
  if (!*lock) return Error{"a running program works on job " + brief(job.hex()) + " and does not answer; end that one first"};
  // With the lock held: it may have ended while nobody held it.
  const auto now = find(job.hex());
  if (!now) return now.error();
  if (now->stored.state != JobState::running) return Error{"job " + brief(job.hex()) + " has ended before: it is " + state_of(*this, now->stored)};
  auto store = store::Store::open(data_ + "/" + file_name);
  if (!store) return store.error();
  std::string trouble;
  (*store)->on_trouble([&trouble](const std::string& line) { trouble = line; });
  (*store)->write(PersistSeq{1}, {JobStateRow{job, JobState::cancelled}});
  (*store)->flush();
  store->reset();  // its thread has ended: trouble is ours alone
  if (!trouble.empty()) return Error{trouble};
  outputs_given(job);
  return {};
}

std::string state_of(const Journal& journal, const store::StoredJob& job) {
  switch (job.state) {
    case JobState::running:
      if (journal.busy(job.job)) return "running";
      return worker::HostedOrders(journal.data()).has(job.job) ? "waiting" : "unfinished";
    case JobState::done: return "done";
    case JobState::failed: return "failed";
    case JobState::cancelled: return "cancelled";
  }
  return "unknown";
}

std::optional<std::string> why_not_resumed(const Journal& journal, const KnownJob& job) {
  const std::string brief_id = brief(job.stored.job.hex()), name = "job " + brief_id;
  if (!job.recipe) return name + " was submitted by another version of dugnad";
  const std::string state = state_of(journal, job.stored);
  if (state == "running") {
    return name + " is running in another program: dugnad status " + brief_id + " says how it stands, dugnad cancel " + brief_id + " ends it";
  }
  if (state == "done" || state == "failed") return name + " is " + state + ": dugnad results " + brief_id + " gives what came of it";
  if (state != "unfinished" && state != "waiting") return name + " is " + state + "; only an unfinished one can be resumed";
  if (!job.recipe->module) return std::nullopt;
  const auto order = ModuleOrder::read(job.recipe->source);
  if (!order) return name + " has its inputs from a program; run that program again";
  if (order->units.kind == UnitSource::Kind::standard_input) {
    return name + " has its units from standard input: the same command with the same input goes on with it, and with --detach the units are kept";
  }
  return std::nullopt;
}

std::string what_of(const KnownJob& job) {
  if (job.recipe && job.recipe->module) {
    if (auto spooled = spooled_text(*job.recipe)) return *std::move(spooled);
    return job.recipe->source.empty() ? job.recipe->task : job.recipe->source;
  }
  return job.recipe ? command_line_of(job.recipe->task, job.recipe->parameters) : "(of another version)";
}

}  // namespace dugnad::sdk::cli
