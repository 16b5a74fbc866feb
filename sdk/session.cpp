#include "sdk/session.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/zmq/clocks.h"

namespace dugnad::sdk {
namespace {

constexpr double look_ahead_seconds = 2;
constexpr std::uint64_t look_ahead_units_min = 16 << 10;  // enough for a fast start, before there is a rate
constexpr std::uint64_t look_ahead_units_max = 1 << 18;  // a small unit that waits takes a hundred bytes
constexpr std::uint64_t look_ahead_bytes = 64 << 20;  // of inputs; the node holds them until they are accepted
constexpr std::size_t batch_units_max = 4096;
constexpr std::size_t batch_bytes_max = 4 << 20;
constexpr auto room_patience = std::chrono::milliseconds(200);  // nobody says when others leave room in the store
constexpr Duration batch_quick = std::chrono::milliseconds(1);

BootTime now() { return zmq::read_clocks().boot; }

UnitResult failed(std::uint64_t unit, std::string reason) { return {.unit = unit, .ok = false, .output = {}, .reason = std::move(reason)}; }

std::uint64_t failed_in(const Mailbox::Batch& batch) {
  return static_cast<std::uint64_t>(std::count_if(batch.begin(), batch.end(), [](const UnitResult& result) { return !result.ok; }));
}

}  // namespace

std::optional<Error> fault_of_input(std::uint64_t unit, std::size_t size) {
  if (size <= core::limits::blob_bytes_max) return std::nullopt;
  return Error{"the input of unit " + std::to_string(unit) + " has " + std::to_string(size) + " bytes; at most " +
               std::to_string(core::limits::blob_bytes_max) + " travel"};
}

Session::Session(worker::Node& node, Prepared prepared, Source source)
    : id_(prepared.job.id),
      combines_(source.combines),
      commands_(source.commands),
      opened_(source.plan == nullptr),
      blobs_(node.blob_store()),
      kept_outputs_(node.kept_outputs()),
      stored_output_(source.combines ? StoredOutput() : std::move(source.stored_output)),
      known_(std::move(source.known)),
      mailbox_([this] { wake(); }, large_store()),
      submitted_(std::move(prepared.job.event)),
      stewards_(submitted_.stewards),
      plan_(std::move(source.plan)),
      inputs_(source.inputs),
      kept_(std::move(prepared.kept)),
      expected_(plan_ ? plan_->units_expected() : std::nullopt),
      rate_(now()),
      job_lock_(std::move(prepared.lock)),
      module_(std::move(prepared.module)),
      node_(&node) {
  submitted_.checked = source.checked;
}

Session::~Session() {
  leave();
  mailbox_.give_up();
}

// --- The Swarm's side ---

void Session::start() {
  takes_up_ = !submitted_.held.empty() || kept_.size() > 0;
  if (expected_) submitted_.units_expected = *expected_ - std::min<std::uint64_t>(*expected_, kept_.size());
  node_->post(std::move(submitted_));
  if (opened_) return;
  thread_over_ = false;
  thread_ = std::thread([this] { run(); });
}

void Session::stop_cutting() {
  const std::lock_guard lock(mutex_);
  stop_cutting_ = true;
}

void Session::leave() {
  {
    const std::lock_guard lock(mutex_);
    left_ = stop_cutting_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  std::uint64_t failed_units = 0;
  std::optional<JobState> core_ended;
  {
    const std::lock_guard lock(mutex_);
    job_lock_.reset();
    module_.reset();
    failed_units = failed_;
    core_ended = core_ended_;
  }
  if (core_ended == JobState::cancelled)
    kept_outputs_.forget(id_);
  else if (core_ended)
    kept_outputs_.over(id_);
  mailbox_.finish({EndKind::swarm_left, failed_units, {}}, std::nullopt);
  mailbox_.keep_rest();  // what was not read must not fill the node's room for outputs for ever
  const std::lock_guard lock(attached_);
  node_ = nullptr;
}

bool Session::over() const { return mailbox_.finished() && thread_over_; }

// --- The protocol's thread ---

void Session::accepted(std::vector<AcceptedUnit> units) {
  if (combines_) {
    const std::lock_guard lock(mutex_);
    let_inputs_go(units);
    std::move(units.begin(), units.end(), std::back_inserter(inbox_));
    changed_.notify_all();
    return;
  }
  Mailbox::Batch batch;
  batch.reserve(units.size());
  Mailbox::LargeOutputs large;
  {
    const std::lock_guard lock(mutex_);
    let_inputs_go(units);
    for (AcceptedUnit& unit : units) {
      unit.unit.value = known_.unit_of(unit.unit.value).unit;
      batch.push_back(result_of(std::move(unit), large));
    }
    count_accepted(batch);
    await_stored(large);
    if (!opened_ && may_cut()) changed_.notify_all();
  }
  mailbox_.deliver(std::move(batch), std::move(large));
}

void Session::held(std::uint64_t units) {
  const std::lock_guard lock(mutex_);
  held_ = units;
  if (!opened_ && may_cut()) changed_.notify_all();
}

void Session::ended(JobState state) {
  End end;
  {
    const std::lock_guard lock(mutex_);
    core_ended_ = state;
    let_all_inputs_go();
    job_lock_.reset();
    changed_.notify_all();
    end = end_of(state);
  }
  if (!combines_) mailbox_.finish(end, std::nullopt);  // else the plan has outputs to accept first
}

void Session::name_unit(Notice& notice, UnitIndex unit) const {
  const KnownUnits::Unit named = known_.unit_of(unit.value);
  notice.unit = named.unit;
  notice.known = named.known;
}

// --- The session's own thread ---

void Session::run() {
  for (;;) {
    std::vector<AcceptedUnit> units;
    std::optional<JobState> core_ended;
    bool left = false, is_taken_up = false;
    {
      Lock lock(mutex_);
      const auto has_news = [this] { return left_ || core_ended_ || !inbox_.empty(); };
      if (no_room_) {
        changed_.wait_for(lock, room_patience, has_news);
      } else {
        changed_.wait(lock, [&] { return has_news() || may_cut(); });
      }
      units = std::exchange(inbox_, {});
      core_ended = core_ended_;
      left = left_;
      is_taken_up = takes_up_ && kept_.size() == 0 && (held_ > 0 || rate_.per_second(now()) > 0);
    }
    if (is_taken_up) give_memory_back();
    if (!units.empty()) combine(std::move(units));
    if (core_ended || left) {
      if (core_ended && combines_) finish_combined(*core_ended);
      break;
    }
    cut();
  }
  thread_over_ = true;
}

/// What an earlier run had left was read on one thread and let go of on others, whose further work would not use that memory again.
void Session::give_memory_back() {
  takes_up_ = false;
  ::malloc_trim(0);
}

std::uint64_t Session::look_ahead() const {
  // What stewards are to go on with must be with them before this program leaves.
  if (stewards_ > 0) return look_ahead_bytes / std::max<std::uint64_t>(cut_ == 0 ? 1 : input_bytes_ / cut_, 1);
  const double wanted = look_ahead_seconds * rate_.per_second(now());
  const auto units = static_cast<std::uint64_t>(std::min(wanted, static_cast<double>(look_ahead_units_max)));
  const std::uint64_t mean_bytes = cut_ == 0 ? 0 : input_bytes_ / cut_;
  return std::min(std::max(units, look_ahead_units_min), look_ahead_bytes / std::max<std::uint64_t>(mean_bytes, 1));
}

bool Session::may_cut() {
  if (stop_cutting_ || complete_ || starved_) return false;
  const std::uint64_t pinned = input_blob_bytes_ + earlier_bytes_;
  if (pinned > 0 && pinned + waiting_bytes_ > blob_room()) return false;
  // Not for every unit that is accepted, but for a quarter of them together.
  return ahead_ - std::min(ahead_, held_) <= look_ahead() / 4 * 3 && !mailbox_.full();
}

void Session::cut() {
  std::vector<core::NewUnit> fresh;
  Mailbox::Batch done;  // from the journal, or unfit to be sent
  Mailbox::LargeOutputs large;
  std::map<std::uint64_t, BlobId> large_inputs;
  std::uint64_t resumed = 0;
  std::uint64_t next = 0;
  std::size_t bytes = 0;
  std::uint64_t travelling = 0;  // of `bytes`, in messages
  std::uint64_t pinned = 0;      // in the store
  std::uint64_t ahead = 0;
  std::uint64_t known_units = 0;  // of `fresh`
  if (std::exchange(no_room_, false) && !blobs_->make_room_for(waiting_->size())) {
    no_room_ = true;
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (!may_cut()) return;
    next = cut_;
    ahead = ahead_;
    pinned = input_blob_bytes_ + earlier_bytes_;
    waiting_bytes_ = 0;
  }
  std::uint64_t waiting_bytes = 0;
  bool last = false;
  bool starved = false;
  const BootTime began = now();
  while (fresh.size() + done.size() < batch_ && bytes < batch_bytes_max) {
    std::optional<Bytes> input = waiting_ ? std::exchange(waiting_, std::nullopt) : plan_->next();
    if (!input) {
      if (inputs_ != nullptr && inputs_->fault()) break;
      // Where nothing is under way either, a plan that waits for outputs waits for units that have failed.
      last = plan_->exhausted() || ahead + fresh.size() == 0;
      starved = !last;
      break;
    }
    const std::size_t size = input->size();
    const std::uint64_t blob_bytes = blob_bytes_of(next, *input);
    if (blob_bytes > 0 && pinned > 0 && pinned + blob_bytes > blob_room()) {
      waiting_ = std::move(input);
      waiting_bytes = blob_bytes;
      if (stewards_ > 0 && !std::exchange(wait_said_, true)) mailbox_.say({.kind = Notice::Kind::inputs_wait});
      break;
    }
    if (auto known = take_kept(next, *input, large)) {
      if (const auto at = large.find(next); at != large.end()) pinned += at->second.blob.length;
      done.push_back(*std::move(known));
      ++resumed;
    } else if (auto fault = fault_of_input(next, input->size())) {
      done.push_back(failed(next, std::move(fault->message)));
    } else if (auto value = as_value(*input)) {
      const UnitIndex number{known_.number_of(next)};
      if (value->large) {
        large_inputs[number.value] = value->blob();
        pinned += size;
      } else {
        travelling += size;
      }
      if (auto before = known_.beside(next, false)) fresh.push_back(*std::move(before)), ++known_units;
      fresh.push_back({number, *std::move(value), std::nullopt});
      if (auto behind = known_.beside(next, true)) fresh.push_back(*std::move(behind)), ++known_units;
    } else if (!blobs_->make_room_for(size)) {
      waiting_ = std::move(input);
      waiting_bytes = blob_bytes;
      no_room_ = true;
      break;
    } else {
      done.push_back(failed(next, "its input cannot be kept: " + value.error().message));
    }
    bytes += size;
    ++next;
  }
  // Inputs that come slowly go off one by one; others in batches that grow.
  batch_ = now() - began > batch_quick ? 1 : std::min(2 * batch_, batch_units_max);
  {
    const std::lock_guard lock(mutex_);
    cut_ = next;
    ahead_ += fresh.size() - known_units;
    for (const auto& [unit, input] : large_inputs) input_blob_bytes_ += input.length;
    large_inputs_.merge(large_inputs);
    if (core_ended_) let_all_inputs_go();  // it has come too late for what ended() let go of
    for (const auto& [unit, each] : large) earlier_bytes_ += each.blob.length;
    await_stored(large);
    waiting_bytes_ = waiting_bytes;
    input_bytes_ += travelling;
    done_ += done.size();
    failed_ += failed_in(done);
    resumed_ += resumed;
    complete_ = last;
    starved_ = starved;
    expected_ = plan_->units_expected();
  }
  mailbox_.deliver(std::move(done), std::move(large));
  if (!fresh.empty() || last) node_->post(core::UnitsAppended{id_, std::move(fresh), last});
  if (inputs_ != nullptr && inputs_->fault()) inputs_failed(*inputs_->fault());
}

void Session::inputs_failed(const Error& fault) {
  End end{EndKind::inputs_failed, 0, fault.message};
  {
    const std::lock_guard lock(mutex_);
    stop_cutting_ = true;
    end.units_failed = failed_;
  }
  mailbox_.finish(std::move(end), std::nullopt);
}

void Session::combine(std::vector<AcceptedUnit> units) {
  Mailbox::Batch batch;
  batch.reserve(units.size());
  Mailbox::LargeOutputs large;
  for (AcceptedUnit& unit : units) {
    if (unit.outcome == Outcome::ok) {
      const auto read = unit.output.large ? blobs_->get(unit.output.blob()) : nullptr;
      const auto taken = unit.output.large && !read ? Result<void>(Error{"it was lost from this machine's disk"})
                                                    : plan_->accept(unit.unit, read ? *read : unit.output.bytes);
      if (!taken) {
        batch.push_back(failed(unit.unit.value, "its output is not what the task returns: " + taken.error().message));
        if (unit.output.large) node_->post(core::OutputTaken{id_, unit.output.blob()});
        continue;
      }
    }
    batch.push_back(result_of(std::move(unit), large));
  }
  {
    const std::lock_guard lock(mutex_);
    count_accepted(batch);
    starved_ = false;
  }
  mailbox_.deliver(std::move(batch), std::move(large));
}

void Session::finish_combined(JobState state) {
  End end;
  {
    const std::lock_guard lock(mutex_);
    end = end_of(state);
  }
  std::optional<tasks::Answer> answer;
  if (end.kind == EndKind::complete) answer = plan_->answer();
  mailbox_.finish(end, std::move(answer));
}

// --- Shared ---

End Session::end_of(JobState state) const {
  if (state == JobState::cancelled) return {EndKind::cancelled, failed_, {}};
  return {failed_ > 0 ? EndKind::units_failed : EndKind::complete, failed_, {}};
}

void Session::count_accepted(const Mailbox::Batch& batch) {
  ahead_ -= batch.size();
  done_ += batch.size();
  failed_ += failed_in(batch);
  rate_.add(batch.size(), now());
}

void Session::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

// --- The user's side ---

Result<std::uint64_t> Session::submit(std::vector<Bytes> inputs) {
  if (!opened_) return Error{"only a job that was opened takes further inputs"};
  const std::shared_lock attached(attached_);
  if (node_ == nullptr) return Error{"no further inputs: the job has ended"};
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (auto fault = fault_of_input(cut_ + i, inputs[i].size())) return *std::move(fault);
    }
  }
  // Without the lock: keeping large ones takes as long as the disk does.
  std::vector<core::NewUnit> units;
  units.reserve(inputs.size());
  const auto refuse = [&](Error error) -> Result<std::uint64_t> {
    for (const core::NewUnit& unit : units) {
      if (unit.input.large) node_->let_go(unit.input.blob());
    }
    return error;
  };
  for (Bytes& input : inputs) {
    auto value = as_value(input);
    if (!value) return refuse(Error{"an input cannot be kept: " + value.error().message});
    units.push_back({UnitIndex{}, *std::move(value)});
  }
  const std::lock_guard lock(mutex_);  // also while posting: the last units must be the last
  if (complete_) return refuse(Error{"no further inputs: the job's input was closed"});
  if (core_ended_) return refuse(Error{"no further inputs: the job has ended"});
  const std::uint64_t first = cut_;
  for (core::NewUnit& unit : units) {
    unit.unit = UnitIndex{cut_++};
    if (!unit.input.large) continue;
    large_inputs_[unit.unit.value] = unit.input.blob();
    input_blob_bytes_ += unit.input.length();
  }
  ahead_ += units.size();
  if (!units.empty()) node_->post(core::UnitsAppended{id_, std::move(units), false});
  return first;
}

