#include "coordinatorless/store/batch_format.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

namespace dugnad::store {
namespace {

bool same(const std::vector<AcceptedUnit>& a, const std::vector<AcceptedUnit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const AcceptedUnit& x, const AcceptedUnit& y) {
    return x.unit == y.unit && x.input_tag == y.input_tag && x.outcome == y.outcome && x.output == y.output;
  });
}

std::vector<AcceptedUnit> some_units() {
  return {{{0}, 0, Outcome::ok, {}},
          {{127}, 1, Outcome::failed, to_bytes("division by zero")},
          {{128}, 0xfedcba9876543210, Outcome::ok, Bytes(1000, 7)},
          {{std::numeric_limits<std::uint64_t>::max()}, std::numeric_limits<std::uint64_t>::max(), Outcome::cancelled, to_bytes("x")}};
}

TEST_CASE("a batch comes back as it was written") {
  const auto decoded = decode_batch(encode_batch(some_units()));
  REQUIRE(decoded);
  CHECK(same(*decoded, some_units()));
  const auto none = decode_batch(encode_batch({}));
  REQUIRE(none);
  CHECK(none->empty());
}

TEST_CASE("the bytes of version 1 stay as they are") {
  const std::vector<AcceptedUnit> units = {{{300}, 0x0102030405060708, Outcome::failed, to_bytes("no")}};
  CHECK(to_hex(encode_batch(units)) == "0101ac02080706050403020101026e6f");
}

TEST_CASE("a large output is kept by its name, in version 2") {
  std::vector<AcceptedUnit> units = some_units();
  units.push_back({{5}, 6, Outcome::ok, Value(BlobId{70000, Hash{{1, 2}}})});
  const Bytes bytes = encode_batch(units);
  CHECK(bytes[0] == 2);
  const auto decoded = decode_batch(bytes);
  REQUIRE(decoded);
  CHECK(same(*decoded, units));
  CHECK(to_hex(encode_batch(std::vector{units.back()})).starts_with("0201050600000000000000" "80" "28" "7011010000000000" "0102"));
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_batch(ByteView(bytes).first(size)));
  CHECK_FALSE(decode_batch(*from_hex("020105060000000000000080036e6f6f")));  // a name is 40 bytes
}

TEST_CASE("a batch that was cut anywhere, or has a byte too many, is refused") {
  Bytes bytes = encode_batch(some_units());
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_batch(ByteView(bytes).first(size)));
  bytes.push_back(0);
  CHECK_FALSE(decode_batch(bytes));
}

TEST_CASE("an unknown version, outcome, overlong number or boundless count is refused") {
  CHECK_FALSE(decode_batch(*from_hex("0201ac02080706050403020101026e6f")));        // version 2
  CHECK_FALSE(decode_batch(*from_hex("0101ac02080706050403020104026e6f")));        // outcome 4
  CHECK_FALSE(decode_batch(*from_hex("0101ac8200080706050403020101026e6f")));      // 300 in three bytes
  CHECK_FALSE(decode_batch(*from_hex("01ffffffffffffffffff01")));                  // 2^64-1 units in no bytes
  CHECK_FALSE(decode_batch(*from_hex("01ffffffffffffffffff02")));                  // a count of more than 64 bits
  CHECK_FALSE(decode_batch(*from_hex("0101ac0208070605040302010" "1ffffffffffffffffff016e6f")));  // an output of 2^64-1 bytes
}

TEST_CASE("whatever single byte is changed, decoding ends in a value or a refusal, and a value encodes to the same bytes") {
  const Bytes bytes = encode_batch(some_units());
  std::mt19937 random(1);
  for (std::size_t position = 0; position < bytes.size(); ++position) {
    Bytes changed = bytes;
    changed[position] = static_cast<std::uint8_t>(random());
    if (const auto units = decode_batch(changed)) CHECK(encode_batch(*units) == changed);
  }
}

}  // namespace
}  // namespace dugnad::store
