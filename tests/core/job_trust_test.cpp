#include "coordinatorless/core/job_trust.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

WantedConfidence wanted(double error, bool combined = false, bool stream = false) {
  return {static_cast<std::uint32_t>(error * 1e9), combined, 100'000, stream};
}

std::optional<Endpoint> at(const char* text) { return Endpoint::parse(text); }

struct Bench {
  Bench(const WantedConfidence& confidence, std::uint64_t expected) : trust(confidence, expected, units, log) {
    for (DonorIndex donor = 0; donor < 4; ++donor) trust.joined(donor);
    present({at("10.1.0.1:1"), at("10.1.0.2:1"), at("10.2.0.1:1")});
    trust.set_self(3);
  }
  void present(const std::vector<std::optional<Endpoint>>& addresses) {
    std::vector<JobTrust::Present> all;
    for (const auto& address : addresses) all.push_back({static_cast<DonorIndex>(all.size()), address});
    trust.set_present(all, true);
  }
  void append(std::uint64_t count) {
    std::vector<NewUnit> fresh;
    for (std::uint64_t i = 0; i < count; ++i) fresh.push_back({UnitIndex{next++}, Bytes{1}});
    units.append(std::move(fresh));
    trust.appended(now);
  }
  /// Whether `donor` could audit a unit whose result is `holder`'s. Donors are more than first_results_share of the units: nothing is recomputed.
  bool audits(DonorIndex donor, DonorIndex holder) {
    const LeaseId first{++leases}, second{++leases};
    const auto unit = units.lease_next(holder, first, generator);
    REQUIRE(unit);
    trust.voted(unit->unit, holder, units.vote(unit->unit, holder, first, Outcome::ok, Bytes{9}), generator);
    (void)trust.turn(100);
    units.want(unit->unit, 2);
    const auto audit = units.lease_next(donor, second, generator);
    return audit && trust.ledger().state(units.number_of(audit->unit)).returned;  // of this one, or one before
  }
  Generator generator = Generator::from_seed(5);
  UnitTable units{0};
  HeldLog log;
  JobTrust trust;
  BootTime now{std::chrono::seconds(100)};
  std::uint64_t next = 0;
  std::uint64_t leases = 0;
};

}  // namespace

TEST_CASE("where it is known how many units there will be, what it costs is said with the first of them, once") {
  Bench bench(wanted(0.001), 4000);
  CHECK_FALSE(bench.trust.plan(bench.now, false));
  bench.append(10);
  const auto cost = bench.trust.plan(bench.now, false);
  REQUIRE(cost);
  CHECK(cost->units == 4000);
  CHECK(cost->quiet > 1);
  CHECK(cost->attacked > cost->quiet);
  CHECK(bench.trust.ledger().units() == 4000);
  bench.append(10);
  CHECK_FALSE(bench.trust.plan(bench.now, false));
}

TEST_CASE("units are leased once they are in a block, and not before") {
  Bench bench(wanted(0.001), 0);
  bench.append(10);
  CHECK_FALSE(bench.trust.plan(bench.now, false));
  CHECK(bench.trust.next_deadline() == bench.now + limits::block_idle);
  CHECK_FALSE(bench.units.waits_for(0));
  bench.now += limits::block_idle;
  const auto cost = bench.trust.plan(bench.now, false);
  REQUIRE(cost);
  CHECK(cost->units == 0);  // who knows
  CHECK(bench.units.waits_for(0));
  CHECK(bench.trust.ledger().units() == 10);
}

TEST_CASE("of an unknown number, what makes a stream's block is one at once; what drips in is one after a while") {
  Bench bench(wanted(0.01), 0);
  bench.append(1000);
  (void)bench.trust.plan(bench.now, false);
  CHECK(bench.trust.ledger().units() == 1000);
  for (BootTime began = bench.now; bench.now < began + limits::block_wait; bench.now += limits::block_idle / 2) {
    bench.append(1);
    (void)bench.trust.plan(bench.now, false);
  }
  (void)bench.trust.plan(bench.now, false);
  CHECK(bench.trust.ledger().units() == bench.units.known());
}

TEST_CASE("units that were expected and do not come end their block") {
  Bench bench(wanted(0.01), 500);
  bench.append(20);
  (void)bench.trust.plan(bench.now, false);
  CHECK(bench.trust.ledger().units() == 500);
  (void)bench.trust.plan(bench.now, true);
  CHECK(bench.trust.ledger().units() == 20);
}

TEST_CASE("of a combined answer of unknown size, the errors that blocks are allowed never sum up to more than the whole") {
  Bench bench(wanted(0.01, true), 0);
  for (int wave = 0; wave < 20; ++wave) {
    bench.append(5);
    bench.now += limits::block_idle;
    (void)bench.trust.plan(bench.now, false);
    CHECK(bench.trust.ledger().units() == bench.units.known());
    while (bench.trust.ledger().final_units() < bench.units.known()) {
      const LeaseId lease{++bench.leases};
      const auto unit = bench.units.lease_next(3, lease, bench.generator);  // the submitter computes them all
      REQUIRE(unit);
      bench.trust.voted(unit->unit, 3, bench.units.vote(unit->unit, 3, lease, Outcome::ok, Bytes{9}), bench.generator);
      (void)bench.trust.turn(100);
    }
  }
  CHECK(bench.trust.ledger().confidence() >= 0.99);
}

