// (b) How well two cores are used: units of 1, 10 and 100 ms of CPU time, beside a bare TBB loop over the same units on two threads. Two
// workers of one core each rather than one of two: two peers have to share the units out and to end together, and that is what others'
// figures were taken with.
#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"

namespace dugnad::bench {
namespace {

using std::chrono::milliseconds;

struct Case {
  milliseconds cost;
  std::size_t units;
  double goal;
};

std::vector<Bytes> spin_inputs(const Case& what) {
  const auto microseconds = static_cast<std::uint32_t>(std::chrono::microseconds(what.cost).count());
  std::vector<Bytes> inputs = no_op_inputs(what.units);
  for (Bytes& input : inputs) {
    for (unsigned byte = 0; byte < 4; ++byte) input.insert(input.begin() + byte, static_cast<std::uint8_t>(microseconds >> (8 * byte)));
  }
  return inputs;
}

double seconds_of_bare_loop(const Case& what) {
  Child loop("bench_bare", {"loop", std::to_string(what.units), std::to_string(std::chrono::microseconds(what.cost).count()), "2"});
  return std::stod(loop.read_line());
}

}  // namespace

void measure_efficiency(const Settings& settings, Report& report) {
  const Case full[] = {{milliseconds(1), 8000, 0.95}, {milliseconds(10), 800, 0.97}, {milliseconds(100), 120, 0.97}};
  const Case quick[] = {{milliseconds(1), 200, 0.95}, {milliseconds(10), 20, 0.97}, {milliseconds(100), 4, 0.97}};
  const Workers workers(2);
  Submitter submitter(workers, true);
  submitter.warm_up(1000, 2);
  for (const Case& what : settings.quick ? quick : full) {
    const double work = static_cast<double>(what.units) * std::chrono::duration<double>(what.cost).count();
    const std::vector<Bytes> inputs = spin_inputs(what);
    Samples ours, theirs, in_units;
    for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
      const double before = workers.cpu_seconds();
      ours.push_back(work / 2 / seconds_to_run(submitter.swarm(), "spin", inputs, 1));
      in_units.push_back(work / (workers.cpu_seconds() - before));
      theirs.push_back(work / 2 / seconds_of_bare_loop(what));
    }
    const std::string cost = std::to_string(what.cost.count()) + " ms";
    report.add({.row = "b",
                .name = "efficiency at " + cost,
                .unit = "",
                .ours = ours,
                .beside = "bare TBB loop",
                .theirs = theirs,
                .goal = Goal{Goal::Kind::ratio_at_least, what.goal}});
    report.add({.row = "b", .name = "  share of the workers' CPU in units of " + cost, .unit = "", .ours = in_units});
  }
}

}  // namespace dugnad::bench
