// Gossip's half for own jobs: those that this peer submits, or leads as a steward.
#include <algorithm>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/gossip.h"

namespace dugnad::core {
namespace {

constexpr WallTime::duration announcement_lease = std::chrono::ceil<WallTime::duration>(limits::announcement_lease);

}  // namespace

void Gossip::set_own_record(Signed record) {
  const auto says = decode_contact_record(record.body);
  DUGNAD_ASSERT(says, "our own record is no record");
  const auto said = own_record_ ? decode_contact_record(own_record_->body) : std::nullopt;
  own_record_ = std::move(record);
  reachable_ = says->endpoint.has_value() || !says->relays.empty();
  if (said && said->endpoint == says->endpoint && said->relays == says->relays && said->proof == says->proof) return;
  // Somewhat more than the spacing that others ask for, or they would keep the news and not push it. What was not proven they have not pushed yet.
  const bool newly_proven = says->proof && said && !said->proof;
  for (auto& [job, own] : own_) {
    const BootTime again = own.announced_at && !newly_proven ? *own.announced_at + limits::gossip_spacing * 5 / 4 : BootTime{};
    if (!own.closed && (reachable_ || own.announced_at)) own.refresh_at = std::min(own.refresh_at, again);
  }
}

bool Gossip::publish(Signed manifest, Signed delegation, Now now, Output& out) {
  if (!own_record_ || manifest.body.size() > limits::manifest_bytes_max || delegation.body.size() > limits::delegation_bytes_max) return false;
  const JobId job{hash_of(manifest.body).bytes};
  Own own{std::move(manifest), std::move(delegation), 0, false, {}, {}};
  const auto before = held_.find(job);
  auto announced = before == held_.end() ? make_announcement(own, now.wall) : outdoing(before->second, own, now.wall);
  if (!announced || announced->contact.peer() != self_.id || !genuine(*announced, nullptr, self_)) return false;
  if (before != held_.end() && !replaces(*announced, before->second, now.wall)) return false;
  Own& kept = own_.insert_or_assign(job, std::move(own)).first->second;
  if (reachable_ || before != held_.end()) {
    announce_own(kept, std::move(*announced), now, out);
  } else {
    kept.refresh_at = now.boot + limits::gossip_spacing;
  }
  return true;
}

/// What was left by an earlier process of ours, or by another delegate. Where it is ours to take, the other's sequence is outdone as far as nobody's
/// clock minds: it may be as far ahead of ours as anybody's that is heard.
std::optional<AnnouncedJob> Gossip::outdoing(const Held& before, Own& own, WallTime now) const {
  const auto ours = before.heard.find(self_.id);
  const std::uint64_t theirs = before.what.announcement.sequence;
  const auto soon = static_cast<std::uint64_t>(std::max<std::int64_t>((now + announcement_lease).time_since_epoch().count(), 0));
  own.sequence = std::max(ours == before.heard.end() ? 0 : ours->second, std::min(theirs, soon));
  const auto announced = make_announcement(own, now);
  if (!announced || is_handed_on(*announced, before.what, now)) return announced;
  own.sequence = std::max(own.sequence, theirs);
  return make_announcement(own, now);
}

void Gossip::withdraw(const JobId& job) { own_.erase(job); }

void Gossip::close(const JobId& job, Now now, Output& out) {
  const auto own = own_.find(job);
  if (own == own_.end() || own->second.closed) return;
  own->second.closed = true;
  announce_own(own->second, now, out);
}

std::optional<AnnouncedJob> Gossip::make_announcement(const Own& own, WallTime now) const {
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
  const auto with = [&](std::uint64_t sequence) {
    Signed raw{encode(Announcement{own.manifest, own.delegation, *own_record_, sequence, now + announcement_lease, own.closed}), {}};
    raw.signature = self_.sign(Domain::announcement, raw.body);
    return take_apart(raw);
  };
  auto announced = with(std::max(own.sequence + 1, clock));
  // This clock was far ahead: nobody would listen before then.
  return announced && dated_ahead(*announced, now) ? with(clock) : announced;
}

void Gossip::announce_own(Own& own, Now now, Output& out) {
  auto announced = make_announcement(own, now.wall);
  DUGNAD_ASSERT(announced, "what could be published can be announced again");
  announce_own(own, std::move(*announced), now, out);
}

void Gossip::announce_own(Own& own, AnnouncedJob announced, Now now, Output& out) {
  own.sequence = announced.announcement.sequence;
  own.announced_at = now.boot;
  own.refresh_at = own.closed ? never : now.boot + limits::announcement_refresh;
  for (const auto& [peer, neighbour] : neighbours_) out.send(peer, Announce{announced.raw, 0});
  keep(std::move(announced), self_.id, 0);
  schedule_digest(now);
}

/// Whether what is later than our own announcement of a job takes the job from us. An earlier process of ours whose clock was ahead
/// does not: it is outdone. Nor does another delegate that stands behind us; who stands before us does, and the owner's newer delegation.
bool Gossip::yields(const AnnouncedJob& later_one, WallTime now) {
  const auto found = own_.find(later_one.job);
  if (found == own_.end()) return true;
  Own& own = found->second;
  if (!own.announced_at) {
    own.sequence = std::max(own.sequence, later_one.announcement.sequence);
    return false;
  }
  if (outranks(mandate_of(later_one), mandate_of(held_.at(later_one.job).what), shift_at(now))) {
    forget(later_one.job);
    return true;
  }
  // Before that of who stands behind us ours counts whatever its sequence: it must not drive ours ahead of our clock.
  if (later_one.contact.peer() == self_.id) own.sequence = later_one.announcement.sequence;
  held_.at(later_one.job).heard[later_one.contact.peer()] = later_one.announcement.sequence;  // once: whoever says it again is not answered
  own.refresh_at = *own.announced_at + limits::gossip_spacing * 5 / 4;
  return false;
}

}  // namespace dugnad::core
