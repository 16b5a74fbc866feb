#include "coordinatorless/base/hash.h"

#include <sodium.h>

#include <array>

#include "coordinatorless/base/rows.h"

namespace dugnad {

struct Hasher::State {
  crypto_generichash_blake2b_state blake;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  crypto_generichash_blake2b_init(&state_->blake, nullptr, 0, 32);
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::add(ByteView bytes) {
  crypto_generichash_blake2b_update(&state_->blake, bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add(std::uint64_t number) {
  std::uint8_t bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return add(bytes);
}

Hash Hasher::finish() {
  Hash hash;
  crypto_generichash_blake2b_final(&state_->blake, hash.bytes.data(), hash.bytes.size());
  return hash;
}

Hash hash_of(ByteView bytes) {
  Hash hash;
  crypto_generichash_blake2b(hash.bytes.data(), hash.bytes.size(), bytes.data(), bytes.size(), nullptr, 0);
  return hash;
}

Hash hash_of(ByteView first, ByteView second) {
  crypto_generichash_blake2b_state blake;
  crypto_generichash_blake2b_init(&blake, nullptr, 0, 32);
  crypto_generichash_blake2b_update(&blake, first.data(), first.size());
  crypto_generichash_blake2b_update(&blake, second.data(), second.size());
  Hash hash;
  crypto_generichash_blake2b_final(&blake, hash.bytes.data(), hash.bytes.size());
  return hash;
}

std::uint64_t input_tag_of(const Value& input) {
  constexpr std::array<std::uint8_t, 1> large_mark{0xff};
  const Hash hash = input.large ? hash_of(large_mark, input.bytes) : hash_of(input.bytes);
  std::uint64_t tag = 0;
  for (std::size_t i = 0; i < 8; ++i) tag |= std::uint64_t{hash.bytes[i]} << (8 * i);
  return tag;
}

}  // namespace dugnad
