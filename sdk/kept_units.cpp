#include "sdk/kept_units.h"

#include <algorithm>
#include <iterator>

namespace dugnad::sdk {

void KeptUnits::add(const AcceptedUnit& unit) {
  const Bytes& output = unit.output.bytes;
  entries_.push_back(
      {unit.unit.value, unit.input_tag, outputs_.size(), static_cast<std::uint32_t>(output.size()), unit.outcome, unit.output.large});
  outputs_.insert(outputs_.end(), output.begin(), output.end());
}

void KeptUnits::done() {
  const auto before = [](const Entry& a, const Entry& b) { return a.unit < b.unit; };
  // Most jobs are final in order, and sorting takes half as much memory again.
  if (!std::is_sorted(entries_.begin(), entries_.end(), before)) std::stable_sort(entries_.begin(), entries_.end(), before);
  // Of the same unit the last one stays.
  const auto first =
      std::unique(entries_.rbegin(), entries_.rend(), [](const Entry& a, const Entry& b) { return a.unit == b.unit; }).base();
  entries_.erase(entries_.begin(), first);
  left_ = entries_.size();
}

std::vector<AcceptedTag> KeptUnits::tags() const {
  std::vector<AcceptedTag> tags;
  tags.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if (!entry.taken) tags.push_back({UnitIndex{entry.unit}, entry.input_tag});
  }
  return tags;
}

const KeptUnits::Entry* KeptUnits::find(std::uint64_t unit) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), unit,
                                   [](const Entry& entry, std::uint64_t wanted) { return entry.unit < wanted; });
  return at == entries_.end() || at->unit != unit || at->taken ? nullptr : &*at;
}

AcceptedUnit KeptUnits::unit_of(const Entry& entry) const {
  const auto from = outputs_.begin() + static_cast<std::ptrdiff_t>(entry.at);
  AcceptedUnit unit{UnitIndex{entry.unit}, entry.input_tag, entry.outcome, Bytes(from, from + static_cast<std::ptrdiff_t>(entry.length))};
  unit.output.large = entry.large;
  return unit;
}

std::uint64_t KeptUnits::large_bytes(std::uint64_t unit) const {
  const Entry* entry = find(unit);
  return entry == nullptr || !entry->large ? 0 : unit_of(*entry).output.length();
}

std::optional<AcceptedUnit> KeptUnits::take(std::uint64_t unit) {
  const Entry* entry = find(unit);
  if (entry == nullptr) return std::nullopt;
  std::optional<AcceptedUnit> taken(unit_of(*entry));
  entries_[static_cast<std::size_t>(entry - entries_.data())].taken = true;
  if (--left_ == 0) *this = {};
  return taken;
}

}  // namespace dugnad::sdk
