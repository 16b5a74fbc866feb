// A UnitTable: a unit that waits for a large output, and what comes of the votes that are returned meanwhile; and many units that are over.
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

TEST_CASE("of many units that are over, the table still knows that they are, and a late result of one is late") {
  UnitTable table(1);
  Generator generator = Generator::from_seed(1);
  constexpr std::uint64_t count = 2000, first = 10'000;  // those before are an earlier run's, and never come
  std::vector<NewUnit> units;
  for (std::uint64_t i = 0; i < count; ++i) units.push_back({UnitIndex{first + i}, Bytes{1}});
  table.append(std::move(units));
  for (std::uint64_t i = 0; i < count - 1; ++i) {
    const auto leased = table.lease_next(0, {1}, generator);
    REQUIRE(leased);
    REQUIRE(table.vote(leased->unit, 0, {1}, Outcome::ok, Bytes{2}).settled);
    CHECK_FALSE(table.is_open(leased->unit));
    CHECK(table.has_come(leased->unit));
    CHECK(table.vote(leased->unit, 0, {1}, Outcome::ok, Bytes{2}).kind == Kind::late);
  }
  CHECK(table.open() == 1);
  CHECK(table.known() == count);
  std::size_t open = 0;
  for (std::uint64_t i = 0; i < count; ++i) open += table.is_open(UnitIndex{first + i});
  CHECK(open == 1);
  for (const std::uint64_t never : {std::uint64_t{0}, first - 1, first + count, 10 * first}) {
    CHECK_FALSE(table.has_come(UnitIndex{never}));
    CHECK(table.vote(UnitIndex{never}, 0, {1}, Outcome::ok, Bytes{2}).kind == Kind::unasked);
  }
}

TEST_CASE("units that are over keep the numbers that a ledger knows them by") {
  UnitTable table(0);
  Generator generator = Generator::from_seed(1);
  constexpr std::uint64_t count = 1000;
  const auto number_of = [](std::uint64_t unit) { return (unit * 7) % count; };  // as an earlier run of it had them
  std::deque<UnitIndex> earlier(count);
  for (std::uint64_t unit = 0; unit < count; ++unit) earlier[number_of(unit)] = UnitIndex{unit};
  table.set_earlier(std::move(earlier));
  for (std::uint64_t unit = 0; unit < count; ++unit) table.append({UnitIndex{unit}, Bytes{1}}, number_of(unit));
  table.offer(count);
  const ShortDigest digest = short_digest(digest_of(Outcome::ok, Bytes{2}));
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto leased = table.lease_next(0, {1}, generator);
    REQUIRE(leased);
    REQUIRE(table.vote(leased->unit, 0, {1}, Outcome::ok, Bytes{2}).is_result);
    REQUIRE(table.finish(leased->unit, digest).settled);
  }
  CHECK(table.open() == 0);
  for (std::uint64_t unit = 0; unit < count; ++unit) {
    CHECK(table.number_of(UnitIndex{unit}) == number_of(unit));
    CHECK(table.unit_at(number_of(unit)) == UnitIndex{unit});
  }
  CHECK_FALSE(table.is_here(count));
}

TEST_CASE("a result that comes twice under its lease is late, under another it was not asked for") {
  UnitTable table(2);
  Generator generator = Generator::from_seed(1);
  table.append({{unit, Bytes{1}}});
  REQUIRE(table.lease_next(0, lease_of(0), generator));
  CHECK(table.vote(unit, 0, lease_of(0), Outcome::ok, Bytes{2}).kind == Kind::taken);
  CHECK(table.vote(unit, 0, lease_of(0), Outcome::ok, Bytes{2}).kind == Kind::late);
  CHECK(table.vote(unit, 0, lease_of(0), Outcome::ok, Bytes{3}).kind == Kind::late);
  CHECK(table.vote(unit, 0, lease_of(4), Outcome::ok, Bytes{2}).kind == Kind::unasked);
  CHECK(table.is_open(unit));  // none of them was another donor's
}

TEST_CASE("a unit that is out under an earlier run's lease waits for nobody else, and its result is taken under that number") {
  UnitTable table(1);
  Generator generator = Generator::from_seed(1);
  table.append({{unit, Bytes{1}}, {{1}, Bytes{1}}});
  CHECK(table.take_up(unit, 0, {3}));
  CHECK_FALSE(table.take_up(unit, 0, {2}));  // it has it
  CHECK(table.lease_of(unit, 0) == LeaseId{3});
  const auto next = table.lease_next(1, {9}, generator);
  REQUIRE(next);
  CHECK(next->unit == UnitIndex{1});
  CHECK_FALSE(table.lease_next(1, {10}, generator));
  CHECK(table.vote(unit, 0, {2}, Outcome::ok, Bytes{2}).kind == Kind::taken);
  CHECK_FALSE(table.is_open(unit));
  CHECK_FALSE(table.take_up(unit, 1, {3}));
}
