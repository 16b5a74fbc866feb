#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/ids.h"

using namespace dugnad;

TEST_CASE("hex goes there and back") {
  const Bytes bytes{0x00, 0x0f, 0xa0, 0xff};
  CHECK(to_hex(bytes) == "000fa0ff");
  CHECK(from_hex("000fa0ff") == bytes);
}

TEST_CASE("hex that is odd, upper-case or not hex is refused") {
  for (const char* bad : {"0", "0F", "0g", "  ", "0x"}) CHECK_FALSE(from_hex(bad));
}

TEST_CASE("an id is exactly 32 bytes") {
  CHECK_FALSE(PeerId::from(Bytes(31)));
  CHECK_FALSE(PeerId::from(Bytes(33)));
  CHECK(PeerId::from(Bytes(32))->is_zero());
  CHECK_FALSE(PeerId::from_hex(std::string(63, 'a')));
}

TEST_CASE("the hash is BLAKE2b-256") {
  // Appendix of RFC 7693 gives BLAKE2b-512 alone; this value is `b2sum -l 256` of "abc".
  CHECK(hash_of(view_of("abc")).hex() == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  CHECK(hash_of(view_of("a"), view_of("bc")) == hash_of(view_of("abc")));
  CHECK(Hasher().add(view_of("ab")).add(view_of("c")).finish() == hash_of(view_of("abc")));
}
