// TrustLedger: the results of a job that wants a confidence, from the first attempt at a unit to the end of its block: which are audited, what the
// submitter recomputes, who is convicted, and what is reopened with it. It knows units and donors as numbers and results as short digests; who
// gets which lease when is the Job's affair.
//
// Specification
//   1. The first result of a unit stands provisionally. Its audits are drawn then and not before (core/audit_plan.h, 1). Every further result of
//      the unit is an audit of it.
//   2. The submitter recomputes where the draw says so, where two results differ, a donor's first result (where donors are few beside the units),
//      every result of a newcomer while others are established, and what differs from a result that was forfeited. What it recomputed is decided;
//      whoever returned something else is convicted (core/retraction.h). So is whatever it computed of its own accord.
//   3. A culprit's results that are not decided are void in every block that is not final, and its audits too. Units whose result is void are
//      open again, and audits that confirmed it are void with it.
//   4. A block that has all that its levels ask for has them raised to what its catches call for (core/block_levels.h), or is final.
//   5. Forfeited lies that count against a charge were returned before the one that was hit. Where an audit of a forfeited result is still out,
//      those behind it do not count. Rationale: it might have been the first hit; knowing fewer charges more (core/audit_plan.h, 5).
//
// What is to be done comes out as wishes, taken after each call.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/agreement.h"
#include "coordinatorless/core/block_levels.h"
#include "coordinatorless/core/confidence.h"
#include "coordinatorless/core/reputation.h"
#include "coordinatorless/core/retraction.h"
#include "coordinatorless/core/stated_confidence.h"

namespace dugnad::core {

/// The beginning of a result's hash. Who wants a lie to look like the right result must try some 2^64.
using ShortDigest = std::uint64_t;
[[nodiscard]] ShortDigest short_digest(const Hash& digest);

/// A unit by the order in which the job got them, from 0.
using UnitNumber = std::uint64_t;

class TrustLedger {
 public:
  static constexpr DonorIndex nobody = ~DonorIndex{0};
  static constexpr UnitNumber no_unit = ~UnitNumber{0};

  /// What a donor is in this job.
  struct Standing {
    bool newcomer = false;   // core/admission.h
    bool probation = false;  // the same
    bool branded = false;    // nothing more of this job
    bool checked = false;    // its first result was recomputed
    unsigned disputes = 0;   // results of its that an audit contradicted, and the submitter has not looked at yet
    std::uint64_t final_results = 0;
    Culprit record{0, 0, false};
  };

  explicit TrustLedger(const ConfidenceGoal& goal) : reached_(goal) {}
  /// Each donor's first result is recomputed.
  void check_first(bool check) { check_first_ = check; }

  // --- Blocks: of consecutive units ---

  /// The next `terms.units` units are a block.
  void open_block(const AuditTerms& terms);
  /// Of the last block, units from this one on belong to none: it is to be among them, and none of those behind has a result.
  void end_block(UnitNumber at);
  [[nodiscard]] bool can_end_block(UnitNumber at) const { return !blocks_.empty() && at > blocks_.back()->first && at <= units_; }
  /// All units of the last block below this one have what they want for now, and only those behind are missing.
  [[nodiscard]] bool only_lacks_from(UnitNumber at) const;
  /// How many units are in blocks.
  [[nodiscard]] UnitNumber units() const { return units_; }

  // --- What comes in ---

  /// A donor that was never seen in this job before; what is known of it from others decides how it begins, and nothing else.
  void joined(DonorIndex donor, Past past = Past::unknown);
  void set_anyone_established(bool any) { anyone_established_ = any; }
  /// A donor's result, of a unit in a block that is not final. False where it is void: the donor is branded, or the unit was decided.
  bool returned(UnitNumber unit, DonorIndex donor, ShortDigest digest, Generator& generator);
  /// The submitter's own.
  void recomputed(UnitNumber unit, ShortDigest digest);
  /// There is nobody to audit it as often as is wanted: the submitter is to.
  void nobody_audits(UnitNumber unit);
  /// Nobody could compute it: the submitter is to try.
  void nobody_computes(UnitNumber unit);
  /// Not even the submitter could: nothing is known of it, and nobody is blamed.
  void given_up(UnitNumber unit);
  /// The donor was proven wrong at a unit that is in no block: its wish names no_unit. Not charged: no draw has found it.
  void convict(DonorIndex donor, bool colluded) { convict(donor, no_unit, std::nullopt, colluded); }
  /// Raises levels of blocks that have all they want, and closes those that are final. Whether there were any.
  bool end_turn();

