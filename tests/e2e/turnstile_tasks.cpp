// The built-in tasks behind a turnstile (turnstile.h), for programs that are otherwise those that ship: linked so that each of their calls of
// builtin_tasks() comes here first (--wrap). Only tests are built with it.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tasks/task.h"

using dugnad::ByteView;
using dugnad::tasks::StopToken;
using dugnad::tasks::TaskTable;

// The names are the linker's, which knows the function by its mangled one.
TaskTable shipped_tasks() __asm__("__real__ZN6dugnad5tasks13builtin_tasksEv");
TaskTable tasks_behind_turnstile() __asm__("__wrap__ZN6dugnad5tasks13builtin_tasksEv");

namespace {

/// The units that may pass; what cannot be read lets none.
unsigned let_by(const char* file) {
  unsigned units = 0;
  std::ifstream(file) >> units;
  return units;
}

/// Counts one more unit that this program computes, and stands still while the file lets fewer pass. Where there is no file all pass.
void pass(const char* file, const StopToken& stop) {
  static std::atomic<unsigned> before_this{0};
  const unsigned before = before_this++;
  while (before >= let_by(file) && std::filesystem::exists(file)) {
    stop.throw_if_requested();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // sleep: a unit that waits asks its token now and then, as one that computes
  }
}

}  // namespace

TaskTable tasks_behind_turnstile() {
  const TaskTable shipped = shipped_tasks();
  const char* const file = std::getenv("DUGNAD_TURNSTILE");
  if (file == nullptr) return shipped;
  TaskTable behind;
  for (auto [name, task] : shipped.all()) {
    task.run = [file, run = task.run](ByteView input, const StopToken& stop) {
      pass(file, stop);
      return run(input, stop);
    };
    behind.add(std::move(task));
  }
  return behind;
}
