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

  /// The same, once there is room: what a program reads slowly is not to pile up here. One happening always has room.
  void put_in_turn(Happening happening) {
    {
      const std::size_t bytes = bytes_of(happening);
      std::unique_lock lock(mutex_);
      taken_.wait(lock, [this, bytes] {
        return closed_ || waiting_.empty() || (waiting_.size() < in_turn_most && waiting_bytes_ + bytes <= in_turn_bytes_most);
      });
      if (closed_) return;
      waiting_bytes_ += bytes;
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
    waiting_bytes_ -= bytes_of(first);
    taken_.notify_one();
    return first;
  }

 private:
  static constexpr std::size_t in_turn_most = 256;
  static constexpr std::size_t in_turn_bytes_most = 16 << 20;

  static std::size_t bytes_of(const Happening& happening) {
    const auto* output = std::get_if<Output>(&happening);
    return output == nullptr ? 0 : output->result.output.size();
  }

  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable taken_;
  bool closed_ = false;
  std::deque<Happening> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace dugnad::sdk::cli
