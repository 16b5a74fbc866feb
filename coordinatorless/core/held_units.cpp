#include "coordinatorless/core/held_units.h"

namespace dugnad::core {
namespace {

constexpr std::uint64_t units_max = std::uint64_t{1} << 31;  // what the table of units could number
constexpr std::uint64_t index_max = std::uint64_t{1} << 32;  // it is as long as the highest index

}  // namespace

HeldUnits::HeldUnits(const std::vector<AcceptedTag>& accepted) {
  for (const AcceptedTag& each : accepted) {
    if (each.unit.value < index_max) slot(each.unit).accepted_tag = each.input_tag;
  }
}

HeldUnits::Slot& HeldUnits::slot(UnitIndex unit) {
  if (unit.value >= slots_.size()) slots_.resize(unit.value + 1);
  return slots_[unit.value];
}

bool HeldUnits::add(UnitIndex first, std::uint64_t count) {
  if (count > units_max - units_.size() || first.value > index_max - count) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const UnitIndex unit{first.value + i};
    slot(unit).number = static_cast<std::uint32_t>(units_.size());
    units_.push_back({unit});
  }
  return true;
}

std::optional<UnitNumber> HeldUnits::number_of(UnitIndex unit) const {
  if (unit.value >= slots_.size() || slots_[unit.value].number == none) return std::nullopt;
  return slots_[unit.value].number;
}

bool HeldUnits::is_over(UnitNumber number) const {
  const Unit& unit = units_[number];
  const Slot& slot = slots_[unit.unit.value];
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
