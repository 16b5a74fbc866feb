#include "coordinatorless/core/gathering.h"

#include <doctest/doctest.h>

#include <set>

#include "coordinatorless/core/limits.h"
#include "tests/core/stewarded_job.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// A steward's units, and all donors of the deed, who want work.
struct Bench {
  StewardedJob job;
  Identity steward{50};
  Gathering gathering;
  Output out;
  Now now = start_of_time();

  explicit Bench(std::uint64_t units = 40, std::size_t donors = 6, std::optional<WantedConfidence> confidence = {})
      : job(donors), gathering(steward.self, job.id(), with(confidence)) {
    job.manifest.confidence = confidence;
    CHECK(gathering.add_units(job.units(0, units).units));
    CHECK(gathering.add_deed(job.deed()));
  }
  /// The job's id does not matter here.
  Manifest with(std::optional<WantedConfidence> confidence) const {
    Manifest manifest = job.manifest;
    manifest.confidence = confidence;
    return manifest;
  }
  void lead() {
    gathering.lead(true, out);
    gathering.tick(now.boot, out);
  }
  void want(const Identity& donor, unsigned slots = 1) {
    gathering.on_want(donor.self.id, Want{job.id(), slots, seconds(100)});
    gathering.tick(now.boot, out);
  }
  void pass(Duration by) {
    now = later(now, by);
    if (gathering.next_deadline() <= now.boot) gathering.tick(now.boot, out);
  }
  /// Everybody computes what it is leased until nobody is leased anything.
  std::map<std::uint64_t, std::set<PeerId>> work(const std::set<PeerId>& but = {}) {
    std::map<std::uint64_t, std::set<PeerId>> had;
    for (int rounds = 0; rounds < 1000; ++rounds) {
      const auto leases = take<Lease>(out);
      if (leases.empty()) break;
      for (const auto& [to, lease] : leases) {
        std::vector<std::uint64_t> units;
        for (const LeasedUnit& unit : lease.units) {
          CHECK(unit.input.bytes == StewardedJob::input(unit.unit.value));
          CHECK(had[unit.unit.value].insert(to).second);
          units.push_back(unit.unit.value);
        }
        if (but.contains(to)) continue;
        const Identity& donor = donor_of(to);
        now = later(now, seconds(1));
        CHECK(gathering.on_results(to, job.results(donor, units, lease.lease), now.boot));
      }
      gathering.tick(now.boot, out);
    }
    return had;
  }
  const Identity& donor_of(const PeerId& peer) const {
    for (const Identity& donor : job.donors) {
      if (donor.self.id == peer) return donor;
    }
    FAIL("leased to a stranger");
    return job.donors[0];
  }
};

const WantedConfidence confidence{10'000'000, false, 100'000, false};

}  // namespace

TEST_CASE("each unit is leased to its assigned donors alone, once to each, and is done when all have returned it") {
  Bench bench;
  for (const Identity& donor : bench.job.donors) bench.want(donor);
  CHECK(bench.out.messages.empty());  // it does not lead yet
  bench.lead();
  for (const Identity& donor : bench.job.donors) bench.want(donor);
  bench.want(bench.job.owner);
  const auto had = bench.work();
  CHECK(had.size() == 40);
  const Assignment assignment(bench.job.deed());
  for (const auto& [unit, donors] : had) {
    CHECK(donors.size() == 2);
    for (const PeerId& donor : donors) CHECK(assignment.assigns({unit}, donor, 2));
  }
  CHECK(bench.gathering.units_done() == 40);
}

