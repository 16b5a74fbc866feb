// Evidence: what donors signed, kept so that anybody can recheck later why a unit's output was believed. One batch of evidence is one Results
// message without its outputs: the donor's key, its signature over their Merkle root, and what it takes to make that root again.
//
// Specification
//   1. What was counted is kept open: unit, lease, outcome, and the output's hash, or the output itself where that is no longer than its hash.
//   2. Whatever else stood in the same message (late, or never asked for) is veiled: only its leaf's hash is kept. Rationale: the root needs it,
//      and a donor must not slip results of units that it was never given into what others take for verdicts.
//   3. The submitter's own results carry no signature: they are its word, and a stranger takes them for no more. They can be recomputed.
//   4. Kept when it is counted, not when its unit is settled. Rationale: nothing has to be remembered for units that stay open.
//
// The bytes: u8 1 (signed), 2 (own) or 3 (signed, with its inputs), 32 of the donor's key, 64 of the signature where there is one, 32 of the hash of
//   the inputs' digests where they are signed too, varint count, then for each result
//   u8 head: outcome; 04 large; 08 hashed, 10 veiled, 18 as accepted; 20 same lease as before; 40 the unit after the one before
//   unless veiled: varint step of the lease unless it is the same; varint step of the unit unless it is the next
//   the leaf's hash (veiled), the output's hash (hashed), nothing (as accepted), else u8 length and the output.
// A step is the way from the value before, from 0 first, with the sign in the lowest bit. Only an exported file has results as accepted: those
// that say what the file has said of the unit already.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

/// What somebody said a unit's output is. Equal results have equal claims, as the form follows from the length.
struct Claim {
  static constexpr std::uint8_t brief_most = 32;

  Outcome outcome = Outcome::ok;
  bool large = false;                       // the output is a blob's name
  bool hashed = false;                      // `bytes` is the output's hash
  std::uint8_t length = 0;                  // of the output, where it is brief
  std::array<std::uint8_t, 32> bytes{};     // the output, zeros behind it
  bool operator==(const Claim&) const = default;

  /// The output itself, where it is brief.
  [[nodiscard]] std::optional<ByteView> output() const;
  /// The output's hash, as a leaf of the results' root has it.
  [[nodiscard]] Hash digest() const;
};
[[nodiscard]] Claim claim_of(Outcome outcome, const Value& output);
/// Whether its claim has the output itself.
[[nodiscard]] inline bool is_brief(const Value& output) { return output.bytes.size() <= Claim::brief_most; }

struct EvidenceResult {
  UnitIndex unit;
  LeaseId lease;
  Claim claim;
  bool veiled = false;  // the leaf's hash is claim.bytes, and nothing else is known
  bool operator==(const EvidenceResult&) const = default;
};

struct EvidenceBatch {
  PublicKey donor;
  std::optional<Signature> signature;  // none: the submitter's own
  std::vector<EvidenceResult> results;
  std::optional<Hash> inputs{};  // the hash of what the donor said of its inputs; the signature covers it too
  bool operator==(const EvidenceBatch&) const = default;
};

/// All of it open. `own`: the signature is none.
[[nodiscard]] EvidenceBatch evidence_of(const Results& results, const PublicKey& donor, bool own);

/// Veils all results but those at these places, which ascend.
void veil_others(EvidenceBatch& batch, const JobId& job, const std::vector<std::uint32_t>& counted);

/// What the signature covers; the same as results_root() of the message that the batch was made from.
[[nodiscard]] Hash root_of(const EvidenceBatch& batch, const JobId& job);
/// Whether the donor signed it in this swarm for this job. False for the submitter's own.
[[nodiscard]] bool is_signed(const EvidenceBatch& batch, const SwarmId& swarm, const JobId& job, Crypto& verifier);

/// What was accepted for a unit, where that is known.
using AcceptedClaim = std::function<const Claim*(UnitIndex)>;

/// Appends the batch's bytes. `accepted`: what the reader will know as accepted; none in a journal.
void put_evidence(Bytes& out, const EvidenceBatch& batch, const AcceptedClaim& accepted = {});
/// The next batch; nullopt for anything that put_evidence() does not write.
[[nodiscard]] std::optional<EvidenceBatch> read_evidence(packed::Reader& in, const AcceptedClaim& accepted = {});

/// One unit and a claim, as they stand in a list of them: head as above, step of the unit from `before`, output. `marked` takes the bit 20.
void put_claim(Bytes& out, UnitIndex& before, UnitIndex unit, const Claim& claim, bool marked);
struct ReadClaim {
  UnitIndex unit;
  Claim claim;
  bool marked = false;
};
[[nodiscard]] std::optional<ReadClaim> read_claim(packed::Reader& in, UnitIndex& before);

}  // namespace dugnad::core
