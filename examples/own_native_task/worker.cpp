// A worker that knows one task more than dugnad-worker, and takes the same options.
#include "examples/own_native_task/vowels.h"
#include "worker/run_worker.h"

int main(int argc, char** argv) {
  auto tasks = dugnad::tasks::builtin_tasks();
  tasks.add(vowels::task());
  return dugnad::worker::run_worker(argc, argv, tasks);
}