TEST_CASE("a result counts from an assigned donor, for the unit's own input, once") {
  Bench bench;
  const Identity& donor = bench.job.assigned(3);
  const Identity& second = bench.job.assigned(3, 1);
  CHECK_FALSE(bench.gathering.add_results(bench.job.not_assigned(3).self.id, bench.job.results(bench.job.not_assigned(3), {3}), false));
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3}, {5}, false), false));
  Results without_inputs = bench.job.results(donor, {3});
  without_inputs.inputs.reset();
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, without_inputs, false));
  Results at_fault = bench.job.results(donor, {3});
  at_fault.results[0].outcome = Outcome::donor_fault;
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, at_fault, false));
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {77'777}), false));

  CHECK(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3}), false));
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3}, {6}), false));
  CHECK(bench.gathering.units_done() == 0);
  CHECK(bench.gathering.add_results(second.self.id, bench.job.results(second, {3}), false));
  CHECK(bench.gathering.units_done() == 1);
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3}, {7}), false));
}

TEST_CASE("a unit with a large input is leased once that is here, and while it is") {
  Bench bench(1, 4, confidence);
  const BlobId input{70'000, Hash{}};
  CHECK(bench.gathering.add_units({{{50}, Value(input)}}));
  const auto large = bench.gathering.take_large();
  CHECK(large.inputs == std::vector<std::pair<UnitIndex, BlobId>>{{{50}, input}});
  const Identity& donor = bench.job.assigned(50);
  bench.lead();
  bench.want(donor);
  const auto leased_50 = [&] {
    std::size_t count = 0;
    for (const auto& [to, lease] : take<Lease>(bench.out)) {
      for (const LeasedUnit& unit : lease.units) count += unit.unit.value == 50 && unit.input == Value(input);
    }
    return count;
  };
  CHECK(leased_50() == 0);
  bench.gathering.set_input_here({50}, true);
  bench.gathering.set_input_here({50}, false);  // lost before it could be leased
  bench.pass(seconds(0));
  CHECK(leased_50() == 0);
  bench.gathering.set_input_here({50}, true);
  bench.pass(seconds(0));
  CHECK(leased_50() == 1);
}

TEST_CASE("a large output that was gathered is said to be at its donor, once, and its unit's values are let go when it is final") {
  Bench bench(4, 6);
  const Identity& donor = bench.job.assigned(3);
  Results large = bench.job.results(donor, {3});
  large.results[0].output = Value(BlobId{70'000, Hash{}});
  StewardedJob::sign(large, donor);
  CHECK(bench.gathering.add_results(donor.self.id, large, false));
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, large, false));
  const auto said = bench.gathering.take_large();
  REQUIRE(said.outputs.size() == 1);
  CHECK(said.outputs[0].unit == UnitIndex{3});
  CHECK(said.outputs[0].donor == donor.self.id);
  CHECK(said.final.empty());
  CHECK(bench.gathering.add_finals(bench.job.finals(3, 1).finals));
  CHECK(bench.gathering.take_large().final == std::vector<UnitIndex>{{3}});
  CHECK(bench.gathering.take_large().outputs.empty());
}

TEST_CASE("a large output that the submitter has asked for itself is left to it") {
  Bench bench(4, 6);
  const Identity& donor = bench.job.not_assigned(3);
  Results large = bench.job.results(donor, {3});
  large.results[0].output = Value(BlobId{70'000, Hash{}});
  CHECK(bench.gathering.add_results(donor.self.id, large, true));
  CHECK(bench.gathering.take_large().outputs.empty());
}

TEST_CASE("one frame that says a unit twice is one result of it") {
  Bench bench;
  const Identity& donor = bench.job.assigned(3);
  CHECK(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3, 3}), false));
  CHECK(bench.gathering.units_done() == 0);
}

TEST_CASE("what the submitter has collected counts from whomever it asked, whatever a deed says") {
  Bench bench(40, 6, confidence);
  const Identity& donor = bench.job.not_assigned(3);
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3}), false));
  CHECK(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3}), true));
  CHECK(bench.gathering.units_done() == 1);
}

