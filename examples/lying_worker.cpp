// lying_worker: a donor with dugnad-worker's options whose every result is wrong, to see what a swarm makes of one. ./try.sh has one.
#include "worker/run_worker.h"

namespace {

/// Of the right length, so that nothing but another's result gives it away.
dugnad::Bytes falsified(dugnad::Bytes output) {
  if (output.empty()) output.push_back(0);
  output.front() ^= 1;
  return output;
}

}  // namespace

int main(int argc, char** argv) {
  const auto honest = dugnad::tasks::builtin_tasks();
  dugnad::tasks::TaskTable lying;
  for (auto [name, task] : honest.all()) {
    task.run = [run = task.run](dugnad::ByteView input, const dugnad::tasks::StopToken& stop) { return falsified(run(input, stop)); };
    lying.add(std::move(task));
  }
  return dugnad::worker::run_worker(argc, argv, lying);
}
