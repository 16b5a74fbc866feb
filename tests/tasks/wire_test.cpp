#include <doctest/doctest.h>

#include "tasks/wire.h"

using namespace dugnad;
using namespace dugnad::tasks;

TEST_CASE("numbers are written little-endian in their width, and read back") {
  const Bytes bytes = Writer().u8(0x01).u16(0x0302).u32(0x07060504).u64(0x0f0e0d0c0b0a0908).take();
  CHECK(to_hex(bytes) == "0102030405060708090a0b0c0d0e0f");
  Reader in(bytes);
  CHECK(in.u8() == 0x01);
  CHECK(in.u16() == 0x0302);
  CHECK(in.u32() == 0x07060504);
  CHECK_FALSE(in.complete());
  CHECK(in.u64() == 0x0f0e0d0c0b0a0908);
  CHECK(in.complete());
}

TEST_CASE("a reader of too few bytes gives zeros and is never complete") {
  const Bytes bytes{1, 2, 3};
  Reader in(bytes);
  CHECK(in.u32() == 0);
  CHECK(in.u8() == 0);
  CHECK_FALSE(in.complete());
}

TEST_CASE("a reader of too many bytes is not complete") {
  const Bytes bytes{1, 2, 3};
  Reader in(bytes);
  CHECK(in.u16() == 0x0201);
  CHECK_FALSE(in.complete());
}
