// A submitter of many small units, as `dugnad submit` is one: a task that splits itself, whose outputs the plan takes.
//
//   bench_million CONTACT SWARM DIRECTORY UNITS COPIES STOP_AT
//
// COPIES 0: 0.999 a unit. Takes up the unfinished job in DIRECTORY, where there is one. Prints `open SECONDS` when the first result has come, counted
// from before the swarm was joined, then `rate UNITS_PER_SECOND` and `peak BYTES` of memory. With STOP_AT units that have a result it dies without
// closing anything.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "dugnad/swarm.h"
#include "tasks/fixed_plan.h"
#include "tests/bench/process.h"

namespace {

using namespace dugnad;
using namespace dugnad::bench;

struct Many {
  std::uint64_t count = 0;
  [[nodiscard]] std::uint64_t units() const { return count; }
  [[nodiscard]] Bytes input(std::uint64_t unit) const {
    Bytes bytes(8);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(unit >> (8 * i));
    return bytes;
  }
  Result<void> add(std::uint64_t unit, ByteView output) {
    const Bytes expected = input(unit);
    if (!std::equal(output.begin(), output.end(), expected.begin(), expected.end())) return Error{"that is another's output"};
    return {};
  }
  tasks::Answer answer() { return {.text = "all"}; }
};

double peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

template <class T>
T need(Result<T> result) {
  if (!result) give_up(result.error().message);
  return *std::move(result);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) give_up("bench_million: see its source for what it takes");
  const std::uint64_t units = std::strtoull(argv[4], nullptr, 10), copies = std::strtoull(argv[5], nullptr, 10);
  const std::uint64_t stop_at = std::strtoull(argv[6], nullptr, 10);
  const auto start = Clock::now();
  sdk::SwarmOptions options;
  options.swarm = argv[2];
  options.join = {argv[1]};
  options.listen = "tcp://127.0.0.1:0";
  options.data = argv[3];
  options.local = copies == 0 ? 1 : 0;
  options.tasks = {};
  options.tasks.add({.name = "noop",
                     .help = {},
                     .parameters = {{.name = "units", .help = {}, .least = 1, .most = UINT32_MAX, .fallback = {}}},
                     .run = [](ByteView input, const tasks::StopToken&) { return Bytes(input.begin(), input.end()); },
                     .plan = [](const tasks::Parameters& given) { return tasks::fixed_plan(Many{given.at("units")}); }});
  options.log = [](const std::string& line) { std::fprintf(stderr, "bench_million: %s\n", line.c_str()); };
  auto swarm = need(sdk::Swarm::join(std::move(options)));
  sdk::JobOptions wanted;
  wanted.copies = static_cast<unsigned>(std::max<std::uint64_t>(copies, 1));
  if (copies == 0) wanted.confidence = sdk::Confidence{.probability = 0.999, .per_unit = true};
  auto job = need(swarm.run("noop", {{"units", units}}, wanted));
  std::thread reader([&job] { (void)job.answer(); });
  double opened = 0;
  std::uint64_t before = 0;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(opened == 0 ? 1 : 20));  // sleep: progress is asked for, never told
    const sdk::Progress now = job.progress();
    const std::uint64_t have = now.units_done + now.units_held;
    const bool enough = now.ended || have >= stop_at;
    if (opened == 0 && (now.attempts > 0 || enough)) {  // enough: the run before it had left nothing to do, by the time that it was looked at
      opened = seconds_since(start);
      before = have;
      std::printf("open %.6f\n", opened);
    }
    if (!enough) continue;
    const double took = seconds_since(start) - opened;
    std::printf("rate %.1f\npeak %.0f\n", static_cast<double>(have - before) / took, peak_bytes());
    std::fflush(stdout);
    if (!now.ended) ::_exit(0);
    reader.join();
    return 0;
  }
}
