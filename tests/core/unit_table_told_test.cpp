// A UnitTable that a ledger tells what each unit wants: whose results count, and what comes of a final one whose output nobody gives.
#include "coordinatorless/core/unit_table.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

constexpr UnitIndex unit{0};
constexpr DonorIndex self = 9;
using Kind = UnitTable::Counted::Kind;

Value large(std::uint8_t name) { return Value(BlobId{1 << 20, Hash{{name}}}); }
LeaseId lease_of(DonorIndex donor) { return {donor + 1}; }

/// One unit, waiting.
struct Told {
  Told() {
    table.set_self(self);
    table.set_present(3);
    table.append({{unit, Bytes{1}}});
    table.offer(1);
  }
  UnitTable::Counted returned(DonorIndex donor, Value output, LeaseId lease) {
    REQUIRE(table.lease_next(donor, lease, generator));
    return table.vote(unit, donor, lease, Outcome::ok, std::move(output));
  }
  /// Donor 0's large output is final, and then it is not to be had.
  void withhold() {
    const auto result = returned(0, large(7), {1});
    (void)table.enough(unit);
    REQUIRE(table.finish(unit, result.digest).agreed);
    const auto reopened = table.reopen(unit, [](DonorIndex) { return true; });
    REQUIRE(reopened.at_fault == std::vector<DonorIndex>{0});
    REQUIRE_FALSE(reopened.counted.settled);
  }
  UnitTable table{0};
  Generator generator = Generator::from_seed(1);
};

}  // namespace

TEST_CASE("an audit that is late is raced by nobody who may not audit the unit") {
  UnitTable table(0);
  Generator generator = Generator::from_seed(1);
  table.set_may_audit([](UnitIndex, DonorIndex donor) { return donor >= 2; });
  table.append({{unit, Bytes{1}}});
  table.offer(1);
  REQUIRE(table.lease_next(0, lease_of(0), generator));
  CHECK(table.vote(unit, 0, lease_of(0), Outcome::ok, Bytes{9}).is_result);
  table.want(unit, 2);
  REQUIRE(table.lease_next(2, lease_of(2), generator));
  CHECK_FALSE(table.lease_race(unit, 1, lease_of(1)));
  CHECK(table.lease_race(unit, 3, lease_of(3)));
}

TEST_CASE("of however many late results of a unit, no more are counted than audits and races come to") {
  Told told;
  constexpr DonorIndex donors = 300;
  for (DonorIndex donor = 10; donor < donors; ++donor) {
    REQUIRE(told.table.lease_next(donor, lease_of(donor), told.generator));
    REQUIRE(told.table.lapse(unit, donor, lease_of(donor)));
  }
  std::size_t taken = 0;
  for (DonorIndex donor = 10; donor < donors; ++donor) {
    taken += told.table.vote(unit, donor, lease_of(donor), Outcome::ok, Bytes{1}).kind == Kind::taken;
  }
  CHECK(taken == limits::attempts_per_unit_max);
}

TEST_CASE("a final output that is withheld is made again, and a result that is not the final one does not pass for it") {
  Told told;
  told.withhold();
  const auto other = told.returned(1, large(8), {20});
  CHECK_FALSE(other.agreed);
  CHECK_FALSE(other.is_result);
  const auto same = told.returned(2, large(7), {21});
  REQUIRE(same.agreed);
  CHECK(same.agreed->holders == std::vector<DonorIndex>{2});
}

TEST_CASE("a final output that is withheld, and that this program cannot make either, fails its unit and says why") {
  Told told;
  told.withhold();
  CHECK_FALSE(told.returned(1, large(8), {20}).settled);
  const auto own = told.returned(self, large(8), {99});
  REQUIRE(own.settled);
  CHECK(own.settled->unit.outcome == Outcome::failed);
  CHECK(to_text(own.settled->unit.output.bytes).find("could not be made again") != std::string::npos);
}

TEST_CASE("a unit without a result takes one that somebody else had asked for, and no second one, which would pass for an audit") {
  Told told;
  CHECK(told.table.adopt(unit, 0, {5}));
  CHECK_FALSE(told.table.adopt(unit, 0, {6}));
  CHECK(told.table.vote(unit, 0, {5}, Outcome::ok, Bytes{9}).kind == Kind::taken);
  CHECK_FALSE(told.table.adopt(unit, 1, {7}));
  CHECK_FALSE(told.table.adopt({1'000'000}, 1, {7}));
}
