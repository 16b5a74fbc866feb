#include "coordinatorless/core/contact_memory.h"

#include <algorithm>

#include "coordinatorless/core/codec.h"

namespace dugnad::core {
namespace {

constexpr Duration gather = std::chrono::seconds(1);  // the first rows wait this long for company

// A row's record: the signature, then the body.
Bytes to_row(const Signed& record) {
  Bytes bytes(record.signature.begin(), record.signature.end());
  bytes.insert(bytes.end(), record.body.begin(), record.body.end());
  return bytes;
}

std::optional<Signed> from_row(const Bytes& bytes) {
  Signed record;
  if (bytes.size() <= record.signature.size()) return std::nullopt;
  const auto body = bytes.begin() + static_cast<std::ptrdiff_t>(record.signature.size());
  std::copy(bytes.begin(), body, record.signature.begin());
  record.body.assign(body, bytes.end());
  return record;
}

}  // namespace

void ContactMemory::seen(const PeerId& peer, const Signed& record, bool tried, Now now) {
  const auto at = kept_.find(peer);
  if (at == kept_.end()) {
    if (!make_room(tried, now)) return;
    kept_[peer] = {now.wall, tried};
  } else {
    at->second = {now.wall, at->second.tried || tried};
  }
  write(peer, ContactRow{peer, to_row(record), now.wall}, now);
}

bool ContactMemory::make_room(bool for_tried, Now now) {
  const auto untried = static_cast<std::size_t>(std::count_if(kept_.begin(), kept_.end(), [](const auto& entry) { return !entry.second.tried; }));
  const bool full = kept_.size() >= limits::contacts_kept_max;
  const bool untried_full = untried >= limits::contacts_kept_max / 2;
  if (!full && (for_tried || !untried_full)) return true;
  if (!for_tried && untried == 0) return false;
  // The untried go first; then the one that was seen longest ago.
  const auto victim = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
    return a.second.tried != b.second.tried ? b.second.tried : a.second.seen < b.second.seen;
  });
  const PeerId gone = victim->first;
  kept_.erase(victim);
  write(gone, ContactGone{gone}, now);
  return true;
}

void ContactMemory::write(const PeerId& peer, Row row, Now now) {
  if (rows_.empty()) next_rows_ = std::max(next_rows_, now.boot + gather);
  rows_.insert_or_assign(peer, std::move(row));
}

std::vector<Row> ContactMemory::take_rows(Now now, bool all) {
  std::vector<Row> rows;
  if (rows_.empty() || (!all && now.boot < next_rows_)) return rows;
  for (auto& [peer, row] : rows_) rows.push_back(std::move(row));
  rows_.clear();
  next_rows_ = now.boot + limits::contact_rows_interval;
  return rows;
}

std::vector<ContactMemory::Restored> ContactMemory::restore(const std::vector<ContactRow>& rows, const Self& self, Now now) {
  std::vector<const ContactRow*> order;
  for (const auto& row : rows) order.push_back(&row);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->seen > b->seen; });
  std::vector<Restored> restored;
  for (const auto* row : order) {
    const auto raw = from_row(row->record);
    const auto record = raw ? decode_contact_record(raw->body) : std::nullopt;
    const bool usable = record && record->peer() == row->peer && row->peer != self.id && record->endpoint &&
                        reach_of(*record->endpoint) != Reach::unusable && kept_.size() < limits::contacts_kept_max &&
                        self.verify(Domain::contact, record->key, raw->body, raw->signature);
    if (!usable) {
      write(row->peer, ContactGone{row->peer}, now);
      continue;
    }
    kept_[row->peer] = {row->seen, true};
    const Route route{row->peer, record->curve, *record->endpoint};
    restored.push_back({*raw, *record, route});
    remembered_.push_back({route, now.boot, 0});
  }
  return restored;
}

std::optional<Route> ContactMemory::next_to_dial(Now now) {
  for (auto& remembered : remembered_) {
    if (remembered.next_dial > now.boot) continue;
    remembered.next_dial = now.boot + std::min<Duration>(limits::dial_timeout * (1U << std::min(remembered.dials, 6U)), limits::dial_retry_most);
    ++remembered.dials;
    return remembered.route;
  }
  return std::nullopt;
}

BootTime ContactMemory::dialable_at() const {
  BootTime next = never;
  for (const auto& remembered : remembered_) next = std::min(next, remembered.next_dial);
  return next;
}

void ContactMemory::forgotten(const Route& route, Now now) {
  if (!kept_.contains(route.peer)) return;
  met(route.peer);
  remembered_.push_back({route, now.boot, 0});
}

void ContactMemory::met(const PeerId& peer) {
  std::erase_if(remembered_, [&](const auto& remembered) { return remembered.route.peer == peer; });
}

}  // namespace dugnad::core
