// BLAKE2b-256: the project's one hash.
#pragma once

#include <memory>
#include <string_view>

#include "coordinatorless/base/ids.h"

namespace dugnad {

[[nodiscard]] Hash hash_of(ByteView bytes);
/// The hash of `first` followed by `second`, without copying them together.
[[nodiscard]] Hash hash_of(ByteView first, ByteView second);

/// Hashes what is too long, or too scattered, to stand in one place.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  Hasher& add(ByteView bytes);
  Hasher& add(std::uint64_t number);  // 8 bytes, little-endian
  [[nodiscard]] Hash finish();        // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dugnad
