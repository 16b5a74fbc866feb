// The whole of `dugnad-worker`, for whoever builds a worker with tasks of their own:
//
//   int main(int argc, char** argv) {
//     auto tasks = dugnad::tasks::builtin_tasks();
//     tasks.add({.name = "my-task", .help = "...", .run = my_function});
//     return dugnad::worker::run_worker(argc, argv, tasks);
//   }
#pragma once

#include "tasks/task.h"

namespace dugnad::worker {

/// Donates until a signal says to stop. Returns the exit code: 0, 1 where the environment refuses (with one line on stderr), 2 for bad usage.
/// Call it from main() before there is any other thread.
[[nodiscard]] int run_worker(int argc, char** argv, const tasks::TaskTable& tasks);

}  // namespace dugnad::worker
