// Agreement: what the attempts at one unit amount to.
//
// Specification
//   1. A unit is settled when `copies` different donors returned the same digest (outcome and output). Rationale: a donor's two results
//      say nothing more than one; identities are kept apart by the caller, which leases a unit to a donor once.
//   2. A unit that fails (Outcome::failed) is settled the same way: its reason is its output. A lone liar cannot fail somebody's job.
//   3. A donor's own fault (time, memory, crash) is no vote, and the donor may try again. After donor_faults_per_unit_max of them the
//      unit itself is blamed, with the last reason, once as many different donors have tried it, or all that are there. Rationale: a unit that
//      overruns everywhere must not hold the job up for ever; one donor that gives up at once must not fail it. Where the others never come
//      to it, unit_faults_max faults are enough.
//   4. Until settled, a unit wants as many further leases as its best group still lacks, reckoned as if every running attempt would join
//      that group. Rationale: never lease more than can be needed; a disagreement then costs one lease more, not a fresh round.
//   5. An attempt whose lease has lapsed is not counted as running, but its late result still counts as the vote of its donor. Rationale:
//      work done late is still work done, and the donor held the lease. It may have the unit again, under a new lease: a lone worker that
//      was restarted must be able to finish the job.
//   6. After attempts_per_unit_max votes, or three times `copies`, without agreement the unit has failed: "no N of M donors agreed".
//      Rationale: nondeterminism never settles; many copies must not be fewer liars' chance.
//   7. A large output is agreed upon by its name. Until its bytes are here the unit is not settled: where none of those who returned it hands it
//      over, their votes are void, as a fault of those that are there and do not say that they have lost it.
//      Rationale: else a name that nobody can fill would be accepted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coordinatorless/base/attempt.h"

namespace dugnad::core {

/// A donor's place in its job's table of donors; small, since every open unit holds some.
using DonorIndex = std::uint32_t;

enum class AttemptState : std::uint8_t { leased, lapsed, voted };

struct AttemptRecord {
  LeaseId lease;
  DonorIndex donor = 0;
  AttemptState state = AttemptState::leased;
  std::uint8_t group = 0;  // which candidate it voted for
  bool revoked = false;    // the donor was told to let go of the unit: what it returns all the same is nowhere kept
};

/// A result that at least one donor returned.
struct Candidate {
  Hash digest;
  Outcome outcome = Outcome::ok;
  Value output;
};

/// What one unit has been through while it is open.
struct UnitHistory {
  std::vector<AttemptRecord> attempts;  // at most one a donor
  std::vector<Candidate> candidates;

  [[nodiscard]] unsigned faults() const { return seldom_ ? seldom_->faults : 0; }
  /// How many donors they happened to, as far as they are named.
  [[nodiscard]] std::size_t unable() const { return seldom_ ? seldom_->unable.size() : 0; }
  [[nodiscard]] std::string last_fault() const { return seldom_ ? seldom_->last_fault : std::string(); }
  /// The result that a ledger has made final.
  [[nodiscard]] std::optional<Hash> final() const { return seldom_ ? seldom_->final : std::nullopt; }
  void set_final(const Hash& digest) { seldom().final = digest; }

  [[nodiscard]] AttemptRecord* attempt_of(DonorIndex donor);
  /// Turns `attempt` into a vote for what the donor returned. Whether that is a result that was not known here.
  bool vote(AttemptRecord& attempt, const Hash& digest, Outcome outcome, Value output);
  /// The donor could not do it; its attempt is forgotten, the fault is not.
  void fault(const AttemptRecord& attempt, std::string reason);
  void forget(const AttemptRecord& attempt);
  [[nodiscard]] std::size_t votes() const;

 private:
  /// What few units have, apart from the rest: there may be a million.
  struct Seldom {
    unsigned faults = 0;
    std::vector<DonorIndex> unable;  // who they happened to; at most donor_faults_per_unit_max are named
    std::string last_fault;
    std::optional<Hash> final{};
  };
  Seldom& seldom() { return seldom_ ? *seldom_ : *(seldom_ = std::make_unique<Seldom>()); }

  std::unique_ptr<Seldom> seldom_;
};

/// So many votes without agreement and the unit has failed.
[[nodiscard]] std::size_t votes_max(unsigned copies);

struct Verdict {
  enum class Kind : std::uint8_t { open, settled, failed };
  Kind kind = Kind::open;
  std::uint8_t group = 0;      // settled: the candidate that won
  unsigned leases_wanted = 0;  // open
  std::string reason;          // failed
};

/// Rule 3: the unit itself is to blame. `present`: how many donors there are that could have tried.
[[nodiscard]] bool is_to_blame(const UnitHistory& history, std::size_t present);
/// What it amounts to where so many results are wanted and none is judged.
[[nodiscard]] Verdict wanting(const UnitHistory& history, unsigned results);
/// `present`: how many donors there are that could have tried.
[[nodiscard]] Verdict judge(const UnitHistory& history, unsigned copies, std::size_t present);

}  // namespace dugnad::core
