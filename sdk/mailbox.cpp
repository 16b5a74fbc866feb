#include "sdk/mailbox.h"

#include <algorithm>
#include <utility>

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
    }
    drained = has_room();
  }
  if (lying) {
    const auto bytes = lying->loaded ? lying->loaded : store_.read(lying->large.blob);
    if (!lying->loaded) store_.let_go(lying->large);
    if (bytes) {
      result->output = *bytes;
    } else {
      result->ok = false;
      result->reason = "its output was lost from this machine's disk";
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
  const auto next = std::find_if(lying_.begin(), lying_.end(), [](const auto& entry) { return !entry.second.loaded && !entry.second.loading; });
  if (next == lying_.end()) return false;
  const std::uint64_t unit = next->first;
  const Large large = next->second.large;
  next->second.loading = true;
  lock.unlock();
  auto bytes = store_.read(large.blob);
  lock.lock();
  const auto at = lying_.find(unit);
  if (at == lying_.end() || !bytes) return true;  // taken meanwhile, by somebody who reads it too; or lost, as whoever takes it will find
  at->second.loaded = std::move(bytes);
  lock.unlock();
  store_.let_go(large);
  lock.lock();
  return true;
}

End Mailbox::wait_end() {
  Lock lock(mutex_);
  await_end(lock);
  return *end_;
}

Mailbox::Outcome Mailbox::wait_answer() {
  Lock lock(mutex_);
  given_up_ = true;
  batches_.clear();
  taken_ = waiting_ = 0;
  const auto lying = std::exchange(lying_, {});
  lock.unlock();
  for (const auto& [unit, each] : lying) {
    if (!each.loaded) store_.let_go(each.large);
  }
  lock.lock();
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
