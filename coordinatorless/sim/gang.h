// Gang: what the saboteurs of a world know together: who of them returned what for which unit, who was caught, how large the job is, and which
// audits its confidence calls for. What a saboteur's executor returns is decided here, by the tactics of sim/policy_liar.h.
//
// Specification
//   1. A unit that an accomplice lied about, under a name that still stands, comes to a member as an audit: it is covered, or exposed. One whose
//      liar was caught is computed anew, and is like any other.
//   2. A unit that an accomplice answered rightly is an audit too, and is answered rightly. It tells that the accomplice was looked at.
//   3. Any other may be a unit of the member's own, or the audit of an honest result: the protocol lets nobody tell. Who frames contradicts one in
//      ten. A gang that overhears knows them apart, as dugnad-trust has it: more than saboteurs can have, and so the safer test.
//   4. How far a block has come it reckons from the units of its own, and its share of the swarm's speed. Blocks it tells apart by the
//      units' indices.
//   5. Tactics that are blind (policy_liar.h) make no use of any of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/sim/policy_liar.h"
#include "coordinatorless/sim/submission.h"

namespace dugnad::sim {

class Gang {
 public:
  /// The share of results that random, collude and confession lie about; each one's own where it is left out.
  void set_rate(double rate) { rate_ = rate; }
  /// Rule 3: whether a unit has a result already.
  using HasResult = std::function<bool(const JobId&, UnitIndex)>;
  void overhear(HasResult has_result) { has_result_ = std::move(has_result); }

  // --- Who there is ---

  void honest_joined(double speed) { speed_of_all_ += speed; }
  /// A saboteur under a new name.
  void joined(const PeerId& name, double speed);
  /// Its machine goes on under another name, if at all.
  void left(const PeerId& name);
  /// Proven wrong: all of it that is not final is void, whether or not the name is lost.
  void caught(const PeerId& name);

  [[nodiscard]] bool has(const PeerId& name) const { return names_.contains(name); }

  // --- What they do ---

  void submitted(const JobId& job, const JobSpec& spec, std::uint64_t donors);
  enum class Answer : std::uint8_t {
    right,
    alike,  // wrong, as every accomplice has it
    own,    // wrong in its own way
  };
  /// What `name` returns for a unit that it was leased.
  [[nodiscard]] Answer answer(const PeerId& name, Tactic tactic, const JobId& job, UnitIndex unit, Generator& generator);

 private:
  struct Block {
    JobId job;
    std::uint64_t number = 0;
    auto operator<=>(const Block&) const = default;
  };
  struct Name {
    double speed = 0;
    unsigned catches = 0;
    LiarMemory memory{};
    std::map<Block, std::uint64_t> lies{};  // that stand
  };
  struct Job {
    std::uint64_t block_units = 1;
    double found = 0;
    double allowed = 0;
  };
  struct Seen {
    PeerId by;
    unsigned catches = 0;  // its name's, then
    bool lied = false;
  };

  [[nodiscard]] LiarView view_of(const Name& name, Tactic tactic, const Job& job, const Block& block) const;
  /// Rules 1 to 3: what to say of a unit that is not the member's own; nullopt where it is, or may be.
  [[nodiscard]] std::optional<Answer> audit(const Name& name, Tactic tactic, const JobId& job, UnitIndex unit);
  [[nodiscard]] bool stands(const Seen& seen) const { return names_.at(seen.by).catches == seen.catches; }

  std::optional<double> rate_;
  HasResult has_result_;
  double speed_of_all_ = 0;
  double speed_of_gang_ = 0;
  std::map<PeerId, Name> names_;
  std::map<JobId, Job> jobs_;
  std::map<Block, std::uint64_t> standing_;  // lies
  std::map<Block, std::uint64_t> own_;       // results of units that were nobody's before
  std::map<std::pair<JobId, UnitIndex>, Seen> seen_;
};

}  // namespace dugnad::sim
