// Packed: bytes of our own making on disk: numbers in LEB128 varints of the shortest form, or 8 bytes little-endian. Reading checks everything: a
// file may be damaged, or come from somebody else.
#pragma once

#include <array>
#include <optional>

#include "coordinatorless/base/ids.h"

namespace dugnad::packed {

inline void put(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Numbers are made ready first: they are written for every unit, and room is asked for once instead of for each byte.

inline void put_varint(Bytes& out, std::uint64_t value) {
  std::array<std::uint8_t, 10> bytes;
  std::size_t length = 0;
  for (; value >= 0x80; value >>= 7) bytes[length++] = static_cast<std::uint8_t>(value | 0x80);
  bytes[length++] = static_cast<std::uint8_t>(value);
  put(out, ByteView(bytes).first(length));
}

inline void put_u64(Bytes& out, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  put(out, bytes);
}

/// The way from one number to the next, small either way; modulo 2^64, so that every way has one form.
[[nodiscard]] constexpr std::uint64_t step(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t way = to - from;
  return (way << 1) ^ (way >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
[[nodiscard]] constexpr std::uint64_t stepped(std::uint64_t from, std::uint64_t step) {
  return from + ((step >> 1) ^ ((step & 1) != 0 ? ~std::uint64_t{0} : 0));
}

/// Reads on until something is wrong; from then on every read is nullopt.
class Reader {
 public:
  explicit Reader(ByteView rest) : rest_(rest) {}

  std::optional<std::uint8_t> byte() {
    const auto one = take(1);
    return one ? std::optional((*one)[0]) : std::nullopt;
  }
  std::optional<std::uint64_t> u64() {
    const auto eight = take(8);
    if (!eight) return std::nullopt;
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | (*eight)[static_cast<std::size_t>(i)];
    return value;
  }
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      const std::uint64_t bits = *next & 0x7f;
      if (shift == 63 && bits > 1) return std::nullopt;  // more than 64 bits
      if (shift > 0 && *next == 0) return std::nullopt;  // not the shortest form
      value |= bits << shift;
      if (*next < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<ByteView> take(std::uint64_t count) {
    if (count > rest_.size()) {
      rest_ = {};
      return std::nullopt;
    }
    const ByteView taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  /// An Id: 32 bytes.
  template <class Name>
  std::optional<Name> id() {
    const auto bytes = take(32);
    return bytes ? Name::from(*bytes) : std::nullopt;
  }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
};

}  // namespace dugnad::packed
