// Chunked: values by a number that begins at 0, in chunks that are there once one of their values is, and can be let go of. Nothing moves when it
// grows. Rationale: of a job's million units most are over, or an earlier run's; one array would hold them all, and for a moment twice.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "coordinatorless/base/panic.h"

namespace dugnad::core {

template <class T>
class Chunked {
 public:
  static constexpr std::uint64_t chunk_size = 256;
  [[nodiscard]] static std::uint64_t chunk_of(std::uint64_t at) { return at / chunk_size; }

  /// nullptr where its chunk is not there.
  [[nodiscard]] T* find(std::uint64_t at) {
    Chunk* chunk = chunk_of(at) < chunks_.size() ? chunks_[chunk_of(at)].get() : nullptr;
    return chunk == nullptr ? nullptr : &(*chunk)[at % chunk_size];
  }
  [[nodiscard]] const T* find(std::uint64_t at) const { return const_cast<Chunked*>(this)->find(at); }
  /// Its chunk is there.
  [[nodiscard]] T& operator[](std::uint64_t at) {
    T* value = find(at);
    DUGNAD_ASSERT(value != nullptr, "a value that is nowhere");
    return *value;
  }
  [[nodiscard]] const T& operator[](std::uint64_t at) const { return const_cast<Chunked&>(*this)[at]; }
  /// Makes its chunk where that is not there.
  T& make(std::uint64_t at) {
    if (chunk_of(at) >= chunks_.size()) chunks_.resize(chunk_of(at) + 1);
    auto& chunk = chunks_[chunk_of(at)];
    if (chunk == nullptr) chunk = std::make_unique<Chunk>();
    return (*chunk)[at % chunk_size];
  }
  void drop_chunk(std::uint64_t chunk) { chunks_[chunk].reset(); }

 private:
  using Chunk = std::array<T, chunk_size>;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace dugnad::core
