// The binary format's numbers: reading them with bounds, writing them. Reader never throws and never reads past its end: what is missing or
// malformed reads as zero, and `ok` stays false from then on.
#pragma once

#include <cstdint>

#include "coordinatorless/base/bytes.h"

namespace dugnad::tasks::wasm {

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] std::size_t offset() const { return at_; }

  std::uint8_t byte() {
    if (at_ == bytes_.size()) return fail(), std::uint8_t{0};
    return bytes_[at_++];
  }

  /// An unsigned LEB128 of at most 32 bits.
  std::uint32_t u32() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fu} << shift;
      if (!(next & 0x80)) {
        if (value > UINT32_MAX) fail();
        return static_cast<std::uint32_t>(value);
      }
    }
    return fail(), 0;
  }

  /// A signed LEB128 of at most 33 bits: what a block's type is. Larger constants are skipped, not read.
  std::int64_t s33() {
    std::int64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::int64_t>(next & 0x7fu) << shift;
      if (!(next & 0x80)) return (next & 0x40) ? value | -(std::int64_t{1} << (shift + 7)) : value;
    }
    return fail(), 0;
  }

  void skip_leb() {
    for (int i = 0; i < 10; ++i) {
      if (!(byte() & 0x80)) return;
    }
    fail();
  }

  ByteView take(std::size_t count) {
    if (count > bytes_.size() - at_) return fail(), ByteView{};
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }

  [[nodiscard]] ByteView rest() const { return bytes_.subspan(at_); }

 private:
  void fail() {
    ok_ = false;
    at_ = bytes_.size();
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

inline void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

inline void append_u32(Bytes& out, std::uint64_t value) {
  do {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    out.push_back(value ? low | 0x80 : low);
  } while (value);
}

/// A signed LEB128: the immediate of i32.const and i64.const.
inline void append_signed(Bytes& out, std::int64_t value) {
  while (true) {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    const bool last = (value == 0 && !(low & 0x40)) || (value == -1 && (low & 0x40));
    out.push_back(last ? low : low | 0x80);
    if (last) return;
  }
}

}  // namespace dugnad::tasks::wasm