void Session::close_input() {
  const std::shared_lock attached(attached_);
  const std::lock_guard lock(mutex_);
  if (!opened_ || complete_ || core_ended_ || node_ == nullptr) return;
  complete_ = true;
  expected_ = cut_;
  node_->post(core::UnitsAppended{id_, {}, true});
}

void Session::cancel() {
  const std::shared_lock attached(attached_);
  stop_cutting();
  if (node_ != nullptr) node_->post(core::JobCancelled{id_});
}

Progress Session::progress() {
  const std::shared_lock attached(attached_);
  // Asked before the lock is taken: the protocol's thread needs that to hand results in.
  const auto said = node_ == nullptr ? std::nullopt : node_->progress(id_);
  const bool finished = mailbox_.finished();
  const std::lock_guard lock(mutex_);
  if (said) {
    said_.attempts = said->attempts;
    said_.donors = said->donors;
    said_.copies_in_reach = said->copies_in_reach;
    said_.unit_seconds = said->unit_seconds;
    said_.units_held = said->units_held;
    said_.units_own = said->own_units;
    said_.convicted = said->convicted;
    said_.confidence = said->confidence;
  }
  Progress progress = said_;
  progress.units_known = cut_;
  progress.units_expected = expected_;
  progress.units_done = done_;
  progress.units_failed = failed_;
  progress.units_resumed = resumed_;
  progress.units_per_second = rate_.per_second(now());
  progress.ended = finished;
  return progress;
}

}  // namespace dugnad::sdk
