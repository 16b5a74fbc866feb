// dugnad-worker's options, as a person gives them: on the command line, or in a file.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tasks/task.h"
#include "worker/allow.h"
#include "worker/allowance.h"

namespace dugnad::worker {

struct WorkerOptions {
  std::string swarm = "public";
  std::string swarm_secret;
  std::string listen;
  std::string advertise;
  std::vector<std::string> join;
  std::string data;
  std::uint64_t upload = 0;  // bytes a second; 0: no limit
  std::uint64_t download = 0;
  std::uint64_t cache = 0;  // bytes of the disk; 0: 1 GiB
  Preferences preferences;
  Allow allow;
  std::uint64_t steward = 0;  // bytes of others' jobs to hold
  bool log_json = false;
};

/// The program has nothing more to do than to end: --help, --version, or bad usage, of which was told on stderr.
struct ExitNow {
  int code = 0;
};

[[nodiscard]] std::variant<WorkerOptions, ExitNow> parse_worker_options(int argc, char** argv, const tasks::TaskTable& tasks);

}  // namespace dugnad::worker
