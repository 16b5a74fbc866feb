// How attempts travel, and who may touch them where:
//
//   start() -> queue_ -> a slot's `taken` -> runs -> the slot's `finished` -> collect()
//
// A slot takes several short attempts at once, so that slots seldom meet at the queue, but at most a millisecond's measured work, so that none
// idles while another hoards; one that finds nothing takes half of what another has taken.
// Locks: `mutex_`, then one slot's mutex. No callback is called under a lock.
#include "worker/executor.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>

#include "worker/arena_threads.h"
#include "worker/slot.h"
#include "worker/watchdog.h"

namespace dugnad::worker {
namespace {

using Clock = SlotClock;
using Time = SlotTime;

constexpr Duration taken_work_max = std::chrono::milliseconds(1);
constexpr std::size_t taken_max = 256;
constexpr std::size_t caged_bytes_max = 4 << 20;  // of inputs given to a cage at once, beyond the first

Time after(Time start, Duration duration) { return duration < no_time - start ? start + duration : no_time; }

}  // namespace

class Executor::Impl {
 public:
  explicit Impl(ExecutorOptions options) : options_(std::move(options)), slots_(options_.slots) {
    DUGNAD_ASSERT(options_.slots > 0, "an executor without slots would never finish anything");
    watchdog_ = std::make_unique<Watchdog>([this](Time now) { return look(now); });
    threads_ = std::make_unique<ArenaThreads>(options_.slots, [this](unsigned i) { serve(slots_[i]); });
  }

  ~Impl() {
    const Time grace_ends = after(Clock::now(), options_.grace);
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      queue_.clear();
      for (Slot& slot : slots_) {
        const std::lock_guard slot_lock(slot.mutex);
        slot.taken.clear();
        slot.dropped = slot.caged;
        slot.tell_to_stop(Stop::cancelled, grace_ends);
      }
    }
    changed_.notify_all();
    watchdog_->look_by(grace_ends);
    threads_.reset();  // the watchdog still runs: what ignores its token here is stuck like any other
  }

  void start(std::vector<Attempt> attempts) {
    if (attempts.empty()) return;
    for (const Attempt& attempt : attempts) {
      const bool has_function = attempt.claimed ? attempt.check && *attempt.check : attempt.run && *attempt.run;
      DUGNAD_ASSERT(attempt.guest || has_function, "an attempt without a function");
    }
    active_ += attempts.size();
    std::size_t idle = 0;
    {
      const std::lock_guard lock(mutex_);
      queue_.insert(queue_.end(), std::make_move_iterator(attempts.begin()), std::make_move_iterator(attempts.end()));
      idle = idle_;
    }
    if (attempts.size() >= idle) {
      if (idle > 0) changed_.notify_all();
    } else {
      for (std::size_t i = 0; i < attempts.size(); ++i) changed_.notify_one();
    }
  }

  void cancel(std::span<const AttemptId> attempts) {
    std::vector<AttemptId> unwanted(attempts.begin(), attempts.end());
    std::sort(unwanted.begin(), unwanted.end());
    const auto is_unwanted = [&unwanted](AttemptId id) { return std::binary_search(unwanted.begin(), unwanted.end(), id); };
    const auto drop_from = [&](auto& waiting) {
      std::erase_if(waiting, [&](const Attempt& attempt) {
        if (!is_unwanted(attempt.id)) return false;
        never_ran_.push_back({attempt.id, Outcome::cancelled, {}, {}});
        return true;
      });
    };
    const Time grace_ends = after(Clock::now(), options_.grace);
    {
      const std::lock_guard lock(mutex_);
      drop_from(queue_);
      for (Slot& slot : slots_) {
        const std::lock_guard slot_lock(slot.mutex);
        drop_from(slot.taken);
        std::copy_if(slot.caged.begin(), slot.caged.end(), std::back_inserter(slot.dropped), is_unwanted);
        if (slot.running && is_unwanted(slot.id)) slot.tell_to_stop(Stop::cancelled, grace_ends);
      }
    }
    watchdog_->look_by(grace_ends);
    if (!never_ran_.empty()) report();
  }

