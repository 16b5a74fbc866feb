#include "coordinatorless/core/announced_job.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/expiry.h"

namespace dugnad::core {
std::optional<AnnouncedJob> take_apart(const Signed& raw) {
  auto announcement = decode_announcement(raw.body);
  if (!announcement) return std::nullopt;
  auto manifest = decode_manifest(announcement->manifest.body);
  auto delegation = decode_delegation(announcement->delegation.body);
  auto contact = decode_contact_record(announcement->submitter.body);
  if (!manifest || !delegation || !contact) return std::nullopt;
  const JobId job{hash_of(announcement->manifest.body).bytes};
  return AnnouncedJob{job, raw, std::move(*announcement), std::move(*manifest), std::move(*delegation), std::move(*contact)};
}

bool later(const AnnouncedJob& one, const AnnouncedJob& other) {
  return std::tie(one.delegation.epoch, one.announcement.sequence) > std::tie(other.delegation.epoch, other.announcement.sequence);
}

Mandate mandate_of(const AnnouncedJob& announced) {
  return mandate_of(announced.contact.peer(), announced.delegation);
}

bool dated_ahead(const AnnouncedJob& announced, WallTime now) {
  // Sequences are clocks' (Gossip). Such a one would keep all others' from everybody.
  const WallTime ahead = now + std::chrono::duration_cast<WallTime::duration>(limits::clock_skew + limits::announcement_lease);
  return announced.announcement.sequence > static_cast<std::uint64_t>(ahead.time_since_epoch().count());
}

bool timely(const AnnouncedJob& announced, WallTime now) {
  return !dated_ahead(announced, now) && is_current(announced.announcement.expires, limits::announcement_lease, now) &&
         is_current(announced.contact.expires, limits::record_lease, now);
}

bool genuine(const AnnouncedJob& announced, const AnnouncedJob* before, const Self& self) {
  const Announcement& its = announced.announcement;
  const auto& delegates = announced.delegation.peers;
  if (announced.delegation.job != announced.job) return false;
  const auto delegate = std::find(delegates.begin(), delegates.end(), announced.contact.peer());
  if (delegate == delegates.end()) return false;
  if (its.closed && delegate != delegates.begin()) return false;  // a steward cannot end a job

  const auto known = [before](const Signed& part, Signed Announcement::*which) { return before && before->announcement.*which == part; };
  const auto holds = [&self](Domain domain, const PublicKey& key, const Signed& part) {
    return self.verify(domain, key, part.body, part.signature);
  };
  return (known(its.manifest, &Announcement::manifest) || holds(Domain::manifest, announced.manifest.owner, its.manifest)) &&
         (known(its.delegation, &Announcement::delegation) || holds(Domain::delegation, announced.manifest.owner, its.delegation)) &&
         (known(its.submitter, &Announcement::submitter) || holds(Domain::contact, announced.contact.key, its.submitter)) &&
         holds(Domain::announcement, announced.contact.key, announced.raw);
}

}  // namespace dugnad::core
