#include "coordinatorless/base/chunk_set.h"

#include <bit>

namespace dugnad {

ChunkSet ChunkSet::all(std::uint64_t chunks) { return ChunkSet(chunks).rest(); }

std::optional<ChunkSet> ChunkSet::from(ByteView bytes, std::uint64_t chunks) {
  if (bytes.size() != bytes_for(chunks)) return std::nullopt;
  if (chunks % 8 != 0 && (bytes.back() >> (chunks % 8)) != 0) return std::nullopt;
  ChunkSet set(chunks);
  set.bits_.assign(bytes.begin(), bytes.end());
  return set;
}

std::uint64_t ChunkSet::count() const {
  std::uint64_t count = 0;
  for (const std::uint8_t byte : bits_) count += static_cast<std::uint64_t>(std::popcount(byte));
  return count;
}

void ChunkSet::add(const ChunkSet& other) {
  for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] |= other.bits_.at(i);
}

void ChunkSet::remove(const ChunkSet& other) {
  for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] &= static_cast<std::uint8_t>(~other.bits_.at(i));
}

void ChunkSet::keep(const ChunkSet& other) {
  for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] &= other.bits_.at(i);
}

ChunkSet ChunkSet::rest() const {
  ChunkSet rest(chunks_);
  for (std::size_t i = 0; i < bits_.size(); ++i) rest.bits_[i] = static_cast<std::uint8_t>(~bits_[i]);
  if (chunks_ % 8 != 0) rest.bits_.back() &= static_cast<std::uint8_t>((1U << (chunks_ % 8)) - 1);
  return rest;
}

}  // namespace dugnad
