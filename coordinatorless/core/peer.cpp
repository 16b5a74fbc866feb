#include "coordinatorless/core/peer.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/blob_directory.h"
#include "coordinatorless/core/blob_wants.h"
#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/donor.h"
#include "coordinatorless/core/entrusting.h"
#include "coordinatorless/core/favours.h"
#include "coordinatorless/core/gossip.h"
#include "coordinatorless/core/job_board.h"
#include "coordinatorless/core/job_links.h"
#include "coordinatorless/core/journal.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/membership.h"
#include "coordinatorless/core/outbox.h"
#include "coordinatorless/core/own_proof.h"
#include "coordinatorless/core/peer_budget.h"
#include "coordinatorless/core/relay_service.h"
#include "coordinatorless/core/relayed_links.h"
#include "coordinatorless/core/stewardship.h"

namespace dugnad::core {

// The machines, in the order of who needs whom, and the routes between them. A route decides nothing but who is told.
struct Peer::Parts {
  Parts(PeerConfig config, Crypto& crypto, Generator source)
      : generator(std::move(source)),
        self{peer_id_of(crypto.public_key()), config.swarm, config.endpoint, config.donates, &crypto, &generator, config.difficulty,
             config.owner, config.steward_bytes},
        own_proof(self),
        links(self),
        membership(self, links),
        gossip(self),
        relayed(self),
        job_links(self, links, membership, relayed),
        blobs(self.id),
        directory(self, links, membership),
        board(self, journal, blobs, config.blob_bytes / limits::blob_uses),
        accounts(self.swarm, self.owner_key()),
        favours(self, journal, accounts),
        stewardship(self, config.steward_bytes),
        entrusting(self, membership),
        donor(self, blobs, accounts, std::move(config.tasks), std::move(config.code), config.slots, config.blob_bytes / limits::blob_uses) {}

  Generator generator;
  const Self self;
  Journal journal;
  OwnProof own_proof;
  PeerBudget budget;
  Outbox outbox;
  Links links;
  Membership membership;
  Gossip gossip;
  RelayService relay_service;
  RelayedLinks relayed;
  JobLinks job_links;
  BlobWants blobs;
  BlobDirectory directory;
  JobBoard board;
  FavourAccounts accounts;
  Favours favours;
  Stewardship stewardship;
  Entrusting entrusting;
  Donor donor;

  Output out;  // of the machine just called
  std::deque<Effect> effects;
  std::deque<Message> to_self;  // a submitter that computes too is its own donor
  Bytes own_record;                  // as gossip and relay know it
  bool leaving = false;
  bool departed = false;
  std::map<PeerId, PublicKey> keys;  // of everybody linked, directly or through a relay
  PeerCounters counters;

  // --- Events ---

