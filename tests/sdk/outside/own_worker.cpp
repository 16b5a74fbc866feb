// Somebody else's worker, with a task of its own.
#include <dugnad/values.h>
#include <dugnad/worker/run_worker.h>

int main(int argc, char** argv) {
  auto tasks = dugnad::tasks::builtin_tasks();
  tasks.add(dugnad::task_of<std::uint64_t, std::uint64_t>("square", 1, [](std::uint64_t n) { return n * n; }));
  return dugnad::worker::run_worker(argc, argv, tasks);
}
