// (e) How soon a swarm has heard of a job, in virtual time, and what its peers say to each other when there is none. From the simulator: the
// product's own core, links of 20 ms, all peers donors that can be dialled. There is nothing to run beside it, and a seed gives the same
// figures each time.
#include <cmath>

#include "coordinatorless/sim/world.h"
#include "tests/bench/rows.h"

namespace dugnad::bench {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration arrivals = seconds(60);  // the swarm starts over this long
constexpr Duration idle_window = seconds(60);
constexpr double shares[] = {0.5, 0.9, 0.99, 1};

struct Course {
  double idle_bytes = 0;          // per peer and second
  double informed_after[4] = {};  // seconds, for each of `shares`; NaN where it never came to that
};

Course run(std::size_t peers, std::uint64_t seed, Duration settling) {
  sim::World world({.seed = seed, .links = {}});
  std::vector<sim::Node> donors;
  for (std::size_t i = 0; i + 1 < peers; ++i)
    donors.push_back(world.add_worker({.speed = {}, .joins = {}, .starts_after = arrivals * i / peers}));
  const sim::Node submitter = world.add_submitter();
  world.run_for(arrivals + settling);

  Course course;
  const auto bytes_before = world.traffic().bytes_sent;
  world.run_for(idle_window);
  course.idle_bytes = static_cast<double>(world.traffic().bytes_sent - bytes_before) / static_cast<double>(peers) / seconds_of(idle_window);

  // More work than all of them do meanwhile, so that nobody hears of the job's end.
  const auto start = world.now();
  world.submit(submitter, {.units = peers * 2, .unit = minutes(30), .copies = 1});
  std::vector<sim::Node> waiting = donors;
  for (std::size_t i = 0; i < std::size(shares); ++i) {
    const auto most_waiting = static_cast<std::size_t>(std::floor((1 - shares[i]) * static_cast<double>(donors.size())));
    const auto enough = [&] {
      std::erase_if(waiting, [&](sim::Node node) { return world.host(node).peer()->counters().jobs_known > 0; });
      return waiting.size() <= most_waiting;
    };
    // Looked at every 10 ms of virtual time: after each event would cost more than the events.
    course.informed_after[i] = std::nan("");
    while (world.now() - start < minutes(5)) {
      if (enough()) {
        course.informed_after[i] = seconds_of(world.now() - start);
        break;
      }
      world.run_for(std::chrono::milliseconds(10));
    }
  }
  return course;
}

}  // namespace

void measure_gossip(const Settings& settings, Report& report) {
  const std::size_t sizes[] = {100, 1000, 10'000};
  for (const std::size_t peers : sizes) {
    if (settings.quick && peers > 100) break;
    const std::size_t runs = peers > 1000 ? 1 : settings.quick ? 1 : 3;
    Samples idle, informed[std::size(shares)];
    for (std::size_t i = 0; i < runs; ++i) {
      const Course course = run(peers, i + 1, seconds(240));
      idle.push_back(course.idle_bytes);
      for (std::size_t share = 0; share < std::size(shares); ++share) informed[share].push_back(course.informed_after[share]);
    }
    const std::string suffix = " of " + std::to_string(peers) + " simulated peers";
    for (std::size_t share = 0; share < std::size(shares); ++share) {
      const std::string informed_share = std::to_string(std::lround(shares[share] * 100)) + " %";
      report.add({.row = "e",
                  .name = informed_share + suffix + " know a job after",
                  .unit = "s",
                  .ours = informed[share],
                  .less_is_better = true});
    }
    report.add({.row = "e",
                .name = "bytes sent a peer and second, idle," + suffix,
                .unit = "B/s",
                .ours = idle,
                .less_is_better = true,
                .goal = Goal{Goal::Kind::at_most, 1024}});
  }
}

}  // namespace dugnad::bench
