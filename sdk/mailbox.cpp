#include "sdk/mailbox.h"

#include <algorithm>
#include <string>
#include <utility>

#include "coordinatorless/base/panic.h"

namespace dugnad::sdk {
namespace {

constexpr std::size_t results_waiting_max = 64 << 10;  // beyond it the job pauses
constexpr std::size_t notices_kept_max = 1024;         // for a listener that comes late; donors may be many

}  // namespace

// --- The SDK's side ---

void Mailbox::deliver(Batch batch, LargeOutputs large) {
  if (batch.empty()) return;
  Lock lock(mutex_);
  if (end_ || given_up_) {
    lock.unlock();
    for (const auto& [unit, each] : large) store_.let_go(each);
    lock.lock();
  }
  if (end_) return;
  if (!first_failed_) {
    for (const UnitResult& result : batch) {
      if (result.ok) continue;
      first_failed_ = result;
      break;
    }
  }
  if (given_up_) return;
  for (const auto& [unit, each] : large) lying_[unit] = {each};
  if (!large.empty() && enders_ > 0) ended_.notify_one();
  waiting_ += batch.size();
  const bool lone = batch.size() == 1;
  batches_.push_back(std::move(batch));
  if (takers_ == 0) return;
  if (lone) {
    filled_.notify_one();
  } else {
    filled_.notify_all();
  }
}

void Mailbox::say(Notice notice) {
  const std::lock_guard lock(notice_mutex_);
  if (heard_) heard_(notice);
  if (notices_.size() < notices_kept_max) notices_.push_back(std::move(notice));
}

void Mailbox::finish(End end, std::optional<tasks::Answer> answer) {
  const std::lock_guard lock(mutex_);
  if (end_) return;
  end_ = end;
  answer_ = std::move(answer);
  filled_.notify_all();
  ended_.notify_all();
}

bool Mailbox::finished() const {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

bool Mailbox::full() {
  const std::lock_guard lock(mutex_);
  was_full_ = waiting_ >= results_waiting_max && enders_ == 0;
  return was_full_;
}

// --- The user's side ---

bool Mailbox::has_room() {
  if (!was_full_ || (waiting_ > results_waiting_max / 2 && enders_ == 0)) return false;
  was_full_ = false;
  return true;
}

template <class Wait>
std::optional<UnitResult> Mailbox::take(const Wait& wait) {
  std::optional<UnitResult> result;
  bool drained = false;
  std::optional<Lying> lying;
  {
    Lock lock(mutex_);
    if (batches_.empty() && !end_) {
      ++takers_;
      wait(lock);
      --takers_;
    }
    if (batches_.empty()) return std::nullopt;
    Batch& first = batches_.front();
    result = std::move(first[taken_]);
    --waiting_;
    if (++taken_ == first.size()) {
      batches_.pop_front();
      taken_ = 0;
    }
    if (const auto at = lying_.find(result->unit); at != lying_.end()) {
      lying = std::move(at->second);
      lying_.erase(at);
      if (lying->is_kept()) ++reading_;
      if (lying->loaded) loaded_ -= lying->loaded->size();
    }
    drained = has_room();
  }
  if (lying) {
    const auto bytes = lying->loaded || lying->lost ? lying->loaded : store_.read(lying->large.blob);
    if (lying->is_kept()) let_go(lying->large);
    if (bytes) {
      result->output = *bytes;
    } else {
      result->ok = false;
      result->reason = lying->crowded ? "its output was not kept: while the job's end was waited for, large ones took more than " +
                                            std::to_string(store_.memory_max >> 20) + " MiB of memory; take results as they come"
                                      : "its output was lost from this machine's disk";
    }
  }
  if (drained) drained_();
  return result;
}

std::optional<UnitResult> Mailbox::next() {
  return take([this](Lock& lock) { filled_.wait(lock, [this] { return !batches_.empty() || end_; }); });
}

std::optional<UnitResult> Mailbox::next_within(std::chrono::milliseconds patience) {
  return take([this, patience](Lock& lock) { filled_.wait_for(lock, patience, [this] { return !batches_.empty() || end_; }); });
}

void Mailbox::await_end(Lock& lock) {
  if (end_) return;
  ++enders_;
  if (has_room()) {
    lock.unlock();
    drained_();
    lock.lock();
  }
  while (!end_) {
    if (!load_one(lock)) ended_.wait(lock);
  }
  --enders_;
}

bool Mailbox::load_one(Lock& lock) {
  const auto is_due = [](const auto& entry) { return entry.second.is_kept() && !entry.second.loading; };
  const auto next = std::find_if(lying_.begin(), lying_.end(), is_due);
  if (next == lying_.end()) return false;
  const std::uint64_t unit = next->first;
  const Large large = next->second.large;
  const bool crowded = loaded_ + large.blob.length > store_.memory_max;
  next->second.loading = true;
  if (!crowded) loaded_ += large.blob.length;  // at once: several may be reading
  ++reading_;
  lock.unlock();
  auto bytes = crowded ? nullptr : store_.read(large.blob);
  lock.lock();
  if (!crowded && !bytes) loaded_ -= large.blob.length;
  const auto at = lying_.find(unit);
  if (at == lying_.end()) {  // taken meanwhile, by somebody who reads it too and lets go of it
    if (bytes) loaded_ -= large.blob.length;
    if (--reading_ == 0) quiet_.notify_all();
    return true;
  }
  if (crowded) at->second.crowded = true;
  else if (!bytes) at->second.lost = true;
  else at->second.loaded = std::move(bytes);
  lock.unlock();
  let_go(large);
  lock.lock();
  return true;
}

void Mailbox::let_go(const Large& large) {
  store_.let_go(large);
  const std::lock_guard lock(mutex_);
  if (--reading_ == 0) quiet_.notify_all();
}

void Mailbox::keep_rest() {
  Lock lock(mutex_);
  DUGNAD_ASSERT(end_, "a mailbox is left before the end");
  quiet_.wait(lock, [this] { return reading_ == 0; });
  std::map<std::uint64_t, Large> rest;
  for (const auto& [unit, lying] : lying_) {
    if (lying.is_kept() && !lying.large.own_pin) rest[unit] = lying.large;
  }
  lock.unlock();
  std::map<std::uint64_t, bool> pinned;  // before it is let go of: it must not be evicted between the two
  for (const auto& [unit, large] : rest) pinned[unit] = store_.pin(large.blob);
  lock.lock();
  std::vector<Large> gone;
  for (const auto& [unit, large] : rest) {
    const auto at = lying_.find(unit);
    if (at == lying_.end()) {  // taken meanwhile: who did so lets go of it
      if (pinned[unit]) gone.push_back({large.blob, true});
      continue;
    }
    (pinned[unit] ? at->second.large.own_pin : at->second.lost) = true;
    gone.push_back(large);
  }
  lock.unlock();
  for (const Large& large : gone) store_.let_go(large);
  lock.lock();
  quiet_.wait(lock, [this] { return reading_ == 0; });
}

End Mailbox::wait_end() {
  Lock lock(mutex_);
  await_end(lock);
  return *end_;
}

void Mailbox::give_up() {
  Lock lock(mutex_);
  given_up_ = true;
  batches_.clear();
  taken_ = waiting_ = 0;
  const auto lying = std::exchange(lying_, {});
  for (const auto& [unit, each] : lying) {
    if (each.is_kept()) ++reading_;
    if (each.loaded) loaded_ -= each.loaded->size();
  }
  lock.unlock();
  for (const auto& [unit, each] : lying) {
    if (each.is_kept()) let_go(each.large);
  }
}

Mailbox::Outcome Mailbox::wait_answer() {
  give_up();
  Lock lock(mutex_);
  await_end(lock);
  return {*end_, answer_, first_failed_};
}

void Mailbox::on_notice(std::function<void(const Notice&)> heard) {
  const std::lock_guard lock(notice_mutex_);
  heard_ = std::move(heard);
  if (!heard_) return;
  for (const Notice& notice : notices_) heard_(notice);
}

}  // namespace dugnad::sdk
