// Bulk frames: how chunks of blobs travel. They share the links of the messages and are none: their first byte begins no message (msgpack never
// uses it), and drivers hand them past the core. Fixed fields, little-endian:
//
//   request  c1 01  blob (40)  count (1)  fresh (1)  set   send so many of these chunks; fresh: only such as were sent to nobody yet
//   chunk    c1 02  blob (40)  index (4)  path  bytes      path: 32 bytes a level, as many as merkle_verify takes for that place in the tree
//   missing  c1 03  blob (40)                              not here (any more)
//   have     c1 04  blob (40)  flags (1)  set              these chunks are here; 1: tell me of yours, 2: I am fetching it, keep me informed
//   spread   c1 05  blob (40)  count (1)                   of what was asked for fresh, so many were sent to others before: ask them
//
// A set of chunks is a bit for each, as base/chunk_set.h has it.
// All lengths follow from the blob's name and the index, so a frame that is a byte too long or short is none.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/chunk_set.h"

namespace dugnad::core::bulk {

inline constexpr std::uint8_t mark = 0xc1;
[[nodiscard]] inline bool is_bulk(ByteView frame) { return !frame.empty() && frame[0] == mark; }

/// Which of them come, whoever sends them chooses: it knows what it has sent to others.
struct Request {
  BlobId blob;
  std::uint8_t count = 0;  // from 1 to bulk_credits, and no more than `wanted` has
  bool fresh = false;      // only what was sent to nobody yet; Spread follows for what is not
  ChunkSet wanted;
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
struct Have {
  BlobId blob;
  bool asks = false;      // the answer is a Have, or Missing
  bool fetching = false;  // there will be more, and what the other gets is of use
  ChunkSet chunks;
  bool operator==(const Have&) const = default;
};
struct Spread {
  BlobId blob;
  std::uint8_t count = 0;  // at least 1
  bool operator==(const Spread&) const = default;
};
using Frame = std::variant<Request, Chunk, Missing, Have, Spread>;

[[nodiscard]] Bytes encode(const Frame& frame);
/// nullopt for anything that encode() does not make within limits. The path's length is right; whether it proves the bytes is not checked.
[[nodiscard]] std::optional<Frame> decode(ByteView frame);

}  // namespace dugnad::core::bulk
