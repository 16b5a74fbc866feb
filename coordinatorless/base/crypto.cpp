#include "coordinatorless/base/crypto.h"

#include <sodium.h>

#include "coordinatorless/base/hash.h"

namespace dugnad {
namespace {

constexpr unsigned long long dear_passes = 1;
constexpr std::size_t dear_memory_bytes = 1 << 20;

class Sodium final : public Crypto {
 public:
  explicit Sodium(const SecretKeys& keys) : curve_secret_(keys.curve), curve_(curve_key_of(keys)) {
    crypto_sign_seed_keypair(public_.bytes.data(), secret_.data(), keys.sign_seed.data());
  }
  ~Sodium() override {
    sodium_memzero(secret_.data(), secret_.size());
    sodium_memzero(curve_secret_.data(), curve_secret_.size());
  }

  PublicKey public_key() const override { return public_; }
  CurveKey curve_key() const override { return curve_; }

  Signature sign(ByteView message) override {
    Signature signature;
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
    return signature;
  }

  bool verify(const PublicKey& key, ByteView message, const Signature& signature) override {
    return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.bytes.data()) == 0;
  }

  Bytes seal(const CurveKey& to, const std::array<std::uint8_t, 24>& nonce, ByteView plain) override {
    Bytes sealed(plain.size() + crypto_box_MACBYTES);
    if (crypto_box_easy(sealed.data(), plain.data(), plain.size(), nonce.data(), to.bytes.data(), curve_secret_.data()) != 0) {
      sealed.clear();  // a key of small order: nobody can open it, and nothing leaks
    }
    return sealed;
  }

  std::optional<Bytes> open(const CurveKey& from, const std::array<std::uint8_t, 24>& nonce, ByteView sealed) override {
    if (sealed.size() < crypto_box_MACBYTES) return std::nullopt;
    Bytes plain(sealed.size() - crypto_box_MACBYTES);
    if (crypto_box_open_easy(plain.data(), sealed.data(), sealed.size(), nonce.data(), from.bytes.data(), curve_secret_.data()) != 0) {
      return std::nullopt;
    }
    return plain;
  }

  std::optional<Hash> dear_hash(ByteView password, const Salt& salt) const override { return dugnad::dear_hash(password, salt); }

 private:
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret_;
  PublicKey public_;
  std::array<std::uint8_t, 32> curve_secret_;
  CurveKey curve_;
};

}  // namespace

std::unique_ptr<Crypto> make_sodium(const SecretKeys& keys) { return std::make_unique<Sodium>(keys); }

bool sodium_ready() { return sodium_init() >= 0; }

std::optional<Hash> dear_hash(ByteView password, const Salt& salt) {
  static_assert(std::tuple_size_v<Salt> == crypto_pwhash_argon2id_SALTBYTES);
  Hash hash;
  const int failed =
      crypto_pwhash_argon2id(hash.bytes.data(), hash.bytes.size(), reinterpret_cast<const char*>(password.data()), password.size(),
                             salt.data(), dear_passes, dear_memory_bytes, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (failed != 0) return std::nullopt;
  return hash;
}

SecretKeys fresh_keys() { return {fresh_seed(), fresh_seed()}; }

std::array<std::uint8_t, 32> fresh_seed() {
  std::array<std::uint8_t, 32> seed;
  randombytes_buf(seed.data(), seed.size());
  return seed;
}

PublicKey public_key_of(const SecretKeys& keys) {
  PublicKey key;
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret;
  crypto_sign_seed_keypair(key.bytes.data(), secret.data(), keys.sign_seed.data());
  sodium_memzero(secret.data(), secret.size());
  return key;
}

CurveKey curve_key_of(const SecretKeys& keys) {
  CurveKey key;
  crypto_scalarmult_base(key.bytes.data(), keys.curve.data());
  return key;
}

PeerId peer_id_of(const PublicKey& key) { return {hash_of(key.view()).bytes}; }

}  // namespace dugnad
