#include "coordinatorless/core/bulk_frames.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/merkle.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {
const Hash root{{0x30}};
const std::string name_hex = "0500000000000000" "30" + std::string(62, '0');
}  // namespace

TEST_CASE("golden bytes of bulk frames") {
  CHECK(to_hex(bulk::encode(bulk::Request{{5, root}, 1, true, ChunkSet::all(1)})) == "c101" + name_hex + "010101");
  CHECK(to_hex(bulk::encode(bulk::Chunk{{5, root}, 0, {}, {1, 2, 3, 4, 5}})) == "c102" + name_hex + "000000000102030405");
  CHECK(to_hex(bulk::encode(bulk::Missing{{5, root}})) == "c103" + name_hex);
  CHECK(to_hex(bulk::encode(bulk::Have{{5, root}, true, true, ChunkSet(1)})) == "c104" + name_hex + "0300");
  CHECK(to_hex(bulk::encode(bulk::Spread{{5, root}, 2})) == "c105" + name_hex + "02");
}

TEST_CASE("a bulk frame is no message, and no message is a bulk frame") {
  CHECK_FALSE(decode(bulk::encode(bulk::Missing{{5, root}})));
  CHECK_FALSE(bulk::is_bulk(encode(Message(Closed{}))));
  CHECK(bulk::is_bulk(bulk::encode(bulk::Missing{{5, root}})));
}

TEST_CASE("every bulk frame survives the wire, and none does that is a byte longer or shorter") {
  const std::uint64_t length = 4 * chunk_bytes + 7;
  std::vector<bulk::Frame> frames{bulk::Request{{length, root}, 2, false, ChunkSet::all(chunk_count(length))},
                                  bulk::Have{{length, root}, false, true, ChunkSet::all(chunk_count(length))},
                                  bulk::Spread{{length, root}, 1},
                                  bulk::Missing{{0, root}},
                                  bulk::Chunk{{0, root}, 0, {}, {}}};
  for (std::uint32_t i = 0; i < chunk_count(length); ++i) {
    frames.push_back(bulk::Chunk{{length, root}, i, std::vector<Hash>(merkle_path_length(i, chunk_count(length)), root),
                                 Bytes(chunk_length(length, i), 9)});
  }
  for (const bulk::Frame& frame : frames) {
    Bytes bytes = bulk::encode(frame);
    const auto back = bulk::decode(bytes);
    REQUIRE(back);
    CHECK(*back == frame);
    bytes.push_back(0);
    CHECK_FALSE(bulk::decode(bytes));
    bytes.resize(bytes.size() - 2);
    CHECK_FALSE(bulk::decode(bytes));
  }
}

TEST_CASE("bulk frames beyond their limits are refused") {
  const BlobId small{5, root};
  const ChunkSet one = ChunkSet::all(1), hundred = ChunkSet::all(100);
  CHECK(bulk::decode(bulk::encode(bulk::Request{small, 1, false, one})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Request{small, 0, false, one})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Request{small, 2, false, one})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Request{small, 1, false, ChunkSet(1)})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Request{small, 1, false, hundred})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Request{{100 * chunk_bytes, root}, limits::bulk_credits + 1, false, hundred})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Have{small, false, false, hundred})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Spread{small, 0})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Spread{small, limits::bulk_credits + 1})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Chunk{small, 1, {}, Bytes(5)})));
  CHECK_FALSE(bulk::decode(bulk::encode(bulk::Missing{{limits::blob_bytes_max + 1, root}})));
  CHECK_FALSE(bulk::decode(Bytes{}));
  CHECK_FALSE(bulk::decode(Bytes{bulk::mark}));
  Bytes unknown = bulk::encode(bulk::Missing{small});
  unknown[1] = 6;
  CHECK_FALSE(bulk::decode(unknown));
}

TEST_CASE("random bytes behind the mark are decoded to what encodes back to them, or to nothing") {
  Generator generator = Generator::from_seed(3);
  std::size_t decoded = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes frame(1 + generator.below(120));
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(generator.below(4));
    frame[0] = bulk::mark;
    for (std::size_t at = 4; at < std::min<std::size_t>(frame.size(), 10); ++at) frame[at] = 0;
    const auto back = bulk::decode(frame);
    if (!back) continue;
    ++decoded;
    CHECK(bulk::encode(*back) == frame);
  }
  CHECK(decoded > 10);
}

TEST_CASE("a chunk's path is as long as the tree over the blob asks") {
  for (std::uint64_t count = 1; count < 40; ++count) {
    for (std::uint64_t i = 0; i < count; ++i) CHECK(merkle_path_length(i, count) == merkle_path(std::vector<Hash>(count), i).size());
  }
}
