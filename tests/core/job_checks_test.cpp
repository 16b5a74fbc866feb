#include "coordinatorless/core/job_checks.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

constexpr DonorIndex self = 3;
constexpr unsigned slots = 2;

Bytes right_output(UnitIndex unit) { return Bytes{static_cast<std::uint8_t>(unit.value), 1}; }
const Bytes lie{0xff};

/// A job of donors 0 to 2 and this peer, whose checks the test answers.
struct Bench {
  explicit Bench(std::uint64_t count = 10, std::size_t donors = 3) : checks({1'000'000, false, 100'000, false}, count, units) {
    for (DonorIndex donor = 0; donor < 4; ++donor) checks.joined(donor);
    checks.set_self(self);
    present(donors);
    std::vector<NewUnit> fresh;
    for (std::uint64_t i = 0; i < count; ++i) fresh.push_back({UnitIndex{i}, Bytes{1}});
    units.append(std::move(fresh));
    cost = checks.plan(BootTime{}, true);
  }
  void present(std::size_t donors) {
    std::vector<JobJudge::Present> all;
    for (DonorIndex donor = 0; donor < donors; ++donor) all.push_back({donor, {}});
    checks.set_present(std::move(all), true);
  }
  std::size_t allowed(DonorIndex donor, std::size_t wanted = 1000) { return checks.leases_allowed(donor, wanted, {leased[donor], 1}); }

  std::optional<UnitIndex> lease(DonorIndex donor) {
    auto unit = units.lease_next(donor, LeaseId{++leases}, generator);
    if (!unit) return std::nullopt;
    ++leased[donor];
    held[{donor, unit->unit}] = LeaseId{leases};
    return unit->unit;
  }
  void answer(DonorIndex donor, UnitIndex unit, Bytes output, Outcome outcome = Outcome::ok) {
    --leased[donor];
    const auto counted = units.vote(unit, donor, held.at({donor, unit}), outcome, std::move(output));
    checks.voted(unit, donor, counted, generator);
    take_turn();
  }
  /// Leases a unit and answers it.
  UnitIndex compute(DonorIndex donor, bool lies = false) {
    const auto unit = lease(donor);
    REQUIRE(unit);
    answer(donor, *unit, lies ? lie : right_output(*unit));
    return *unit;
  }
  /// Runs all checks that wait.
  std::size_t check() {
    std::size_t run = 0;
    for (auto started = checks.start(slots); !started.empty(); started = checks.start(slots)) {
      for (const auto& each : started) {
        ++run;
        const bool is_right = !broken && each.claimed.bytes == right_output(each.unit);
        checks.checked(each.unit, is_right ? JobChecks::Says::right : JobChecks::Says::wrong, std::chrono::microseconds(10));
      }
      take_turn();
    }
    return run;
  }
  void take_turn() {
    JobJudge::Turn turn = checks.turn(1000);
    for (auto& [unit, counted] : turn.finished) {
      REQUIRE(counted.settled);
      accepted[unit.value] = counted.settled->unit;
    }
    for (const auto& [unit, convicted] : turn.convicted) convictions.emplace_back(convicted.donor, convicted.sentence);
  }

  Generator generator = Generator::from_seed(5);
  UnitTable units{0};
  JobChecks checks;
  std::optional<CostExpected> cost;
  bool broken = false;  // the check calls everything wrong
  std::map<DonorIndex, std::size_t> leased;
  std::map<std::pair<DonorIndex, UnitIndex>, LeaseId> held;
  std::map<std::uint64_t, AcceptedUnit> accepted;
  std::vector<std::pair<DonorIndex, Sentence>> convictions;
  std::uint64_t leases = 0;
};

}  // namespace

TEST_CASE("one attempt a unit is enough: it is final as soon as its check finds it right") {
  Bench bench(10);
  REQUIRE(bench.cost);
  CHECK(bench.cost->checked);
  CHECK(bench.cost->quiet == 1);
  for (int i = 0; i < 10; ++i) {
    const UnitIndex unit = bench.compute(static_cast<DonorIndex>(i % 3));
    CHECK_FALSE(bench.accepted.contains(unit.value));
    CHECK(bench.checks.held() == 1);
    CHECK(bench.check() == 1);
    REQUIRE(bench.accepted.contains(unit.value));
    CHECK(bench.accepted[unit.value].output.bytes == right_output(unit));
  }
  CHECK(bench.units.open() == 0);
  CHECK(bench.checks.checks() == 10);
  CHECK(bench.checks.own_units() == 0);
  CHECK(bench.checks.confidence() == 1);
  CHECK(bench.checks.stated().checked);
  CHECK(bench.checks.stated().blocks.at(0).units == 10);
}

