// A swarm some of whose peers hold jobs of others, and how its submitter leaves and comes back: for scenarios of stewards.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/ended_well.h"

namespace dugnad::sim {

using namespace std::chrono_literals;

inline constexpr std::uint64_t steward_room = 512 << 20;

struct SwarmOptions {
  StewardConduct conduct = StewardConduct::honest;  // of so many of the stewards
  unsigned liars = 1;
  LinkQuality links{};
  unsigned stewards = 3;
  bool behind_nat = false;  // the stewards
  unsigned colluders = 0;   // workers that lie alike, besides
  unsigned workers = 9;     // that hold no jobs
};

/// Workers, and some that hold jobs of others too.
struct Swarm {
  explicit Swarm(std::uint64_t seed, StewardConduct conduct = StewardConduct::honest) : Swarm(seed, SwarmOptions{.conduct = conduct}) {}
  Swarm(std::uint64_t seed, SwarmOptions options) : world({.seed = seed, .links = options.links}) {
    owner = world.add_owner();
    if (options.workers > 0) workers = world.add_workers(options.workers, {.speed = 1.0});
    for (unsigned i = 0; i < options.stewards; ++i) {
      stewards.push_back(world.add_worker({.behind_nat = options.behind_nat,
                                           .speed = 1.0,
                                           .steward_bytes = steward_room,
                                           .steward = i < options.liars ? options.conduct : StewardConduct::honest}));
    }
    for (unsigned i = 0; i < options.colluders; ++i) world.add_worker({.strategy = Strategy::collude, .returns = 0, .speed = 1.0});
    if (options.colluders > 0) world.gang().set_rate(1);
    submitter = world.add_submitter({.slots = 1, .owner = owner});
    world.run_for(30s);
  }

  const Submission& submit(JobSpec spec) {
    spec.stewards = static_cast<unsigned>(stewards.size());
    const Submission& job = world.submit(submitter, spec);
    REQUIRE(world.run_until([&] { return job.stewards == spec.stewards; }, 1min));
    return job;
  }
  /// The steward that leads, once one does.
  [[nodiscard]] Node leader() {
    const auto leads = [&](Node steward) {
      const auto held = world.host(steward).peer()->held_jobs();
      return held.size() == 1 && held[0].leads;
    };
    REQUIRE(world.run_until([&] { return std::any_of(stewards.begin(), stewards.end(), leads); }, 5min));
    return *std::find_if(stewards.begin(), stewards.end(), leads);
  }
  /// What all have computed, in units of the job.
  [[nodiscard]] double computed(const Submission& job) { return seconds_of(world.cpu_spent()) / seconds_of(job.spec().unit); }

  World world;
  Owner owner = 0;
  std::vector<Node> workers, stewards;
  Node submitter = 0;
};

inline JobSpec by_copies(std::uint64_t units) { return {units, 2s, 2}; }
inline JobSpec by_confidence(std::uint64_t units) {
  JobSpec spec{units, 2s, 1};
  spec.confidence = core::WantedConfidence{10'000'000, false, 100'000, false};
  return spec;
}

/// All of which fit in a steward's share.
inline JobSpec with_large_values(JobSpec spec) {
  spec.input_bytes = spec.output_bytes = 70'000;
  return spec;
}

/// Leaves once a tenth is there.
inline void leave(Swarm& swarm, const Submission& job, const std::vector<Node>& dying) {
  World& world = swarm.world;
  const double copies = job.spec().confidence ? 1 : job.spec().copies;
  const double tenth = 0.1 * copies * static_cast<double>(job.spec().units);
  REQUIRE(world.run_until([&] { return swarm.computed(job) >= tenth; }, 10min + 2 * job.spec().unit));
  world.crash(swarm.submitter);
  world.run_for(5s);
  for (const Node node : dying) world.crash(node);
}

/// Stewards compute nothing of what they hold: nine workers, after a minute in which nobody leads.
inline Duration time_for_the_rest(const Submission& job) {
  const double copies = job.spec().confidence ? 1 : job.spec().copies;
  return from_seconds(80 + 1.3 * copies * static_cast<double>(job.spec().units) * seconds_of(job.spec().unit) / 9);
}

/// And comes back when the rest would be.
inline void leave_and_come_back(Swarm& swarm, const Submission& job, const std::vector<Node>& dying) {
  leave(swarm, job, dying);
  swarm.world.run_for(time_for_the_rest(job));
}

}  // namespace dugnad::sim
