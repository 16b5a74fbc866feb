#include "coordinatorless/sim/simulation.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "coordinatorless/sim/churn.h"

namespace dugnad::sim {
namespace {

constexpr Duration start_spread = std::chrono::seconds(10);  // the swarm starts over this long

/// The strategies of `count` donors, in random order.
std::vector<Strategy> cast_of(const SimulationOptions& options, std::size_t count, Generator& generator) {
  const auto share_of = [&](double share) {
    return std::min(count, static_cast<std::size_t>(std::llround(share * static_cast<double>(count))));
  };
  const std::size_t saboteurs = share_of(options.saboteurs);
  const std::size_t silent = std::min(count - saboteurs, share_of(options.silent));
  std::vector<Strategy> cast(count, Strategy::honest);
  std::fill_n(cast.begin(), saboteurs, options.strategy);
  std::fill_n(cast.begin() + static_cast<std::ptrdiff_t>(saboteurs), silent, Strategy::silent);
  generator.shuffle(std::span(cast));
  return cast;
}

WorldOptions world_of(const SimulationOptions& options) {
  WorldOptions world;
  world.seed = options.seed;
  world.links.latency = from_seconds(options.latency_ms / 1000);
  world.links.loss = options.loss;
  world.difficulty = static_cast<unsigned>(options.difficulty);
  world.groups = options.groups;
  return world;
}

std::optional<core::WantedConfidence> wanted_of(const SimulationOptions& options) {
  if (options.confidence <= 0) return std::nullopt;
  core::WantedConfidence wanted;
  wanted.error_ppb = static_cast<std::uint32_t>(std::clamp(std::round((1 - options.confidence) * 1e9), 1.0, 999'999'999.0));
  wanted.assumed_ppm = static_cast<std::uint32_t>(std::round(options.assume * 1e6));
  return wanted;
}

/// About as long as the job takes where nothing happens to it.
Duration undisturbed(const SimulationOptions& options) {
  constexpr double audits = 1.3;
  const double attempts = options.confidence > 0 ? audits : options.copies;
  const double slots = static_cast<double>(options.peers - 1);
  return start_spread + from_seconds(attempts * options.unit_seconds * static_cast<double>(options.units) / slots);
}

/// The honest donors that do not stay. The first one does: whoever comes joins by it where all others are behind a NAT.
std::vector<Node> leavers(const SimulationOptions& options, const std::vector<Strategy>& cast, Generator& generator) {
  std::vector<Node> honest;
  for (Node node = 1; node < cast.size(); ++node) {
    if (cast[node] == Strategy::honest) honest.push_back(node);
  }
  generator.shuffle(std::span(honest));
  const double wanted = options.churn * static_cast<double>(honest.size());
  honest.resize(std::min(honest.size(), static_cast<std::size_t>(std::llround(wanted))));
  return honest;
}

WorkerOptions successor(const SimulationOptions& options) {
  WorkerOptions worker;
  worker.hardware_errors = options.hardware_errors;
  return worker;
}

/// The shortest decimal that reads back as the same number.
std::string text_of(double number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return {buffer, end};
}

}  // namespace

SimulationReport simulate(const SimulationOptions& options) {
  World world(world_of(options));
  Generator& generator = world.generator();
  const std::size_t donors = options.peers - 1;
  const std::vector<Strategy> cast = cast_of(options, donors, generator);
  if (options.lie_rate > 0) world.gang().set_rate(options.lie_rate);
  if (options.overhear) world.let_saboteurs_overhear();
  for (std::size_t i = 0; i < donors; ++i) {
    WorkerOptions worker;
    worker.strategy = cast[i];
    worker.withholds = i > 0 && options.withhold > 0 && generator.chance(options.withhold);
    worker.behind_nat = i > 0 && generator.chance(options.nat);
    worker.starts_after = start_spread * i / donors;
    if (options.returns > 0) worker.returns = static_cast<unsigned>(options.returns);
    worker.hardware_errors = options.hardware_errors;
    world.add_worker(worker);
  }
  SubmitterOptions user;
  user.behind_nat = generator.chance(options.nat);
  user.starts_after = start_spread / 2;
  user.slots = options.local > 0 ? static_cast<unsigned>(options.local) : options.confidence > 0 ? 1 : 0;  // the root of trust
  const Node submitter = world.add_submitter(user);
  const Submission& job = world.submit(submitter, {options.units, from_seconds(options.unit_seconds), options.copies, options.input_bytes,
                                                    options.output_bytes, options.module_bytes, wanted_of(options), options.check});

  for (Node node = 0; node < world.size(); ++node) world.host(node).set_disk_failing(options.disk_failures);
  std::optional<Churn> churn;
  if (options.churn > 0) churn.emplace(world, leavers(options, cast, generator), undisturbed(options), successor(options));
  Faults faults(world, {options.crashes, options.suspends, options.partitions});
  const Duration limit = from_seconds(options.max_hours * 3600);
  bool ended = world.run_until_ended(job, limit / 2);
  faults.stop();
  if (!ended) ended = world.run_until_ended(job, limit / 2);

  SimulationReport report;
  report.seed = options.seed;
  report.peers = options.peers;
  report.units = options.units;
  report.accepted = job.accepted();
  report.wrong = job.wrong();
  report.unfinished = options.units - job.accepted();
  report.attempts_per_unit = static_cast<double>(world.results()) / static_cast<double>(std::max<std::uint64_t>(1, job.accepted()));
  report.overhead = seconds_of(world.cpu_spent()) / std::max(1e-9, seconds_of(job.honest_work()));
  report.virtual_seconds = seconds_of(world.now());
  report.messages = world.traffic().frames_sent;
  report.bytes_per_peer_second =
      static_cast<double>(world.traffic().bytes_sent) / static_cast<double>(options.peers) / std::max(1e-9, report.virtual_seconds);
  report.troubles = world.violations();
  if (report.troubles.empty() && !ended)
    report.troubles.push_back("the job has not ended, although the faults stopped half of --max-hours ago");
  if (job.failed() > 0) report.troubles.push_back(std::to_string(job.failed()) + " units failed, and every honest peer can compute them");
  report.convicted = job.convicted;
  report.erred = world.convictions().honest;
  report.honest_branded = world.convictions().honest_branded;
  report.crashes = faults.crashes();
  report.partitions = faults.partitions();
  report.events = world.events();
  if (const core::Peer* peer = world.host(submitter).peer()) {
    if (const auto progress = peer->progress(job.id())) {
      report.reopened = progress->units_reopened;
      report.own_share = static_cast<double>(progress->own_units) / static_cast<double>(options.units);
    }
  }
  for (Node node = 0; node < world.size(); ++node) report.fetched += world.host(node).blobs().fetched();
  report.final_draw = world.final_draw();
  return report;
}

std::string command_line(const SimulationOptions& options) {
  const SimulationOptions plain;
  std::string line = "dugnad-sim --peers " + std::to_string(options.peers) + " --units " + std::to_string(options.units) + " --seed " +
                     std::to_string(options.seed);
  const auto add = [&line](const char* name, double value, double fallback) {
    if (value != fallback) line += std::string(" --") + name + " " + text_of(value);
  };
  add("unit-seconds", options.unit_seconds, plain.unit_seconds);
  add("copies", options.copies, plain.copies);
  add("confidence", options.confidence, plain.confidence);
  add("assume", options.assume, plain.assume);
  add("check", options.check, plain.check);
  add("saboteurs", options.saboteurs, plain.saboteurs);
  if (options.strategy != plain.strategy) line += " --strategy " + std::string(name_of(options.strategy));
  add("lie-rate", options.lie_rate, plain.lie_rate);
  add("returns", static_cast<double>(options.returns), 0);
  if (options.overhear) line += " --overhear";
  add("silent", options.silent, plain.silent);
  add("withhold", options.withhold, plain.withhold);
  const auto add_bytes = [&line](const char* name, std::uint64_t bytes) {
    if (bytes != 0) line += std::string(" --") + name + " " + std::to_string(bytes);
  };
  add_bytes("input-bytes", options.input_bytes);
  add_bytes("output-bytes", options.output_bytes);
  add_bytes("module-bytes", options.module_bytes);
  add("loss", options.loss, plain.loss);
  add("latency", options.latency_ms, plain.latency_ms);
  add("crashes", options.crashes, plain.crashes);
  add("suspends", options.suspends, plain.suspends);
  add("partitions", options.partitions, plain.partitions);
  add("disk-failures", options.disk_failures, plain.disk_failures);
  add("nat", options.nat, plain.nat);
  add("difficulty", static_cast<double>(options.difficulty), static_cast<double>(plain.difficulty));
  add("churn", options.churn, plain.churn);
  add("groups", static_cast<double>(options.groups), 0);
  add("hardware-errors", options.hardware_errors, plain.hardware_errors);
  add("local", static_cast<double>(options.local), 0);
  add("max-hours", options.max_hours, plain.max_hours);
  return line;
}

}  // namespace dugnad::sim
