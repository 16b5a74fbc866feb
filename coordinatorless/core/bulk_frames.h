// Bulk frames: how chunks of blobs travel. They share the links of the messages and are none: their first byte begins no message (msgpack never
// uses it), and drivers hand them past the core. Fixed fields, little-endian:
//
//   request  c1 01  blob (40)  first (4)  count (4)     send these chunks, in order
//   chunk    c1 02  blob (40)  index (4)  path  bytes   path: 32 bytes a level, as many as merkle_verify takes for that place in the tree
//   missing  c1 03  blob (40)                           not here (any more)
//
// All lengths follow from the blob's name and the index, so a frame that is a byte too long or short is none.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "coordinatorless/base/blob_id.h"

namespace dugnad::core::bulk {

inline constexpr std::uint8_t mark = 0xc1;
[[nodiscard]] inline bool is_bulk(ByteView frame) { return !frame.empty() && frame[0] == mark; }

struct Request {
  BlobId blob;
  std::uint32_t first = 0;
  std::uint32_t count = 0;  // at least 1; first + count is no more than the blob has
  bool operator==(const Request&) const = default;
};
struct Chunk {
  BlobId blob;
  std::uint32_t index = 0;
  std::vector<Hash> path;
  Bytes bytes;
  bool operator==(const Chunk&) const = default;
};
struct Missing {
  BlobId blob;
  bool operator==(const Missing&) const = default;
};
using Frame = std::variant<Request, Chunk, Missing>;

[[nodiscard]] Bytes encode(const Frame& frame);
/// nullopt for anything that encode() does not make within limits. The path's length is right; whether it proves the bytes is not checked.
[[nodiscard]] std::optional<Frame> decode(ByteView frame);

/// How many hashes prove chunk `index` of `count`.
[[nodiscard]] std::size_t path_length(std::uint64_t index, std::uint64_t count);

}  // namespace dugnad::core::bulk