TEST_CASE("a result that its check calls wrong convicts nobody before this peer has computed the unit, which then is done") {
  Bench bench;
  const UnitIndex unit = bench.compute(0, true);
  bench.check();
  CHECK(bench.convictions.empty());
  CHECK(bench.accepted.empty());
  CHECK(bench.allowed(0) == 0);  // until it is known
  CHECK(bench.allowed(1) > 0);
  CHECK(bench.lease(self) == unit);
  bench.answer(self, unit, right_output(unit));
  CHECK(bench.convictions == std::vector{std::pair(DonorIndex{0}, Sentence::forgiven)});
  CHECK(bench.accepted[unit.value].output.bytes == right_output(unit));
  CHECK(bench.checks.own_units() == 1);
  CHECK(bench.allowed(0) == 1);  // as a newcomer
}

TEST_CASE("whoever goes on lying costs a unit's computing each time, and is branded") {
  Bench bench(50);
  std::size_t lies = 0;
  for (; bench.allowed(0) > 0; ++lies) {
    bench.compute(0, true);
    bench.check();
    const auto own = bench.lease(self);
    REQUIRE(own);
    bench.answer(self, *own, right_output(*own));
  }
  CHECK(lies == tolerated_errors + 1);
  CHECK(bench.convictions.back().second == Sentence::branded);
  CHECK(bench.checks.convicted() == lies);
}

TEST_CASE("a liar can have no more on its way than anybody who was never tried, and loses what waits with its conviction") {
  Bench bench(1000);
  std::size_t returned = 0;
  for (; bench.allowed(0) > 0; ++returned) bench.compute(0, true);
  CHECK(returned == limits::checks_untried_max);
  CHECK(bench.check() == returned);
  const auto own = bench.lease(self);
  REQUIRE(own);
  bench.answer(self, *own, right_output(*own));
  CHECK(bench.checks.held() == 0);  // all its results are void, and one unit is done
  CHECK(bench.accepted.size() == 1);
  CHECK(bench.checks.own_units() == 1);
  for (std::size_t i = 0; i + 1 < 1000; ++i) {
    bench.compute(1);
    if (i % 50 == 0) bench.check();
  }
  bench.check();
  CHECK(bench.accepted.size() == 1000);
  CHECK(bench.convictions.size() == 1);
}

TEST_CASE("whose results are found right may have ever more; who came after a conviction begins with one") {
  Bench bench(1000);
  CHECK(bench.allowed(1) == limits::checks_untried_max);
  for (int i = 0; i < 20; ++i) bench.compute(1);
  CHECK(bench.allowed(1) == limits::checks_untried_max - 20);
  bench.check();
  CHECK(bench.allowed(1) == limits::checks_untried_max + 20);
  bench.compute(0, true);
  bench.check();
  const auto own = bench.lease(self);
  REQUIRE(own);
  bench.answer(self, *own, right_output(*own));
  bench.checks.joined(4);
  CHECK(bench.allowed(4) == 1);
  bench.compute(4);
  CHECK(bench.allowed(4) == 0);
  bench.check();
  CHECK(bench.allowed(4) == 2);
}

TEST_CASE("a check that calls wrong what this peer computes itself fails the unit and convicts nobody") {
  Bench bench(20);
  bench.broken = true;
  std::vector<UnitIndex> doubted;
  for (int i = 0; i < 5; ++i) doubted.push_back(bench.compute(0));
  bench.check();
  for (std::size_t i = 0; i < doubted.size(); ++i) {
    const auto own = bench.lease(self);  // one after the other
    REQUIRE(own);
    bench.answer(self, *own, right_output(*own));
  }
  CHECK(bench.convictions.empty());
  for (const UnitIndex unit : doubted) {
    CHECK(bench.accepted[unit.value].outcome == Outcome::failed);
    CHECK(to_text(bench.accepted[unit.value].output.bytes) == "the task's own check calls wrong what this program computes of it");
  }
  CHECK(bench.allowed(0) > 0);
}

TEST_CASE("under a check that is wrong a liar is convicted all the same, and its unit is not failed") {
  Bench bench;
  bench.broken = true;
  const UnitIndex unit = bench.compute(0, true);
  bench.check();
  REQUIRE(bench.lease(self) == unit);
  bench.answer(self, unit, right_output(unit));
  CHECK(bench.convictions.size() == 1);
  CHECK(bench.accepted[unit.value].outcome == Outcome::ok);
}

TEST_CASE("a check that ends without an answer says nothing: this peer computes the unit, and nobody is blamed") {
  Bench bench;
  const UnitIndex unit = bench.compute(0);
  const auto started = bench.checks.start(slots);
  REQUIRE(started.size() == 1);
  bench.checks.checked(unit, JobChecks::Says::nothing, {});
  bench.take_turn();
  CHECK(bench.allowed(0) > 0);
  REQUIRE(bench.lease(self) == unit);
  bench.answer(self, unit, right_output(unit));
  CHECK(bench.accepted.contains(unit.value));
  CHECK(bench.convictions.empty());
}

