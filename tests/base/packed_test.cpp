#include "coordinatorless/base/packed.h"

#include <doctest/doctest.h>

namespace dugnad::packed {
namespace {

constexpr std::uint64_t numbers[] = {0, 1, 2, 127, 128, 300, 1u << 21, std::uint64_t{1} << 63, ~std::uint64_t{0} - 1, ~std::uint64_t{0}};

TEST_CASE("numbers come back as they were written, and each has one form") {
  for (const std::uint64_t number : numbers) {
    Bytes bytes;
    put_varint(bytes, number);
    CHECK(bytes.size() <= 10);
    Reader in(bytes);
    CHECK(in.varint() == number);
    CHECK(in.left() == 0);
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(Reader(ByteView(bytes).first(size)).varint());
    Bytes longer = bytes;
    longer.back() |= 0x80;
    longer.push_back(0);
    CHECK_FALSE(Reader(longer).varint());
  }
}

TEST_CASE("a step leads from any number to any other, and is small where they are near") {
  for (const std::uint64_t from : numbers) {
    for (const std::uint64_t to : numbers) CHECK(stepped(from, step(from, to)) == to);
  }
  CHECK(step(300, 300) == 0);
  CHECK(step(300, 299) == 1);
  CHECK(step(300, 301) == 2);
  CHECK(step(0, ~std::uint64_t{0}) == 1);
}

TEST_CASE("after what is not there nothing is read") {
  const Bytes bytes{1, 2, 3};
  Reader in(bytes);
  CHECK(in.byte() == 1);
  CHECK_FALSE(in.id<JobId>());
  CHECK_FALSE(in.byte());
  CHECK(in.left() == 0);
}

}  // namespace
}  // namespace dugnad::packed
