// The worker that the benchmarks run: dugnad-worker, with two tasks whose cost is known.
#include <cstring>

#include "coordinatorless/base/hash.h"
#include "tests/bench/spin.h"
#include "worker/run_worker.h"

namespace {

using namespace dugnad;

/// Its input, back.
Bytes no_op(ByteView input, const tasks::StopToken&) { return {input.begin(), input.end()}; }

/// The input's first four bytes, little-endian: how many microseconds to be busy for.
Bytes busy(ByteView input, const tasks::StopToken&) {
  if (input.size() < 4) throw tasks::UnitFailed("the input is no number");
  const std::uint32_t microseconds = input[0] | input[1] << 8 | input[2] << 16 | static_cast<std::uint32_t>(input[3]) << 24;
  bench::spin(std::chrono::microseconds(microseconds));
  return {input.begin(), input.end()};
}

/// The input's hash: large in, small out.
Bytes measure(ByteView input, const tasks::StopToken&) {
  const Hash hash = hash_of(input);
  return {hash.bytes.begin(), hash.bytes.end()};
}

}  // namespace

int main(int argc, char** argv) {
  tasks::TaskTable table;
  table.add({.name = "noop", .help = "returns its input", .parameters = {}, .run = no_op, .plan = {}});
  table.add({.name = "spin", .help = "is busy for so many microseconds", .parameters = {}, .run = busy, .plan = {}});
  table.add({.name = "measure", .help = "hashes its input", .parameters = {}, .run = measure, .plan = {}});
  return worker::run_worker(argc, argv, table);
}
