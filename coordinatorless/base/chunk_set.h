// ChunkSet: some of a blob's chunks: those that are here, those that somebody else has, those that are wanted. As bytes: a bit a chunk, the
// lowest first, and no bit behind the last chunk.
#pragma once

#include <cstdint>
#include <optional>

#include "coordinatorless/base/bytes.h"

namespace dugnad {

class ChunkSet {
 public:
  ChunkSet() = default;
  /// None of `chunks`.
  explicit ChunkSet(std::uint64_t chunks) : chunks_(chunks), bits_((chunks + 7) / 8) {}
  [[nodiscard]] static ChunkSet all(std::uint64_t chunks);
  /// nullopt unless `bytes` is exactly what bytes() makes of a set of so many.
  [[nodiscard]] static std::optional<ChunkSet> from(ByteView bytes, std::uint64_t chunks);
  [[nodiscard]] static std::size_t bytes_for(std::uint64_t chunks) { return (chunks + 7) / 8; }

  /// How many there could be.
  [[nodiscard]] std::uint64_t size() const { return chunks_; }
  /// How many there are.
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] bool empty() const { return count() == 0; }
  [[nodiscard]] bool full() const { return count() == chunks_; }
  /// False for any index beyond size().
  [[nodiscard]] bool has(std::uint64_t index) const { return index < chunks_ && ((bits_[index / 8] >> (index % 8)) & 1) != 0; }
  /// index < size().
  void add(std::uint64_t index) { bits_.at(index / 8) |= static_cast<std::uint8_t>(1U << (index % 8)); }
  void remove(std::uint64_t index) { bits_.at(index / 8) &= static_cast<std::uint8_t>(~(1U << (index % 8))); }
  // With another set of the same size.
  void add(const ChunkSet& other);
  void remove(const ChunkSet& other);
  void keep(const ChunkSet& other);
  /// All that are not in it.
  [[nodiscard]] ChunkSet rest() const;

  [[nodiscard]] const Bytes& bytes() const { return bits_; }
  bool operator==(const ChunkSet&) const = default;

 private:
  std::uint64_t chunks_ = 0;
  Bytes bits_;
};

}  // namespace dugnad
