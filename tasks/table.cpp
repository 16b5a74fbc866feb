// The table of built-in tasks. How to add one:
//   1. Write tasks/NAME.cpp with `Task NAME()` in dugnad::tasks, and nothing else that is visible outside. task.h states the rules
//      for a unit's function; nqueens.cpp is a good one to start from. Let next() cut units of 0.2 to 1 s on one core, at most 200,000
//      a job; check every field of a unit before using it, and bound the work that it may ask for; poll the StopToken every few ms.
//      Where all units are known beforehand, fixed_plan.h keeps the books; golomb.cpp is a plan whose units depend on earlier outputs.
//   2. Add its line below, and its file to CMakeLists.txt.
//      Where a result is told from a wrong one at a small part of what it costs, give it a check (factors.cpp); never one that only looks likely.
//   3. Add its published answers to tests/tasks/answers_test.cpp, and a small job of it where the tests beside that ask for one. The
//      hostile inputs there are made from the units that its plan cuts.
//   4. Raise Task::version whenever a unit's bytes, in or out, change their meaning: donors of the two versions would never agree.
#include "tasks/task.h"

#define DUGNAD_BUILTIN_TASKS(TASK) \
  TASK(collatz)                    \
  TASK(factors)                    \
  TASK(golomb)                     \
  TASK(mandelbrot)                 \
  TASK(nqueens)                    \
  TASK(pi)                         \
  TASK(primes)                     \
  TASK(twinprimes)                 \
  TASK(walks)

namespace dugnad::tasks {

#define DUGNAD_DECLARE(name) Task name();
DUGNAD_BUILTIN_TASKS(DUGNAD_DECLARE)
#undef DUGNAD_DECLARE

TaskTable builtin_tasks() {
  TaskTable table;
#define DUGNAD_ADD(name) table.add(name());
  DUGNAD_BUILTIN_TASKS(DUGNAD_ADD)
#undef DUGNAD_ADD
  return table;
}

}  // namespace dugnad::tasks