TEST_CASE("an audit goes to another address, where others are a tenth, and to another network, where others are half") {
  SUBCASE("another network is there, with fewer than half") {
    Bench bench(wanted(0.1), 50);
    bench.append(50);
    (void)bench.trust.plan(bench.now, false);
    CHECK(bench.audits(1, 0));  // same network, other address; two of three are there
  }
  SUBCASE("another network is there, with half") {
    Bench bench(wanted(0.1), 50);
    bench.present({at("10.1.0.1:1"), at("10.1.0.2:1"), at("10.2.0.1:1"), at("10.3.0.1:1")});
    bench.append(50);
    (void)bench.trust.plan(bench.now, false);
    CHECK_FALSE(bench.audits(1, 0));
    CHECK(bench.audits(2, 0));
  }
  SUBCASE("the same address") {
    Bench bench(wanted(0.1), 50);
    bench.present({at("10.1.0.1:1"), at("10.1.0.1:2"), at("10.1.0.2:1")});
    bench.append(50);
    (void)bench.trust.plan(bench.now, false);
    CHECK_FALSE(bench.audits(1, 0));
    CHECK(bench.audits(2, 0));
  }
  SUBCASE("peers behind relays, of whom nobody knows where they are, count as one address") {
    Bench bench(wanted(0.1), 50);
    bench.present({std::nullopt, std::nullopt, at("10.1.0.2:1")});
    bench.append(50);
    (void)bench.trust.plan(bench.now, false);
    CHECK_FALSE(bench.audits(1, 0));
    CHECK(bench.audits(2, 0));
  }
  SUBCASE("nobody is elsewhere") {
    Bench bench(wanted(0.1), 50);
    bench.present({at("10.1.0.1:1"), at("10.1.0.1:2")});
    bench.append(50);
    (void)bench.trust.plan(bench.now, false);
    CHECK(bench.audits(1, 0));
  }
}

TEST_CASE("the auditor that was told who returned a unit is its last one until it has; where it goes or is late, this program looks") {
  Bench bench(wanted(0.0001), 20);
  bench.append(20);
  (void)bench.trust.plan(bench.now, true);
  const LeaseId first{++bench.leases}, second{++bench.leases};
  const auto leased = bench.units.lease_next(0, first, bench.generator);
  REQUIRE(leased);
  const UnitIndex unit = leased->unit;
  CHECK_FALSE(bench.trust.tell(unit, 1));  // nobody has returned it
  bench.trust.voted(unit, 0, bench.units.vote(unit, 0, first, Outcome::ok, Bytes{9}), bench.generator);
  (void)bench.trust.turn(100);
  bench.units.want(unit, 3);
  REQUIRE_FALSE(bench.trust.tell(unit, 0));  // nor is it its own auditor
  const auto may_have = [&](DonorIndex donor) {
    const auto able = bench.units.stuck(100, {donor});
    return std::find(able.begin(), able.end(), unit) == able.end();
  };
  CHECK(may_have(1));
  CHECK(may_have(2));
  // The first audit of this unit, whoever else is before it in the queue.
  std::optional<LeasedUnit> audit;
  for (int i = 0; i < 30 && !(audit && audit->unit == unit); ++i) audit = bench.units.lease_next(1, LeaseId{second.value}, bench.generator);
  REQUIRE(audit);
  CHECK(bench.trust.tell(unit, 1));
  CHECK_FALSE(may_have(2));
  SUBCASE("it returns") {
    bench.trust.voted(unit, 1, bench.units.vote(unit, 1, second, Outcome::ok, Bytes{9}), bench.generator);
    CHECK(may_have(2));
    CHECK_FALSE(bench.trust.ledger().state(0).own_wanted);
  }
  SUBCASE("others wait for it as long as it is at it") {
    bench.trust.look_for_stuck();
    CHECK_FALSE(bench.trust.ledger().state(bench.units.number_of(unit)).own_wanted);
  }
  SUBCASE("its lease runs out") {
    CHECK(bench.units.lapse(unit, 1, second));
    CHECK_FALSE(may_have(2));
    bench.trust.set_present({{0, at("10.1.0.1:1")}, {2, at("10.2.0.1:1")}}, true);
    bench.trust.look_for_stuck();
    CHECK(bench.trust.ledger().state(bench.units.number_of(unit)).own_wanted);
  }
  SUBCASE("it gives the unit back") {
    CHECK(bench.units.give_back(unit, 1));
    CHECK_FALSE(may_have(2));
    CHECK_FALSE(may_have(1));
    bench.trust.look_for_stuck();
    CHECK(bench.trust.ledger().state(bench.units.number_of(unit)).own_wanted);
  }
  SUBCASE("it is late") {
    CHECK(bench.trust.is_late(unit));
    CHECK(bench.trust.ledger().state(bench.units.number_of(unit)).own_wanted);
  }
  SUBCASE("a unit whose auditor was told nothing may be raced by others") { CHECK_FALSE(bench.trust.is_late(UnitIndex{unit.value + 1})); }
}

