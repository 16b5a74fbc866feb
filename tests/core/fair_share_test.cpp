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
}  // namespace

TEST_CASE("two owners share CPU time evenly, however different their units") {
  FairShare shares;
  shares.came(owner(1));
  shares.came(owner(2));
  Duration served[3]{};
  for (int i = 0; i < 1000; ++i) {
    const auto next = shares.next(always);
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
    const auto next = shares.next(always);
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
  CHECK(shares.next([](const PublicKey& key) { return key.bytes[0] == 2; }) == owner(2));
  CHECK_FALSE(shares.next([](const PublicKey&) { return false; }));
}
