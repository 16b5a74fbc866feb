#include "coordinatorless/core/held_values.h"

#include <algorithm>
#include <utility>

namespace dugnad::core {
namespace {

constexpr std::size_t on_their_way_most = 4;  // half of the fetches that one peer makes at a time
constexpr std::size_t of_one_most = 2;
constexpr std::size_t looks_most = 64;  // at what waits, each time
constexpr Duration again_after = std::chrono::minutes(1);

}  // namespace

void HeldValues::add_input(UnitIndex index, const BlobId& input) {
  units_[index].push_back({input, true});
  ++inputs_;
  wanted_inputs_.insert(index);
}

void HeldValues::add_output(UnitIndex index, const BlobId& output, const PeerId& holder, Now now, Output& out) {
  Items& items = units_[index];
  const auto same = std::find_if(items.begin(), items.end(), [&](const Item& item) { return !item.is_input && item.blob == output; });
  if (same == items.end()) {
    items.push_back({output, false, State::wanted, {holder}});
    wanted_outputs_.push_back(index);
    return;
  }
  if (same->state == State::here) return come_.outputs.emplace_back(index, holder), void();
  same->holders.push_back(holder);
  if (same->state == State::fetched) blobs_.also_held(output, holder, now, out);
  if (same->state != State::failed) return;
  same->state = State::wanted;
  wanted_outputs_.push_back(index);
}

void HeldValues::release(UnitIndex index, Item& item, State then, Output& out) {
  const State was = std::exchange(item.state, then);
  inputs_here_ -= item.is_input && was == State::here;
  if (was != State::fetched && was != State::here) return;
  if (was == State::fetched) no_more_on_its_way(item);
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

void HeldValues::on_its_way(const Item& item) {
  ++on_their_way_;
  if (item.is_input) return;
  ++outputs_on_their_way_;
  ++asked_[item.holders.front()];
}

void HeldValues::no_more_on_its_way(const Item& item) {
  --on_their_way_;
  if (item.is_input) return;
  --outputs_on_their_way_;
  const auto asked = asked_.find(item.holders.front());
  if (--asked->second == 0) asked_.erase(asked);
}

void HeldValues::fetch(UnitIndex index, Item& item, const std::vector<PeerId>& holders, Now now, Output& out) {
  item.state = State::fetched;
  on_its_way(item);
  bytes_ += item.blob.length;
  needed_[item.blob].insert(index);
  if (!blobs_.need(item.blob, holders, limits::blob_tries_max, now, out, Sharing::shared)) return;
  arrive(index, item);
  if (item.is_input && leads_) out.push(OfferBlob{item.blob});  // it came for a unit of this peer's own, and was nobody's business
}

void HeldValues::arrive(UnitIndex index, Item& item) {
  no_more_on_its_way(item);
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
        on_its_way(item);
        if (item.is_input) come_.lost_inputs.push_back(index), --inputs_here_;
      }
      if (news.kind != BlobWants::News::Kind::given_up) continue;
      if (!item.is_input && !news.own_fault) gave_nothing_.insert(item.holders.begin(), item.holders.end());
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

void HeldValues::linked(const PeerId& peer) {
  gave_nothing_.erase(peer);
  try_again();
}

bool HeldValues::is_linked(const std::vector<PeerId>& any) const {
  return std::any_of(any.begin(), any.end(), [this](const PeerId& peer) { return blobs_.is_linked(peer); });
}

void HeldValues::let_go_unreachable(Output& out) {
  std::vector<UnitIndex> waiting;
  for (const auto& [blob, units] : needed_) {
    if (!blobs_.here(blob) && !blobs_.in_reach(blob)) waiting.insert(waiting.end(), units.begin(), units.end());
  }
  for (const UnitIndex index : waiting) {
    for (Item& item : units_.at(index)) {
      if (item.state != State::fetched || blobs_.in_reach(item.blob)) continue;
      release(index, item, State::failed, out);
      failed_.insert(index);
    }
  }
}

void HeldValues::shrink(std::uint64_t room, Output& out) {
  for (const bool inputs : {true, false}) {
    for (auto at = units_.begin(); at != units_.end() && bytes_ > room; ++at) {
      for (Item& item : at->second) {
        if (item.is_input != inputs || !item.is_needed()) continue;
        if (item.is_input && item.state == State::here) come_.lost_inputs.push_back(at->first);
        release(at->first, item, State::failed, out);
        failed_.insert(at->first);
      }
    }
  }
}

void HeldValues::set_leads(bool leads, Output& out) {
  leads_ = leads;
  if (!leads) return;
  for (const auto& [index, items] : units_) {
    for (const Item& item : items) {
      if (item.is_input && item.state == State::here) out.push(OfferBlob{item.blob});
    }
  }
}

bool HeldValues::has_slot_for_output() const {
  return on_their_way_ < on_their_way_most && outputs_on_their_way_ + 1 < on_their_way_most;
}

std::size_t HeldValues::on_their_way_from(const PeerId& holder) const {
  const auto at = asked_.find(holder);
  return at == asked_.end() ? 0 : at->second;
}

void HeldValues::fetch_outputs(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out) {
  for (std::size_t looks = std::min(wanted_outputs_.size(), looks_most); looks > 0 && has_slot_for_output(); --looks) {
    const UnitIndex index = wanted_outputs_.front();
    wanted_outputs_.pop_front();
    const auto at = units_.find(index);
    if (at == units_.end()) continue;
    for (Item& item : at->second) {
      if (item.is_input || item.state != State::wanted) continue;
      const auto& holders = item.holders;
      if (std::all_of(holders.begin(), holders.end(), [this](const PeerId& holder) { return gave_nothing_.contains(holder); })) {
        item.state = State::failed;
        failed_.insert(index);
        continue;
      }
      std::vector<PeerId> all = holders;
      all.insert(all.end(), sources.begin(), sources.end());
      const bool has_slot = has_slot_for_output() && on_their_way_from(holders.front()) < of_one_most;
      if (!has_slot || bytes_ + item.blob.length > room || !is_linked(all)) {
        wanted_outputs_.push_back(index);
        break;
      }
      fetch(index, item, all, now, out);
    }
  }
}

void HeldValues::fetch_inputs(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out) {
  if (!is_linked(sources)) return;
  std::size_t looks = looks_most;
  for (auto next = wanted_inputs_.end(); next != wanted_inputs_.begin() && looks > 0 && on_their_way_ < on_their_way_most; --looks) {
    --next;
    const UnitIndex index = *next;
    Items& items = units_.at(index);
    const auto input = std::find_if(items.begin(), items.end(), [](const Item& item) { return item.is_input; });
    if (bytes_ + input->blob.length > room) continue;
    next = wanted_inputs_.erase(next);
    fetch(index, *input, sources, now, out);
  }
}

void HeldValues::tick(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out) {
  shrink(room, out);
  if (look_at_ != never && now.boot >= look_at_) {
    look_at_ = never;
    let_go_unreachable(out);
    try_again();
  }
  fetch_outputs(room, sources, now, out);
  fetch_inputs(room, sources, now, out);
  const bool lacks = on_their_way_ > 0 || !wanted_inputs_.empty() || !wanted_outputs_.empty() || !failed_.empty();
  if (!lacks) look_at_ = never;
  else if (look_at_ == never) look_at_ = now.boot + again_after;
}

}  // namespace dugnad::core