  // --- What is wanted ---

  struct Convicted {
    DonorIndex donor = 0;
    UnitNumber unit = 0;
    Sentence sentence = Sentence::forgiven;
  };
  struct Wishes {
    std::vector<UnitNumber> own;       // the submitter is to recompute these
    std::vector<UnitNumber> disputed;  // of these: before others, since until then whoever lies is leased more
    std::vector<UnitNumber> firsts;    // of these: before all others, since a donor that always lies is then caught for nothing
    std::vector<UnitNumber> more;      // results_wanted() is more now
    std::vector<UnitNumber> reopened;  // their results are void
    std::vector<UnitNumber> decided;   // by the submitter
    std::vector<Convicted> convicted;
    std::vector<std::pair<UnitNumber, DonorIndex>> void_audits;
    [[nodiscard]] bool empty() const {
      return own.empty() && disputed.empty() && firsts.empty() && more.empty() && reopened.empty() && decided.empty() && convicted.empty() &&
             void_audits.empty();
    }
  };
  [[nodiscard]] Wishes take_wishes();
  /// Units below this one are final.
  [[nodiscard]] UnitNumber final_units() const { return final_units_; }
  /// Of one of them, until released.
  [[nodiscard]] ShortDigest final_digest(UnitNumber unit) const;
  /// Its block is final, and perhaps one before it is not.
  [[nodiscard]] bool is_final(UnitNumber unit) const { return unit < units_ && block_of(unit) == nullptr; }
  /// Whether this result of a donor's, or of the submitter's, counts: provisional, an audit, or the final one.
  [[nodiscard]] bool stands(UnitNumber unit, DonorIndex donor, ShortDigest digest) const;
  /// Units below this one, all of them final, are asked about no more.
  void release(UnitNumber below);

  /// So many results of donors in all; what it has where no more are.
  [[nodiscard]] unsigned results_wanted(UnitNumber unit) const;
  /// Result, wishes and all of a unit that is not final; everything else is neither returned nor decided.
  struct State {
    bool returned = false;
    bool decided = false;
    bool own_wanted = false;
    DonorIndex holder = nobody;  // whose result stands; nobody's where the submitter decided
    ShortDigest digest = 0;      // of what stands
    unsigned audits_out = 0;
  };
  [[nodiscard]] State state(UnitNumber unit) const;
  [[nodiscard]] const Standing& standing(DonorIndex donor) const { return standings_[donor]; }
  [[nodiscard]] bool anyone_caught() const { return anyone_caught_; }
  /// Attempts that were reopened or spent on settling because of donors on probation (core/admission.h).
  [[nodiscard]] std::uint64_t cost_of_newcomers() const { return cost_of_newcomers_; }
  /// Of the last block: its size, and the detection in force.
  [[nodiscard]] std::uint64_t block_units() const { return blocks_.empty() ? 1 : blocks_.back()->units.size(); }
  [[nodiscard]] double detection() const;

  // --- What it came to ---

  [[nodiscard]] double confidence() const { return reached_.confidence(); }
  [[nodiscard]] std::uint64_t own() const { return own_; }
  /// Units without a final result that have a provisional one.
  [[nodiscard]] std::uint64_t held() const { return held_; }
  /// Of the final blocks, in the order in which they became so; beyond the limit the last one stands for all that came later.
  [[nodiscard]] const std::vector<StatedBlock>& closed() const { return closed_blocks_; }
  /// Audits a result, the submitter's included: the mean over final blocks.
  [[nodiscard]] double mean_level() const { return closed_ == 0 ? 0 : level_sum_ / static_cast<double>(closed_); }

