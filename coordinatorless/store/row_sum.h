// RowSum: what a row of the journal held when it was written, in 64 bits that are kept in the row. SQLite notices a page that makes no sense,
// but not a byte of an output that has changed under it, and a wrong output must never pass for one that was verified. A slip of the disk is
// meant, not an attack: whoever can write the file can write the sum.
#pragma once

#include <cstdint>

#include "coordinatorless/base/hash.h"

namespace dugnad::store {

/// Rows that nobody signed; the others are checked by their signatures.
enum class RowKind : std::uint8_t { job = 1, accepted = 2, summary = 3, favour = 4, reputation = 5, note = 6 };

class RowSum {
 public:
  explicit RowSum(RowKind kind) { hasher_.add(static_cast<std::uint64_t>(kind)); }
  RowSum& add(ByteView bytes) {
    hasher_.add(std::uint64_t{bytes.size()}).add(bytes);
    return *this;
  }
  RowSum& add(std::int64_t number) {
    hasher_.add(static_cast<std::uint64_t>(number));
    return *this;
  }
  /// Once. As SQLite has integers.
  [[nodiscard]] std::int64_t finish() {
    const Hash hash = hasher_.finish();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < sizeof sum; ++i) sum |= std::uint64_t{hash.bytes[i]} << (8 * i);
    return static_cast<std::int64_t>(sum);
  }

 private:
  Hasher hasher_;
};

// Of each kind. The state of a job changes without its row being written anew, and is not in it.
[[nodiscard]] inline std::int64_t sum_of_job(ByteView job, ByteView manifest, ByteView recipe) {
  return RowSum(RowKind::job).add(job).add(manifest).add(recipe).finish();
}
[[nodiscard]] inline std::int64_t sum_of_accepted(std::int64_t id, ByteView job, std::int64_t units, ByteView batch, ByteView evidence,
                                                  ByteView held) {
  return RowSum(RowKind::accepted).add(id).add(job).add(units).add(batch).add(evidence).add(held).finish();
}
[[nodiscard]] inline std::int64_t sum_of_summary(ByteView job, ByteView summary) {
  return RowSum(RowKind::summary).add(job).add(summary).finish();
}
[[nodiscard]] inline std::int64_t sum_of_favour(ByteView swarm, ByteView owner, ByteView account) {
  return RowSum(RowKind::favour).add(swarm).add(owner).add(account).finish();
}
[[nodiscard]] inline std::int64_t sum_of_reputation(ByteView swarm, ByteView donor, ByteView record) {
  return RowSum(RowKind::reputation).add(swarm).add(donor).add(record).finish();
}
[[nodiscard]] inline std::int64_t sum_of_note(ByteView job, std::int64_t kind, std::int64_t key, ByteView body) {
  return RowSum(RowKind::note).add(job).add(kind).add(key).add(body).finish();
}

}  // namespace dugnad::store
