#include <doctest/doctest.h>

#include "coordinatorless/base/merkle.h"

using namespace dugnad;

namespace {
std::vector<Hash> leaves_of(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(merkle_leaf(Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)}));
  return leaves;
}
}  // namespace

TEST_CASE("every leaf of every small tree is proved by its path, and no other leaf is") {
  for (std::size_t count = 1; count <= 33; ++count) {
    const auto leaves = leaves_of(count);
    const Hash root = merkle_root(leaves);
    for (std::size_t i = 0; i < count; ++i) {
      const auto path = merkle_path(leaves, i);
      CHECK(merkle_verify(leaves[i], i, count, path, root));
      CHECK_FALSE(merkle_verify(merkle_leaf(Bytes{99, 99, 99}), i, count, path, root));
      CHECK_FALSE(merkle_verify(leaves[i], i + count, count, path, root));
      auto longer = path;
      longer.push_back(root);
      CHECK_FALSE(merkle_verify(leaves[i], i, count, longer, root));
    }
  }
}

TEST_CASE("a tree's root depends on the order of its leaves") {
  auto leaves = leaves_of(4);
  const Hash root = merkle_root(leaves);
  std::swap(leaves[1], leaves[2]);
  CHECK(merkle_root(leaves) != root);
}
