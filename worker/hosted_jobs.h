// HostedJobs: keeps the jobs running whose submitters have gone (hosted_orders.h), each by a process of its own: `dugnad submit --resume JOB`.
//
// A process a job, and none of this program's threads: the worker stays small, a submission that fails takes no donated work along, and there is one
// way only in which a job is run. They end with the worker, and its next start takes them up again: what was accepted is in the journal.
//
// One that ends while its order is still there is started again, after a pause that doubles; one that says that its order makes no sense (exit
// code 2) is not. Beyond so many at once the others wait for their turn.
//
// Used by one thread, the program's first one: a process ends with the thread that started it.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "worker/hosted_orders.h"

namespace dugnad::worker {

struct HostedOptions {
  std::string data_dir;
  std::string program;                          // `dugnad`
  std::function<void(const std::string&)> say;  // a line for the log
  std::size_t running_max = 8;                  // half of the submitters that a data directory takes
  std::chrono::milliseconds first_pause = std::chrono::seconds(1);
  std::chrono::milliseconds longest_pause = std::chrono::minutes(5);
};

/// `dugnad` beside this program, or where the installation was meant to have it. An error in one line where there is none.
[[nodiscard]] Result<std::string> find_dugnad();

class HostedJobs {
 public:
  explicit HostedJobs(HostedOptions options);
  ~HostedJobs();  // end_at_once(0)
  HostedJobs(const HostedJobs&) = delete;
  HostedJobs& operator=(const HostedJobs&) = delete;

  /// Orders have come, or may have: starts what is new.
  void look();
  /// To be called when one of watched() is readable, or milliseconds_left() are over.
  void turn();
  void watched(std::vector<pollfd>& all) const;
  /// -1: nothing is due.
  [[nodiscard]] int milliseconds_left() const;

  /// Asks all to end in order; no more are started.
  void leave();
  [[nodiscard]] bool any_running() const;
  /// Waits for at most `patience`, then kills what is left.
  void end_at_once(std::chrono::milliseconds patience);

 private:
  using Clock = std::chrono::steady_clock;
  struct Hosted {
    JobId job;
    pid_t process = -1;  // -1: none runs
    int ended = -1;      // a pidfd
    Clock::time_point since{};
    Clock::time_point not_before{};
    std::chrono::milliseconds pause{};  // before the last start
  };

  void start_due();
  /// False where there is no order that makes sense any more.
  [[nodiscard]] bool start(Hosted& hosted);
  /// Takes note of those that have ended.
  void reap();
  /// False where the job is done with.
  [[nodiscard]] bool after_end(Hosted& hosted, int status);
  void say(const JobId& job, const std::string& what) const;

  const HostedOptions options_;
  const HostedOrders orders_;
  std::vector<Hosted> hosted_;  // in the order in which they came
  bool leaving_ = false;
};

}  // namespace dugnad::worker