TEST_CASE("a frame most of which nobody wants is not kept: it is no way to fill a steward") {
  Bench bench(200);
  const Identity& donor = bench.job.assigned(3);
  std::vector<std::uint64_t> mine{3}, others;
  for (std::uint64_t unit = 0; unit < 200; ++unit) {
    const bool is_mine = Assignment(bench.job.deed()).assigns({unit}, donor.self.id, 2);
    if (!is_mine) others.push_back(unit);
  }
  REQUIRE(others.size() > 10);
  std::vector<std::uint64_t> stuffed = mine;
  stuffed.insert(stuffed.end(), others.begin(), others.end());
  CHECK_FALSE(bench.gathering.add_results(donor.self.id, bench.job.results(donor, stuffed), false));
  CHECK(bench.gathering.add_results(donor.self.id, bench.job.results(donor, {3, others[0]}), false));
}

TEST_CASE("units with numbers beyond all reason cost what units cost") {
  Bench bench(1, 2);
  const std::uint64_t before = bench.gathering.bytes();
  OwnersWord far = bench.job.word();
  for (std::uint64_t i = 0; i < 100; ++i) far.units.push_back({{limits::steward_units_max - 1 - 1000 * i}, Bytes{1}});
  CHECK(bench.gathering.add_units(far.units));
  CHECK(bench.gathering.bytes() - before >= 100 * 150);
  CHECK(bench.gathering.bytes() - before < 100 * 1000);
  CHECK(bench.gathering.units() == 101);
  CHECK_FALSE(bench.gathering.add_units({{{limits::steward_units_max}, Bytes{1}}, {{~std::uint64_t{0}}, Bytes{1}}}));
  CHECK_FALSE(bench.gathering.add_finals({{{~std::uint64_t{0}}, 0, Outcome::ok, {}}}));
  CHECK(bench.gathering.units() == 101);
}

TEST_CASE("units that are final are leased to nobody, and donors that nobody had named cost too") {
  Bench bench;
  CHECK(bench.gathering.add_finals(bench.job.finals(0, 30).finals));
  CHECK_FALSE(bench.gathering.add_finals(bench.job.finals(0, 30).finals));
  bench.lead();
  for (const Identity& donor : bench.job.donors) bench.want(donor);
  const auto had = bench.work();
  CHECK(had.size() == 10);
  CHECK(had.begin()->first == 30);

  const std::uint64_t before = bench.gathering.bytes();
  CHECK(bench.gathering.add_units(bench.job.units(100, 1).units));
  const std::uint64_t one_unit = bench.gathering.bytes() - before;
  CHECK(bench.gathering.add_results(bench.job.owner.self.id, bench.job.results(bench.job.owner, {100}), true));
  CHECK(bench.gathering.bytes() > before + one_unit + 1000);
}

TEST_CASE("a lease that lapses goes back to its donor's line, which rests meanwhile") {
  Bench bench(40, 2);
  bench.lead();
  const Identity& donor = bench.job.donors[0];
  bench.want(donor);
  const auto first = take<Lease>(bench.out);
  REQUIRE(first.size() == 1);
  bench.pass(first[0].second.valid);
  CHECK(take<Lease>(bench.out).empty());
  bench.pass(limits::shun_first);
  const auto again = take<Lease>(bench.out);
  REQUIRE(again.size() == 1);
  CHECK(again[0].second.units.front().unit == first[0].second.units.front().unit);
  CHECK(again[0].second.lease != first[0].second.lease);
}

TEST_CASE("a donor that is lost has its units again when it is back, and nobody else meanwhile") {
  Bench bench(10, 2);
  bench.lead();
  bench.want(bench.job.donors[0]);
  const auto first = take<Lease>(bench.out);
  REQUIRE(first.size() == 1);
  bench.gathering.lost(bench.job.donors[0].self.id, bench.now.boot);
  bench.pass(limits::lost_grace);
  bench.pass(minutes(10));
  CHECK(take<Lease>(bench.out).empty());
  bench.want(bench.job.donors[0]);
  const auto again = take<Lease>(bench.out);
  REQUIRE(again.size() == 1);
  CHECK(again[0].second.units == first[0].second.units);
}

