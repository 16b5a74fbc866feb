#include "coordinatorless/core/held_values.h"

#include <algorithm>
#include <utility>

namespace dugnad::core {
namespace {

constexpr std::size_t on_their_way_most = 4;  // half of the fetches that one peer makes at a time

}  // namespace

void HeldValues::add_input(UnitIndex index, const BlobId& input) {
  units_[index].push_back({input, true});
  ++inputs_;
  wanted_inputs_.insert(index);
}

void HeldValues::add_output(UnitIndex index, const BlobId& output, const PeerId& holder) {
  Items& items = units_[index];
  const auto same = std::find_if(items.begin(), items.end(), [&](const Item& item) { return !item.is_input && item.blob == output; });
  if (same == items.end()) {
    items.push_back({output, false, State::wanted, {holder}});
    wanted_outputs_.push_back(index);
  } else if (same->state == State::here) {
    come_.outputs.emplace_back(index, holder);
  } else {
    same->holders.push_back(holder);
  }
}

void HeldValues::release(UnitIndex index, Item& item, State then, Output& out) {
  const State was = std::exchange(item.state, then);
  inputs_here_ -= item.is_input && was == State::here;
  if (was != State::fetched && was != State::here) return;
  on_their_way_ -= was == State::fetched;
  bytes_ -= item.blob.length;
  blobs_.release(item.blob, out);
  const Items& items = units_.at(index);
  if (std::any_of(items.begin(), items.end(), [&](const Item& other) { return other.is_needed() && other.blob == item.blob; })) return;
  const auto needed = needed_.find(item.blob);
  needed->second.erase(index);
  if (needed->second.empty()) needed_.erase(needed);
}

void HeldValues::drop_input(UnitIndex index, Output& out) {
  const auto at = units_.find(index);
  if (at == units_.end()) return;
  Items& items = at->second;
  for (Item& item : items) {
    if (item.is_input) release(index, item, State::failed, out);
  }
  wanted_inputs_.erase(index);
  inputs_ -= std::erase_if(items, [](const Item& item) { return item.is_input; });
  if (!items.empty()) return;
  failed_.erase(index);
  units_.erase(at);
}

void HeldValues::drop(UnitIndex index, Output& out) {
  drop_input(index, out);
  const auto at = units_.find(index);
  if (at == units_.end()) return;
  for (Item& item : at->second) release(index, item, State::failed, out);
  failed_.erase(index);
  units_.erase(at);
}

void HeldValues::clear(Output& out) {
  while (!units_.empty()) drop(UnitIndex(units_.begin()->first), out);
  wanted_outputs_.clear();
}

// --- On their way ---

void HeldValues::fetch(UnitIndex index, Item& item, const std::vector<PeerId>& holders, Now now, Output& out) {
  item.state = State::fetched;
  ++on_their_way_;
  bytes_ += item.blob.length;
  needed_[item.blob].insert(index);
  if (blobs_.need(item.blob, holders, limits::blob_tries_max, now, out, Sharing::shared)) arrive(index, item);
}

void HeldValues::arrive(UnitIndex index, Item& item) {
  --on_their_way_;
  item.state = State::here;
  if (item.is_input) come_.inputs.push_back(index), ++inputs_here_;
  for (const PeerId& holder : item.holders) come_.outputs.emplace_back(index, holder);
}

void HeldValues::on_blob(const BlobWants::News& news, Output& out) {
  const auto needed = needed_.find(news.blob);
  if (needed == needed_.end()) return;
  for (const UnitIndex index : std::set<UnitIndex>(needed->second)) {
    for (Item& item : units_.at(index)) {
      if (item.blob != news.blob || !item.is_needed()) continue;
      if (news.kind == BlobWants::News::Kind::here) {
        if (item.state == State::fetched) arrive(index, item);
        continue;
      }
      if (std::exchange(item.state, State::fetched) == State::here) {
        ++on_their_way_;
        if (item.is_input) come_.lost_inputs.push_back(index), --inputs_here_;
      }
      if (news.kind != BlobWants::News::Kind::given_up) continue;
      release(index, item, State::failed, out);
      failed_.insert(index);
    }
  }
}

void HeldValues::try_again() {
  for (const UnitIndex index : std::exchange(failed_, {})) {
    for (Item& item : units_.at(index)) {
      if (item.state != State::failed) continue;
      item.state = State::wanted;
      if (item.is_input) wanted_inputs_.insert(index);
      else wanted_outputs_.push_back(index);
    }
  }
}

void HeldValues::shrink(std::uint64_t room, Output& out) {
  if (bytes_ <= room) return;
  for (auto& [index, items] : units_) {
    for (Item& item : items) {
      if (bytes_ <= room) return;
      if (!item.is_input || !item.is_needed()) continue;
      if (item.state == State::here) come_.lost_inputs.push_back(index);
      release(index, item, State::failed, out);
      failed_.insert(index);
    }
  }
}

HeldValues::Item* HeldValues::next_output() {
  for (; !wanted_outputs_.empty(); wanted_outputs_.pop_front()) {
    const auto at = units_.find(wanted_outputs_.front());
    if (at == units_.end()) continue;
    for (Item& item : at->second) {
      if (!item.is_input && item.state == State::wanted) return &item;
    }
  }
  return nullptr;
}

void HeldValues::tick(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out) {
  shrink(room, out);
  const auto may_fetch = [&](const Item& item) { return on_their_way_ < on_their_way_most && bytes_ + item.blob.length <= room; };
  for (Item* next = next_output(); next != nullptr; next = next_output()) {
    if (!may_fetch(*next)) return;
    std::vector<PeerId> holders = next->holders;
    holders.insert(holders.end(), sources.begin(), sources.end());
    fetch(wanted_outputs_.front(), *next, holders, now, out);
  }
  while (!wanted_inputs_.empty()) {
    const UnitIndex index = *wanted_inputs_.rbegin();
    Items& items = units_.at(index);
    const auto input = std::find_if(items.begin(), items.end(), [](const Item& item) { return item.is_input; });
    if (!may_fetch(*input)) return;
    wanted_inputs_.erase(index);
    fetch(index, *input, sources, now, out);
  }
}

}  // namespace dugnad::core
