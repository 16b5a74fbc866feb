#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "coordinatorless/sim/faults.h"
#include "tests/sim/ended_well.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

std::vector<Node> others(const World& world, const std::vector<Node>& some) {
  std::vector<Node> rest;
  for (Node node = 0; node < world.size(); ++node) {
    if (std::find(some.begin(), some.end(), node) == some.end()) rest.push_back(node);
  }
  return rest;
}

}  // namespace

TEST_CASE("a small swarm computes a job, two copies of each unit") {
  World world({.seed = 1, .links = {}});
  world.add_workers(5);
  const Submission& job = world.submit(world.add_submitter(), {200, 500ms, 2});
  REQUIRE(world.run_until_ended(job, 10min));
  check_right(world, job);
  CHECK(world.results() >= 400);
  CHECK(world.results() < 440);  // few units are raced in vain
}

TEST_CASE("donors are kept busy: a job takes little longer than its work") {
  World world({.seed = 2, .links = {}});
  world.add_workers(10, {.speed = 1.0});
  const Node submitter = world.add_submitter();
  world.run_for(30s);
  const VirtualTime start = world.now();
  const Submission& job = world.submit(submitter, {1000, 200ms, 1});
  REQUIRE(world.run_until_ended(job, 10min));
  check_well(world);
  CHECK(seconds_of(world.now() - start) < 1.25 * 1000 * 0.2 / 10);
}

TEST_CASE("a submitter computes its own job with its own slots when nobody else is there") {
  World world({.seed = 3, .links = {}});
  const Submission& job = world.submit(world.add_submitter({.slots = 2}), {20, 500ms, 1});
  REQUIRE(world.run_until_ended(job, 5min));
  check_right(world, job);
}

TEST_CASE("a donor that joins in the middle gets work") {
  World world({.seed = 4, .links = {}});
  world.add_workers(3, {.speed = 1.0});
  const Submission& job = world.submit(world.add_submitter(), {300, 1s, 1});
  REQUIRE(world.run_until([&] { return job.accepted() >= 100; }, 10min));
  const Node late = world.add_worker({.speed = 1.0});
  REQUIRE(world.run_until_ended(job, 10min));
  check_right(world, job);
  REQUIRE(world.host(late).peer() != nullptr);
  CHECK(world.host(late).peer()->counters().units_computed > 20);
}

TEST_CASE("the peer that everybody joined dies, and the swarm goes on and takes newcomers in") {
  World world({.seed = 5, .links = {}});
  const Node seed = world.add_worker();
  const auto donors = world.add_workers(8, {.joins = seed});
  const Node submitter = world.add_submitter({.joins = seed});
  world.run_for(60s);
  world.crash(seed, Death::vanished);
  const Submission& job = world.submit(submitter, {200, 1s, 2});
  const Node late = world.add_worker({.speed = 1.0, .joins = donors[0]});
  REQUIRE(world.run_until_ended(job, 20min));
  check_right(world, job);
  CHECK(world.host(late).peer()->counters().units_computed > 0);
}

TEST_CASE("every donor dies, the submitter says so, and goes on when new ones come") {
  World world({.seed = 6, .links = {}});
  const auto donors = world.add_workers(4);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {200, 1s, 2});
  REQUIRE(world.run_until([&] { return job.accepted() >= 40; }, 10min));
  for (const Node node : donors) world.crash(node, Death::killed);
  REQUIRE(world.run_until([&] { return job.nobody_to_compute == 1; }, 3min));
  world.run_for(5min);
  CHECK_FALSE(job.ended());
  CHECK(job.nobody_to_compute == 1);  // said once
  for (int i = 0; i < 3; ++i) world.add_worker({.joins = submitter});
  REQUIRE(world.run_until_ended(job, 20min));
  CHECK(job.donors_back == 1);
  check_right(world, job);
}

TEST_CASE("a submitter dies again and again, and loses nothing that was accepted") {
  World world({.seed = 7, .links = {}});
  world.add_workers(6);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {300, 1s, 2});
  for (int crash = 0; crash < 5; ++crash) {
    (void)world.run_until_ended(job, 20s);
    if (job.ended()) break;
    world.crash(submitter, crash % 2 == 0 ? Death::killed : Death::vanished);
    world.run_for(10s);
    world.restart(submitter);
  }
  REQUIRE(world.run_until_ended(job, 20min));
  check_right(world, job);
}

