#include "coordinatorless/core/peer.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/peer_parts.h"

namespace dugnad::core {

// --- Events ---

void Peer::Parts::on(MessageReceived&& event, Now now) {
  ++counters.messages_in;
  counters.bytes_in += event.frame.size();
  if (!budget.admit(event.from, event.frame.size(), now.boot)) {
    ++counters.dropped_over_budget;
    return charge(event.from, charges::hasty, now);
  }
  if (!job_links.is_up(event.from)) {
    ++counters.dropped_unasked;
    return;
  }
  if (bulk::is_bulk(event.frame)) return out.push(BulkReceived{event.from, std::move(event.frame)});  // over a relay
  auto message = decode(event.frame);
  if (!message) {
    ++counters.dropped_malformed;
    return charge(event.from, charges::malformed, now);
  }
  std::visit([&](auto&& content) { receive(event.from, std::move(content), now); }, std::move(*message));
}

void Peer::Parts::on(PeerConnected&& event, Now now) {
  if (budget.banned(event.peer, now.boot)) {
    out.push(Disconnect{event.peer, budget.banned_until(event.peer)});
    return;
  }
  const bool news = links.connected(event, now, out);
  membership.connected(event, now, out);
  if (!news) return;
  if (relayed.carries(event.peer)) relayed.drop(event.peer, out);
  refresh_record(now);
  gossip.connected(event.peer, now, out);
  if (auto sought = entrusting.sought(); !sought.empty()) out.send(event.peer, Pull{std::move(sought)});
  relay_service.connected(event.peer);
  relayed.connected(event.peer);
  linked_for_jobs(event.peer, event.key, now);
}

void Peer::Parts::on(PeerLost&& event, Now now) {
  const auto link = links.lost(event.peer, now);
  if (!link) return;
  membership.lost(event.peer, *link, now);
  gossip.lost(event.peer);
  relay_service.lost(event.peer, out);
  relayed.lost(event.peer, now);
  outbox.lost(event.peer);
  unlinked_for_jobs(event.peer, now);
}

void Peer::Parts::on(DialFailed&& event, Now now) {
  links.dial_failed(event.peer, now);
  membership.dial_failed(event.peer, now);
}

void Peer::Parts::on(AttemptsFinished&& event, Now now) {
  auto& all = event.attempts;
  const auto is_check = [](const FinishedAttempt& attempt) { return attempt.attempt.value >= first_check; };
  const auto checks = std::stable_partition(all.begin(), all.end(), std::not_fn(is_check));
  const std::vector<FinishedAttempt> checked(std::make_move_iterator(checks), std::make_move_iterator(all.end()));
  all.erase(checks, all.end());
  if (!all.empty()) donor.on_finished(std::move(all), now, out);
  if (!checked.empty()) board.on_checked(checked, now, out);
}

void Peer::Parts::on(JobSubmitted&& event, Now now) {
  const JobId job{hash_of(event.manifest.body).bytes};
  auto manifest = decode_manifest(event.manifest.body);
  DUGNAD_ASSERT(manifest, "a manifest of our own that does not decode");
  if (board.holds(job)) return;
  stewardship.hand_back(job, out);
  if (donor.serves(self.id, job)) donor.pass_on(job, out);  // as a steward's
  entrusting.begin(job, *manifest, event, gossip.epoch_of(job), now, out);
  const Signed manifest_said = event.manifest, delegation_said = event.delegation;
  board.submit(job, *manifest, std::move(event), now, out);
  if (entrusting.gathers(job)) board.set_waiting(job, true, now, out);
  own_proof.need(now, out);
  refresh_record(now);
  const bool announced = gossip.publish(manifest_said, entrusting.delegation_of(job, delegation_said), now, out);
  DUGNAD_ASSERT(announced, "an announcement of our own that others would refuse");
  if (!self.endpoint) job_links.seek_donors(true, now, out);
  if (donor.learn(job, *manifest, self.id, now, out)) donor.connected(self.id, now, out);
  for (EarlyMessages::Want& want : board.take_early_wants(job)) receive(want.from, std::move(want.said), now);
}

void Peer::Parts::on(UnitsAppended&& event, Now now) {
  entrusting.appended(event, now);
  board.append(std::move(event), now, out);
}

void Peer::Parts::on(JobSought&& event, Now now) {
  entrusting.seek(event.job, now);
  if (const auto known = gossip.known(event.job)) entrusting.on_news(*known, now, out);
  // Announcements reach everybody, but for whoever has no room for more: a neighbour may have it.
  for (const PeerId& neighbour : links.neighbours()) out.send(neighbour, Pull{{event.job}});
}

void Peer::Parts::on(BulkToRelay&& event, Now now) {
  if (relayed.carries(event.to)) relayed.send(event.to, std::move(event.frame), now, out);
}

void Peer::Parts::on(IdentityMinted&& event, Now now) {
  if (own_proof.found(event.ticket)) membership.prove(event.ticket, now);
}

void Peer::Parts::on(LeaveRequested&&, Now now) {
  leaving = true;
  board.leave(out);
  donor.leave(now, out);
  favours.leave(now);
  membership.leave(now, out);  // behind what is given back
}

Peer::Peer(PeerConfig config, Crypto& crypto, Generator generator)
    : parts_(std::make_unique<Parts>(std::move(config), crypto, std::move(generator))) {}
Peer::~Peer() = default;

void Peer::handle(Event event, Now now) {
  std::visit([&](auto&& content) { parts_->on(std::move(content), now); }, std::move(event));
  parts_->settle(now);
  // One machine's turn may make another's due at once; a chain of them is short, and whatever is left of it comes with TimerDue.
  for (int round = 0; round < 4 && next_deadline() <= now.boot; ++round) {
    parts_->tick(now);
    parts_->settle(now);
  }
  parts_->depart(now);
}

std::optional<Effect> Peer::next_effect() {
  if (parts_->effects.empty()) return std::nullopt;
  Effect effect = std::move(parts_->effects.front());
  parts_->effects.pop_front();
  return effect;
}

BootTime Peer::next_deadline() const {
  const Parts& p = *parts_;
  return std::min({p.links.next_deadline(), p.membership.next_deadline(), p.gossip.next_deadline(), p.relay_service.next_deadline(),
                   p.relayed.next_deadline(), p.job_links.next_deadline(), p.board.next_deadline(), p.donor.next_deadline(),
                   p.blobs.next_deadline(), p.directory.next_deadline(), p.favours.next_deadline(), p.outbox.next_deadline(),
                   p.stewardship.next_deadline(), p.entrusting.next_deadline()});
}

const PeerId& Peer::id() const { return parts_->self.id; }
std::optional<JobProgress> Peer::progress(const JobId& job) const { return parts_->board.progress(job); }

std::vector<PeerInfo> Peer::peers() const {
  std::vector<PeerInfo> infos;
  for (const ContactRecord& record : parts_->membership.known()) {
    infos.push_back({record.peer(), record.endpoint, parts_->job_links.is_up(record.peer()), record.donates});
  }
  return infos;
}

std::vector<HeldJob> Peer::held_jobs() const { return parts_->stewardship.jobs(); }

std::size_t Peer::peers_known() const { return parts_->membership.count(); }

PeerCounters Peer::counters() const {
  PeerCounters counters = parts_->counters;
  counters.jobs_known = parts_->gossip.held();
  counters.units_computed = parts_->donor.units_computed();
  return counters;
}

}  // namespace dugnad::core
