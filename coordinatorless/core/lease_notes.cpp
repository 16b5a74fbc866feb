#include "coordinatorless/core/lease_notes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr Duration look_interval = std::chrono::seconds(20);
constexpr std::uint64_t leases_of_a_process_max = std::uint64_t{1} << 32;
constexpr std::uint64_t lease_max = std::uint64_t{1} << 60;  // a number that a million processes may follow

struct Note {
  PeerId donor;
  WallTime sent{}, expires{};
  std::vector<std::pair<UnitIndex, std::uint64_t>> units;  // and their inputs' tags
};

void put_time(Bytes& body, WallTime time) { packed::put_u64(body, static_cast<std::uint64_t>(time.time_since_epoch().count())); }
WallTime time_from(std::uint64_t number) { return WallTime(WallTime::duration(static_cast<std::int64_t>(number))); }

Bytes encoded(const Note& note) {
  Bytes body;
  packed::put(body, note.donor.view());
  put_time(body, note.sent);
  put_time(body, note.expires);
  std::uint64_t before = 0;
  for (const auto& [unit, tag] : note.units) {
    packed::put_varint(body, packed::step(std::exchange(before, unit.value), unit.value));
    packed::put_u64(body, tag);
  }
  return body;
}

std::optional<Note> decoded(const Bytes& body) {
  packed::Reader in(body);
  const auto donor = in.id<PeerId>();
  const auto sent = in.u64(), expires = in.u64();
  if (!donor || !sent || !expires) return std::nullopt;
  Note note{*donor, time_from(*sent), time_from(*expires), {}};
  std::uint64_t unit = 0;
  while (in.left() > 0) {
    const auto step = in.varint();
    const auto tag = in.u64();
    if (!step || !tag || note.units.size() == limits::batch_units_max) return std::nullopt;
    note.units.emplace_back(UnitIndex{unit = packed::stepped(unit, *step)}, *tag);
  }
  return note;
}

/// Damage, or a hand that has written them.
bool is_possible(const NoteRow& note) { return note.kind == NoteKind::lease && note.key <= lease_max; }

}  // namespace

LeaseNotes::LeaseNotes(const std::vector<NoteRow>& notes, Now now) {
  constexpr auto most = std::chrono::ceil<WallTime::duration>(limits::lease_most);
  constexpr auto least = std::chrono::ceil<WallTime::duration>(limits::lease_least);
  for (const NoteRow& row : notes) {
    const LeaseId lease{row.key};
    if (row.kind != NoteKind::lease || !noted_.try_emplace(lease).second) continue;
    const auto note = is_possible(row) && to_come_.size() < limits::lease_notes_max ? decoded(row.body) : std::nullopt;
    if (!note || note->units.empty() || earlier_.size() + note->units.size() > limits::lease_note_units_max) continue;
    // A clock that was put forward or back makes a lease neither endless nor younger than it can be.
    const BootTime sent = now.boot - (now.wall - std::clamp(note->sent, now.wall - most, now.wall));
    const BootTime expires = now.boot + (std::clamp(note->expires, now.wall + least, now.wall + most) - now.wall);
    for (const auto& [unit, tag] : note->units) earlier_.emplace(unit, Earlier{lease, note->donor, sent, expires, tag});
    to_come_[lease] = note->units.size();
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

bool LeaseNotes::awaits(LeaseId lease, UnitIndex unit) const {
  if (!to_come_.contains(lease)) return false;
  const auto [from, to] = earlier_.equal_range(unit);
  return std::any_of(from, to, [&](const auto& each) { return each.second.lease == lease; });
}

BootTime LeaseNotes::next_look(bool any, BootTime now) {
  if (next_ == never && any) next_ = now + limits::lease_noted_after;
  return next_;
}

void LeaseNotes::look(const JobId& job, const LeaseBook& leases, const DonorOf& donor_of, const TagOf& tag_of, Now now,
                      std::vector<Row>& rows) {
  std::erase_if(noted_, [&](const auto& noted) {
    const auto& [lease, units] = noted;
    if (leases.find(lease) != nullptr || to_come_.contains(lease)) return false;
    units_noted_ -= units;
    rows.push_back(NoteRow{NoteKind::lease, job, lease.value, {}});
    return true;
  });
  const auto wall = [now](BootTime time) { return now.wall + std::chrono::floor<WallTime::duration>(time - now.boot); };
  for (const auto& [lease, record] : leases.all()) {
    if (noted_.size() >= limits::lease_notes_max || units_noted_ >= limits::lease_note_units_max) break;
    const PeerId* donor = record.sent + limits::lease_noted_after > now.boot || noted_.contains(lease) ? nullptr : donor_of(record.donor);
    if (donor == nullptr) continue;
    Note note{*donor, wall(record.sent), wall(record.expires), {}};
    for (std::size_t place = 0; place < record.units.size(); ++place) {
      const auto tag = record.back[place] ? std::nullopt : tag_of(record.units[place]);
      if (tag) note.units.emplace_back(record.units[place], *tag);
    }
    if (note.units.empty()) continue;
    units_noted_ += note.units.size();
    noted_.emplace(lease, note.units.size());
    rows.push_back(NoteRow{NoteKind::lease, job, lease.value, encoded(note)});
  }
  next_ = leases.empty() && noted_.empty() ? never : now.boot + look_interval;
}

void LeaseNotes::end(const JobId& job, std::vector<Row>& rows) {
  for (const auto& [lease, units] : noted_) rows.push_back(NoteRow{NoteKind::lease, job, lease.value, {}});
  noted_.clear();
  units_noted_ = 0;
  next_ = never;
}

}  // namespace dugnad::core
