// (h) What certainty costs in speed: no-op units a second with 0.999 a unit, audits, the submitter's own computing and the store included, beside one
// copy of each and no check in the same swarm. Two workers, each a process, and the submitter, which computes too.
#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"

namespace dugnad::bench {

void measure_certainty(const Settings& settings, Report& report) {
  const std::size_t units = settings.quick ? 20'000 : 300'000;
  sdk::JobOptions sure{.resume = false};
  sure.confidence = sdk::Confidence{.probability = 0.999, .per_unit = true};
  const Workers workers(2);
  Submitter submitter(workers, true, 1);
  submitter.warm_up(units / 4, 2);
  Samples with, without, attempts;
  for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
    const Run run = run_units(submitter.swarm(), "noop", no_op_inputs(units), sure);
    with.push_back(static_cast<double>(units) / run.seconds);
    attempts.push_back(static_cast<double>(run.end.attempts) / static_cast<double>(units));
    without.push_back(static_cast<double>(units) / seconds_to_run(submitter.swarm(), "noop", no_op_inputs(units), 1));
  }
  report.add({.row = "h",
              .name = "no-op units a second, 0.999 a unit",
              .unit = "/s",
              .ours = with,
              .beside = "one copy, no check",
              .theirs = without,
              .goal = Goal{Goal::Kind::ratio_at_least, 0.6}});
  report.add({.row = "h", .name = "  attempts a unit", .unit = "", .ours = attempts, .less_is_better = true});
}

}  // namespace dugnad::bench
