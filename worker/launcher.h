// Launcher: the worker's end of dugnad-launcher, through which cages are started.
//
// start() is for the beginning of main(), before there is a thread or a socket: what does not exist cannot be inherited. One that dies later (its
// machine ran out of memory, somebody killed it) is started again by the keeper, a thread that does nothing else: that is still safe, since between
// fork and exec nothing but system calls happens and every descriptor is closed. It is a thread of its own because the slots' threads, which
// ask for cages, are in SCHED_IDLE, and what they fork could never leave it. Cages die with the launcher that started them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "coordinatorless/base/result.h"

namespace dugnad::worker {

/// A cage as the launcher hands it over. The descriptors are the taker's to close.
struct SpawnedCage {
  int socket = -1;   // non-blocking
  int process = -1;  // a pidfd
};

class Launcher {
 public:
  /// Finds dugnad-launcher and dugnad-cage in $DUGNAD_LIBEXEC, beside this program, in libexec of the installation that it is part of, or where
  /// one was meant to be.
  [[nodiscard]] static Result<std::unique_ptr<Launcher>> start();
  ~Launcher();  // its cages end with it
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// From any thread. `data_bytes`: what the process may have of memory that can be written. Waits a moment for a launcher that died to be back.
  [[nodiscard]] Result<SpawnedCage> spawn(std::uint64_t data_bytes);

  /// Starts one cage and ends it again: which layers hold, as text; or the reason why strangers' code cannot run here.
  [[nodiscard]] Result<std::string> check();

  /// `tell` gets a line for the log whenever it died, from the keeper's thread; more and more seldom where it keeps dying.
  void on_death(std::function<void(const std::string& line)> tell);

 private:
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;
  struct Programs {
    std::string launcher;
    std::string cage;
  };
  /// One that runs.
  struct Running {
    int socket = -1;
    int process = -1;  // a pidfd
    int id = -1;
    Clock::time_point since{};
  };

  explicit Launcher(Programs programs);
  [[nodiscard]] static Result<Programs> find_programs();
  [[nodiscard]] Result<Running> run() const;
  void keep();
  [[nodiscard]] bool sleep_before_restart();
  /// With the mutex held: nullopt where it did not answer, and so is done for.
  [[nodiscard]] std::optional<Result<SpawnedCage>> ask(std::uint64_t data_bytes);

  const Programs programs_;
  const int end_;  // an eventfd: the keeper is to go

  std::mutex mutex_;  // one question at a time
  // Guarded by mutex_.
  std::condition_variable back_;
  Running running_;  // no socket: it died, and is not back
  std::chrono::milliseconds pause_{};
  std::function<void(const std::string&)> tell_;

  std::thread keeper_;
};

}  // namespace dugnad::worker
