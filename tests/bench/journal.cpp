// (k) What the journal costs in speed, with the evidence in it: no-op units a second of two submitters that differ in that alone.
#include <optional>

#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"

namespace dugnad::bench {
namespace {

/// Two submitters in one process run a few per cent apart from each other by how their memory came to lie, and do so for as long as they live.
constexpr std::size_t pairs_of_one_process = 3;

void measure(const Settings& settings, Report& report, unsigned copies) {
  const std::size_t units = settings.quick ? 20'000 : 300'000;
  std::optional<Workers> workers;
  std::optional<Submitter> on, off;
  Samples with, without;
  const auto run = [&](Submitter& submitter, Samples& rates) {
    rates.push_back(static_cast<double>(units) / seconds_to_run(submitter.swarm(), "noop", no_op_inputs(units), copies));
  };
  for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
    if (pair % pairs_of_one_process == 0) {
      on.reset();
      off.reset();
      workers.emplace(2);
      on.emplace(*workers, true);
      off.emplace(*workers, false);
      on->warm_up(units / 4, 2);
      off->warm_up(units / 4, 2);
    }
    // In turn the first: what the journal puts off until later must not always fall to the other.
    if (pair % 2 == 0) run(*on, with);
    run(*off, without);
    if (pair % 2 != 0) run(*on, with);
  }
  report.add({.row = "k",
              .name = "no-op units a second, journal on, copies " + std::to_string(copies),
              .unit = "/s",
              .ours = with,
              .beside = "journal off",
              .theirs = without,
              .goal = Goal{Goal::Kind::ratio_at_least, 0.9}});
}

}  // namespace

void measure_journal(const Settings& settings, Report& report) {
  for (const unsigned copies : {1U, 2U}) measure(settings, report, copies);
}

}  // namespace dugnad::bench
