// Generator: ChaCha20 keyed with 32 bytes, since what a peer draws (leases, neighbours, audits) must not be predictable to others.
// The draws are our own: the standard distributions differ between libraries, and a seed would not travel.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/panic.h"

namespace dugnad {

class Generator {
 public:
  explicit Generator(const std::array<std::uint8_t, 32>& key);
  /// A generator keyed with hash(seed): for simulations and tests, never for a real peer.
  [[nodiscard]] static Generator from_seed(std::uint64_t seed);

  [[nodiscard]] std::uint64_t next();
  /// Uniform in [0, bound), without modulo bias; bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] double share();
  [[nodiscard]] bool chance(double probability) { return share() < probability; }
  [[nodiscard]] std::array<std::uint8_t, 32> key();

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  void refill();

  std::array<std::uint8_t, 32> key_;
  std::uint64_t block_ = 0;
  std::array<std::uint64_t, 64> buffer_{};
  std::size_t used_ = 64;
};

}  // namespace dugnad