 private:
  using Place = std::uint32_t;  // of a unit in its block
  struct Audit {
    DonorIndex donor;
    ShortDigest digest;
  };
  /// A result that was forfeited with a charged catch, and returned before the lie that was hit.
  struct Forfeited {
    std::size_t catch_place;
    ShortDigest digest;
  };
  /// How a lie comes to light: by its draw, or surely, which is not charged.
  enum class Cause : std::uint8_t { drawn, sure };
  struct Unit {
    DonorIndex holder = nobody;
    std::uint32_t round = 0;  // of raised levels in which it was returned
    ShortDigest digest = 0;
    AuditDraw draw{};
    bool returned = false;
    bool decided = false;
    bool probation = false;  // its holder was on it
    bool own_wanted = false;
    bool disputed = false;
    Cause cause = Cause::drawn;
    std::uint8_t wanted = 0;  // audits by donors
    std::vector<Audit> audits{};
    std::unique_ptr<std::vector<Forfeited>> forfeited{};
    [[nodiscard]] unsigned audits_out() const;
  };
  /// What one donor has at stake in a block.
  struct Stakes {
    std::vector<Place> held;     // units whose result was its own, some of them no longer; in the order returned
    std::vector<Place> audited;  // and that it confirmed
  };
  struct Block {
    Block(UnitNumber from, const AuditTerms& terms) : first(from), levels(terms), units(terms.units), unreturned(terms.units) {}
    UnitNumber first;
    BlockLevels levels;
    std::vector<Unit> units;
    std::vector<Stakes> stakes{};  // by donor
    std::uint64_t unreturned;      // nor decided
    std::uint64_t own_wanted = 0;
    std::uint64_t audits_out = 0;
    bool final = false;
    [[nodiscard]] bool has_all() const { return !final && unreturned == 0 && own_wanted == 0 && audits_out == 0; }
    [[nodiscard]] Stakes& stakes_of(DonorIndex donor);
  };
  /// The unit whose lie was found by its draw.
  struct Hit {
    const Block* block;
    Place unit;
    double found;  // λ
    bool probation;
    std::uint32_t round;
  };

  /// nullptr where there is none, or it is final.
  [[nodiscard]] Block* block_of(UnitNumber unit) const;
  [[nodiscard]] Block* any_block_of(UnitNumber unit) const;
  [[nodiscard]] const Unit* find(UnitNumber unit) const;
  /// Changes a unit and keeps the block's count of audits that are out.
  template <class Change>
  void change(Block& block, Unit& unit, Change change);
  void accept(Block& block, Place place, DonorIndex donor, ShortDigest digest, Generator& generator);
  void compare(Block& block, Place place, DonorIndex donor, ShortDigest digest);
  /// Asks for what the level in force asks of a unit.
  void apply_level(Block& block, Place place);
  void want_own(Block& block, Place place, Cause cause);
  /// The submitter need not look at it any more.
  void unwant_own(Block& block, Unit& unit);
  void judge(const Unit& found, ShortDigest right, UnitNumber unit, const std::optional<Hit>& hit);
  void convict(DonorIndex donor, UnitNumber unit, const std::optional<Hit>& hit, bool colluded);
  /// Of one block; how many attempts that costs.
  std::uint64_t forfeit(Block& block, DonorIndex donor, const std::optional<Hit>& hit);
  void reopen(Block& block, Place place);
  void look_through(Block& block);
  void close(Block& block);

  bool check_first_ = false;
  std::deque<std::unique_ptr<Block>> blocks_;  // not released; in order
  UnitNumber units_ = 0;
  UnitNumber final_units_ = 0;
  std::vector<Standing> standings_;  // by donor
  bool anyone_caught_ = false;
  bool anyone_established_ = true;
  std::uint64_t cost_of_newcomers_ = 0;
  std::uint64_t own_ = 0;
  std::uint64_t held_ = 0;
  double level_sum_ = 0;
  std::uint64_t closed_ = 0;
  std::vector<StatedBlock> closed_blocks_;
  ConfidenceReached reached_;
  Wishes wishes_;
};

}  // namespace dugnad::core
