// (i) What leaves the submitter's line of 1 GiB of inputs that eight workers need, as a multiple of their bytes: with two copies of each unit, and
// with 0.999 a unit, where auditors get the inputs from those whose results they audit.
#include <unistd.h>

#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"
#include "tests/bench/traffic.h"

namespace dugnad::bench {
namespace {

std::vector<Bytes> large_inputs(std::size_t count, std::size_t bytes, std::size_t salt) {
  std::vector<Bytes> inputs(count, Bytes(bytes));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t at = 0; at < bytes; ++at) inputs[i][at] = static_cast<std::uint8_t>((at >> 3) * 31 + at + i * 7 + salt);
    inputs[i][0] = static_cast<std::uint8_t>(i);
    inputs[i][1] = static_cast<std::uint8_t>(salt);
  }
  return inputs;
}

}  // namespace

void measure_spread(const Settings& settings, Report& report) {
  const std::size_t count = settings.quick ? 8 : 64;
  const std::size_t bytes = settings.quick ? 1 << 20 : 16 << 20;
  sdk::JobOptions copies{.copies = 2, .resume = false};
  sdk::JobOptions sure{.resume = false};
  sure.confidence = sdk::Confidence{.probability = 0.999, .per_unit = true};
  const Workers workers(8);
  Submitter submitter(workers, true, 1);
  submitter.warm_up(2000, 2);
  std::size_t salt = 0;
  const auto sent = [&](const sdk::JobOptions& options) {
    TrafficMeter meter(::getpid());
    (void)run_units(submitter.swarm(), "measure", large_inputs(count, bytes, ++salt), options);
    meter.sample();
    return meter.bytes_sent() / static_cast<double>(count * bytes);
  };
  Samples by_copies, by_confidence;
  const std::size_t rounds = settings.quick ? 1 : std::max<std::size_t>(1, settings.pairs / 3);
  for (std::size_t round = 0; round < rounds; ++round) {
    by_copies.push_back(sent(copies));
    by_confidence.push_back(sent(sure));
  }
  report.add({.row = "i",
              .name = "uploads of each input, 8 workers, 2 copies",
              .unit = "times",
              .ours = by_copies,
              .less_is_better = true,
              .goal = Goal{Goal::Kind::at_most, 1.5}});
  report.add({.row = "i",
              .name = "uploads of each input, 8 workers, 0.999 a unit",
              .unit = "times",
              .ours = by_confidence,
              .less_is_better = true,
              .goal = Goal{Goal::Kind::at_most, 1.5}});
}

}  // namespace dugnad::bench
