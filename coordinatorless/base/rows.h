// Rows: what the core asks to be kept, as values. The store writes them; nobody else knows how. A row holds a batch, never a unit.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "coordinatorless/base/attempt.h"
#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"

namespace dugnad {

enum class JobState : std::uint8_t { running = 0, done = 1, failed = 2, cancelled = 3 };

/// A job as it was submitted. `recipe` is how the submitting program finds and rebuilds it (task, parameters, policy); opaque to the core.
struct JobRow {
  JobId job;
  Bytes manifest;
  Bytes recipe;
  WallTime created{};
};

struct JobStateRow {
  JobId job;
  JobState state = JobState::running;
};

/// `input_tag`: the first 8 bytes, little-endian, of the hash of the input, or of ff and a large one's name, so that a changed input is noticed.
struct AcceptedUnit {
  UnitIndex unit;
  std::uint64_t input_tag = 0;
  Outcome outcome = Outcome::ok;
  Value output;  // a large one is in the blob store, for as long as it has room
};

/// Units that were accepted, and signed results, batch after batch as they came (core/evidence.h): of these units or of others of the job, which
/// may be open still; and what happened to those (core/held_log.h), which names batches of this evidence. Each may be empty.
struct AcceptedRow {
  JobId job;
  std::vector<AcceptedUnit> units;
  Bytes evidence = {};
  Bytes held = {};
};

/// What a row says of results that are not final, for whoever takes the job up again.
struct HeldRow {
  Bytes evidence;
  Bytes held;
};

/// A unit that was accepted, and of which input.
struct AcceptedTag {
  UnitIndex unit;
  std::uint64_t input_tag = 0;
};

/// What proves that the owner wanted the job: the signatures, made for this swarm, over its manifest and over who may lease it out.
struct PapersRow {
  JobId job;
  SwarmId swarm;
  Signature manifest_signature{};
  Bytes delegation;
  Signature delegation_signature{};
};

/// What a job came to, by its submitter's own account (core/stated_confidence.h).
struct SummaryRow {
  JobId job;
  Bytes summary;
};

/// A peer to remember: its signed contact record.
struct ContactRow {
  PeerId peer;
  Bytes record;
  WallTime seen{};
};

struct ContactGone {
  PeerId peer;
};

/// The newest receipt of a line (core/favours.h), given or got; or one beside it that contradicts it, which proves that its giver cheats.
struct ReceiptRow {
  SwarmId swarm;
  PublicKey giver;
  PeerId submitter;
  std::uint64_t series = 0;
  PublicKey receiver;
  bool contradicts = false;
  std::uint64_t sequence = 0;
  Bytes body;  // what is signed
  Signature giver_signature{};
  std::optional<Signature> receiver_signature{};
};

/// The line makes room for others.
struct ReceiptGone {
  SwarmId swarm;
  PublicKey giver;
  PeerId submitter;
  std::uint64_t series = 0;
  PublicKey receiver;
};

/// How a donor stands with another owner: opaque here (core/favour_accounts.h); empty: forgotten.
struct FavourRow {
  SwarmId swarm;
  PublicKey owner;
  Bytes account;
};

/// What a submitter remembers of a donor across jobs: opaque here (core/reputation.h); empty: forgotten.
struct ReputationRow {
  SwarmId swarm;
  PeerId donor;
  Bytes record;
};

enum class NoteKind : std::uint8_t {
  waiting = 1,  // a donor's: results that their submitter has not had (core/waiting_results.h)
  lease = 2,    // a submitter's: a lease that is out for long (core/lease_notes.h)
};

/// What is to be known to the next process, and soon not any more: opaque here; an empty body: forgotten. `key` is unique within kind and job.
struct NoteRow {
  NoteKind kind = NoteKind::waiting;
  JobId job;
  std::uint64_t key = 0;
  Bytes body;
  bool operator==(const NoteRow&) const = default;
};

using Row = std::variant<JobRow, JobStateRow, AcceptedRow, PapersRow, SummaryRow, ContactRow, ContactGone, ReceiptRow, ReceiptGone, FavourRow,
                         ReputationRow, NoteRow>;

[[nodiscard]] std::uint64_t input_tag_of(const Value& input);

}  // namespace dugnad
