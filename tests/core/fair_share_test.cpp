#include "coordinatorless/core/fair_share.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::milliseconds;

namespace {
PublicKey owner(std::uint8_t name) {
  PublicKey key;
  key.bytes[0] = name;
  return key;
}
constexpr auto always = [](const PublicKey&) { return true; };
using Rank = FairShare::Rank;
constexpr auto alike = [](const PublicKey&) { return Rank::stranger; };
}  // namespace

TEST_CASE("two owners share CPU time evenly, however different their units") {
  FairShare shares;
  shares.came(owner(1));
  shares.came(owner(2));
  Duration served[3]{};
  for (int i = 0; i < 1000; ++i) {
    const auto next = shares.next(always, alike);
    REQUIRE(next);
    const Duration cost = milliseconds(next->bytes[0] == 1 ? 1 : 17);
    shares.charge(*next, cost);
    served[next->bytes[0]] += cost;
  }
  CHECK(seconds_of(served[1]) == doctest::Approx(seconds_of(served[2])).epsilon(0.05));
}

TEST_CASE("an owner that was away does not get what it missed") {
  FairShare shares;
  shares.came(owner(1));
  shares.came(owner(2));
  for (int i = 0; i < 1000; ++i) shares.charge(owner(1), milliseconds(1));
  shares.woke(owner(2));
  int second = 0;
  for (int i = 0; i < 100; ++i) {
    const auto next = shares.next(always, alike);
    shares.charge(*next, milliseconds(1));
    second += next->bytes[0] == 2;
  }
  CHECK(second >= 49);
  CHECK(second <= 52);
}

TEST_CASE("owners without work are passed over") {
  FairShare shares;
  shares.came(owner(1));
  shares.came(owner(2));
  CHECK(shares.next([](const PublicKey& key) { return key.bytes[0] == 2; }, alike) == owner(2));
  CHECK_FALSE(shares.next([](const PublicKey&) { return false; }, alike));
}

TEST_CASE("whoever has a higher rank comes first, and those of one rank share") {
  FairShare shares;
  for (std::uint8_t name = 1; name <= 4; ++name) shares.came(owner(name));
  const auto rank_of = [](const PublicKey& key) { return key.bytes[0] <= 2 ? Rank::favoured : Rank::stranger; };
  int served[5]{};
  for (int i = 0; i < 100; ++i) {
    const auto next = shares.next(always, rank_of);
    REQUIRE(next);
    shares.charge(*next, milliseconds(1));
    ++served[next->bytes[0]];
  }
  CHECK(served[1] == 50);
  CHECK(served[2] == 50);
  const auto rest = [](const PublicKey& key) { return key.bytes[0] > 2; };
  CHECK(shares.next(rest, rank_of) == owner(3));
}

TEST_CASE("what was served by rank is not made up for to those below") {
  FairShare shares;
  shares.came(owner(1));
  shares.came(owner(2));
  const auto favoured = [](const PublicKey& key) { return key.bytes[0] == 1 ? Rank::favoured : Rank::stranger; };
  for (int i = 0; i < 1000; ++i) shares.charge(*shares.next(always, favoured), milliseconds(1));
  int first = 0;
  for (int i = 0; i < 100; ++i) {
    const auto next = shares.next(always, alike);
    shares.charge(*next, milliseconds(1));
    first += next->bytes[0] == 1;
  }
  CHECK(first == 50);
}
