#include "coordinatorless/sim/crypto.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/sim/mix.h"

namespace dugnad::sim {
namespace {

using Secret = KeyRegistry::Secret;
using Tag = std::array<std::uint64_t, 2>;

constexpr std::size_t tag_bytes = sizeof(Tag);

/// A secret's two words, from different domains than the public half.
Secret secret_of(std::string_view domain, ByteView seed) {
  const Hash hash = hash_of(view_of(domain), seed);
  Secret secret;
  std::memcpy(&secret.first, hash.bytes.data(), 8);
  std::memcpy(&secret.second, hash.bytes.data() + 8, 8);
  return secret;
}

Signature signature_of(const Secret& secret, ByteView message) {
  std::uint64_t words[8];
  words[0] = mix(secret.first, message);
  words[1] = mix(secret.second, words[0]);
  for (int i = 2; i < 8; ++i) words[i] = mix(words[i - 1], words[i - 2]);
  Signature signature;
  std::memcpy(signature.data(), words, sizeof words);
  return signature;
}

/// What both ends of a box know and nobody else does: the same whichever end asks.
Secret shared(const Secret& a, const Secret& b) {
  return {mix(a.first ^ b.first, a.first + b.first), mix(a.second ^ b.second, a.second + b.second)};
}

std::uint64_t nonce_word(const std::array<std::uint8_t, 24>& nonce) { return mix(0, ByteView(nonce)); }

/// XOR with a stream; its own inverse.
void scramble(Bytes& bytes, std::size_t from, std::uint64_t state) {
  for (std::size_t i = from; i < bytes.size(); i += 8) {
    state = mix(state, i);
    for (std::size_t j = i; j < std::min(i + 8, bytes.size()); ++j) bytes[j] ^= static_cast<std::uint8_t>(state >> (8 * (j - i)));
  }
}

Tag tag_of(const Secret& secret, std::uint64_t nonce, ByteView plain) {
  const std::uint64_t first = mix(mix(secret.second, nonce), plain);
  return {first, mix(first, secret.first)};
}

}  // namespace

const Secret* KeyRegistry::find(const PublicKey& key) const {
  const auto it = signing_.find(key);
  return it == signing_.end() ? nullptr : &it->second;
}

const Secret* KeyRegistry::find(const CurveKey& key) const {
  const auto it = sealing_.find(key);
  return it == sealing_.end() ? nullptr : &it->second;
}

SimCrypto::SimCrypto(KeyRegistry& registry, const SecretKeys& keys, Tap tap)
    : registry_(registry),
      public_{hash_of(view_of("sim/sign"), keys.sign_seed).bytes},
      curve_{hash_of(view_of("sim/curve"), keys.curve).bytes},
      signing_(secret_of("sim/sign/secret", keys.sign_seed)),
      sealing_(secret_of("sim/curve/secret", keys.curve)),
      tap_(std::move(tap)) {
  registry_.add(public_, signing_);
  registry_.add(curve_, sealing_);
}

Signature SimCrypto::sign(ByteView message) { return signature_of(signing_, message); }

bool SimCrypto::verify(const PublicKey& key, ByteView message, const Signature& signature) {
  const Secret* secret = registry_.find(key);
  return secret != nullptr && signature_of(*secret, message) == signature;
}

Bytes SimCrypto::seal(const CurveKey& to, const std::array<std::uint8_t, 24>& nonce, ByteView plain) {
  const Secret* other = registry_.find(to);
  if (other == nullptr) return {};
  if (tap_) tap_(true, to, plain);
  const Secret secret = shared(sealing_, *other);
  const std::uint64_t word = nonce_word(nonce);
  const Tag tag = tag_of(secret, word, plain);
  Bytes sealed(tag_bytes + plain.size());
  std::memcpy(sealed.data(), tag.data(), tag_bytes);
  std::copy(plain.begin(), plain.end(), sealed.begin() + tag_bytes);
  scramble(sealed, tag_bytes, mix(secret.first, word));
  return sealed;
}

std::optional<Bytes> SimCrypto::open(const CurveKey& from, const std::array<std::uint8_t, 24>& nonce, ByteView sealed) {
  const Secret* other = registry_.find(from);
  if (other == nullptr || sealed.size() < tag_bytes) return std::nullopt;
  const Secret secret = shared(sealing_, *other);
  const std::uint64_t word = nonce_word(nonce);
  Tag tag;
  std::memcpy(tag.data(), sealed.data(), tag_bytes);
  Bytes plain(sealed.begin(), sealed.end());
  scramble(plain, tag_bytes, mix(secret.first, word));
  plain.erase(plain.begin(), plain.begin() + tag_bytes);
  if (tag_of(secret, word, plain) != tag) return std::nullopt;
  if (tap_) tap_(false, from, plain);
  return plain;
}

std::optional<Hash> SimCrypto::dear_hash(ByteView password, const Salt& salt) const {
  std::uint64_t words[4];
  words[0] = mix(mix(0, ByteView(salt)), password);
  for (std::uint64_t i = 1; i < 4; ++i) words[i] = mix(words[i - 1], i);
  Hash hash;
  std::memcpy(hash.bytes.data(), words, sizeof words);
  return hash;
}

}  // namespace dugnad::sim
