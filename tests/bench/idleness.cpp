// (d) What a worker costs that has nothing to do: memory, CPU and bytes in a swarm of three; and what each peer adds that is connected to it.
// Beside them a bare ZeroMQ program.
#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"
#include "tests/bench/traffic.h"

namespace dugnad::bench {
namespace {

using std::chrono::seconds;

constexpr double kib = 1024, mib = 1024 * 1024;

/// The swarm has found itself by then.
constexpr seconds settling(5);

/// A ROUTER of no more than ZeroMQ.
class BareListener {
 public:
  BareListener() : process_("bench_bare", {"listener"}) {
    const std::string line = process_.read_line();
    const auto space = line.find(' ');
    endpoint_ = line.substr(0, space);
    key_ = line.substr(space + 1);
  }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] std::vector<std::string> crowd(std::size_t count) const { return {"bare", endpoint_, key_, std::to_string(count)}; }

 private:
  Child process_;
  std::string endpoint_, key_;
};

void measure_a_small_swarm(const Settings& settings, Report& report) {
  const seconds window(settings.quick ? 2 : 20);
  Samples resident, proportional, own, bare, cpu, sent, received;
  const std::size_t rounds = settings.quick ? 1 : std::max<std::size_t>(1, settings.pairs / 3);  // each gives three samples
  for (std::size_t round = 0; round < rounds; ++round) {
    const Workers workers(3, "dugnad-worker");
    const BareListener listener;
    let_pass(settings.quick ? seconds(1) : settling);
    std::vector<TrafficMeter> meters;
    std::vector<double> cpu_before;
    for (std::size_t i = 0; i < workers.count(); ++i) {
      meters.emplace_back(workers.pid(i));
      cpu_before.push_back(cpu_seconds_of(workers.pid(i)));
    }
    const auto start = Clock::now();
    while (seconds_since(start) < static_cast<double>(window.count())) {
      let_pass(seconds(1));
      for (TrafficMeter& meter : meters) meter.sample();
    }
    const double passed = seconds_since(start);
    for (std::size_t i = 0; i < workers.count(); ++i) {
      const Memory memory = memory_of(workers.pid(i));
      resident.push_back(memory.resident / mib);
      proportional.push_back(memory.proportional / mib);
      own.push_back(memory.own / mib);
      bare.push_back(memory_of(listener.pid()).resident / mib);
      cpu.push_back((cpu_seconds_of(workers.pid(i)) - cpu_before[i]) / passed * 100);
      sent.push_back(meters[i].bytes_sent() / passed);
      received.push_back(meters[i].bytes_received() / passed);
    }
  }
  const auto add = [&](const std::string& name, const char* unit, const Samples& ours, const Samples& theirs, std::optional<double> goal) {
    report.add({.row = "d",
                .name = name,
                .unit = unit,
                .ours = ours,
                .beside = theirs.empty() ? "" : "bare ZeroMQ listener",
                .theirs = theirs,
                .less_is_better = true,
                .goal = goal ? std::optional(Goal{Goal::Kind::at_most, *goal}) : std::nullopt});
  };
  Samples both;
  for (std::size_t i = 0; i < sent.size(); ++i) both.push_back(sent[i] + received[i]);
  add("idle worker, resident", "MiB", resident, bare, 20);
  add("  its share of shared pages counted (PSS)", "MiB", proportional, {}, {});
  add("  pages of its own", "MiB", own, {}, {});
  add("idle worker, CPU", "%", cpu, {}, 0.3);
  add("idle worker among three, sent and received", "B/s", both, {}, 1024);
  add("  of that sent", "B/s", sent, {}, {});
}

/// What a process grows by with each of `count` that connect, one before them not counted, in KiB. `crowd` makes the arguments of that many.
template <class Crowd>
double growth_per_peer(pid_t process, std::size_t count, const Crowd& crowd) {
  Child first("bench_crowd", crowd(1));
  (void)first.read_line();
  const double before = memory_of(process).resident;
  Child others("bench_crowd", crowd(count));
  (void)others.read_line();
  const double after = memory_of(process).resident;
  const std::size_t connected = TrafficMeter(process).connections();
  if (connected < count + 1) give_up("only " + std::to_string(connected) + " of " + std::to_string(count + 1) + " peers stayed connected");
  return (after - before) / static_cast<double>(count) / kib;
}

/// A worker lets go of peers that have no purpose ten seconds after they came: what is measured is measured before.
void measure_peers(std::size_t count, std::size_t pairs, Report& report) {
  Samples ours, theirs;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const Workers worker(1, "dugnad-worker");
    const auto peers = [&](std::size_t many) {
      return std::vector<std::string>{"peers", worker.contacts().front(), worker.swarm(), std::to_string(many)};
    };
    ours.push_back(growth_per_peer(worker.pid(0), count, peers));
    const BareListener listener;
    theirs.push_back(growth_per_peer(listener.pid(), count, [&](std::size_t many) { return listener.crowd(many); }));
  }
  report.add({.row = "d",
              .name = "memory per connected peer, of " + std::to_string(count),
              .unit = "KiB",
              .ours = ours,
              .beside = "bare ZeroMQ listener",
              .theirs = theirs,
              .less_is_better = true,
              .goal = Goal{Goal::Kind::at_most, 64}});
}

}  // namespace

void measure_idleness(const Settings& settings, Report& report) {
  measure_a_small_swarm(settings, report);
  measure_peers(10, settings.pairs, report);
  measure_peers(100, settings.pairs, report);
  if (!settings.quick) measure_peers(1000, settings.pairs, report);
}

}  // namespace dugnad::bench
