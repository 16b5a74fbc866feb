#include "sdk/kept_units.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace dugnad::sdk {
namespace {

constexpr std::size_t block_bytes = 1 << 20;  // an output that is longer has one of its own
constexpr std::uint8_t large_mark = 0x80;
constexpr std::size_t head_bytes = 1 + sizeof(std::uint32_t);

}  // namespace

void KeptUnits::add(const AcceptedUnit& unit) {
  const Bytes& output = unit.output.bytes;
  const std::size_t size = head_bytes + output.size();
  if (outputs_.empty() || outputs_.back().capacity() - outputs_.back().size() < size)
    outputs_.emplace_back().reserve(std::max(size, block_bytes));
  Bytes& block = outputs_.back();
  entries_.push_back(
      {unit.unit.value, unit.input_tag, static_cast<std::uint32_t>(outputs_.size() - 1), static_cast<std::uint32_t>(block.size())});
  std::uint8_t head[head_bytes] = {static_cast<std::uint8_t>(static_cast<unsigned>(unit.outcome) | (unit.output.large ? large_mark : 0U))};
  const auto length = static_cast<std::uint32_t>(output.size());
  std::memcpy(head + 1, &length, sizeof length);
  block.insert(block.end(), head, head + head_bytes);
  block.insert(block.end(), output.begin(), output.end());
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
  tags.reserve(left_);
  for (const Entry& entry : entries_) {
    if (entry.at != taken) tags.push_back({UnitIndex{entry.unit}, entry.input_tag});
  }
  return tags;
}

std::optional<std::size_t> KeptUnits::find(std::uint64_t unit) const {
  for (std::size_t place = next_; place < std::min(entries_.size(), next_ + 2); ++place) {
    if (entries_[place].unit != unit) continue;
    next_ = place;
    return entries_[place].at == taken ? std::nullopt : std::optional(place);
  }
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), unit,
                                   [](const Entry& entry, std::uint64_t wanted) { return entry.unit < wanted; });
  if (at == entries_.end() || at->unit != unit || at->at == taken) return std::nullopt;
  return next_ = static_cast<std::size_t>(at - entries_.begin());
}

AcceptedUnit KeptUnits::unit_of(const Entry& entry) const {
  const std::uint8_t* from = outputs_[entry.block].data() + entry.at;
  std::uint32_t length = 0;
  std::memcpy(&length, from + 1, sizeof length);
  const std::uint8_t* output = from + head_bytes;
  AcceptedUnit unit{UnitIndex{entry.unit}, entry.input_tag, static_cast<Outcome>(*from & ~large_mark), Bytes(output, output + length)};
  unit.output.large = (*from & large_mark) != 0;
  return unit;
}

std::uint64_t KeptUnits::large_bytes(std::uint64_t unit) const {
  const auto place = find(unit);
  if (!place) return 0;
  const Entry& entry = entries_[*place];
  return (outputs_[entry.block][entry.at] & large_mark) == 0 ? 0 : unit_of(entry).output.length();
}

std::optional<AcceptedUnit> KeptUnits::take(std::uint64_t unit) {
  const auto place = find(unit);
  if (!place) return std::nullopt;
  std::optional<AcceptedUnit> found(unit_of(entries_[*place]));
  entries_[*place].at = taken;
  if (--left_ == 0) *this = {};
  return found;
}

}  // namespace dugnad::sdk
