#include "coordinatorless/base/generator.h"

#include <sodium.h>

#include "coordinatorless/base/hash.h"

namespace dugnad {

Generator::Generator(const std::array<std::uint8_t, 32>& key) : key_(key) {}

Generator Generator::from_seed(std::uint64_t seed) { return Generator(Hasher().add(seed).finish().bytes); }

void Generator::refill() {
  std::array<std::uint8_t, sizeof buffer_> stream;
  std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
  for (int i = 0; i < 8; ++i) nonce[i] = static_cast<std::uint8_t>(block_ >> (8 * i));
  ++block_;
  crypto_stream_chacha20(stream.data(), stream.size(), nonce.data(), key_.data());
  for (std::size_t i = 0; i < buffer_.size(); ++i) {
    std::uint64_t word = 0;
    for (std::size_t j = 0; j < 8; ++j) word |= std::uint64_t{stream[8 * i + j]} << (8 * j);
    buffer_[i] = word;
  }
  used_ = 0;
}

std::uint64_t Generator::next() {
  if (used_ == buffer_.size()) refill();
  return buffer_[used_++];
}

std::uint64_t Generator::below(std::uint64_t bound) {
  DUGNAD_ASSERT(bound > 0, "a draw from nothing");
  const std::uint64_t skewed = -bound % bound;  // 2^64 mod bound values at the bottom would come up once too often
  std::uint64_t draw;
  do draw = next(); while (draw < skewed);
  return draw % bound;
}

double Generator::share() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::array<std::uint8_t, 32> Generator::key() {
  std::array<std::uint8_t, 32> key;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t word = next();
    for (std::size_t j = 0; j < 8; ++j) key[8 * i + j] = static_cast<std::uint8_t>(word >> (8 * j));
  }
  return key;
}

}  // namespace dugnad
