// (a) Verified no-op units a second: a submitter and two workers, each a process, CURVE between them, the store on. Beside it the same bytes,
// 64 units a message and 512 in flight, through a bare pair of ZeroMQ sockets. Where each unit goes to two donors, its bytes cross the bare
// pair twice.
#include <sys/resource.h>

#include "tests/bench/bare_pair.h"
#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"

namespace dugnad::bench {
namespace {

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void measure_throughput(const Settings& settings, Report& report) {
  const std::size_t units = settings.quick ? 20'000 : 300'000;
  for (const unsigned copies : {1U, 2U}) {
    const Workers workers(2);
    Submitter submitter(workers, true);
    submitter.warm_up(units / 4, 2);
    BarePair bare;
    Samples ours, theirs, submitters_cpu, workers_cpu;
    for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
      const double own_before = own_cpu_seconds(), workers_before = workers.cpu_seconds();
      ours.push_back(static_cast<double>(units) / seconds_to_run(submitter.swarm(), "noop", no_op_inputs(units), copies));
      submitters_cpu.push_back((own_cpu_seconds() - own_before) / static_cast<double>(units) * 1e6);
      workers_cpu.push_back((workers.cpu_seconds() - workers_before) / static_cast<double>(units) * 1e6);
      theirs.push_back(bare.units_per_second(units * copies, no_op_bytes, 64, 512) / copies);
    }
    const std::string suffix = ", copies " + std::to_string(copies);
    report.add({.row = "a",
                .name = "no-op units a second" + suffix,
                .unit = "/s",
                .ours = ours,
                .beside = "bare ZeroMQ, batched",
                .theirs = theirs,
                .goal = Goal{Goal::Kind::at_least, copies == 1 ? 100'000.0 : 50'000.0}});
    report.add(
        {.row = "a", .name = "  CPU of the submitter a unit" + suffix, .unit = "us", .ours = submitters_cpu, .less_is_better = true});
    report.add({.row = "a", .name = "  CPU of both workers a unit" + suffix, .unit = "us", .ours = workers_cpu, .less_is_better = true});
  }
}

}  // namespace dugnad::bench
