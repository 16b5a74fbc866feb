#include "coordinatorless/core/mandate.h"

#include <doctest/doctest.h>

#include <set>

#include "coordinatorless/core/limits.h"

namespace dugnad::core::test {
namespace {

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}

const Delegation delegation{{}, 7, {peer(1), peer(2), peer(3), peer(4)}};

Mandate mandate(std::uint8_t name) { return mandate_of(peer(name), delegation); }

}  // namespace

TEST_CASE("each steward stands first in one of as many shifts as there are stewards, and the submitter in all of them") {
  for (std::uint64_t shift = 300; shift < 306; ++shift) {
    CAPTURE(shift);
    std::set<std::size_t> ranks;
    for (std::uint8_t name = 1; name <= 4; ++name) {
      ranks.insert(mandate(name).rank(shift));
      CHECK(mandate(name).rank(shift) == mandate(name).rank(shift + 3));
    }
    CHECK(ranks == std::set<std::size_t>{0, 1, 2, 3});
    CHECK(mandate(1).rank(shift) == 0);
    CHECK(mandate(static_cast<std::uint8_t>(2 + shift % 3)).rank(shift) == 1);
    CHECK(mandate(9).rank(shift) == 4);  // in no delegation
  }
}

TEST_CASE("a shift begins with its first millisecond") {
  const WallTime begins = shift_begins(1000);
  CHECK(shift_at(begins) == 1000);
  CHECK(shift_at(begins - std::chrono::milliseconds(1)) == 999);
  CHECK(shift_begins(1001) - begins == limits::steward_shift);
  CHECK(shift_at(WallTime(std::chrono::hours(-1))) == 0);  // a clock that was never set
}

TEST_CASE("the submitter outranks its stewards, these each other by the shift, and a newer delegation all") {
  CHECK(outranks(mandate(1), mandate(2), 300));
  CHECK(outranks(mandate(1), mandate(2), 301));
  CHECK(outranks(mandate(2), mandate(3), 300));
  CHECK(outranks(mandate(3), mandate(2), 301));
  CHECK_FALSE(outranks(mandate(2), mandate(3), 301));
  CHECK_FALSE(outranks(mandate(2), mandate(2), 300));
  Mandate newer = mandate(4);
  ++newer.epoch;
  CHECK(outranks(newer, mandate(1), 300));
  CHECK_FALSE(outranks(mandate(1), newer, 300));
}

TEST_CASE("one steward stands first in every shift") {
  const Delegation alone{{}, 7, {peer(1), peer(2)}};
  for (std::uint64_t shift = 0; shift < 3; ++shift) CHECK(mandate_of(peer(2), alone).rank(shift) == 1);
}

}  // namespace dugnad::core::test
