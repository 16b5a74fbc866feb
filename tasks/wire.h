// Wire: how units and their outputs are written down: fixed-width integers, little-endian, one after the other, nothing between.
// Whoever reads checks: a Reader never reads past the end, and complete() is false for bytes too short or too long alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "coordinatorless/base/bytes.h"

namespace dugnad::tasks {

class Writer {
 public:
  Writer& u8(std::uint8_t number) { return put(number, 1); }
  Writer& u16(std::uint16_t number) { return put(number, 2); }
  Writer& u32(std::uint32_t number) { return put(number, 4); }
  Writer& u64(std::uint64_t number) { return put(number, 8); }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  Writer& put(std::uint64_t number, int width) {
    for (int i = 0; i < width; ++i) bytes_.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
    return *this;
  }

  Bytes bytes_;
};

/// Reads as far as there are bytes, then zeros; so that a caller asks complete() once, after the last field and before using any.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(get(1)); }
  [[nodiscard]] std::uint16_t u16() { return static_cast<std::uint16_t>(get(2)); }
  [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(get(4)); }
  [[nodiscard]] std::uint64_t u64() { return get(8); }
  /// Whether every field was there and no byte is left.
  [[nodiscard]] bool complete() const { return !short_ && rest_.empty(); }

 private:
  std::uint64_t get(std::size_t width) {
    if (rest_.size() < width) {
      short_ = true;
      rest_ = {};
      return 0;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < width; ++i) number |= std::uint64_t{rest_[i]} << (8 * i);
    rest_ = rest_.subspan(width);
    return number;
  }

  ByteView rest_;
  bool short_ = false;
};

}  // namespace dugnad::tasks
