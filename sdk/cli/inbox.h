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
/// The last there is.
struct JobOver {
  EndKind end = EndKind::complete;
  std::optional<Result<tasks::Answer>> answer;  // where it is complete
};

using Happening = std::variant<Interrupted, Notice, Trouble, FailedUnit, JobOver>;

class Inbox {
 public:
  void put(Happening happening) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(happening));
    }
    filled_.notify_one();
  }

  /// The next one, or nullopt after `patience`.
  [[nodiscard]] std::optional<Happening> take_within(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, patience, [this] { return !waiting_.empty(); })) return std::nullopt;
    Happening first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Happening> waiting_;
};

}  // namespace dugnad::sdk::cli