  std::vector<FinishedAttempt> collect() {
    reported_.exchange(false);  // before looking: whoever finishes an attempt behind our back reports again
    std::vector<FinishedAttempt> all = std::exchange(never_ran_, {});
    for (Slot& slot : slots_) {
      const std::lock_guard lock(slot.mutex);
      if (all.empty()) {
        all.swap(slot.finished);
      } else {
        all.insert(all.end(), std::make_move_iterator(slot.finished.begin()), std::make_move_iterator(slot.finished.end()));
        slot.finished.clear();
      }
    }
    active_ -= all.size();
    return all;
  }

  [[nodiscard]] std::size_t active() const { return active_; }
  [[nodiscard]] unsigned slots() const { return options_.slots; }

 private:
  // ---- A slot's thread ----

  void serve(Slot& slot) {
    while (refill(slot)) {
      Time now = Clock::now();
      while (auto attempt = begin(slot, now)) now = attempt->guest ? run_caged(slot, *std::move(attempt), now) : run_here(slot, *attempt, now);
    }
  }

  Time run_here(Slot& slot, const Attempt& attempt, Time start) {
    const Reading input(attempt.input, options_.blobs);
    Ran ran = not_read();
    if (attempt.claimed) {
      const Reading claimed(*attempt.claimed, options_.blobs);
      if (input.bytes() && claimed.bytes()) {
        ran = run_check(*attempt.check, *input.bytes(), *claimed.bytes(), tasks::StopToken(slot.stop_requested));
      }
    } else if (input.bytes()) {
      ran = run_unit(*attempt.run, *input.bytes(), tasks::StopToken(slot.stop_requested));
    }
    const Time end = Clock::now();
    finish(slot, attempt, std::move(ran), end - start, end);
    return end;
  }

  /// Together with what was taken with it of the same guest: a message to the cage and back costs more than a short unit does.
  Time run_caged(Slot& slot, Attempt first, Time start) {
    if (options_.launcher == nullptr) {
      finish(slot, first, {Outcome::donor_fault, to_bytes("this donor runs no strangers' code")}, {}, start);
      return start;
    }
    const Reading first_input(first.input, options_.blobs);
    const Reading first_claimed(first.claimed ? *first.claimed : Value(), options_.blobs);
    if (!first_input.bytes() || !first_claimed.bytes()) {
      finish(slot, first, not_read(), {}, start);
      return start;
    }
    const std::vector<Attempt> batch = give_to_cage(slot, std::move(first));
    // The views stay where the batch does; only a large input was read, which then is alone.
    std::vector<ByteView> inputs, claimed;
    for (const Attempt& attempt : batch) {
      inputs.push_back(attempt.input.large ? *first_input.bytes() : ByteView(attempt.input.bytes));
      if (attempt.claimed) claimed.push_back(attempt.claimed->large ? *first_claimed.bytes() : ByteView(attempt.claimed->bytes));
    }
    Time since = start;
    const auto timing = [&](std::size_t i, bool runs) {
      since = Clock::now();
      const Time due = runs ? overrun_of(batch[i], since) : no_time;
      {
        const std::lock_guard lock(slot.mutex);
        if (slot.stop != Stop::none) return;
        slot.due = due;
      }
      watchdog_->look_by(due);
    };
    const auto done = [&](std::size_t i, Ran ran) {
      const Time end = Clock::now();
      finish(slot, batch[i], std::move(ran), end - since, end);
      since = end;
      if (i + 1 == batch.size()) return;
      {
        const std::lock_guard lock(slot.mutex);
        slot.begin_caged(i + 1, overrun_of(batch[i + 1], end), after(end, options_.grace));
      }
      watchdog_->look_by(overrun_of(batch[i + 1], end));
    };
    slot.cage->run(*batch.front().guest, inputs, done, timing, claimed);
    const std::lock_guard lock(slot.mutex);
    slot.caged.clear();
    slot.dropped.clear();
    return since;
  }

