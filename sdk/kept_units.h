// KeptUnits: units that an earlier run accepted, until they are cut again. Small, since a job may have had a million: outputs stand one behind the
// other, nothing moves as it grows, and all is let go of once the last unit was taken.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "coordinatorless/base/rows.h"

namespace dugnad::sdk {

class KeptUnits {
 public:
  /// In any order; where a unit comes twice, the later one counts: its input has changed meanwhile.
  void add(const AcceptedUnit& unit);
  /// Once all were added, before anything else.
  void done();

  [[nodiscard]] std::size_t size() const { return left_; }
  /// What the protocol is to know of them.
  [[nodiscard]] std::vector<AcceptedTag> tags() const;
  /// The bytes of an output that lies in the blob store; 0 for others.
  [[nodiscard]] std::uint64_t large_bytes(std::uint64_t unit) const;
  /// The unit, once.
  [[nodiscard]] std::optional<AcceptedUnit> take(std::uint64_t unit);

 private:
  struct Entry {
    std::uint64_t unit = 0;
    std::uint64_t input_tag = 0;
    std::uint32_t block = 0;  // of outputs_
    std::uint32_t at = 0;     // in it; `taken` once it was
  };
  static constexpr std::uint32_t taken = ~std::uint32_t{0};
  /// Its place in entries_; nullopt where it is not there, or was taken.
  [[nodiscard]] std::optional<std::size_t> find(std::uint64_t unit) const;
  [[nodiscard]] AcceptedUnit unit_of(const Entry& entry) const;

  std::deque<Entry> entries_;  // by unit
  std::deque<Bytes> outputs_;  // blocks of them, each: u8 outcome, 80 added where it is large, u32 length, the output
  std::size_t left_ = 0;
  mutable std::size_t next_ = 0;  // units are asked for in order, mostly: where to look first
};

}  // namespace dugnad::sdk
