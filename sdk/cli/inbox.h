// Inbox: what happens to a job while `dugnad submit` waits for it, told by the SDK's threads and taken by the program's first one, which alone
// reports.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "dugnad/swarm.h"

namespace dugnad::sdk::cli {

struct Interrupted {};
struct Trouble {
  std::string line;
};
struct FailedUnit {
  std::uint64_t unit = 0;
  std::string reason;
};
/// Of a module's unit that went well.
struct Output {
  UnitResult result;
};
/// The last there is.
struct JobOver {
  End end;
  std::optional<Result<tasks::Answer>> answer;  // where it is complete, and there is one
};

using Happening = std::variant<Interrupted, Notice, Trouble, FailedUnit, Output, JobOver>;

class Inbox {
 public:
  void put(Happening happening) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(happening));
    }
    filled_.notify_one();
  }

  /// The same, once there is room: what a program reads slowly is not to pile up here.
  void put_in_turn(Happening happening) {
    {
      std::unique_lock lock(mutex_);
      taken_.wait(lock, [this] { return closed_ || waiting_.size() < in_turn_most; });
      if (closed_) return;
      waiting_.push_back(std::move(happening));
    }
    filled_.notify_one();
  }
  /// Nobody takes anything any more, and nobody waits for that.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    taken_.notify_all();
  }
  [[nodiscard]] bool empty() {
    const std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

  /// The next one, or nullopt after `patience`.
  [[nodiscard]] std::optional<Happening> take_within(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, patience, [this] { return !waiting_.empty(); })) return std::nullopt;
    Happening first = std::move(waiting_.front());
    waiting_.pop_front();
    taken_.notify_one();
    return first;
  }

 private:
  static constexpr std::size_t in_turn_most = 256;

  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable taken_;
  bool closed_ = false;
  std::deque<Happening> waiting_;
};

}  // namespace dugnad::sdk::cli