TEST_CASE("a partition between the submitter and half of its donors heals, and the job ends") {
  World world({.seed = 8, .links = {}});
  const auto donors = world.add_workers(10);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {300, 1s, 2});
  REQUIRE(world.run_until([&] { return job.accepted() >= 50; }, 10min));
  const std::vector<Node> far(donors.begin(), donors.begin() + 5);
  world.partition(far, others(world, far));
  world.run_for(30s);
  CHECK_FALSE(job.ended());
  world.heal();
  REQUIRE(world.run_until_ended(job, 10min));
  check_right(world, job);
}

TEST_CASE("a partition longer than every timeout heals, and both halves find together again") {
  World world({.seed = 9, .links = {}});
  const auto donors = world.add_workers(12);
  world.run_for(2min);
  const Node submitter = world.add_submitter({.joins = donors[11]});
  const std::vector<Node> far(donors.begin(), donors.begin() + 10);
  const Submission& job = world.submit(submitter, {2000, 1s, 3});
  world.run_for(30s);
  world.partition(far, others(world, far));
  world.run_for(20min);
  CHECK_FALSE(job.ended());  // two donors are near, and three must agree
  world.heal();
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
}

TEST_CASE("units that take long outlast their submitter's absence: the job ends as if it had been there") {
  const auto minutes_with = [](bool absent) {
    World world({.seed = 31, .links = {}});
    world.add_workers(8, {.speed = 1.0});
    const Node submitter = world.add_submitter();
    const Submission& job = world.submit(submitter, {8, 40min, 1});
    world.run_for(20min);
    if (absent) world.partition({submitter}, others(world, {submitter}));
    world.run_for(10min);
    CHECK(job.accepted() < 8);
    world.heal();
    REQUIRE(world.run_until_ended(job, 120min));
    check_right(world, job);
    return seconds_of(world.now()) / 60;
  };
  const double there = minutes_with(false), absent = minutes_with(true);
  CHECK_MESSAGE(absent < there + 2, there << " minutes, " << absent << " with an absence of ten");
}

TEST_CASE("results that came while the submitter was away outlast their donors' processes") {
  World world({.seed = 32, .links = {}});
  const auto donors = world.add_workers(8, {.speed = 1.0});
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {8, 20min, 1});
  world.run_for(10min);
  world.partition({submitter}, others(world, {submitter}));
  world.run_for(10min);
  CHECK(job.accepted() == 0);
  for (const Node donor : donors) world.crash(donor);
  std::size_t waiting = 0;
  for (const Node donor : donors) waiting += world.host(donor).journal().notes(NoteKind::waiting).size();
  REQUIRE(waiting >= 4);  // the others take longer
  world.run_for(10s);
  for (const Node donor : donors) world.restart(donor);
  world.run_for(10min);
  world.heal();
  world.run_for(5min);
  CHECK(job.accepted() == waiting);
  REQUIRE(world.run_until_ended(job, 120min));
  check_right(world, job);
  CHECK(world.results() == 8);
  for (const Node donor : donors) CHECK(world.host(donor).journal().notes(NoteKind::waiting).empty());
}

TEST_CASE("units that take long outlast their submitter's process: none is begun anew") {
  for (const bool by_confidence : {false, true}) {
    CAPTURE(by_confidence);
    const auto minutes_with = [by_confidence](Duration absent) {
      World world({.seed = 33, .links = {}});
      world.add_workers(8, {.speed = 1.0});
      const Node submitter = world.add_submitter();
      JobSpec spec{8, 40min, 1};
      if (by_confidence) spec.confidence = core::WantedConfidence{};
      const Submission& job = world.submit(submitter, spec);
      world.run_for(20min);
      if (absent > Duration{}) {
        world.crash(submitter);
        world.run_for(absent);
        world.restart(submitter);
      }
      REQUIRE(world.run_until_ended(job, 24h));
      check_right(world, job);
      return seconds_of(world.now()) / 60;
    };
    const double there = minutes_with({});
    for (const Duration absent : {Duration(10s), Duration(10min)}) {
      if (by_confidence && absent > 1min) continue;  // audits that had just begun are not kept for that long
      const double away = minutes_with(absent);
      CHECK_MESSAGE(away < there + 3, there << " minutes, " << away << " with the submitter killed for " << seconds_of(absent) << " s");
    }
  }
}

TEST_CASE("a submitter that nobody can dial is served by donors that it dials") {
  World world({.seed = 10, .links = {}});
  world.add_workers(6);
  const Submission& job = world.submit(world.add_submitter({.behind_nat = true}), {100, 1s, 2});
  REQUIRE(world.run_until_ended(job, 20min));
  check_right(world, job);
}

