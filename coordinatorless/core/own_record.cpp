#include "coordinatorless/core/own_record.h"

#include <algorithm>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity_proof.h"

namespace dugnad::core {

bool OwnRecord::refresh(const std::vector<PeerId>& relays, Now now) {
  if (left_ && exists()) return false;
  const auto proof = proof_for(now.wall);
  const bool changed = relays != says_.relays || self_.endpoint != says_.endpoint || self_.donates != says_.donates || proof != says_.proof;
  if (exists() && now.boot < renew_at_ && !(changed && now.boot >= changed_at_)) {
    if (!changed) changed_at_ = never;
    return false;
  }
  says_.key = self_.crypto->public_key();
  says_.curve = self_.crypto->curve_key();
  says_.endpoint = self_.endpoint;
  says_.relays = relays;
  says_.donates = self_.donates;
  says_.proof = proof;
  if (self_.steward_bytes > 0) says_.steward_bytes = self_.steward_bytes;
  says_.sequence = next_sequence(now);
  says_.expires = lease_from(now);
  raw_.body = encode(says_);
  raw_.signature = self_.sign(Domain::contact, raw_.body);
  // Spread, so that peers that started together do not refresh together for ever.
  renew_at_ = now.boot + from_seconds(seconds_of(limits::record_refresh) * (0.9 + 0.1 * self_.generator->share()));
  changed_at_ = never;
  return true;
}

Signed OwnRecord::goodbye(Now now) {
  left_ = true;
  renew_at_ = changed_at_ = never;
  Signed raw{encode(Goodbye{self_.crypto->public_key(), next_sequence(now), lease_from(now)}), {}};
  raw.signature = self_.sign(Domain::goodbye, raw.body);
  return raw;
}

std::uint64_t OwnRecord::next_sequence(Now now) const {
  const auto wall = now.wall.time_since_epoch().count();
  return std::max(says_.sequence + 1, static_cast<std::uint64_t>(std::max<decltype(wall)>(wall, 0)));
}

WallTime OwnRecord::lease_from(Now now) { return now.wall + std::chrono::duration_cast<WallTime::duration>(limits::record_lease); }

void OwnRecord::may_differ(Now now) {
  if (left_) return;
  // Nobody can reach us at all: the first relay is worth a record of its own.
  const bool hidden = !self_.endpoint && says_.relays.empty();
  changed_at_ = std::min(changed_at_, hidden ? now.boot : now.boot + limits::record_gather);
}

void OwnRecord::prove(const IdentityTicket& ticket, Now now) {
  ticket_ = ticket;
  if (!left_) changed_at_ = now.boot;
}

std::optional<IdentityTicket> OwnRecord::proof_for(WallTime now) const {
  return ticket_ && dating_of(ticket_->month, now) == Dating::current ? ticket_ : std::nullopt;
}

void OwnRecord::outdo(std::uint64_t sequence, Now now) {
  if (left_ || sequence <= says_.sequence || sequence == UINT64_MAX) return;
  says_.sequence = sequence;
  renew_at_ = now.boot;
}

}  // namespace dugnad::core
