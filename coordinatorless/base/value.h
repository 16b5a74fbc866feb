// Value: an input or an output. A small one is its bytes; a large one is a blob, and stands here by its name alone, so that whoever counts votes,
// leases units or keeps rows never holds it. What is small and what is large follows from the length, so that equal values are equal here.
#pragma once

#include <utility>

#include "coordinatorless/base/blob_id.h"

namespace dugnad {

inline constexpr std::size_t small_bytes_max = 64 << 10;  // a round trip more would cost more than these bytes on the way of a lease

struct Value {
  Value() = default;
  Value(Bytes small) : bytes(std::move(small)) {}  // implicit: nearly every value is a small one
  explicit Value(const BlobId& blob) : bytes(to_bytes(blob)), large(true) {}
  bool operator==(const Value&) const = default;

  /// Of a large one.
  [[nodiscard]] BlobId blob() const;
  /// In bytes, of the value itself.
  [[nodiscard]] std::uint64_t length() const { return large ? blob().length : bytes.size(); }

  Bytes bytes;         // the value; of a large one to_bytes() of its blob's name
  bool large = false;  // above small_bytes_max
};

/// How a value of these bytes is named: hashes them where they are many, and keeps them nowhere.
[[nodiscard]] Value value_of(ByteView bytes);

}  // namespace dugnad
