// A worker of one's own, with the tasks that a worker has to survive: one that only ends when it is asked to, and one that does not even then.
#include <atomic>

#include "worker/run_worker.h"

int main(int argc, char** argv) {
  using namespace dugnad;
  tasks::TaskTable table;
  const auto endless = [](ByteView, const tasks::StopToken& token) -> Bytes {
    for (;;) token.throw_if_requested();
  };
  const auto deaf = [](ByteView, const tasks::StopToken&) -> Bytes {
    static std::atomic<bool> forever{true};
    while (forever) {}
    return {};
  };
  table.add({.name = "endless", .version = 1, .help = "until asked to stop", .parameters = {}, .run = endless, .plan = {}});
  table.add({.name = "deaf", .version = 1, .help = "never stops", .parameters = {}, .run = deaf, .plan = {}});
  return worker::run_worker(argc, argv, table);
}