TEST_CASE("donors that nobody can dial serve a submitter that they dial") {
  World world({.seed = 11, .links = {}});
  world.add_worker({.strategy = Strategy::silent});  // the one that can be dialled
  world.add_workers(6, {.behind_nat = true});
  const Submission& job = world.submit(world.add_submitter(), {100, 1s, 2});
  REQUIRE(world.run_until_ended(job, 20min));
  check_right(world, job);
}

TEST_CASE("where neither side can be dialled, a third peer relays what it cannot read") {
  World world({.seed = 12, .links = {}});
  const Node relay = world.add_submitter();  // dialable, and computes nothing
  world.add_workers(4, {.behind_nat = true, .joins = relay});
  const Submission& job = world.submit(world.add_submitter({.behind_nat = true, .joins = relay}), {100, 1s, 2});
  REQUIRE(world.run_until_ended(job, 20min));
  check_right(world, job);
}

TEST_CASE("the relay dies, and another one takes over") {
  World world({.seed = 13, .links = {}});
  const Node first = world.add_submitter();
  const Node second = world.add_submitter({.joins = first});
  world.run_for(5s);
  world.add_workers(4, {.behind_nat = true, .joins = first});
  const Submission& job = world.submit(world.add_submitter({.behind_nat = true, .joins = first}), {300, 1s, 2});
  REQUIRE(world.run_until([&] { return job.accepted() >= 30; }, 20min));
  world.crash(first, Death::killed);
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
  CHECK(world.host(second).running());
}

TEST_CASE("silent donors delay a job and do not stop it") {
  World world({.seed = 14, .links = {}});
  world.add_workers(6);
  world.add_workers(3, {.strategy = Strategy::silent});
  const Submission& job = world.submit(world.add_submitter(), {200, 1s, 2});
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
}

TEST_CASE("independent liars get nothing accepted against three that agree") {
  for (const Strategy strategy : {Strategy::always, Strategy::random, Strategy::sleeper}) {
    CAPTURE(name_of(strategy));
    World world({.seed = 15, .links = {}});
    world.add_workers(12);
    world.add_workers(3, {.strategy = strategy});
    const Submission& job = world.submit(world.add_submitter(), {400, 1s, 3});
    REQUIRE(world.run_until_ended(job, 60min));
    check_right(world, job);
    CHECK(job.outvoted > 0);
  }
}

TEST_CASE("a lone liar is named, and with two copies nothing wrong is accepted") {
  World world({.seed = 16, .links = {}});
  world.add_workers(3);
  const Node liar = world.add_worker({.strategy = Strategy::always});
  PeerId named;
  const Node submitter = world.add_submitter();
  const PeerId guilty = world.host(liar).peer()->id();
  world.host(submitter).outvoted = [&](const PeerId& donor) { named = donor; };
  const Submission& job = world.submit(submitter, {60, 1s, 2});
  REQUIRE(world.run_until_ended(job, 20min));
  check_right(world, job);
  CHECK(named == guilty);
}

TEST_CASE("colluders past the agreement asked for do get wrong results accepted: agreement alone is no proof") {
  World world({.seed = 17, .links = {}});
  world.add_workers(2);
  world.add_workers(8, {.strategy = Strategy::collude});
  const Submission& job = world.submit(world.add_submitter(), {100, 1s, 2});
  REQUIRE(world.run_until_ended(job, 60min));
  check_well(world);
  CHECK(job.wrong() > 0);
}

TEST_CASE("colluders in one house do not confirm each other while others are there") {
  World world({.seed = 18, .links = {}});
  world.add_workers(3);
  const Node first = world.add_worker({.strategy = Strategy::collude});
  world.add_workers(8, {.strategy = Strategy::collude, .beside = first});
  const Submission& job = world.submit(world.add_submitter(), {200, 1s, 2});
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
  CHECK(job.outvoted > 0);
}

TEST_CASE("colluders who come by the dozen do not confirm each other while those are there who have shown something") {
  World world({.seed = 19, .links = {}});
  world.add_workers(4);
  const Submission& job = world.submit(world.add_submitter(), {400, 1s, 2});
  REQUIRE(world.run_until([&] { return job.accepted() > 40; }, 60min));
  world.add_workers(12, {.strategy = Strategy::collude});
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
  CHECK(job.outvoted > 0);
}

TEST_CASE("a house full of donors and a silent one elsewhere get a job done that wants two copies") {
  World world({.seed = 20, .links = {}});
  const Node first = world.add_worker();
  world.add_workers(2, {.beside = first});
  world.add_worker({.strategy = Strategy::silent});
  const Submission& job = world.submit(world.add_submitter(), {100, 1s, 2});
  REQUIRE(world.run_until_ended(job, 60min));
  check_right(world, job);
}