TEST_CASE("a result that the unit fails is computed again here, since no check says anything of that") {
  Bench bench;
  const auto unit = bench.lease(0), other = bench.lease(1);
  REQUIRE(unit);
  REQUIRE(other);
  bench.answer(0, *unit, to_bytes("no such number"), Outcome::failed);
  bench.answer(1, *other, to_bytes("too tired"), Outcome::failed);
  CHECK(bench.check() == 0);
  for (int i = 0; i < 2; ++i) {
    const auto own = bench.lease(self);
    REQUIRE(own);
    if (*own == *unit) bench.answer(self, *own, to_bytes("no such number"), Outcome::failed);
    else bench.answer(self, *own, right_output(*own));
  }
  CHECK(bench.accepted[unit->value].outcome == Outcome::failed);
  CHECK(bench.accepted[other->value].outcome == Outcome::ok);
  CHECK(bench.convictions == std::vector{std::pair(DonorIndex{1}, Sentence::forgiven)});
}

TEST_CASE("two donors with the same wrong result of a unit are branded at once") {
  Bench bench(1);
  const auto unit = bench.lease(0);
  REQUIRE(unit);
  const auto raced = bench.units.lease_race(*unit, 1, LeaseId{100});
  REQUIRE(raced);
  bench.held[{1, *unit}] = LeaseId{100};
  ++bench.leased[1];
  bench.answer(0, *unit, lie);
  bench.answer(1, *unit, lie);
  CHECK(bench.check() == 1);
  REQUIRE(bench.lease(self) == *unit);
  bench.answer(self, *unit, right_output(*unit));
  CHECK(bench.convictions == std::vector{std::pair(DonorIndex{0}, Sentence::branded), std::pair(DonorIndex{1}, Sentence::branded)});
}

TEST_CASE("this peer computes others' units only while nobody else is there, or in slots beyond the first") {
  Bench bench;
  CHECK(bench.checks.leases_allowed(self, 5, {0, 1}) == 0);
  CHECK(bench.checks.leases_allowed(self, 5, {0, 3}) == 2);
  CHECK(bench.checks.leases_allowed(self, 5, {1, 3}) == 1);
  bench.present(0);
  CHECK(bench.checks.leases_allowed(self, 5, {0, 1}) == 5);
}

TEST_CASE("where this peer cannot compute what it is to settle, the unit fails with the reason and nobody is convicted") {
  Bench bench;
  const UnitIndex unit = bench.compute(0, true);
  bench.check();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(bench.lease(self) == unit);
    bench.answer(self, unit, to_bytes("out of memory"), Outcome::donor_fault);
  }
  CHECK(bench.accepted[unit.value].outcome == Outcome::failed);
  CHECK(to_text(bench.accepted[unit.value].output.bytes) == "this program could not compute it: out of memory");
  CHECK(bench.convictions.empty());
  CHECK(bench.allowed(0) > 0);
}

TEST_CASE("checks are started as far as keeps the slots busy, and nothing is leased while too many wait") {
  Bench bench(300, 3);
  for (int i = 0; i < 60; ++i) bench.compute(static_cast<DonorIndex>(i % 3));
  CHECK(bench.checks.start(0).empty());
  CHECK(bench.checks.start(slots).size() == 2 * slots);  // as long as nobody knows what one costs
  CHECK(bench.checks.start(slots).empty());
  CHECK(bench.checks.running() == 2 * slots);
}

TEST_CASE("under random donors that lie, fail and race, every unit is settled once and right, and no honest donor is convicted") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Bench bench(200);
    bench.generator = Generator::from_seed(seed);
    Generator dice = Generator::from_seed(seed + 1000);
    std::vector<std::pair<DonorIndex, UnitIndex>> out;
    for (int step = 0; step < 20'000 && bench.units.open() > 0; ++step) {
      const auto donor = static_cast<DonorIndex>(dice.below(4));
      if (dice.chance(0.5) && bench.allowed(donor) > 0) {
        if (const auto unit = bench.lease(donor)) out.emplace_back(donor, *unit);
      } else if (dice.chance(0.3) && !out.empty()) {
        const auto [racer, unit] = std::pair(static_cast<DonorIndex>(dice.below(3)), out[dice.below(out.size())].second);
        if (bench.allowed(racer) > 0 && bench.units.lease_race(unit, racer, LeaseId{++bench.leases})) {
          bench.held[{racer, unit}] = LeaseId{bench.leases};
          ++bench.leased[racer];
          out.emplace_back(racer, unit);
        }
      } else if (!out.empty()) {
        const std::size_t at = dice.below(out.size());
        const auto [who, unit] = out[at];
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
        const bool lies = who == 0 && dice.chance(0.3);
        bench.answer(who, unit, lies ? lie : right_output(unit), who != self && dice.chance(0.05) ? Outcome::donor_fault : Outcome::ok);
      }
      if (dice.chance(0.2)) bench.check();
      bench.checks.look_for_stuck();
    }
    CHECK(bench.units.open() == 0);
    CHECK(bench.accepted.size() == 200);
    for (const auto& [unit, accepted] : bench.accepted) {
      CHECK(accepted.outcome == Outcome::ok);
      CHECK(accepted.output.bytes == right_output(UnitIndex{unit}));
    }
    for (const auto& [donor, sentence] : bench.convictions) CHECK(donor == 0);
  }
}
