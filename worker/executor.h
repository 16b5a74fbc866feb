// Executor: runs attempts on a TBB arena and hands back what they came to. It knows nothing of peers. Attempts run in SCHED_IDLE, so that
// the machine's owner, and the protocol's own thread, always come first.
//
// A built-in task runs in its slot's thread. A guest, strangers' code, never does: each slot has a cage of its own, a process that is started
// when the first guest comes and ended when none has come for a while; the slot's thread waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coordinatorless/base/attempt.h"
#include "tasks/task.h"
#include "worker/guest.h"
#include "worker/values.h"

namespace dugnad::worker {

class Launcher;

struct Attempt {
  AttemptId id;
  const tasks::RunUnit* run = nullptr;  // outlives the executor; null for a guest's
  Value input;
  Duration limit{};                     // after which its stop token is set and it counts as overrun (donor_fault); zero: none
  std::shared_ptr<const Guest> guest = {};
  /// Not to be computed but checked: whether this is the output, by `check` or the guest's own. It ends with one byte, 1 where it is.
  std::optional<Value> claimed = {};
  const tasks::CheckUnit* check = nullptr;  // outlives the executor

  /// What tells its program from others: whose attempts cost about the same. A guest's check is another than the guest.
  [[nodiscard]] const void* program() const {
    if (guest) return reinterpret_cast<const char*>(guest.get()) + (claimed ? 1 : 0);
    return claimed ? static_cast<const void*>(check) : run;
  }
};

struct ExecutorOptions {
  unsigned slots = 1;
  /// Called from any thread, once until the next collect(), when there is something to collect(); must not block. Completions of short attempts
  /// are gathered for up to `gather` before it is called, and never longer, unless a slot has run dry.
  std::function<void()> wake = {};
  Duration gather = std::chrono::milliseconds(5);
  /// Called once, from the watchdog's thread, when an attempt has ignored its stop token for `grace`: the process should restart itself. `what`
  /// says why it was to stop.
  std::function<void(AttemptId, const std::string& what)> stuck = {};
  Duration grace = std::chrono::seconds(10);
  /// Large inputs are read when their attempt runs, large outputs are kept when it has.
  BlobAccess blobs = {};
  /// Starts the cages of guests; without one, each attempt of a guest is a donor's fault. Outlives the executor.
  Launcher* launcher = nullptr;
  /// A slot's cage that has had nothing to do for so long is ended: its memory is the machine owner's.
  Duration cage_rest = std::chrono::seconds(10);
};

class Executor {
 public:
  explicit Executor(ExecutorOptions options);
  ~Executor();  // cancels all, waits for what runs
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // All below: from the owner's one thread.
  void start(std::vector<Attempt> attempts);
  /// Queued attempts end as cancelled at once, running ones when they see their token. Each is still reported by collect().
  /// What has ended already, or was never started, is left alone.
  void cancel(std::span<const AttemptId> attempts);
  [[nodiscard]] std::vector<FinishedAttempt> collect();
  /// Started and not yet collected.
  [[nodiscard]] std::size_t active() const;
  [[nodiscard]] unsigned slots() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::worker
