// HeldUnits: the units of a job as an earlier run of it left them, read from its log (core/held_log.h), until they come again or are known not to.
// They keep the numbers that they had, so that the ledger of the earlier run goes on.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/core/agreement.h"
#include "coordinatorless/core/chunked.h"
#include "coordinatorless/core/trust_ledger.h"

namespace dugnad::core {

class HeldUnits {
 public:
  /// Small, since there may be a million.
  struct Unit {
    std::uint64_t input_tag = 0;             // once it has had a result
    std::unique_ptr<UnitHistory> history{};  // void results included; of one that is over those alone whose output is not in the evidence
    std::uint32_t unit = 0;
    bool gone = false;  // it came again, or nothing more is wanted of it under this number
    [[nodiscard]] bool has_result() const { return input_tag != 0; }
    [[nodiscard]] UnitIndex index() const { return {unit}; }
  };

  /// `accepted`: units that need not come again.
  explicit HeldUnits(const std::vector<AcceptedTag>& accepted);

  // --- Reading the log ---

  /// Consecutive units, numbered on. False where there would be too many to be true.
  [[nodiscard]] bool add(UnitIndex first, std::uint64_t count);
  [[nodiscard]] std::optional<UnitNumber> number_of(UnitIndex unit) const;
  [[nodiscard]] Unit& at(UnitNumber number) { return units_[number]; }
  [[nodiscard]] UnitNumber size() const { return units_.size(); }
  /// Its result is final and kept, it came again under another number, or is `gone`.
  [[nodiscard]] bool is_over(UnitNumber number) const;

  // --- Afterwards ---

  /// A unit that has come again. nullopt where nothing is held of it.
  struct Taken {
    UnitNumber number = 0;
    std::unique_ptr<UnitHistory> history;
    bool changed = false;  // its input is another now: what is held is void
  };
  [[nodiscard]] std::optional<Taken> take(UnitIndex unit, std::uint64_t input_tag);
  /// Those that have not come.
  [[nodiscard]] std::vector<UnitNumber> missing() const;

 private:
  struct Slot {
    std::uint32_t number = none;
    std::uint64_t accepted_tag = 0;
  };
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::deque<Unit> units_;  // by number
  Chunked<Slot> slots_;     // by unit
};

}  // namespace dugnad::core
