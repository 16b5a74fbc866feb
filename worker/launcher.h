// Launcher: the worker's end of dugnad-launcher, through which cages are started.
//
// start() is for the beginning of main(), before there is a thread or a socket: what does not exist cannot be inherited. Later it is still
// safe, since between fork and exec nothing but system calls happens and every descriptor is closed.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "coordinatorless/base/result.h"

namespace dugnad::worker {

/// A cage as the launcher hands it over. The descriptors are the taker's to close.
struct SpawnedCage {
  int socket = -1;   // non-blocking
  int process = -1;  // a pidfd
};

class Launcher {
 public:
  /// Finds dugnad-launcher and dugnad-cage in $DUGNAD_LIBEXEC, beside this program, or where they are installed.
  [[nodiscard]] static Result<std::unique_ptr<Launcher>> start();
  ~Launcher();  // its cages end with it
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// From any thread. `data_bytes`: what the process may have of memory that can be written.
  [[nodiscard]] Result<SpawnedCage> spawn(std::uint64_t data_bytes);

  /// Starts one cage and ends it again: which layers hold, as text; or the reason why strangers' code cannot run here.
  [[nodiscard]] Result<std::string> check();

 private:
  Launcher(int socket, int process) : socket_(socket), process_(process) {}

  const int socket_;
  const int process_;  // its id
  std::mutex mutex_;   // one question at a time
};

}  // namespace dugnad::worker
