// Peer's parts: its machines, in the order of who needs whom, and the routes between them. A route decides nothing but who is told. Events come in
// in peer.cpp, messages in peer_messages.cpp; what one machine tells another, and what goes out, is in peer_routes.cpp.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "coordinatorless/core/blob_directory.h"
#include "coordinatorless/core/blob_wants.h"
#include "coordinatorless/core/donor.h"
#include "coordinatorless/core/entrusting.h"
#include "coordinatorless/core/favour_accounts.h"
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
#include "coordinatorless/core/peer.h"
#include "coordinatorless/core/peer_budget.h"
#include "coordinatorless/core/relay_service.h"
#include "coordinatorless/core/relayed_links.h"
#include "coordinatorless/core/stewardship.h"

namespace dugnad::core {

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
        stewardship(self, blobs, config.steward_bytes),
        entrusting(self, membership),
        donor(self, blobs, accounts, journal, std::move(config.tasks), std::move(config.code), config.slots, config.blob_bytes / limits::blob_uses) {}

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

  void on(MessageReceived&& event, Now now);
  void on(PeerConnected&& event, Now now);
  void on(PeerLost&& event, Now now);
  void on(DialFailed&& event, Now now);
  void on(SendRefused&& event, Now now) { outbox.refused(event.to, std::move(event.frame), now, out); }
  void on(AttemptsFinished&& event, Now now);
  void on(JobSubmitted&& event, Now now);
  void on(UnitsAppended&& event, Now now);
  void on(JobSought&& event, Now now);
  void on(JobCancelled&& event, Now now) { board.cancel(event.job, now, out); }
  void on(AllowanceChanged&& event, Now now) { donor.allow(event.slots, now, out); }
  void on(BlobFetched&& event, Now) { blobs.fetched(event.blob); }
  void on(BlobFailed&& event, Now now) { blobs.failed(event, now, out); }
  void on(OutputTaken&& event, Now now) { board.on_taken(event, now, out); }
  void on(HeldOutputsFound&& event, Now now) { donor.restore(event.outputs, now, out); }
  void on(WaitingRestored&& event, Now now) { donor.restore(event, now, out); }
  void on(BulkToRelay&& event, Now now);
  void on(PeerMisbehaved&& event, Now now) { charge(event.peer, event.charge, now); }
  void on(Persisted&& event, Now) { favours.persisted(event.up_to, out); }
  void on(JoinRequested&& event, Now now) { links.join(event.contact, now, out); }
  void on(ContactsRestored&& event, Now now) { membership.restored(event, now, out); }
  void on(FavoursRestored&& event, Now) { favours.restored(event); }
  void on(ReputationsRestored&& event, Now) { board.restored(event.donors); }
  void on(HeldRestored&& event, Now now) { stewardship.restored(std::move(event), now, out); }
  void on(IdentityMinted&& event, Now now);
  void on(LeaveRequested&&, Now now);
  void on(TimerDue&&, Now) {}

  // --- Messages ---

  void receive(const PeerId& from, Contacts&& message, Now now) { charge(from, membership.contacts(from, message, now, out), now); }
  void receive(const PeerId& from, Announce&& message, Now now) { charge(from, gossip.on(from, message, now, out), now); }
  void receive(const PeerId& from, Digest&& message, Now now) { charge(from, gossip.on(from, message, now, out), now); }
  void receive(const PeerId& from, Pull&& message, Now now) { charge(from, gossip.on(from, message, now, out), now); }
  void receive(const PeerId& from, Want&& message, Now now);
  void receive(const PeerId& from, Results&& message, Now now);
  void receive(const PeerId& from, Return&& message, Now now);
  void receive(const PeerId& from, Lease&& message, Now now);
  void receive(const PeerId& from, Revoke&& message, Now) { donor.on_revoke(from, message, out); }
  void receive(const PeerId& from, Closed&& message, Now now);
  void receive(const PeerId& from, Entrust&& message, Now now);
  void receive(const PeerId& from, Follow&& message, Now now);
  void receive(const PeerId& from, Record&& message, Now now);
  void receive(const PeerId& from, Knock&& message, Now now);
  void receive(const PeerId& from, Relay&& message, Now now);
  void receive(const PeerId& from, RelayGone&& message, Now now);
  void receive(const PeerId& from, Binding&& message, Now now) { charge(from, favours.on(from, message, now, out), now); }
  void receive(const PeerId& from, Receipts&& message, Now now) { charge(from, favours.on(from, message, now, out), now); }
  void receive(const PeerId& from, Seek&& message, Now now);
  void receive(const PeerId& from, Found&& message, Now now);

  // --- Routes between machines ---

  /// Links that are direct and links that are relayed serve jobs alike.
  void linked_for_jobs(const PeerId& peer, const PublicKey& key, Now now);
  /// That it leases out and are not served: it has perhaps sent us away, and there is room again, or this is another process of its. No news would
  /// say so before its next refresh.
  void take_up_jobs_of(const PeerId& submitter, const PublicKey& key, Now now);
  void unlinked_for_jobs(const PeerId& peer, Now now);

  /// A steward has perhaps announced jobs that this peer has led out, before it was gone.
  void look_for_successors(const PeerId& submitter, Now now);

  void work_with(const PeerId& peer);

  void on_relayed(Event&& event, Now now);

  void on_news(const KnownJob& known, Now now);

  /// What one machine has come to know and another has to act upon.
  void pass_on(Now now);

  void see_to_stewards(Now now);

  void release_unneeded(const PeerId& peer, Now now);

  /// Behind all that the machines have to say before.
  void depart(Now now);

  void release(const PeerId& peer, Now now);

  void refresh_record(Now now);

  void charge(const PeerId& from, const std::optional<Charge>& charge_due, Now now);

  PublicKey key_of(const PeerId& peer) const;

  // --- Out ---

  void tick(Now now);

  void route(Addressed&& addressed, Now now);

  /// Empties what the machines have written, and what that leads to, until nothing is left.
  void settle(Now now);
};

}  // namespace dugnad::core
