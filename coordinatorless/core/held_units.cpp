#include "coordinatorless/core/held_units.h"

namespace dugnad::core {
namespace {

constexpr std::uint64_t units_max = std::uint64_t{1} << 31;  // what the table of units could number
constexpr std::uint64_t index_max = std::uint64_t{1} << 32;  // 32 bits of it are kept

}  // namespace

HeldUnits::HeldUnits(const std::vector<AcceptedTag>& accepted) {
  for (const AcceptedTag& each : accepted) {
    if (each.unit.value < index_max) slots_.make(each.unit.value).accepted_tag = each.input_tag;
  }
}

bool HeldUnits::add(UnitIndex first, std::uint64_t count) {
  if (count > units_max - units_.size() || first.value > index_max - count) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t unit = first.value + i;
    slots_.make(unit).number = static_cast<std::uint32_t>(units_.size());
    units_.emplace_back().unit = static_cast<std::uint32_t>(unit);
  }
  return true;
}

std::optional<UnitNumber> HeldUnits::number_of(UnitIndex unit) const {
  const Slot* slot = slots_.find(unit.value);
  if (slot == nullptr || slot->number == none) return std::nullopt;
  return slot->number;
}

bool HeldUnits::is_over(UnitNumber number) const {
  if (number >= units_.size()) return true;  // it never came
  const Unit& unit = units_[number];
  const Slot& slot = slots_[unit.unit];
  if (unit.gone || slot.number != number) return true;
  // One that failed without a result of anybody's has no tag here.
  return slot.accepted_tag != 0 && (!unit.has_result() || unit.input_tag == slot.accepted_tag);
}

std::optional<HeldUnits::Taken> HeldUnits::take(UnitIndex index, std::uint64_t input_tag) {
  const auto number = number_of(index);
  if (!number || is_over(*number)) return std::nullopt;
  Unit& unit = units_[*number];
  unit.gone = true;
  const bool changed = unit.has_result() && unit.input_tag != input_tag;
  return Taken{*number, changed ? nullptr : std::move(unit.history), changed};
}

std::vector<UnitNumber> HeldUnits::missing() const {
  std::vector<UnitNumber> missing;
  for (UnitNumber number = 0; number < units_.size(); ++number) {
    if (!is_over(number)) missing.push_back(number);
  }
  return missing;
}

}  // namespace dugnad::core