  std::vector<Attempt> give_to_cage(Slot& slot, Attempt first) {
    std::vector<Attempt> batch;
    batch.push_back(std::move(first));
    // mutex_ too, since attempts move from where cancel() looks for them.
    const std::scoped_lock lock(mutex_, slot.mutex);
    if (!slot.cage) slot.cage = std::make_unique<CageSlot>(*options_.launcher);
    batch.reserve(1 + slot.taken.size());  // `like` stays where it is
    const Attempt& like = batch.front();
    const auto is_large = [](const Attempt& attempt) { return attempt.input.large || (attempt.claimed && attempt.claimed->large); };
    const auto bytes_of = [](const Attempt& attempt) { return attempt.input.bytes.size() + (attempt.claimed ? attempt.claimed->bytes.size() : 0); };
    std::size_t bytes = bytes_of(like);
    while (!is_large(like) && !slot.taken.empty() && slot.taken.back().program() == like.program() && slot.taken.back().limit == like.limit &&
           !is_large(slot.taken.back())) {
      bytes += bytes_of(slot.taken.back());
      if (bytes > caged_bytes_max) break;
      batch.push_back(std::move(slot.taken.back()));
      slot.taken.pop_back();
    }
    for (const Attempt& attempt : batch) slot.caged.push_back(attempt.id);
    slot.caged_at = 0;
    // It may have been told to stop before it was known that a cage runs it.
    if (slot.stop != Stop::none) slot.cage->stop(0);
    return batch;
  }

  static Time overrun_of(const Attempt& attempt, Time start) {
    return attempt.limit > Duration::zero() ? after(start, attempt.limit) : no_time;
  }

  /// Sleeps until the slot has taken something; false at the end.
  bool refill(Slot& slot) {
    bool told = false;
    std::unique_lock lock(mutex_);
    costs_.learn(std::exchange(slot.samples, {}));
    while (!closing_) {
      if (take_from_queue(slot) || take_from_others(slot)) return true;
      if (!told) {
        // Run dry: nothing will come to be gathered with what is finished. Then once more round, for what came in the meantime.
        told = true;
        lock.unlock();
        report_finished(slot);
        lock.lock();
        continue;
      }
      ++idle_;
      wait_for_change(slot, lock);  // woken for nothing, it goes round once more
      --idle_;
    }
    return false;
  }

  /// A cage that has nothing to do for long is ended.
  void wait_for_change(Slot& slot, std::unique_lock<std::mutex>& lock) {
    if (!slot.cage || !slot.cage->awake()) {
      changed_.wait(lock);
    } else if (changed_.wait_for(lock, options_.cage_rest) == std::cv_status::timeout) {
      lock.unlock();
      slot.cage->rest();
      lock.lock();
    }
  }

