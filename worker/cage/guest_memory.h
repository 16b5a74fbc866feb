// GuestMemory: a guest's linear memory as the host reads and writes it, every address checked. Valid until the guest runs again.
#pragma once

#include <cstring>
#include <optional>
#include <span>

#include "coordinatorless/base/bytes.h"

namespace dugnad::worker::cage {

class GuestMemory {
 public:
  GuestMemory() = default;
  GuestMemory(std::uint8_t* begin, std::size_t size) : bytes_(begin, size) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  /// nullopt where any of the bytes is outside the memory. 64-bit sums: no address can wrap around.
  [[nodiscard]] std::optional<std::span<std::uint8_t>> range(std::uint64_t address, std::uint64_t length) const {
    if (address > bytes_.size() || length > bytes_.size() - address) return std::nullopt;
    return bytes_.subspan(address, length);
  }

  /// Little-endian, as WebAssembly and every machine that we run on.
  template <class Number>
  [[nodiscard]] std::optional<Number> read(std::uint64_t address) const {
    const auto from = range(address, sizeof(Number));
    if (!from) return std::nullopt;
    Number number;
    std::memcpy(&number, from->data(), sizeof number);
    return number;
  }
  template <class Number>
  [[nodiscard]] bool write(std::uint64_t address, Number number) const {
    const auto to = range(address, sizeof(Number));
    if (to) std::memcpy(to->data(), &number, sizeof number);
    return to.has_value();
  }

 private:
  std::span<std::uint8_t> bytes_;
};

}  // namespace dugnad::worker::cage
