// The simulated executor: virtual slots of a given speed, a queue before them, completions gathered for a moment as the real one does.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/sim/conduct.h"
#include "coordinatorless/sim/event_queue.h"

namespace dugnad::sim {

class Executor {
 public:
  struct Work {
    core::AttemptToStart attempt;
    Duration cost;                   // CPU time at speed 1
    std::uint64_t output_bytes = 0;  // how long its output is
  };
  using Done = std::function<void(std::vector<FinishedAttempt>)>;

  /// `speed`: how many times faster than speed 1. `queue` and `conduct` outlive it.
  Executor(EventQueue& queue, Conduct& conduct, unsigned slots, double speed, Done done);

  void start(std::vector<Work> work);
  void cancel(const std::vector<AttemptId>& attempts);
  void suspend();
  void resume();
  /// The process has died: everything is forgotten, nothing is reported.
  void clear();

  [[nodiscard]] std::size_t active() const { return queue_.size() + running_.size(); }
  /// CPU time spent so far, at speed 1: of whole attempts and of broken-off ones.
  [[nodiscard]] Duration spent() const { return spent_; }

 private:
  struct Running {
    Work work;
    Duration left{};  // at this donor's speed, as of `since`
    VirtualTime since{};
    bool over_limit = false;
    bool cancelled = false;
  };

  void fill();
  void schedule(AttemptId id, const Running& running);
  void finish(AttemptId id);
  void report(FinishedAttempt finished);
  void flush();
  [[nodiscard]] Duration own_time(Duration cost) const { return from_seconds(seconds_of(cost) / speed_); }

  EventQueue& events_;
  Conduct& conduct_;
  const unsigned slots_;
  const double speed_;
  Done done_;
  std::deque<Work> queue_;
  std::map<AttemptId, Running> running_;
  std::vector<FinishedAttempt> finished_;
  std::uint64_t epoch_ = 0;  // changes when what was scheduled has become stale
  bool flush_scheduled_ = false;
  bool awake_ = true;
  Duration spent_{};
};

}  // namespace dugnad::sim
