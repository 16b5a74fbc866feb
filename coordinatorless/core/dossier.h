// Dossier: one job's evidence as a file that stands alone: who wanted the job, what was accepted, and who signed what. The owner signs the whole,
// so that what rests on the submitter's word alone (its own results, what it accepted) is at least that word. Whoever reads it believes nothing:
// each signature is checked, and recheck.h judges.
//
// The bytes: "dugnad evidence 1\n"; then, covered by the signature in the domain `evidence`:
//   32 of the swarm; manifest, delegation, each varint length, bytes and 64 of signature; recipe and summary, each varint length and bytes;
//   varint count and the accepted claims, ascending by unit (put_claim), where a mark says that the unit had another input then, and that a later
//   claim of the same unit counts; varint count and the batches (put_evidence);
// then the owner's signature, 64 bytes.
#pragma once

#include <span>
#include <string_view>

#include "coordinatorless/base/result.h"
#include "coordinatorless/base/rows.h"
#include "coordinatorless/core/evidence.h"

namespace dugnad::core {

/// Who wanted a job, and who was to lease it out.
struct Papers {
  SwarmId swarm;
  Signed manifest;
  Signed delegation;
  Bytes recipe;   // how its submitter rebuilds it; may be empty
  Bytes summary;  // stated_confidence.h; empty for a job of copies
};

/// What is in papers whose signatures hold.
struct CheckedPapers {
  JobId job;
  Manifest manifest;
  Delegation delegation;
};
/// An error says in one line what does not hold.
[[nodiscard]] Result<CheckedPapers> check(const Papers& papers, Crypto& verifier);

struct AcceptedClaimOf {
  UnitIndex unit;
  Claim claim;
  bool superseded = false;  // of an earlier input of the unit
};

/// By unit; of the same unit the one that counts stands last.
[[nodiscard]] std::vector<AcceptedClaimOf> accepted_claims(std::span<const AcceptedUnit> units);
/// The one that counts; nullptr where the unit is not among them.
[[nodiscard]] const AcceptedClaimOf* find_accepted(const std::vector<AcceptedClaimOf>& accepted, UnitIndex unit);

struct Dossier {
  Papers papers;
  std::vector<AcceptedClaimOf> accepted;  // as accepted_claims() has them
  std::vector<Bytes> evidence;            // batch after batch, as the journal has them or the file
};

/// Calls `each` with every batch in turn. False where the bytes are damaged.
[[nodiscard]] bool each_batch(const Dossier& dossier, const std::function<void(const EvidenceBatch&)>& each);

inline constexpr std::string_view dossier_magic = "dugnad evidence ";

/// `owner` signs. An error where the dossier's evidence is damaged, or there is more than the limits let anybody read.
[[nodiscard]] Result<Bytes> encode(const Dossier& dossier, Crypto& owner);
/// With its papers and the owner's signature over the whole checked. An error says in one line what is wrong.
[[nodiscard]] Result<Dossier> decode_dossier(ByteView file, Crypto& verifier);

}  // namespace dugnad::core
