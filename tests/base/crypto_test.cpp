#include <doctest/doctest.h>

#include "coordinatorless/base/crypto.h"

using namespace dugnad;

TEST_CASE("a signature holds for its message and its key alone") {
  REQUIRE(sodium_ready());
  const auto alice = make_sodium(fresh_keys());
  const auto bob = make_sodium(fresh_keys());
  const Signature signature = alice->sign(view_of("hello"));
  CHECK(bob->verify(alice->public_key(), view_of("hello"), signature));
  CHECK_FALSE(bob->verify(alice->public_key(), view_of("hallo"), signature));
  CHECK_FALSE(bob->verify(bob->public_key(), view_of("hello"), signature));
}

TEST_CASE("what is sealed for a peer opens for that peer alone") {
  REQUIRE(sodium_ready());
  const auto alice = make_sodium(fresh_keys());
  const auto bob = make_sodium(fresh_keys());
  const auto eve = make_sodium(fresh_keys());
  const std::array<std::uint8_t, 24> nonce{1};
  Bytes sealed = alice->seal(bob->curve_key(), nonce, view_of("secret"));
  CHECK(bob->open(alice->curve_key(), nonce, sealed) == to_bytes("secret"));
  CHECK_FALSE(eve->open(alice->curve_key(), nonce, sealed));
  CHECK_FALSE(bob->open(alice->curve_key(), {2}, sealed));
  sealed[0] ^= 1;
  CHECK_FALSE(bob->open(alice->curve_key(), nonce, sealed));
  CHECK_FALSE(bob->open(alice->curve_key(), nonce, Bytes(3)));
}
