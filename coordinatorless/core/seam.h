// The seam between the protocol and the world: events in, effects out, time as an argument.
//
//   peer.handle(event, now);
//   while (auto effect = peer.next_effect()) ...;
//   wake again at peer.next_deadline() with TimerDue.
//
// Ordering contract: effects are carried out in the order they come, except that one with `after` waits until that Persist is on disk
// (Gate keeps those back, for both drivers). Everything that happens per unit travels in batches. Messages to one peer arrive in the order
// sent, or the link has broken in between.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coordinatorless/base/attempt.h"
#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/held_output.h"
#include "coordinatorless/base/rows.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

// --- Events ---

/// One frame of an introduced peer, its bytes as they came.
struct MessageReceived {
  PeerId from;
  Bytes frame;
};

/// A link stands: CURVE and the handshake are done. `seen_at`: the address it comes from or was dialled at, where there is one.
struct PeerConnected {
  PeerId peer;
  PublicKey key;
  CurveKey curve;
  std::optional<Endpoint> seen_at;
  bool outbound = false;  // we dialled
};

struct PeerLost {
  PeerId peer;
};

/// A Dial that led to no link.
struct DialFailed {
  PeerId peer;
  std::string reason;
};

/// The driver's queue for this peer is full (or there is no link): the frame comes back, unsent.
struct SendRefused {
  PeerId to;
  Bytes frame;
};

/// A large output among these is in the blob store, pinned once for the peer, which releases it in time.
struct AttemptsFinished {
  std::vector<FinishedAttempt> attempts;
};

/// The program has a job. Manifest and delegation are signed by the owner's key; the job's id is hash_of(manifest.body).
struct JobSubmitted {
  Signed manifest;
  Signed delegation;
  Bytes recipe;
  std::uint64_t units_expected = 0;  // that will be appended, as far as is known; 0: it is not
  bool checked = false;              // by confidence: the task has a check, which this peer can run (core/job_checks.h)
  unsigned stewards = 0;             // wanted; of a job whose manifest says that it may have some
  // Of a job that is taken up again, as its journal has it, in the order in which it was written.
  std::vector<HeldRow> held{};
  std::vector<NoteRow> leases{};  // in any order
  std::vector<AcceptedTag> accepted{};  // units that will not be appended, unless what was accepted of them is void or lost
};

struct NewUnit {
  UnitIndex unit;
  Value input;  // a large one is in the blob store, and stays there until the unit is accepted
  /// Of a job by confidence: its right output, known beforehand. The unit is there to try donors (core/known_answers.h): it is neither waited for nor
  /// delivered. Its input is small.
  std::optional<Value> known{};
};

/// More units of a job, in any order, each index once; `last`: no more will come.
struct UnitsAppended {
  JobId job;
  std::vector<NewUnit> units;
  bool last = false;
};

struct JobCancelled {
  JobId job;
};

/// Its owner wants to go on here with a job that stewards hold. JobFound follows once they have told what they have.
struct JobSought {
  JobId job;
};

/// How many attempts may run at once from now on.
struct AllowanceChanged {
  unsigned slots = 0;
};

struct Persisted {
  PersistSeq up_to;
};

/// What FetchBlob asked for is here, whole and checked, and stays until ReleaseBlob.
struct BlobFetched {
  BlobId blob;
};

/// Why a fetch failed.
enum class FetchFailure : std::uint8_t {
  withheld,  // late, or something else than was promised
  missing,   // its holder says that it has it no more
  here,      // this peer's disk has no room, or fails: no fault of the holder's
};
/// `from` has not given it (any more), within reasonable time. Or, unasked: it was here and is lost or corrupt, and `from` is oneself.
struct BlobFailed {
  BlobId blob;
  PeerId from;
  std::string reason;
  FetchFailure cause = FetchFailure::withheld;
};

/// The program has read a large output that was delivered to it: it need not stay here any longer. Each is to be taken once.
struct OutputTaken {
  JobId job;
  BlobId blob;
};

/// Large outputs that an earlier process of this peer held for submitters (OutputHeld) and that are still here, pinned once each for the peer. Before
/// any link.
struct HeldOutputsFound {
  std::vector<HeldOutput> outputs;
};

/// A bulk frame for a peer to which there is no direct link: sealed and sent through its relay, if there is one. See bulk_frames.h.
struct BulkToRelay {
  PeerId to;
  Bytes frame;
};

