#include "coordinatorless/core/lease_notes.h"

#include <algorithm>
#include <optional>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr Duration look_interval = std::chrono::seconds(20);
constexpr std::uint64_t leases_of_a_process_max = std::uint64_t{1} << 32;
constexpr std::uint64_t lease_max = std::uint64_t{1} << 60;  // a number that a million processes may follow

struct Note {
  PeerId donor;
  WallTime expires{};
  std::vector<UnitIndex> units;
};

Bytes encoded(const LeaseRecord& lease, const PeerId& donor, Now now) {
  Bytes body;
  packed::put(body, donor.view());
  const WallTime expires = now.wall + std::chrono::ceil<WallTime::duration>(lease.expires - now.boot);
  packed::put_u64(body, static_cast<std::uint64_t>(expires.time_since_epoch().count()));
  UnitIndex before{};
  for (std::size_t place = 0; place < lease.units.size(); ++place) {
    if (lease.back[place]) continue;
    packed::put_varint(body, packed::step(before.value, lease.units[place].value));
    before = lease.units[place];
  }
  return body;
}

std::optional<Note> decoded(const Bytes& body) {
  packed::Reader in(body);
  const auto donor = in.id<PeerId>();
  const auto expires = in.u64();
  if (!donor || !expires) return std::nullopt;
  Note note{*donor, WallTime(WallTime::duration(static_cast<std::int64_t>(*expires))), {}};
  std::uint64_t unit = 0;
  while (in.left() > 0) {
    const auto step = in.varint();
    if (!step || note.units.size() == limits::batch_units_max) return std::nullopt;
    note.units.push_back({unit = packed::stepped(unit, *step)});
  }
  return note;
}

/// Damage, or a hand that has written them.
bool is_possible(const NoteRow& note) { return note.kind == NoteKind::lease && note.key <= lease_max; }

}  // namespace

LeaseNotes::LeaseNotes(const std::vector<NoteRow>& notes, Now now) {
  for (const NoteRow& row : notes) {
    if (!is_possible(row) || noted_.size() == limits::lease_notes_max) continue;
    const LeaseId lease{row.key};
    if (!noted_.insert(lease).second) continue;
    const auto note = decoded(row.body);
    if (!note) continue;
    constexpr auto most = std::chrono::ceil<WallTime::duration>(limits::lease_most);
    constexpr auto least = std::chrono::ceil<WallTime::duration>(limits::lease_least);
    const BootTime expires = now.boot + (std::clamp(note->expires, now.wall + least, now.wall + most) - now.wall);
    for (const UnitIndex unit : note->units) earlier_.emplace(unit, Earlier{lease, note->donor, expires});
    if (!note->units.empty()) to_come_[lease] = note->units.size();
  }
  if (!noted_.empty()) next_ = now.boot + look_interval;
}

LeaseId LeaseNotes::first_after(const std::vector<NoteRow>& notes, LeaseId otherwise) {
  std::uint64_t last = 0;
  for (const NoteRow& note : notes) last = std::max(last, is_possible(note) ? note.key : 0);
  return last == 0 ? otherwise : LeaseId{last + leases_of_a_process_max};
}

std::set<PeerId> LeaseNotes::donors() const {
  std::set<PeerId> donors;
  for (const auto& [unit, lease] : earlier_) donors.insert(lease.donor);
  return donors;
}

std::vector<LeaseNotes::Earlier> LeaseNotes::take(UnitIndex unit) {
  std::vector<Earlier> leases;
  if (earlier_.empty()) return leases;
  const auto [from, to] = earlier_.equal_range(unit);
  for (auto at = from; at != to; ++at) {
    leases.push_back(at->second);
    if (const auto left = to_come_.find(at->second.lease); --left->second == 0) to_come_.erase(left);
  }
  earlier_.erase(from, to);
  std::sort(leases.begin(), leases.end(), [](const Earlier& a, const Earlier& b) { return a.lease > b.lease; });
  return leases;
}

BootTime LeaseNotes::next_look(bool any, BootTime now) {
  if (next_ == never && any) next_ = now + limits::lease_noted_after;
  return next_;
}

void LeaseNotes::look(const JobId& job, const LeaseBook& leases, const std::function<const PeerId*(DonorIndex)>& donor_of, Now now,
                      std::vector<Row>& rows) {
  std::erase_if(noted_, [&](LeaseId lease) {
    if (leases.find(lease) != nullptr || to_come_.contains(lease)) return false;
    rows.push_back(NoteRow{NoteKind::lease, job, lease.value, {}});
    return true;
  });
  for (const auto& [lease, record] : leases.all()) {
    if (noted_.size() >= limits::lease_notes_max) break;
    if (record.sent + limits::lease_noted_after > now.boot || noted_.contains(lease)) continue;
    const PeerId* donor = donor_of(record.donor);
    if (donor == nullptr) continue;
    noted_.insert(lease);
    rows.push_back(NoteRow{NoteKind::lease, job, lease.value, encoded(record, *donor, now)});
  }
  next_ = leases.empty() && noted_.empty() ? never : now.boot + look_interval;
}

void LeaseNotes::end(const JobId& job, std::vector<Row>& rows) {
  for (const LeaseId lease : noted_) rows.push_back(NoteRow{NoteKind::lease, job, lease.value, {}});
  noted_.clear();
  next_ = never;
}

}  // namespace dugnad::core