TEST_CASE("what a donor gives back it is leased again later, and what it cannot compute three times in all") {
  Bench bench(1, 2);
  bench.lead();
  const Identity& donor = bench.job.donors[0];
  bench.want(donor);
  CHECK(take<Lease>(bench.out).size() == 1);
  bench.gathering.on_return(donor.self.id, Return{bench.job.id(), {{0}, {0}, {99}}}, bench.now.boot);
  bench.gathering.tick(bench.now.boot, bench.out);
  CHECK(take<Lease>(bench.out).empty());
  bench.pass(limits::shun_first);
  for (int tries = 0; tries < 3; ++tries) {
    const auto lease = take<Lease>(bench.out);
    REQUIRE(lease.size() == 1);
    Results failed = bench.job.results(donor, {0}, lease[0].second.lease);
    failed.results[0].outcome = Outcome::donor_fault;
    CHECK_FALSE(bench.gathering.on_results(donor.self.id, failed, bench.now.boot));
    bench.gathering.tick(bench.now.boot, bench.out);
  }
  bench.pass(minutes(10));
  CHECK(take<Lease>(bench.out).empty());
}

TEST_CASE("a unit by confidence goes to its first donor, and to the second while that one is away") {
  Bench bench(40, 4, confidence);
  bench.lead();
  const Identity& away = bench.job.donors[0];
  for (const Identity& donor : bench.job.donors) {
    if (donor.self.id != away.self.id) bench.want(donor);
  }
  const auto had = bench.work();
  const Assignment assignment(bench.job.deed());
  unsigned stood_in = 0;
  for (const auto& [unit, donors] : had) {
    REQUIRE(donors.size() == 1);
    const auto places = assignment.donors_of({unit}, 2);
    const PeerId& first = assignment.deed().donors[places[0]].donor;
    const PeerId& second = assignment.deed().donors[places[1]].donor;
    CHECK(*donors.begin() == (first == away.self.id ? second : first));
    stood_in += first == away.self.id ? 1 : 0;
  }
  CHECK(had.size() == 40);
  CHECK(stood_in > 0);
}

TEST_CASE("who leads no more sends its donors away, and owes nobody anything when it leads again") {
  Bench bench(10, 2);
  bench.lead();
  bench.want(bench.job.donors[0]);
  CHECK(take<Lease>(bench.out).size() == 1);
  bench.gathering.lead(false, bench.out);
  const auto closed = take<Closed>(bench.out);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].first == bench.job.donors[0].self.id);
  CHECK(bench.gathering.next_deadline() == never);
  bench.pass(minutes(10));
  CHECK(bench.out.messages.empty());
  bench.lead();
  bench.want(bench.job.donors[0]);
  CHECK(bench.work().size() == 10);
}

TEST_CASE("the newest deed is in force, and an older one that comes later is none") {
  Bench bench(40, 6);
  Deed newer = make_deed(bench.job.secret, 2, {{bench.job.donors[0].self.id, {}}, {bench.job.donors[1].self.id, {}}});
  CHECK(bench.gathering.add_deed(newer));
  CHECK_FALSE(bench.gathering.add_deed(newer));
  CHECK_FALSE(bench.gathering.add_deed(bench.job.deed(1)));
  bench.lead();
  for (const Identity& donor : bench.job.donors) bench.want(donor);
  for (const auto& [unit, donors] : bench.work()) {
    CHECK(donors == std::set<PeerId>{bench.job.donors[0].self.id, bench.job.donors[1].self.id});
  }
  CHECK(bench.gathering.units_done() == 40);
}

TEST_CASE("a deed that names nobody leaves everything as it is undone, and harms nothing") {
  Bench bench(10, 2);
  CHECK(bench.gathering.add_deed(make_deed(bench.job.secret, 2, {})));
  bench.lead();
  bench.want(bench.job.donors[0]);
  CHECK(take<Lease>(bench.out).empty());
  CHECK(bench.gathering.units_done() == 0);
}

}  // namespace dugnad::core::test