  void on(MessageReceived&& event, Now now) {
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

  void on(PeerConnected&& event, Now now) {
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
    relay_service.connected(event.peer);
    relayed.connected(event.peer);
    linked_for_jobs(event.peer, event.key, now);
  }

  void on(PeerLost&& event, Now now) {
    const auto link = links.lost(event.peer, now);
    if (!link) return;
    membership.lost(event.peer, *link, now);
    gossip.lost(event.peer);
    relay_service.lost(event.peer, out);
    relayed.lost(event.peer, now);
    outbox.lost(event.peer);
    unlinked_for_jobs(event.peer, now);
  }

  void on(DialFailed&& event, Now now) {
    links.dial_failed(event.peer, now);
    membership.dial_failed(event.peer, now);
  }

  void on(SendRefused&& event, Now now) { outbox.refused(event.to, std::move(event.frame), now, out); }
  void on(AttemptsFinished&& event, Now now) {
    auto& all = event.attempts;
    const auto is_check = [](const FinishedAttempt& attempt) { return attempt.attempt.value >= first_check; };
    const auto checks = std::stable_partition(all.begin(), all.end(), std::not_fn(is_check));
    const std::vector<FinishedAttempt> checked(std::make_move_iterator(checks), std::make_move_iterator(all.end()));
    all.erase(checks, all.end());
    if (!all.empty()) donor.on_finished(std::move(all), now, out);
    if (!checked.empty()) board.on_checked(checked, now, out);
  }

  void on(JobSubmitted&& event, Now now) {
    const JobId job{hash_of(event.manifest.body).bytes};
    auto manifest = decode_manifest(event.manifest.body);
    DUGNAD_ASSERT(manifest, "a manifest of our own that does not decode");
    if (board.holds(job)) return;
    stewardship.hand_back(job, out);
    entrusting.begin(job, *manifest, event, gossip.epoch_of(job), now, out);
    board.submit(job, *manifest, event, now, out);
    if (entrusting.gathers(job)) board.set_waiting(job, true, now, out);
    own_proof.need(now, out);
    refresh_record(now);
    const bool announced = gossip.publish(event.manifest, entrusting.delegation_of(job, event.delegation), now, out);
    DUGNAD_ASSERT(announced, "an announcement of our own that others would refuse");
    if (!self.endpoint) job_links.seek_donors(true, now, out);
    if (donor.learn(job, *manifest, self.id, now, out)) donor.connected(self.id, now, out);
  }

  void on(UnitsAppended&& event, Now now) {
    entrusting.appended(event, now);
    board.append(std::move(event), now, out);
  }
  void on(JobSought&& event, Now now) {
    entrusting.seek(event.job, now);
    for (const KnownJob& known : gossip.known()) {
      if (known.job == event.job) entrusting.on_news(known, now, out);
    }
  }
  void on(JobCancelled&& event, Now now) { board.cancel(event.job, now, out); }
  void on(AllowanceChanged&& event, Now now) { donor.allow(event.slots, now, out); }
  void on(BlobFetched&& event, Now) { blobs.fetched(event.blob); }
  void on(BlobFailed&& event, Now now) { blobs.failed(event, now, out); }
  void on(OutputTaken&& event, Now now) { board.on_taken(event, now, out); }
  void on(BulkToRelay&& event, Now now) {
    if (relayed.carries(event.to)) relayed.send(event.to, std::move(event.frame), now, out);
  }
  void on(PeerMisbehaved&& event, Now now) { charge(event.peer, event.charge, now); }
  void on(Persisted&& event, Now) { favours.persisted(event.up_to, out); }
  void on(JoinRequested&& event, Now now) { links.join(event.contact, now, out); }
  void on(ContactsRestored&& event, Now now) { membership.restored(event, now, out); }
  void on(FavoursRestored&& event, Now) { favours.restored(event); }
  void on(ReputationsRestored&& event, Now) { board.restored(event.donors); }

  void on(IdentityMinted&& event, Now now) {
    if (own_proof.found(event.ticket)) membership.prove(event.ticket, now);
  }

  void on(LeaveRequested&&, Now now) {
    leaving = true;
    board.leave(out);
    donor.leave(now, out);
    favours.leave(now);
    membership.leave(now, out);  // behind what is given back
  }

  void on(TimerDue&&, Now) {}

  // --- Messages ---

  void receive(const PeerId& from, Contacts&& message, Now now) { charge(from, membership.contacts(from, message, now, out), now); }
  void receive(const PeerId& from, Announce&& message, Now now) { charge(from, gossip.on(from, message, now, out), now); }
  void receive(const PeerId& from, Digest&& message, Now now) { charge(from, gossip.on(from, message, now, out), now); }
  void receive(const PeerId& from, Pull&& message, Now now) { charge(from, gossip.on(from, message, now, out), now); }

  void receive(const PeerId& from, Want&& message, Now now) {
    const bool leads = stewardship.leads(message.job);
    if (from != self.id && links.is_up(from) && (leads || board.runs(message.job))) {
      if (!links.hold(from, Purpose::job)) return out.send(from, Closed{message.job});  // no room for more donors
      budget.set_working(from, true);
    }
    if (leads) return stewardship.on_want(from, message, now, out);
    const Link* link = links.find(from);
    board.on_want(from, message, link != nullptr ? link->seen_at : std::nullopt, now, out);
  }

  void receive(const PeerId& from, Results&& message, Now now) {
    links.useful(from, now);
    if (stewardship.leads(message.job)) return charge(from, stewardship.on_results(from, key_of(from), message, now, out), now);
    const bool is_told = from != self.id && entrusting.entrusts(message.job);
    const std::optional<Results> told = is_told ? std::optional(message) : std::nullopt;
    const auto due = board.on_results(from, key_of(from), std::move(message), now, out);
    if (told && !due && board.counted_all()) entrusting.collected(key_of(from), *told, now);
    charge(from, due, now);
  }

  void receive(const PeerId& from, Return&& message, Now now) {
    if (stewardship.leads(message.job)) return stewardship.on_return(from, message, now, out);
    board.on_return(from, message, now, out);
  }

  void receive(const PeerId& from, Lease&& message, Now now) {
    links.useful(from, now);
    donor.on_lease(from, std::move(message), now, out);
  }

  void receive(const PeerId& from, Revoke&& message, Now) { donor.on_revoke(from, message, out); }
  void receive(const PeerId& from, Closed&& message, Now now) {
    donor.on_closed(from, message, out);
    entrusting.on_closed(from, message.job, now);
  }

  void receive(const PeerId& from, Entrust&& message, Now now) {
    const JobId job{hash_of(message.manifest.body).bytes};
    if (board.holds(job) || entrusting.entrusts(job)) return out.send(from, Closed{job});  // nobody is its own steward
    charge(from, stewardship.on(from, message, now, out), now);
  }
  void receive(const PeerId& from, Follow&& message, Now now) {
    if (entrusting.entrusts(message.job)) charge(from, entrusting.on(from, message, now, out), now);
    else charge(from, stewardship.on(from, message, now, out), now);
  }
  void receive(const PeerId& from, Record&& message, Now now) {
    if (entrusting.entrusts(message.job)) charge(from, entrusting.on(from, std::move(message), now, out), now);
    else charge(from, stewardship.on(from, std::move(message), now, out), now);
  }

  void receive(const PeerId& from, Knock&& message, Now now) {
    if (!links.is_up(from)) return charge(from, charges::unasked, now);  // relays are not stacked
    charge(from, message.to == self.id ? relayed.on(from, message, now, out) : relay_service.on(from, message, now, out), now);
  }

  void receive(const PeerId& from, Relay&& message, Now now) {
    if (!links.is_up(from)) return charge(from, charges::unasked, now);
    charge(from, message.to == self.id ? relayed.on(from, message, now, out) : relay_service.on(from, message, now, out), now);
  }

  void receive(const PeerId& from, RelayGone&& message, Now now) {
    if (!links.is_up(from)) return charge(from, charges::unasked, now);
    relay_service.on(from, message, out);
    relayed.on(from, message);
  }

  void receive(const PeerId& from, Binding&& message, Now now) { charge(from, favours.on(from, message, now, out), now); }
  void receive(const PeerId& from, Receipts&& message, Now now) { charge(from, favours.on(from, message, now, out), now); }

  void receive(const PeerId& from, Seek&& message, Now now) {
    const bool employed = board.employs(from);
    const BlobDirectory::Own own{employed || board.uses(message.blob), employed, blobs.may_tell(message.blob)};
    charge(from, directory.on(from, message, own, now, out), now);
  }

  void receive(const PeerId& from, Found&& message, Now now) {
    const auto found = directory.on(from, message, blobs.wants(message.blob), now, out);
    std::map<PeerId, const ContactRecord*> records;
    std::vector<PeerId> holders;
    for (const ContactRecord& record : found.records) {
      if (records.emplace(record.peer(), &record).second) holders.push_back(record.peer());
    }
    for (const PeerId& holder : blobs.found(message.blob, holders, now, out)) directory.link(*records.at(holder), from, now, out);
    charge(from, found.charge, now);
  }

  // --- Routes between machines ---

  /// Links that are direct and links that are relayed serve jobs alike.
  void linked_for_jobs(const PeerId& peer, const PublicKey& key, Now now) {
    keys[peer] = key;
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

  void unlinked_for_jobs(const PeerId& peer, Now now) {
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
    donor.lost(peer, now);
    if (served) look_for_successors(peer, now);
  }

  /// A steward has perhaps announced jobs of that submitter's before the link to it broke.
  void look_for_successors(const PeerId& submitter, Now now) {
    for (const KnownJob& known : gossip.known()) {
      if (!known.closed && known.submitter != submitter && known.delegated.peers.front() == submitter) on_news(known, now);
    }
  }

  void work_with(const PeerId& peer) {
    if (links.is_up(peer)) (void)links.hold(peer, Purpose::job);
    budget.set_working(peer, true);
  }

  void on_relayed(Event&& event, Now now) {
    if (auto* received = std::get_if<MessageReceived>(&event)) return on(std::move(*received), now);
    if (auto* connected = std::get_if<PeerConnected>(&event)) return linked_for_jobs(connected->peer, connected->key, now);
    if (auto* lost = std::get_if<PeerLost>(&event)) return unlinked_for_jobs(lost->peer, now);
  }

  void on_news(const KnownJob& known, Now now) {
    charge(known.told_by, membership.learn(known.record, known.told_by, now, out).charge, now);
    entrusting.on_news(known, now, out);
    stewardship.on_news(known, now, out);
    if (known.closed) return donor.forget(known.job, out);
    if (stewardship.leads(known.job)) return;
    if (known.submitter == self.id) return;  // an earlier process of ours had it; this one learns of it when it is submitted here
    if (stewardship.holds(known.job)) job_links.need(known, now, out);
    const bool fresh = donor.learn(known.job, known.manifest, known.submitter, now, out, known.delegated.epoch);
    if (!fresh && !donor.serves(known.submitter)) return;
    const bool was_up = job_links.is_up(known.submitter);
    job_links.need(known, now, out);
    if (fresh && was_up) {
      budget.set_working(known.submitter, true);
      favours.greet(known.submitter, out);
      donor.connected(known.submitter, now, out);
    }
  }

  /// What one machine has come to know and another has to act upon.
  void pass_on(Now now) {
    for (const KnownJob& known : gossip.take_news()) on_news(known, now);
    if (const auto work = board.take_verified(); !work.empty()) favours.verified(work, now, out);
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
    }
    for (const BlobId& blob : blobs.take_sought()) directory.seek(blob, now, out);
    if (auto rows = membership.take_rows(now, leaving); !rows.empty()) (void)journal.write(std::move(rows), out);
    if (auto rows = accounts.take_rows(now.boot, leaving); !rows.empty()) (void)journal.write(std::move(rows), out);
  }

  void see_to_stewards(Now now) {
    for (const Stewardship::Turn& turn : stewardship.take_turns()) {
      donor.forget(turn.job, out);  // whoever it was served for
      if (!turn.leads) {
        gossip.withdraw(turn.job);
        continue;
      }
      if (stewardship.computes(turn.job)) {
        const auto manifest = decode_manifest(turn.manifest.body);
        if (manifest && donor.learn_led(turn.job, *manifest, now, out)) donor.connected(self.id, now, out);
      }
      own_proof.need(now, out);
      refresh_record(now);
      (void)gossip.publish(turn.manifest, turn.delegation, now, out);
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
      board.gathered(gathered.job, {gathered.results.donor, std::move(gathered.results.results), std::move(gathered.counts)});
    }
    for (const JobId& job : entrusting.take_told()) told.insert(job);
    for (const JobId& job : told) board.set_waiting(job, entrusting.gathers(job), now, out);
    for (const PeerId& peer : stewardship.take_released()) release_unneeded(peer, now);
    for (const PeerId& peer : entrusting.take_released()) release_unneeded(peer, now);
  }

  void release_unneeded(const PeerId& peer, Now now) {
    if (peer == self.id || donor.serves(peer) || stewardship.needs(peer) || entrusting.needs(peer)) return;
    job_links.release(peer, now);
    if (!board.employs(peer)) release(peer, now);
  }

  /// Behind all that the machines have to say before.
  void depart(Now now) {
    if (!leaving || departed || !donor.has_left(now) || !favours.has_left()) return;
    departed = true;
    effects.push_back(Departed{});
  }

  void release(const PeerId& peer, Now now) {
    budget.set_working(peer, false);
    links.drop(peer, Purpose::job, now);
  }

  void refresh_record(Now now) {
    const Signed& record = membership.own_record(now);
    if (record.body == own_record) return;
    own_record = record.body;
    gossip.set_own_record(record);
    relayed.set_own_record(record);
  }

  void charge(const PeerId& from, const std::optional<Charge>& charge_due, Now now) {
    if (!charge_due || charge_due->score <= 0 || from == self.id) return;
    ++counters.dropped_unasked;
    if (!budget.charge(from, *charge_due, now.boot)) return;
    if (relayed.carries(from)) relayed.drop(from, out);
    links.ban(from, budget.banned_until(from), out);
  }

  PublicKey key_of(const PeerId& peer) const {
    const auto at = keys.find(peer);
    return at == keys.end() ? PublicKey{} : at->second;
  }

  // --- Out ---

  void tick(Now now) {
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

  void route(Addressed&& addressed, Now now) {
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

  /// Empties what the machines have written, and what that leads to, until nothing is left.
  void settle(Now now) {
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
};

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