TEST_CASE("a sybil comes back under new names, and the job still ends") {
  World world({.seed = 22, .links = {}});
  world.add_workers(12);
  const Node sybil = world.add_worker({.strategy = Strategy::sybil});
  const PeerId first = world.host(sybil).peer()->id();
  const Submission& job = world.submit(world.add_submitter(), {400, 1s, 3});
  REQUIRE(world.run_until_ended(job, 60min));
  check_well(world);
  CHECK(job.accepted() == 400);
  CHECK(job.outvoted > 3);
  REQUIRE(world.run_until([&] { return world.host(sybil).running(); }, 1min));
  CHECK(world.host(sybil).peer()->id() != first);
}

TEST_CASE("an orderly leave returns what is leased, and the donor is gone within its grace") {
  World world({.seed = 18, .links = {}});
  const auto donors = world.add_workers(3);
  const Submission& job = world.submit(world.add_submitter(), {300, 1s, 1});
  REQUIRE(world.run_until([&] { return job.accepted() >= 50; }, 10min));
  world.leave(donors[0]);
  REQUIRE(world.run_until([&] { return !world.host(donors[0]).running(); }, 5s));
  REQUIRE(world.run_until_ended(job, 10min));
  check_right(world, job);
}

TEST_CASE("a worker that leaves in order is soon forgotten by all, one that crashes is not, and each is known again once it is back") {
  World world({.seed = 31, .links = {.loss = 0.02}});
  const auto workers = world.add_workers(30);
  world.add_workers(5, {.behind_nat = true});
  world.run_for(5min);
  const auto who_knows = [&](const PeerId& peer) {
    std::size_t count = 0;
    for (Node node = 0; node < world.size(); ++node) {
      if (!world.host(node).running()) continue;
      const auto known = world.host(node).peer()->peers();
      count += std::any_of(known.begin(), known.end(), [&](const auto& info) { return info.peer == peer; });
    }
    return count;
  };
  const PeerId leaver = world.host(workers[4]).peer()->id(), crasher = world.host(workers[5]).peer()->id();
  REQUIRE(who_knows(leaver) == 34);
  REQUIRE(who_knows(crasher) == 34);
  world.leave(workers[4]);
  world.crash(workers[5]);
  world.run_for(3s);
  CHECK_FALSE(world.host(workers[4]).running());
  CHECK(who_knows(leaver) <= 2);  // whoever was left out by chance hears of it in a shuffle
  CHECK(world.run_until([&] { return who_knows(leaver) == 0; }, 90s));
  CHECK(who_knows(crasher) == 33);
  world.run_for(2min);  // shuffles do not bring it back
  CHECK(who_knows(leaver) == 0);

  world.restart(workers[4]);
  world.restart(workers[5]);
  CHECK(world.run_until([&] { return who_knows(leaver) == 34 && who_knows(crasher) == 34; }, 2min));
  check_well(world);
}

TEST_CASE("a cancelled job ends, and its donors stop computing") {
  World world({.seed = 19, .links = {}});
  world.add_workers(4);
  const Node submitter = world.add_submitter();
  const Submission& job = world.submit(submitter, {10000, 1s, 1});
  REQUIRE(world.run_until([&] { return job.accepted() >= 50; }, 10min));
  world.cancel(submitter, job);
  REQUIRE(world.run_until_ended(job, 1min));
  CHECK(job.state() == JobState::cancelled);
  world.run_for(10s);
  const Duration spent = world.cpu_spent();
  world.run_for(60s);
  CHECK(world.cpu_spent() == spent);
  check_well(world);
}

TEST_CASE("two submitters share the donors, and both jobs end") {
  World world({.seed = 20, .links = {}});
  world.add_workers(8);
  const Submission& first = world.submit(world.add_submitter(), {200, 1s, 2});
  const Submission& second = world.submit(world.add_submitter(), {200, 1s, 2});
  REQUIRE(world.run_until([&] { return first.ended() && second.ended(); }, 30min));
  check_right(world, first);
  check_right(world, second);
}

TEST_CASE("laptops that sleep and wake do not lose a job's units") {
  World world({.seed = 21, .links = {}});
  world.add_workers(10);
  const Submission& job = world.submit(world.add_submitter(), {500, 2s, 2});
  Faults faults(world, {.suspends_per_peer_hour = 30});
  (void)world.run_until_ended(job, 20min);
  faults.stop();
  REQUIRE(world.run_until_ended(job, 30min));
  check_right(world, job);
}
