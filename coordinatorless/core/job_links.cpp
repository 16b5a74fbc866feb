#include "coordinatorless/core/job_links.h"

namespace dugnad::core {

void JobLinks::need(const KnownJob& job, Now now, Output& out) {
  Needed& needed = needed_[job.submitter];
  needed = {job.contact, job.told_by};
  reach(job.submitter, needed, now, out);
  schedule(now);
}

void JobLinks::need(const ContactRecord& contact, Now now, Output& out) {
  Needed& needed = needed_[contact.peer()];
  needed = {contact, contact.peer()};
  reach(contact.peer(), needed, now, out);
  schedule(now);
}

void JobLinks::release(const PeerId& peer, Now now) {
  const auto at = needed_.find(peer);
  if (at == needed_.end()) return;
  for (const PeerId& relay : at->second.contact.relays) links_.drop(relay, Purpose::job, now);
  needed_.erase(at);
  links_.drop(peer, Purpose::job, now);
  schedule(now);
}

void JobLinks::reach(const PeerId& peer, const Needed& needed, Now now, Output& out) {
  if (links_.is_up(peer)) {
    (void)links_.hold(peer, Purpose::job);
    return;
  }
  auto route = links_.route(needed.contact, needed.told_by);
  if (!route) route = membership_.route_to(peer);
  if (route) {
    (void)links_.want(*route, Purpose::job, now, out);
    return;
  }
  if (relayed_.carries(peer) || needed.contact.relays.empty() || relayed_.reach(needed.contact, now, out)) return;
  for (const PeerId& relay : needed.contact.relays) {
    if (const auto to_relay = membership_.route_to(relay)) {
      if (links_.want(*to_relay, Purpose::job, now, out)) return;
    }
  }
}

void JobLinks::seek_donors(bool seek, Now now, Output& out) {
  seeking_ = seek;
  schedule(now);
  if (seek) tick(now, out);
}

void JobLinks::tick(Now now, Output& out) {
  for (const auto& [peer, needed] : needed_) {
    if (!is_up(peer)) reach(peer, needed, now, out);
  }
  if (seeking_) {
    for (const ContactRecord& record : membership_.known()) {
      if (!record.donates || !record.endpoint || links_.is_up(record.peer())) continue;
      const auto route = membership_.route_to(record.peer());
      if (route && !links_.want(*route, Purpose::job, now, out)) break;  // the budget is used up
    }
  }
  schedule(now);
}

void JobLinks::schedule(Now now) {
  bool waiting = seeking_;
  for (const auto& [peer, needed] : needed_) waiting = waiting || !is_up(peer);
  retry_at_ = waiting ? now.boot + limits::job_link_retry : never;
}

}  // namespace dugnad::core