  /// With mutex_ held.
  bool take_from_queue(Slot& slot) {
    if (queue_.empty()) return false;
    const std::size_t share = std::min(taken_max, (queue_.size() + slots_.size() - 1) / slots_.size());
    const std::lock_guard lock(slot.mutex);
    for (Duration work{}; slot.taken.size() < share && !queue_.empty();) {
      const auto cost = costs_.of(queue_.front().program());
      work += cost.value_or(taken_work_max);
      if (!slot.taken.empty() && work > taken_work_max) break;
      slot.taken.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    std::reverse(slot.taken.begin(), slot.taken.end());
    return true;
  }

  /// With mutex_ held. An attempt that takes longer than others of its task must not hold up what was taken with it.
  bool take_from_others(Slot& slot) {
    for (Slot& other : slots_) {
      if (&other == &slot) continue;
      std::vector<Attempt> half;
      {
        const std::lock_guard lock(other.mutex);
        const auto middle = other.taken.begin() + static_cast<std::ptrdiff_t>((other.taken.size() + 1) / 2);
        half.assign(std::make_move_iterator(other.taken.begin()), std::make_move_iterator(middle));
        other.taken.erase(other.taken.begin(), middle);
      }
      if (half.empty()) continue;
      const std::lock_guard lock(slot.mutex);
      slot.taken = std::move(half);
      return true;
    }
    return false;
  }

  std::optional<Attempt> begin(Slot& slot, Time now) {
    std::optional<Attempt> attempt;
    Time look = no_time;
    {
      const std::lock_guard lock(slot.mutex);
      if (slot.taken.empty()) return std::nullopt;
      attempt = std::move(slot.taken.back());
      slot.taken.pop_back();
      slot.running = true;
      slot.id = attempt->id;
      slot.limit = attempt->limit;
      slot.stop = Stop::none;
      slot.stop_requested.store(false, std::memory_order_relaxed);
      slot.due = overrun_of(*attempt, now);
      look = slot.due;
      // However long this one takes, what is finished is reported in time.
      if (!slot.finished.empty()) look = std::min(look, after(slot.finished_since, options_.gather));
    }
    watchdog_->look_by(look);
    return attempt;
  }

  void finish(Slot& slot, const Attempt& attempt, Ran ran, Duration spent, Time end) {
    bool large = false;
    {
      const std::lock_guard lock(slot.mutex);
      slot.running = false;
      ran = judge(std::move(ran), slot.stop, slot.limit);
      if (ran.output.size() <= small_bytes_max) slot.put({attempt.id, ran.outcome, std::move(ran.output), spent}, end);
      else large = true;
    }
    if (large) {
      // Keeping it takes as long as the disk does: not under the lock, nor within the attempt's time.
      Returned kept = returned(std::move(ran), options_.blobs);
      const std::lock_guard lock(slot.mutex);
      slot.put({attempt.id, kept.outcome, std::move(kept.output), spent}, end);
    }
    if (slot.samples.empty() || slot.samples.back().program != attempt.program()) slot.samples.push_back({attempt.program(), 0, {}});
    slot.samples.back().attempts += 1;
    slot.samples.back().spent += spent;
    if (spent > options_.gather / 2) report();
  }

  void report_finished(Slot& slot) {
    bool something = false;
    {
      const std::lock_guard lock(slot.mutex);
      something = !slot.finished.empty();
    }
    if (something) report();
  }

  // ---- Any thread ----

  /// Once until the next collect().
  void report() {
    if (!reported_.exchange(true) && options_.wake) options_.wake();
  }

  // ---- The watchdog's thread ----

  /// Does what is due; returns when something will be next.
  Time look(Time now) {
    Time next = no_time;
    bool kept_waiting = false;
    for (Slot& slot : slots_) {
      std::optional<std::string> complaint;
      AttemptId id;
      {
        const std::lock_guard lock(slot.mutex);
        if (slot.running && slot.due <= now) {
          if (slot.stop == Stop::none) {
            slot.tell_to_stop(Stop::overrun, after(now, options_.grace));
          } else {
            complaint = slot.complaint(options_.grace);
            id = slot.id;
            slot.due = no_time;
          }
        }
        if (slot.running) next = std::min(next, slot.due);
        if (!slot.finished.empty() && !reported_.load()) {
          const Time latest = after(slot.finished_since, options_.gather);
          if (latest <= now) kept_waiting = true;
          else next = std::min(next, latest);
        }
      }
      if (complaint && !std::exchange(complained_, true) && options_.stuck) options_.stuck(id, *complaint);
    }
    if (kept_waiting) report();
    return next;
  }

  const ExecutorOptions options_;

  // The owner's thread.
  std::size_t active_ = 0;
  std::vector<FinishedAttempt> never_ran_;  // cancelled in the queue

  std::vector<Slot> slots_;            // as many for ever
  std::atomic<bool> reported_{false};  // wake() was called and collect() not yet

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;  // queue_ or closing_
  std::deque<Attempt> queue_;
  Costs costs_;
  std::size_t idle_ = 0;  // slots that sleep
  bool closing_ = false;

  bool complained_ = false;  // the watchdog's thread

  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<ArenaThreads> threads_;
};

Executor::Executor(ExecutorOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Executor::~Executor() = default;
void Executor::start(std::vector<Attempt> attempts) { impl_->start(std::move(attempts)); }
void Executor::cancel(std::span<const AttemptId> attempts) { impl_->cancel(attempts); }
std::vector<FinishedAttempt> Executor::collect() { return impl_->collect(); }
std::size_t Executor::active() const { return impl_->active(); }
unsigned Executor::slots() const { return impl_->slots(); }

}  // namespace dugnad::worker
