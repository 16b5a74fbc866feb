// Recheck: what a job's evidence amounts to, without trusting the submitter's software: which donors signed what, whose results agree with what
// was accepted, and whether that is what the owner asked for. Pure; fed one batch after the other, it keeps 24 bytes a result.
//
// Specification
//   1. A batch whose signature does not hold for its donor, this swarm and this job counts for nothing, and is a fault. Rationale: a replayed batch
//      of another job, and a unit or lease that was moved, change the root.
//   2. Of one donor the last result of a unit counts, once. Rationale: two results of one donor say nothing more than one. A result that differs
//      from what was accepted is held against its donor, later ones or not.
//   3. A donor's own fault (time, memory) and a cancelled attempt are no results.
//   4. A unit is confirmed where at least as many peers agree with what was accepted as the manifest's copies say (one, where the job has a
//      confidence instead: there audits do what copies do), and no other result has as many. The submitter's own result counts as one peer,
//      and settles a dispute: where it agrees no number of others outweighs it, where it differs nothing does.
//   5. A unit that failed for want of agreement, or because nobody could finish it, is confirmed where the evidence shows that: so many results
//      without agreement, or so many faults, as core/agreement.h gives up at.
//   6. Results that agree with what was accepted for an earlier input of the unit are neither for nor against it.
//   7. Of a job by confidence, what a donor returned weighs against nothing once the submitter's own result has proven it wrong at some unit:
//      with that all its results were void. It still counts as differing. Rationale: another donor computed the unit then, perhaps it alone.
// What no evidence can show: whether two keys are two people. TRUST.md says what that costs.
#pragma once

#include <map>

#include "coordinatorless/core/dossier.h"

namespace dugnad::core {

struct UnitFinding {
  enum class Kind : std::uint8_t {
    unsupported,  // fewer agree than were asked for
    disputed,     // others are as many, or the submitter's own result is another
    gave_up,      // it failed, and the evidence does not show why
  };
  UnitIndex unit;
  Kind kind = Kind::unsupported;
  std::uint32_t donors = 0;   // that signed what was accepted
  bool own = false;           // the submitter's own result agrees
  std::uint32_t against = 0;  // peers that agree on another result: the most that do
};

struct DonorRecord {
  PeerId peer;
  bool own = false;
  std::uint64_t results = 0;
  std::uint64_t agreeing = 0;
  std::uint64_t differing = 0;
  std::uint64_t faults = 0;
};

struct Findings {
  std::uint64_t units = 0;      // accepted
  std::uint64_t failed = 0;     // of these, as failed
  std::uint64_t confirmed = 0;  // of these
  std::uint64_t audited = 0;    // more than one peer has computed them
  std::uint64_t with_own = 0;   // confirmed, and fewer donors than asked for but for the submitter's own result
  std::uint64_t own = 0;        // that the submitter computed too
  std::vector<UnitFinding> doubtful;  // all that are not confirmed, by unit
  std::map<std::uint32_t, std::uint64_t> signed_by;  // units by how many donors signed what was accepted
  std::vector<DonorRecord> donors;                   // by peer
  struct Differing {
    UnitIndex unit;
    PeerId peer;
    bool own = false;
  };
  std::vector<Differing> differing;  // by unit
  std::uint64_t batches = 0;
  std::uint64_t forged = 0;        // batches whose signature does not hold
  std::uint64_t open_results = 0;  // of units for which nothing was accepted
  [[nodiscard]] bool holds() const { return doubtful.empty() && forged == 0; }
};

/// One result of the unit that is looked at closely.
struct Testimony {
  enum class Says : std::uint8_t { agrees, differs, earlier_input, fault, open };
  PeerId peer;
  bool own = false;
  LeaseId lease;
  Claim claim;
  Says says = Says::open;
  std::uint64_t batch = 0;  // which of the batches, from 0
};

class Recheck {
 public:
  /// `accepted` outlives this. `closely`: a unit whose results are kept as they are.
  Recheck(const CheckedPapers& papers, const SwarmId& swarm, bool has_confidence, const std::vector<AcceptedClaimOf>& accepted,
          Crypto& verifier, std::optional<UnitIndex> closely = {});

  void add(const EvidenceBatch& batch);
  [[nodiscard]] Findings findings();
  [[nodiscard]] const std::vector<Testimony>& testimonies() const { return testimonies_; }
  /// Peers that must agree on a unit.
  [[nodiscard]] std::uint32_t needed() const { return needed_; }

 private:
  using DonorPlace = std::uint32_t;
  struct Vote {
    UnitIndex unit;
    std::uint64_t other = 0;  // differs: a part of the result's hash, which tells those of one unit apart
    DonorPlace donor = 0;
    Testimony::Says says = Testimony::Says::open;
  };
  [[nodiscard]] DonorPlace place_of(const EvidenceBatch& batch);
  [[nodiscard]] Vote vote_of(const EvidenceResult& result, DonorPlace donor);
  void judge(const AcceptedClaimOf& accepted, std::span<const Vote> votes, Findings& findings);

  const JobId job_;
  const PeerId submitter_;
  const SwarmId swarm_;
  const bool has_confidence_;
  const std::uint32_t needed_;
  const std::vector<AcceptedClaimOf>& accepted_;
  Crypto& verifier_;
  const std::optional<UnitIndex> closely_;

  std::map<std::optional<PublicKey>, DonorPlace> place_of_;  // none: the submitter itself, whatever keys are beside its word
  std::vector<DonorRecord> donors_;
  /// Rule 7.
  void find_discredited();

  std::vector<Vote> votes_;
  std::vector<bool> discredited_;  // by donor
  std::vector<Testimony> testimonies_;
  std::uint64_t batches_ = 0;
  std::uint64_t forged_ = 0;
};

}  // namespace dugnad::core