/// The bulk channel has found this peer at fault.
struct PeerMisbehaved {
  PeerId peer;
  Charge charge;
};

/// A contact that the user gave, names resolved; dialled whatever its address is, and again whenever it is lost.
struct JoinRequested {
  Contact contact;  // host_port is an IP literal
};

/// Remembered from earlier runs.
struct ContactsRestored {
  std::vector<ContactRow> contacts;
};

/// Remembered from earlier runs, of this swarm: receipts of this owner's, whichever of its peers got them, and this peer's accounts.
struct FavoursRestored {
  std::vector<ReceiptRow> receipts;
  std::vector<FavourRow> accounts;
};

/// What this peer remembers of donors, of this swarm.
struct ReputationsRestored {
  std::vector<ReputationRow> donors;
};

/// What an earlier process of this peer's held of others' jobs, as a steward.
struct HeldRestored {
  struct Job {
    Signed manifest;
    Signed delegation;
    Duration silent_for{};  // its submitter was last heard so long ago
    std::vector<RecordEntry> entries;
  };
  std::vector<Job> jobs;
};

/// Results that an earlier process of this peer has computed for others, and could not deliver. Before any link.
struct WaitingRestored {
  std::vector<NoteRow> notes;
};

/// The answer to MintIdentity; or remembered from an earlier run, before any job is submitted.
struct IdentityMinted {
  IdentityTicket ticket;
};

/// Orderly stop: no new leases; what runs may finish; the rest is returned; then Departed comes out.
struct LeaveRequested {};

struct TimerDue {};

using Event = std::variant<MessageReceived, PeerConnected, PeerLost, DialFailed, SendRefused, AttemptsFinished, JobSubmitted, UnitsAppended,
                           JobCancelled, JobSought, AllowanceChanged, Persisted, BlobFetched, BlobFailed, OutputTaken, HeldOutputsFound, BulkToRelay,
                           PeerMisbehaved, JoinRequested, ContactsRestored, FavoursRestored, ReputationsRestored, HeldRestored,
                           WaitingRestored, IdentityMinted, LeaveRequested, TimerDue>;

// --- Effects ---

struct SendMessage {
  PeerId to;
  Bytes frame;
};

/// Connect to this peer; PeerConnected or DialFailed follows.
struct Dial {
  PeerId peer;
  CurveKey curve;
  Endpoint endpoint;
};

/// Drop the link, if there is one; PeerLost follows. `ban`: refuse this peer's handshakes until then (boot time).
struct Disconnect {
  PeerId peer;
  BootTime ban_until{};
};

struct AttemptToStart {
  AttemptId attempt;
  JobId job;
  std::string task;
  std::uint32_t task_version = 1;
  Value input;  // a large one is here
  Duration limit{};
  std::optional<BlobId> module{};  // instead of the built-in task; it is here
  std::uint64_t memory_bytes = 0;  // 0: the donor's default
  std::uint64_t fuel = 0;          // 0: not counted
  /// Not to be computed but checked: whether this is the output. A large one is here. What comes back is one byte, 1 where it is.
  std::optional<Value> claimed{};
};
struct StartAttempts {
  std::vector<AttemptToStart> attempts;
};

struct CancelAttempts {
  std::vector<AttemptId> attempts;
};

/// Who may know of a fetch, and of what it has brought.
enum class Sharing : std::uint8_t {
  alone,   // the holders that are named, and nobody else
  helped,  // those too that are named as helpers: they are told that it is fetched, and nothing besides
  shared,  // everybody: parts of it may come from others that need it, and go to them
};

/// Get this blob from that peer, which is linked (or from what is here already, which comes first), check it, and keep it until ReleaseBlob.
/// BlobFetched or BlobFailed follows. Its bytes never come through here.
struct FetchBlob {
  BlobId blob;
  PeerId from;
  Sharing sharing = Sharing::alone;
};

/// That peer, which is linked, has some of it too, perhaps: a fetch that runs may be helped by it. No answer follows.
struct HelpFetch {
  BlobId blob;
  PeerId from;
};

/// What was fetched alone, or helped, is a secret no more: as long as it is here, whoever asks may have it.
struct OfferBlob {
  BlobId blob;
};

/// Not needed any more: a fetch that runs may be broken off without a word, and what is here may be evicted.
struct ReleaseBlob {
  BlobId blob;
};

