// One built-in task as a guest: the function of its units, from the same source that is compiled into every worker. DUGNAD_TASK names it.
#include <dugnad_guest.hpp>

#include "tasks/task.h"

namespace dugnad::tasks {
Task DUGNAD_TASK();
}

namespace {
dugnad::Bytes unit(dugnad::ByteView input) { return dugnad::tasks::DUGNAD_TASK().run(input, {}); }
}  // namespace

DUGNAD_GUEST(unit)
