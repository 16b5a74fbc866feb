#include "coordinatorless/base/merkle.h"

#include <array>

#include "coordinatorless/base/hash.h"

namespace dugnad {
namespace {

constexpr std::array<std::uint8_t, 1> leaf_mark{0};

Hash inner(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 65> bytes;
  bytes[0] = 1;
  std::copy(left.bytes.begin(), left.bytes.end(), bytes.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), bytes.begin() + 33);
  return hash_of(bytes);
}

void climb(std::vector<Hash>& level) {
  const std::size_t pairs = level.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) level[i] = inner(level[2 * i], level[2 * i + 1]);
  if (level.size() % 2 != 0) {
    level[pairs] = level.back();
    level.resize(pairs + 1);
  } else {
    level.resize(pairs);
  }
}

}  // namespace

Hash merkle_leaf(ByteView content) { return hash_of(leaf_mark, content); }

Hash merkle_root(std::vector<Hash> level) {
  if (level.empty()) return {};
  while (level.size() > 1) climb(level);
  return level.front();
}

std::vector<Hash> merkle_path(std::vector<Hash> level, std::size_t index) {
  std::vector<Hash> path;
  while (level.size() > 1) {
    if (const std::size_t sibling = index ^ 1; sibling < level.size()) path.push_back(level[sibling]);
    climb(level);
    index /= 2;
  }
  return path;
}

std::size_t merkle_path_length(std::size_t index, std::size_t count) {
  std::size_t length = 0;
  for (; count > 1; index /= 2, count = (count + 1) / 2) length += (index ^ 1) < count;
  return length;
}

bool merkle_verify(Hash leaf, std::size_t index, std::size_t count, const std::vector<Hash>& path, const Hash& root) {
  if (index >= count) return false;
  std::size_t used = 0;
  while (count > 1) {
    if ((index ^ 1) < count) {
      if (used == path.size()) return false;
      leaf = index % 2 == 0 ? inner(leaf, path[used]) : inner(path[used], leaf);
      ++used;
    }
    index /= 2;
    count = (count + 1) / 2;
  }
  return used == path.size() && leaf == root;
}

}  // namespace dugnad
