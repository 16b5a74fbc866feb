// A UnitTable whose unit waits for a large output, and what comes of the votes that are returned meanwhile.
#include "coordinatorless/core/unit_table.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

constexpr UnitIndex unit{0};
using Kind = UnitTable::Counted::Kind;

Value large(std::uint8_t name) { return Value(BlobId{1 << 20, Hash{{name}}}); }
LeaseId lease_of(DonorIndex donor) { return {donor + 1}; }

}  // namespace

TEST_CASE("however many return something else while an output is awaited, few of it are kept, and none passes for a holder") {
  UnitTable table(1);
  Generator generator = Generator::from_seed(1);
  table.append({{unit, Bytes{1}}});
  constexpr DonorIndex donors = 600;
  for (DonorIndex donor = 0; donor < donors; ++donor) {
    REQUIRE(table.lease_next(donor, lease_of(donor), generator));
    REQUIRE(table.lapse(unit, donor, lease_of(donor)));
  }
  const auto first = table.vote(unit, 0, lease_of(0), Outcome::ok, large(7));
  REQUIRE(first.agreed);
  std::size_t taken = 0;
  for (DonorIndex donor = 1; donor < donors - 1; ++donor) {
    const Bytes other{static_cast<std::uint8_t>(donor), static_cast<std::uint8_t>(donor >> 8)};
    const auto counted = table.vote(unit, donor, lease_of(donor), Outcome::ok, other);
    CHECK_FALSE(counted.holds_too);
    taken += counted.kind == Kind::taken;
  }
  CHECK(taken < limits::attempts_per_unit_max);
  CHECK(table.vote(unit, donors - 1, lease_of(donors - 1), Outcome::ok, large(7)).holds_too);
}

TEST_CASE("whoever was told to let go of a unit holds no output of it, and is not at fault where there is none") {
  UnitTable table(1);
  Generator generator = Generator::from_seed(1);
  table.append({{unit, Bytes{1}}});
  REQUIRE(table.lease_next(0, lease_of(0), generator));
  REQUIRE(table.lease_race(unit, 1, lease_of(1)));
  const auto first = table.vote(unit, 1, lease_of(1), Outcome::ok, large(7));
  REQUIRE(first.agreed);
  REQUIRE(first.agreed->unneeded.size() == 1);
  const auto crossed = table.vote(unit, 0, lease_of(0), Outcome::ok, large(7));
  CHECK(crossed.kind == Kind::late);
  CHECK_FALSE(crossed.holds_too);
  const auto reopened = table.reopen(unit, [](DonorIndex) { return true; });
  CHECK(reopened.at_fault == std::vector<DonorIndex>{1});
  CHECK(table.lease_next(0, {9}, generator));  // it may try again
}
