#include "coordinatorless/sim/executor.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

constexpr Duration gather = std::chrono::milliseconds(5);  // as worker::ExecutorOptions has it
constexpr Duration token_seen_after = std::chrono::milliseconds(5);

}  // namespace

Executor::Executor(EventQueue& queue, Conduct& conduct, unsigned slots, double speed, Done done)
    : events_(queue), conduct_(conduct), slots_(slots), speed_(speed), done_(std::move(done)) {}

void Executor::start(std::vector<Work> work) {
  for (Work& each : work) queue_.push_back(std::move(each));
  fill();
}

void Executor::fill() {
  while (running_.size() < slots_ && !queue_.empty()) {
    Running running{std::move(queue_.front()), {}, events_.now(), false, false};
    queue_.pop_front();
    if (conduct_.takes_no_time()) running.work.cost = Duration{};
    const Duration whole = own_time(running.work.cost);
    const Duration limit = running.work.attempt.limit;
    running.over_limit = limit > Duration{} && whole > limit;
    running.left = running.over_limit ? limit : whole;
    const AttemptId id = running.work.attempt.attempt;
    const auto [it, added] = running_.emplace(id, std::move(running));
    if (added && awake_) schedule(id, it->second);
  }
}

void Executor::schedule(AttemptId id, const Running& running) {
  if (conduct_.strategy() == Strategy::silent && !running.cancelled) return;  // it never comes to an end
  events_.after(running.left, [this, id, epoch = epoch_, due = running.since + running.left] {
    const auto it = running_.find(id);
    if (epoch == epoch_ && it != running_.end() && it->second.since + it->second.left == due) finish(id);
  });
}

void Executor::finish(AttemptId id) {
  const auto it = running_.find(id);
  Running running = std::move(it->second);
  running_.erase(it);
  const core::AttemptToStart& attempt = running.work.attempt;
  FinishedAttempt finished{id, Outcome::ok, {}, {}};
  if (running.cancelled) {
    finished.outcome = Outcome::cancelled;
  } else if (running.over_limit) {
    finished.outcome = Outcome::donor_fault;
    finished.output = to_bytes("ran over its time limit");
    finished.cpu = attempt.limit;
    spent_ += from_seconds(seconds_of(attempt.limit) * speed_);
  } else {
    if (attempt.claimed) {
      finished.output = Bytes{static_cast<std::uint8_t>(*attempt.claimed == honest_output(attempt.input, running.work.output_bytes))};
    } else {
      finished.output = conduct_.output_of(attempt.job, attempt.input, running.work.output_bytes);
    }
    finished.cpu = own_time(running.work.cost);
    spent_ += running.work.cost;
  }
  fill();
  report(std::move(finished));
}

void Executor::report(FinishedAttempt finished) {
  finished_.push_back(std::move(finished));
  const bool dry = running_.size() < slots_;
  if (flush_scheduled_ && !dry) return;
  flush_scheduled_ = true;
  events_.after(dry ? Duration{} : gather, [this, epoch = epoch_] {
    if (epoch == epoch_) flush();
  });
}

void Executor::flush() {
  flush_scheduled_ = false;
  if (finished_.empty()) return;
  done_(std::exchange(finished_, {}));
}

void Executor::cancel(const std::vector<AttemptId>& attempts) {
  for (const AttemptId id : attempts) {
    if (const auto it = running_.find(id); it != running_.end()) {
      Running& running = it->second;
      if (running.cancelled) continue;
      running.cancelled = true;
      spent_ += from_seconds(seconds_of(events_.now() - running.since) * speed_);
      running.since = events_.now();
      running.left = token_seen_after;
      if (awake_) schedule(id, running);
      continue;
    }
    const auto queued = std::find_if(queue_.begin(), queue_.end(), [&](const Work& work) { return work.attempt.attempt == id; });
    if (queued == queue_.end()) continue;
    queue_.erase(queued);
    report({id, Outcome::cancelled, {}, {}});
  }
}

void Executor::suspend() {
  awake_ = false;
  ++epoch_;
  for (auto& [id, running] : running_) running.left = std::max(Duration{}, running.left - (events_.now() - running.since));
}

void Executor::resume() {
  awake_ = true;
  flush_scheduled_ = false;
  for (auto& [id, running] : running_) {
    running.since = events_.now();
    schedule(id, running);
  }
  if (!finished_.empty()) {
    flush_scheduled_ = true;
    events_.after({}, [this, epoch = epoch_] {
      if (epoch == epoch_) flush();
    });
  }
}

void Executor::clear() {
  for (const auto& [id, running] : running_) {
    if (!running.cancelled) spent_ += from_seconds(seconds_of(events_.now() - running.since) * speed_);
  }
  queue_.clear();
  running_.clear();
  finished_.clear();
  flush_scheduled_ = false;
  awake_ = true;
  ++epoch_;
}

}  // namespace dugnad::sim