TEST_CASE("results of units that there are none of, or that were never leased, change nothing") {
  Bench bench(wanted(0.01), 3);
  bench.append(3);
  (void)bench.trust.plan(bench.now, true);
  for (const std::uint64_t unit : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{1} << 20, ~std::uint64_t{0}}) {
    const auto counted = bench.units.vote(UnitIndex{unit}, 0, LeaseId{77}, Outcome::ok, Bytes{9});
    CHECK(counted.kind == UnitTable::Counted::Kind::unasked);
    bench.trust.voted(UnitIndex{unit}, 0, counted, bench.generator);
  }
  CHECK(bench.trust.held() == 0);
}

TEST_CASE("an audit that nobody can finish is this program's, and so is one that only donors could do who get no more leases") {
  Bench bench(wanted(0.0001), 50);
  bench.append(50);
  (void)bench.trust.plan(bench.now, true);
  UnitIndex audited;
  for (bool found = false; !found;) {  // a result that wants an audit by a donor
    const LeaseId lease{++bench.leases};
    const auto unit = bench.units.lease_next(0, lease, bench.generator);
    REQUIRE(unit);
    bench.trust.voted(unit->unit, 0, bench.units.vote(unit->unit, 0, lease, Outcome::ok, Bytes{9}), bench.generator);
    (void)bench.trust.turn(100);
    audited = unit->unit;
    found = bench.trust.ledger().state(bench.units.number_of(audited)).audits_out > 0;
  }
  bench.units.set_present(3);
  SUBCASE("they fail at it") {
    for (std::size_t fault = 0; fault < limits::unit_faults_max; ++fault) {
      const LeaseId lease{++bench.leases};
      for (;;) {
        const auto unit = bench.units.lease_next(static_cast<DonorIndex>(1 + fault % 2), lease, bench.generator);
        if (!unit) break;
        const auto outcome = unit->unit == audited ? Outcome::donor_fault : Outcome::ok;
        const auto donor = static_cast<DonorIndex>(1 + fault % 2);
        bench.trust.voted(unit->unit, donor, bench.units.vote(unit->unit, donor, lease, outcome, Bytes{9}), bench.generator);
        (void)bench.trust.turn(100);
        if (unit->unit == audited) break;
      }
    }
    CHECK(bench.trust.ledger().state(bench.units.number_of(audited)).own_wanted);
  }
  SUBCASE("they are not there") {
    bench.present({at("10.1.0.1:1")});
    bench.trust.look_for_stuck();
    CHECK(bench.trust.ledger().state(bench.units.number_of(audited)).own_wanted);
  }
}

TEST_CASE("what the program alone computes is decided, and makes the answer") {
  Bench bench(wanted(0.01), 3);
  bench.append(3);
  (void)bench.trust.plan(bench.now, true);
  for (int i = 0; i < 3; ++i) {
    const LeaseId lease{++bench.leases};
    const auto unit = bench.units.lease_next(3, lease, bench.generator);
    REQUIRE(unit);
    bench.trust.voted(unit->unit, 3, bench.units.vote(unit->unit, 3, lease, Outcome::ok, Bytes{9}), bench.generator);
  }
  const auto turn = bench.trust.turn(2);
  CHECK(turn.finished.size() == 2);
  CHECK(bench.trust.has_more());
  CHECK(bench.trust.turn(2).finished.size() == 1);
  CHECK(bench.units.open() == 0);
}

TEST_CASE("what the program has recomputed stands, although in the same turn its first donor was convicted of something else") {
  Bench bench(wanted(0.000'001), 2);
  bench.append(2);
  bench.present({at("10.1.0.1:1")});
  (void)bench.trust.plan(bench.now, true);
  const auto compute = [&](DonorIndex donor, std::uint8_t answer) {
    const LeaseId lease{++bench.leases};
    const auto unit = bench.units.lease_next(donor, lease, bench.generator);
    REQUIRE(unit);
    bench.trust.voted(unit->unit, donor, bench.units.vote(unit->unit, donor, lease, Outcome::ok, Bytes{answer}), bench.generator);
  };
  for (int i = 0; i < 2; ++i) compute(0, 9);
  (void)bench.trust.turn(100);
  bench.trust.look_for_stuck();  // whatever wants an audit is the program's
  (void)bench.trust.turn(100);
  REQUIRE(bench.trust.ledger().state(0).own_wanted);
  REQUIRE(bench.trust.ledger().state(1).own_wanted);
  for (int i = 0; i < 2; ++i) compute(3, 8);
  const auto turn = bench.trust.turn(100);
  CHECK(turn.convicted.size() == 1);
  REQUIRE(turn.finished.size() == 2);
  for (const auto& [unit, counted] : turn.finished) {
    REQUIRE(counted.settled);
    CHECK(counted.settled->unit.output.bytes == Bytes{8});
  }
}
