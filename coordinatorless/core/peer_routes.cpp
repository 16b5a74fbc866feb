// What one machine of a peer has come to know and another has to act upon, and what all of them have to say.
#include <algorithm>
#include <set>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/peer_parts.h"

namespace dugnad::core {

// --- Routes between machines ---

void Peer::Parts::linked_for_jobs(const PeerId& peer, const PublicKey& key, Now now) {
  keys[peer] = key;
  take_up_jobs_of(peer, key, now);
  if (donor.serves(peer)) {
    if (links.is_up(peer)) (void)links.hold(peer, Purpose::job);
    budget.set_working(peer, true);
  }
  blobs.connected(peer, now, out);
  board.connected(peer);
  stewardship.connected(peer, now, out);
  entrusting.connected(peer, now, out);
  if (stewardship.needs(peer) || entrusting.needs(peer)) work_with(peer);
  if (donor.serves(peer)) favours.greet(peer, out);  // before the credit, so that it is known whom to thank
  donor.connected(peer, now, out);
}

void Peer::Parts::take_up_jobs_of(const PeerId& submitter, const PublicKey& key, Now now) {
  std::size_t tried = 0;
  for (const JobId& job : gossip.live_of(key, now.wall)) {
    // All of an honest submitter's, who has one owner.
    if (!donor.has_room_to_spare() || tried == limits::announcements_per_owner) return;
    if (donor.serves(submitter, job) || stewardship.leads(job)) continue;
    ++tried;
    const auto known = gossip.known(job);
    if (known && donor.learn(job, known->manifest, submitter, now, out, known->mandate)) job_links.need(*known, now, out);
  }
}

void Peer::Parts::unlinked_for_jobs(const PeerId& peer, Now now) {
  if (job_links.is_up(peer)) return;
  keys.erase(peer);
  budget.set_working(peer, false);
  blobs.lost(peer, now);
  directory.lost(peer);
  board.lost(peer, now, out);
  favours.lost(peer);
  stewardship.lost(peer, now);
  entrusting.lost(peer, now);
  const bool served = donor.serves(peer);
  donor.lost(peer, now, out);
  if (served) look_for_successors(peer, now);
}

void Peer::Parts::look_for_successors(const PeerId& submitter, Now now) {
  for (const KnownJob& known : gossip.known()) {
    const auto& delegates = known.delegated.peers;
    const bool led = std::find(delegates.begin(), delegates.end(), submitter) != delegates.end();
    if (!known.closed && known.submitter != submitter && led) on_news(known, now);
  }
}

void Peer::Parts::work_with(const PeerId& peer) {
  if (links.is_up(peer)) (void)links.hold(peer, Purpose::job);
  budget.set_working(peer, true);
}

void Peer::Parts::on_relayed(Event&& event, Now now) {
  if (auto* received = std::get_if<MessageReceived>(&event)) return on(std::move(*received), now);
  if (auto* connected = std::get_if<PeerConnected>(&event)) return linked_for_jobs(connected->peer, connected->key, now);
  if (auto* lost = std::get_if<PeerLost>(&event)) return unlinked_for_jobs(lost->peer, now);
}

void Peer::Parts::on_news(const KnownJob& known, Now now) {
  charge(known.told_by, membership.learn(known.record, known.told_by, now, out).charge, now);
  entrusting.on_news(known, now, out);
  stewardship.on_news(known, now, out);
  if (known.closed) return donor.forget(known.job, out);
  if (stewardship.leads(known.job)) return;
  if (known.submitter == self.id) return;  // an earlier process of ours had it; this one learns of it when it is submitted here
  if (stewardship.holds(known.job)) job_links.need(known, now, out);
  const bool fresh = donor.learn(known.job, known.manifest, known.submitter, now, out, known.mandate);
  if (!fresh && !donor.serves(known.submitter)) return;
  const bool was_up = job_links.is_up(known.submitter);
  job_links.need(known, now, out);
  if (fresh && was_up) {
    budget.set_working(known.submitter, true);
    favours.greet(known.submitter, out);
    donor.connected(known.submitter, now, out);
  }
}

void Peer::Parts::pass_on(Now now) {
  for (const KnownJob& known : gossip.take_news()) on_news(known, now);
  if (const auto work = board.take_verified(); !work.empty()) favours.verified(work, now, out);
  for (const EarlyMessages::Results& heard : board.take_heard()) {
    if (entrusting.entrusts(heard.said.job)) entrusting.collected(heard.key, heard.said, now);
  }
  for (const JobBoard::Ended& ended : board.take_ended()) {
    gossip.close(ended.job, now, out);
    entrusting.end(ended.job);
    for (const PeerId& peer : ended.donors) release_unneeded(peer, now);
    if (!board.any_running()) job_links.seek_donors(false, now, out);
  }
  const auto released = donor.take_released();
  for (const PeerId& peer : released) release_unneeded(peer, now);
  see_to_stewards(now);
  // There is room again for jobs that were passed over. Those of whoever was just released wait for news of them: it may have sent us away.
  if (!released.empty()) {
    for (const KnownJob& known : gossip.known()) {
      const bool just_left = std::find(released.begin(), released.end(), known.submitter) != released.end();
      if (!known.closed && known.expires > now.wall && !just_left && donor.has_room()) on_news(known, now);
    }
  }
  for (const BlobWants::News& news : blobs.take_news()) {
    board.on_blob(news, now, out);
    donor.on_blob(news, now, out);
    stewardship.on_blob(news, now, out);
  }
  for (const BlobId& blob : blobs.take_sought()) directory.seek(blob, now, out);
  if (auto rows = membership.take_rows(now, leaving); !rows.empty()) (void)journal.write(std::move(rows), out);
  if (auto rows = accounts.take_rows(now.boot, leaving); !rows.empty()) (void)journal.write(std::move(rows), out);
}

void Peer::Parts::see_to_stewards(Now now) {
  for (const Stewardship::Turn& turn : stewardship.take_turns()) {
    if (!turn.leads) {
      if (donor.serves(self.id, turn.job)) donor.pass_on(turn.job, out);  // nobody else leads yet
      gossip.withdraw(turn.job);
      continue;
    }
    if (!stewardship.computes(turn.job)) {
      donor.pass_on(turn.job, out);  // whoever it was served for
    } else if (const auto manifest = decode_manifest(turn.manifest.body)) {
      if (donor.learn_led(turn.job, *manifest, turn.mandate, now, out)) donor.connected(self.id, now, out);
    }
    own_proof.need(now, out);
    refresh_record(now);
    if (gossip.publish(turn.manifest, turn.delegation, now, out)) continue;
    const auto known = gossip.known(turn.job);
    if (known && known->closed) on_news(*known, now);  // it was not held here when that was heard
    else stewardship.step_back(turn.job, now, out);
  }
  for (const Entrusting::Delegated& delegated : entrusting.take_delegated()) {
    refresh_record(now);
    (void)gossip.publish(delegated.manifest, delegated.delegation, now, out);
    (void)journal.write({PapersRow{delegated.job, self.swarm, delegated.manifest.signature, delegated.delegation.body,
                                   delegated.delegation.signature}}, out);
  }
  for (const ContactRecord& contact : entrusting.take_needed()) job_links.need(contact, now, out);
  std::set<JobId> told;
  for (Entrusting::Gathered& gathered : entrusting.take_gathered()) {
    told.insert(gathered.job);
    board.gathered(gathered.job, {gathered.results.donor, std::move(gathered.results.results), std::move(gathered.counts)},
                   std::move(gathered.stewards));
  }
  for (const JobId& job : entrusting.take_told()) told.insert(job);
  for (const JobId& job : told) board.set_waiting(job, entrusting.gathers(job), now, out);
  for (const PeerId& peer : stewardship.take_released()) release_unneeded(peer, now);
  for (const PeerId& peer : entrusting.take_released()) release_unneeded(peer, now);
}

void Peer::Parts::release_unneeded(const PeerId& peer, Now now) {
  if (peer == self.id || donor.serves(peer) || stewardship.needs(peer) || entrusting.needs(peer)) return;
  job_links.release(peer, now);
  if (!board.employs(peer)) release(peer, now);
}

void Peer::Parts::depart(Now now) {
  if (!leaving || departed || !donor.has_left(now) || !favours.has_left()) return;
  departed = true;
  effects.push_back(Departed{});
}

void Peer::Parts::release(const PeerId& peer, Now now) {
  budget.set_working(peer, false);
  links.drop(peer, Purpose::job, now);
}

void Peer::Parts::refresh_record(Now now) {
  const Signed& record = membership.own_record(now);
  if (record.body == own_record) return;
  own_record = record.body;
  gossip.set_own_record(record);
  relayed.set_own_record(record);
}

void Peer::Parts::charge(const PeerId& from, const std::optional<Charge>& charge_due, Now now) {
  if (!charge_due || charge_due->score <= 0 || from == self.id) return;
  ++counters.dropped_unasked;
  if (!budget.charge(from, *charge_due, now.boot)) return;
  if (relayed.carries(from)) relayed.drop(from, out);
  links.ban(from, budget.banned_until(from), out);
}

PublicKey Peer::Parts::key_of(const PeerId& peer) const {
  const auto at = keys.find(peer);
  return at == keys.end() ? PublicKey{} : at->second;
}

// --- Out ---

void Peer::Parts::tick(Now now) {
  const auto due = [&](const auto& machine) { return machine.next_deadline() <= now.boot; };
  if (due(links)) links.tick(now, out);
  if (due(membership)) membership.tick(now, out);
  if (board.any_running() || stewardship.leads_any()) own_proof.need(now, out);
  refresh_record(now);
  if (due(gossip)) gossip.tick(now, out);
  if (due(relay_service)) relay_service.tick(now, out);
  if (due(relayed)) relayed.tick(now, out);
  if (due(job_links)) job_links.tick(now, out);
  if (due(board)) board.tick(now, out);
  if (due(blobs)) blobs.tick(now, out);
  if (due(stewardship)) stewardship.tick(now, out);
  if (due(entrusting)) entrusting.tick(now, [this](const JobId& job) { return board.present(job); }, out);
  if (due(favours)) favours.tick(now);
  if (due(directory)) directory.tidy([this](const PeerId& peer) { return blobs.counts_on(peer); }, now);
  if (due(donor)) donor.tick(now, out);
  if (due(outbox)) outbox.tick(now, out);
}

void Peer::Parts::route(Addressed&& addressed, Now now) {
  if (addressed.to == self.id) {
    to_self.push_back(std::move(addressed.message));
    return;
  }
  Bytes frame = encode(addressed.message);
  if (links.is_up(addressed.to)) {
    ++counters.messages_out;
    counters.bytes_out += frame.size();
    outbox.send(addressed.to, std::move(frame), out);
  } else if (relayed.carries(addressed.to)) {
    relayed.send(addressed.to, std::move(frame), now, out);
  }
}

void Peer::Parts::settle(Now now) {
  do {
    pass_on(now);
    while (!out.messages.empty() || !out.effects.empty()) {
      for (Effect& effect : std::exchange(out.effects, {})) {
        if (const auto* delivered = std::get_if<DeliverResults>(&effect)) entrusting.accepted(delivered->job, delivered->units, now);
        effects.push_back(std::move(effect));
      }
      for (Addressed& addressed : std::exchange(out.messages, {})) route(std::move(addressed), now);
    }
    for (Event& event : relayed.take_events()) on_relayed(std::move(event), now);
    while (!to_self.empty()) {
      Message message = std::move(to_self.front());
      to_self.pop_front();
      std::visit([&](auto&& content) { receive(self.id, std::move(content), now); }, std::move(message));
    }
  } while (!out.messages.empty() || !out.effects.empty());
}

}  // namespace dugnad::core
