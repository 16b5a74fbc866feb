// Messages: everything that one peer says to another, as values. codec.h turns them into bytes and back; PROTOCOL.md says for each rule
// which attack it resists. Messages are addressed to a PeerId; which connection carries them is the driver's affair.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coordinatorless/base/attempt.h"
#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"
#include "coordinatorless/core/endpoint.h"

namespace dugnad::core {

/// Bytes and who vouches for them. The signature covers signed_bytes(domain, swarm, body): which domain follows from where it stands.
struct Signed {
  Bytes body;
  Signature signature{};
  bool operator==(const Signed&) const = default;
};

// --- What is signed and passed on. Encoded once by its author; everybody else keeps the raw bytes. ---

/// That work was spent on an identity: see identity_proof.h.
struct IdentityTicket {
  std::uint32_t month = 0;  // as month_of() counts
  std::uint64_t nonce = 0;
  bool operator==(const IdentityTicket&) const = default;
};

/// How a peer can be reached, signed by its peer key. A higher sequence replaces a lower one.
struct ContactRecord {
  PublicKey key;
  CurveKey curve;
  std::optional<Endpoint> endpoint;  // none: behind a NAT, dials others, or is reached through `relays`
  std::vector<PeerId> relays;        // at most 3
  bool donates = false;
  std::uint64_t sequence = 0;
  WallTime expires{};
  std::optional<IdentityTicket> proof{};  // needed by whoever wants its jobs passed on; not travelling at all where there is none
  std::optional<std::uint64_t> steward_bytes{};  // above 0: it holds jobs of others that are away, within so many bytes; none: it does not
  bool operator==(const ContactRecord&) const = default;
  [[nodiscard]] PeerId peer() const { return peer_id_of(key); }
};
inline constexpr std::size_t relays_max = 3;

/// That a peer has left in order: its records up to `sequence` are over. Signed by its key; it travels where records do, and lasts as long.
struct Goodbye {
  PublicKey key;
  std::uint64_t sequence = 0;
  WallTime expires{};
  bool operator==(const Goodbye&) const = default;
  [[nodiscard]] PeerId peer() const { return peer_id_of(key); }
};

/// What a job wants to be sure of, instead of a number of copies (core/confidence.h).
struct WantedConfidence {
  std::uint32_t error_ppb = 1'000'000;   // allowed share of wrong results, or probability of a wrong answer; in billionths, above 0
  bool combined = false;                 // it is of the one answer that all units go into
  std::uint32_t assumed_ppm = 100'000;   // share of saboteurs to reckon with, in millionths
  bool stream = false;                   // results become final block by block
  bool operator==(const WantedConfidence&) const = default;
};

/// What a job is, signed by its owner's key. Its hash is the job's id.
struct Manifest {
  PublicKey owner;
  Hash nonce;  // two jobs alike are still two jobs
  std::string task;
  std::uint32_t task_version = 1;
  std::uint32_t copies = 2;        // matching results from this many different peers; of no meaning beside a confidence
  Duration unit_limit{};           // after which an attempt is the donor's failure
  std::uint64_t memory_bytes = 0;  // 0: the donor's default
  std::optional<BlobId> module{};  // the program, a zstd frame of a WebAssembly module; none: the built-in task of that name and version
  std::uint64_t fuel = 0;          // of a module, for each unit; 0: not counted
  std::optional<WantedConfidence> confidence{};
  WallTime created{};
  std::optional<Hash> stewarded{};  // stewards may hold it: the hash of the secret that their assignments are keyed with (core/assignment.h)
  bool operator==(const Manifest&) const = default;
};

/// Who may lease out units of a job, signed by its owner's key. The higher epoch wins. The first of the peers submits; the others are stewards,
/// each of which stands in where those before it are away.
struct Delegation {
  JobId job;
  std::uint64_t epoch = 0;
  std::vector<PeerId> peers;
  bool operator==(const Delegation&) const = default;
};
inline constexpr std::size_t delegates_max = 16;

/// A job made known, signed by the peer that leases it out. A higher sequence replaces a lower one; `closed`, which only the first delegate
/// may say, ends it.
struct Announcement {
  Signed manifest;
  Signed delegation;
  Signed submitter;  // its contact record
  std::uint64_t sequence = 0;
  WallTime expires{};
  bool closed = false;
  bool operator==(const Announcement&) const = default;
};

// --- Messages ---

/// Contact records of peers the sender knows. `answer`: the receiver sends as many back.
struct Contacts {
  std::vector<Signed> records;
  bool answer = false;
  bool operator==(const Contacts&) const = default;
};

/// A rumour: a signed announcement and how many peers it has been through.
struct Announce {
  Signed announcement;
  std::uint8_t hops = 0;
  bool operator==(const Announce&) const = default;
};

/// Which announcements the sender holds; whoever lacks one, or holds a later one, answers with Pull or Announce.
struct DigestEntry {
  JobId job;
  std::uint64_t sequence = 0;
  bool operator==(const DigestEntry&) const = default;
};
struct Digest {
  std::vector<DigestEntry> entries;
  bool operator==(const Digest&) const = default;
};
struct Pull {
  std::vector<JobId> jobs;
  bool operator==(const Pull&) const = default;
};

/// Donor to submitter: standing credit. Until said otherwise the submitter may keep up to `work` of CPU time leased to the donor;
/// no credit (`slots` 0) withdraws it.
struct Want {
  JobId job;
  std::uint32_t slots = 0;  // attempts that run at once
  Duration work{};          // CPU time, summed over slots
  bool operator==(const Want&) const = default;
};

/// Submitter to donor: compute these. The submitter chose them; the donor learns nothing of who else got them.
struct LeasedUnit {
  UnitIndex unit;
  Value input;  // a large one is fetched from the submitter
  bool operator==(const LeasedUnit&) const = default;
};
struct Lease {
  JobId job;
  LeaseId lease;
  Duration valid{};  // from when it arrives
  std::vector<LeasedUnit> units;
  bool operator==(const Lease&) const = default;
};

/// Donor to submitter. One signature covers the Merkle root over every result's leaf: {job, unit, lease, outcome, digest of the output}. The donor
/// keeps a large output, for the submitter to fetch, until it is revoked.
struct UnitResult {
  LeaseId lease;
  UnitIndex unit;
  Outcome outcome = Outcome::ok;
  Value output;
  bool operator==(const UnitResult&) const = default;
};
struct InputDigests {
  Bytes digests;  // input_digest_bytes of each result's input, in their order
  bool operator==(const InputDigests&) const = default;
};
struct Results {
  JobId job;
  Duration held{};  // how long the donor had the oldest of these: what is left of the turnaround is the network's
  std::vector<UnitResult> results;
  Signature signature{};  // over results_root()
  std::optional<InputDigests> inputs{};  // of a job that stewards may hold: a donor says what it computed from, as it cannot know who chose that
  bool operator==(const Results&) const = default;
};
inline constexpr std::size_t input_digest_bytes = 16;  // nobody finds another input with one of a million given digests

/// Donor to submitter: not going to be computed; lease them to somebody else.
struct Return {
  JobId job;
  std::vector<UnitIndex> units;
  bool operator==(const Return&) const = default;
};

/// Submitter to donor: no longer wanted; neither the attempt nor a large output that came of it.
struct Revoke {
  JobId job;
  std::vector<UnitIndex> units;
  bool operator==(const Revoke&) const = default;
};

/// Submitter to donor: the job has ended, or is none of this peer's. Forget what is leased.
struct Closed {
  JobId job;
  bool operator==(const Closed&) const = default;
};

/// Two peers that both sit behind a NAT, and a third that both have dialled. Knock carries the sender's record, so that the other can seal.
struct Knock {
  PeerId from;
  PeerId to;
  Signed record;
  std::uint64_t session = 0;  // drawn by the sender for this link alone: a part of every nonce, so that no recorded frame opens again
  bool answer = false;        // the called peer's knock back
  bool operator==(const Knock&) const = default;
};
/// An opaque frame between the two: crypto_box under their CURVE keys; the nonce is both sessions, the direction and the counter.
struct Relay {
  PeerId from;
  PeerId to;
  std::uint64_t counter = 0;
  Bytes sealed;
  bool operator==(const Relay&) const = default;
};
/// The relay to one end: the other end is not here (any more). An end to the relay: it hangs up on the other.
struct RelayGone {
  PeerId peer;
  bool operator==(const RelayGone&) const = default;
};

/// Who has this blob? The submitter that is asked names those that asked before; whoever else has it names itself; others pass the question on,
/// `hops` times at most.
struct Seek {
  BlobId blob;
  std::uint8_t hops = 0;
  bool operator==(const Seek&) const = default;
};
/// The answer, on the way that the question came: contact records of peers that have the blob, or are fetching it. Nobody vouches for that.
struct Found {
  BlobId blob;
  std::vector<Signed> holders;
  bool operator==(const Found&) const = default;
};

// --- Favours: see favours.h ---

/// That a peer works for an owner, signed by the owner's key.
struct OwnerBinding {
  PublicKey owner;
  PeerId peer;
  bool operator==(const OwnerBinding&) const = default;
};
/// Donor to submitter, once a link: the signed OwnerBinding.
struct Binding {
  Signed binding;
  bool operator==(const Binding&) const = default;
};

/// One owner's thanks to another for all verified work so far, as one of its submitters knows it. What a submitter gives to one receiver is a line;
/// `series` tells lines of the same submitter apart, the first receipt of a line has sequence 1, and only the newest is needed.
struct Receipt {
  PublicKey giver;
  PeerId submitter;
  std::uint64_t series = 0;
  PublicKey receiver;
  std::uint64_t sequence = 0;
  Duration work{};  // CPU time, all of the line
  WallTime created{};
  bool operator==(const Receipt&) const = default;
};
struct SignedReceipt {
  Bytes body;
  Signature giver{};
  std::optional<Signature> receiver{};  // over the same body, once it was received
  bool operator==(const SignedReceipt&) const = default;
};
/// Thanks for the receiver's work, the same countersigned and returned, or shown to the giver's donors by whoever now wants a favour back.
struct Receipts {
  std::vector<SignedReceipt> receipts;
  bool operator==(const Receipts&) const = default;
};

// --- Stewards: see job_record.h ---

/// Submitter to a peer: hold this job for me. Who does follows its record; who does not says Closed. Also whenever the delegation changes.
struct Entrust {
  Signed manifest;
  Signed delegation;
  bool operator==(const Entrust&) const = default;
};

/// Send me what you have of this job's record from that place on, now, or (`wait`) as soon as there is something. A series is one process's record.
struct Follow {
  JobId job;
  std::uint64_t series = 0;
  std::uint64_t from = 0;
  bool wait = false;
  bool all = false;   // what the sender has given itself too: it may have lost that
  Signed delegation;  // that names the sender, where the newest does not; else empty
  std::uint32_t lacks = 0;  // large inputs that units wait for at the sender
  bool operator==(const Follow&) const = default;
};

/// An entry of a record: what the job's owner has said of it (OwnersWord), or, of a donor, a Results frame as it came.
struct RecordEntry {
  std::optional<PublicKey> donor;
  Bytes body;
  std::optional<Signature> signature;  // the owner's; a Results frame has the donor's inside
  bool operator==(const RecordEntry&) const = default;
};
/// The answer: entries that the receiver has not given itself, up to `next`.
struct Record {
  JobId job;
  std::uint64_t series = 0;
  std::uint64_t from = 0;  // as asked
  std::uint64_t next = 0;
  bool more = false;  // there are more from `next` on
  std::vector<RecordEntry> entries;
  bool operator==(const Record&) const = default;
};

/// Who may compute what while stewards lease a job out, and the key that says so (core/assignment.h).
struct DeedDonor {
  PeerId donor;
  std::optional<Endpoint> address;  // none: behind a relay
  bool newcomer = false;            // no agreement had confirmed a result of its
  bool operator==(const DeedDonor&) const = default;
};
struct Deed {
  std::uint64_t version = 0;  // the highest is in force
  Hash key;
  std::vector<DeedDonor> donors;
  bool operator==(const Deed&) const = default;
};
struct FinalUnit {
  UnitIndex unit;
  std::uint64_t input_tag = 0;
  Outcome outcome = Outcome::ok;
  Value output;
  bool operator==(const FinalUnit&) const = default;
};
/// A Results frame that the submitter itself has asked for.
struct CollectedResults {
  PublicKey donor;
  Bytes frame;
  bool operator==(const CollectedResults&) const = default;
};
/// What the owner of a job says of it to its stewards, and to itself on another machine. Signed by its key; each part may be empty.
struct OwnersWord {
  JobId job;
  std::vector<LeasedUnit> units;  // there are these
  std::vector<FinalUnit> finals;  // these are over
  std::optional<CollectedResults> collected;
  std::optional<Deed> deed;
  Bytes recipe;  // how the program that submitted the job makes its units and takes its results
  bool operator==(const OwnersWord&) const = default;
};

using Message = std::variant<Contacts, Announce, Digest, Pull, Want, Lease, Results, Return, Revoke, Closed, Knock, Relay, RelayGone, Binding,
                             Receipts, Seek, Found, Entrust, Follow, Record>;

}  // namespace dugnad::core
