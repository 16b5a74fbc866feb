// Merkle tree: one signature covers a batch of results, and one result's evidence is its path of O(log n) hashes.
// Leaves and inner nodes are hashed with different first bytes, so that no inner node can pass for a leaf (RFC 6962, 2.1); an odd node
// is carried up unchanged.
#pragma once

#include <vector>

#include "coordinatorless/base/ids.h"

namespace dugnad {

[[nodiscard]] Hash merkle_leaf(ByteView content);

/// The root over `leaves` (made by merkle_leaf); a zero hash for none.
[[nodiscard]] Hash merkle_root(std::vector<Hash> leaves);

/// The sibling hashes from leaf `index` up to the root.
[[nodiscard]] std::vector<Hash> merkle_path(std::vector<Hash> leaves, std::size_t index);

/// How many hashes that are, of `count` leaves.
[[nodiscard]] std::size_t merkle_path_length(std::size_t index, std::size_t count);

/// Whether `leaf`, at `index` of `count`, hashes up along `path` to `root`.
[[nodiscard]] bool merkle_verify(Hash leaf, std::size_t index, std::size_t count, const std::vector<Hash>& path, const Hash& root);

}  // namespace dugnad
