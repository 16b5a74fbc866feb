// BlobId: bytes named by their length and hash. The hash is the root of a Merkle tree over chunks, so that whoever fetches a blob can check each
// chunk as it comes, from a peer that it does not trust, before the rest is there.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/ids.h"

namespace dugnad {

struct BlobId {
  std::uint64_t length = 0;  // bytes
  Hash root;                 // merkle_root over merkle_leaf of each chunk; an empty blob has one empty chunk
  auto operator<=>(const BlobId&) const = default;
};

inline constexpr std::uint64_t chunk_bytes = 256 << 10;  // all of a blob's chunks but the last
inline constexpr std::size_t blob_id_bytes = 8 + 32;     // as to_bytes() makes them

[[nodiscard]] constexpr std::uint64_t chunk_count(std::uint64_t length) { return length == 0 ? 1 : (length - 1) / chunk_bytes + 1; }
/// Bytes of chunk `index` of a blob of `length` bytes; index < chunk_count(length).
[[nodiscard]] constexpr std::uint64_t chunk_length(std::uint64_t length, std::uint64_t index) {
  return index + 1 < chunk_count(length) ? chunk_bytes : length - index * chunk_bytes;
}

/// The leaves of the tree over `blob`, one a chunk.
[[nodiscard]] std::vector<Hash> blob_leaves(ByteView blob);
[[nodiscard]] BlobId blob_id_of(ByteView blob);

/// The length in 8 bytes, little-endian, then the root.
[[nodiscard]] Bytes to_bytes(const BlobId& id);
/// nullopt unless `bytes` is exactly what to_bytes() makes.
[[nodiscard]] std::optional<BlobId> blob_id_from(ByteView bytes);

/// The root's hex digits, a hyphen, the length: a file's name.
[[nodiscard]] std::string to_text(const BlobId& id);
/// nullopt for anything that to_text() does not make.
[[nodiscard]] std::optional<BlobId> blob_id_from_text(std::string_view text);

}  // namespace dugnad

template <>
struct std::hash<dugnad::BlobId> {
  std::size_t operator()(const dugnad::BlobId& id) const noexcept { return std::hash<dugnad::Hash>{}(id.root) ^ id.length; }
};