/// What this peer has promised to keep, for its next process to find: HeldOutputsFound. It is here until ReleaseBlob, whatever becomes of this.
struct OutputHeld {
  HeldOutput held;
};
/// It is not held any more.
struct OutputLetGo {
  JobId job;
  UnitIndex unit;
  BlobId output;
};

/// A bulk frame that came over a relay: to be handled like one that came directly, which the driver hands past the peer.
struct BulkReceived {
  PeerId from;
  Bytes frame;
};

/// Rows to be kept, together or not at all, in the order of `seq`.
struct Persist {
  PersistSeq seq;
  std::vector<Row> rows;
};

/// Final results of the own job. Each unit comes once. Large outputs are here, and stay until OutputTaken.
struct DeliverResults {
  JobId job;
  std::vector<AcceptedUnit> units;
  PersistSeq after;
};

/// Something that the job's user wants to know, beside results.
struct DonorOutvoted {
  JobId job;
  PeerId donor;
  UnitIndex unit;
};
/// A donor returned something else than the submitter has computed: what it had returned and is not final is void. `branded`: it gets nothing more.
struct DonorConvicted {
  JobId job;
  PeerId donor;
  UnitIndex unit;
  bool branded = true;
};
/// The output that was given as known of this unit is not what this peer computes: nobody is blamed for having contradicted it.
struct KnownAnswerWrong {
  JobId job;
  UnitIndex unit;
};
/// What a job by confidence will cost, said once, before the first lease: attempts and audits a unit.
struct CostExpected {
  JobId job;
  std::uint64_t units = 0;  // 0: not known yet, and neither is the cost
  double quiet = 1;
  double attacked = 1;  // under the costliest attack known
  double own = 0;       // of `quiet`, what the submitter computes
  bool checked = false;  // beside that, the submitter checks each result
};
/// So many units have a result that is not final.
struct UnitsHeld {
  JobId job;
  std::uint64_t units = 0;
};
/// So many stewards hold all of the job that there is: its submitter may leave.
struct StewardsHold {
  JobId job;
  unsigned stewards = 0;
  unsigned wanted = 0;
};
/// What was sought: to be submitted here with a later delegation. `finals`: what its owner had called final.
struct JobFound {
  JobId job;
  Signed manifest;
  Bytes recipe;
  std::vector<AcceptedUnit> finals;
};
struct NobodyToCompute {  // said once whenever the last donor is gone
  JobId job;
};
struct DonorsBack {
  JobId job;
};
struct JobEnded {
  JobId job;
  JobState state = JobState::done;
  PersistSeq after;
};

/// As a steward: to be found again by a later process of this peer's. Nothing waits for it: what a crash takes is asked for anew.
struct KeepHeld {
  JobId job;
  struct Papers {
    Signed manifest;
    Signed delegation;
  };
  std::optional<Papers> papers{};     // the submitter was heard now; instead of those before
  std::vector<RecordEntry> entries{};  // behind those before
};
/// It holds that job no more.
struct DropHeld {
  JobId job;
};

/// Search for a ticket of that month with this peer's key, beside everything else; IdentityMinted follows. A later one replaces it.
struct MintIdentity {
  std::uint32_t month = 0;
  unsigned difficulty = 0;
};

/// The answer to LeaveRequested: the process may end.
struct Departed {};

using Effect = std::variant<SendMessage, Dial, Disconnect, StartAttempts, CancelAttempts, FetchBlob, HelpFetch, OfferBlob, ReleaseBlob,
                            OutputHeld, OutputLetGo, BulkReceived, Persist, DeliverResults, DonorOutvoted, DonorConvicted, KnownAnswerWrong,
                            CostExpected, UnitsHeld, StewardsHold, JobFound, NobodyToCompute, DonorsBack, JobEnded, KeepHeld, DropHeld,
                            MintIdentity, Departed>;

/// What the machines of the core write to: messages by peer, and effects, each in order.
struct Addressed {
  PeerId to;
  Message message;
};
struct Output {
  std::vector<Addressed> messages;
  std::vector<Effect> effects;
  void send(const PeerId& to, Message message) { messages.push_back({to, std::move(message)}); }
  void push(Effect effect) { effects.push_back(std::move(effect)); }
};

}  // namespace dugnad::core
