// Reputation: what a submitter remembers of its donors from one job by confidence to the next: its own experience alone, nobody else's word.
//
// Specification
//   1. What counts for a donor are its results that became final in this submitter's jobs by confidence, up to credit_max; against it,
//      being branded. Both halve every reputation_half_life. Rationale: agreement of copies proves nothing about strangers, who may be
//      each other's accomplices; and what can be saved up without end would be worth saving up.
//   2. A donor is known once credit_known of them count and nothing stands against it. It is convicted while half of a conviction still
//      counts. An error that was forgiven (retraction.h) takes the credit and leaves no blame. Rationale: a rare hardware error must not
//      cost more than work; a known donor that begins to err is no safer than a stranger.
//   3. In a job, a known donor is no newcomer however late it comes, may audit at once, and its first result is not recomputed for being
//      the first. A convicted one is a newcomer from the start, whether or not anybody was caught: all of them together get
//      newcomers_share of the leases, all that they return is recomputed, and they audit nobody (admission.h), until they have lived
//      through a block.
//   4. Nothing else changes: draws, levels and charges (audit_plan.h) are those of a stranger. Rationale: the bound on wrong results kept
//      holds for any number of names that lie whenever they like, since it reckons with no donor's past; audits that a past could lower
//      would be what a sleeper waits for. What 3 grants is outside that proof's premises: a first result's check only finds careless
//      liars for nothing, and admission only keeps down what returning liars cost. Auditors are drawn from donors of whom a share
//      `assumed` may lie, known ones included. So a name that was built up buys one more entry at full strength, the cost of which is one
//      charged catch, for credit_known honest results each: TRUST.md measures what a liar with many of them costs.
//   5. Of more than reputations_max donors convicted ones are forgotten first, then those with the least credit. Rationale: whoever was
//      convicted comes back under another name anyway; names without work behind them must push out nobody with some.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/base/time.h"

namespace dugnad::core {

/// What a donor brings along into a job.
enum class Past : std::uint8_t { unknown, known, convicted };

inline constexpr double credit_max = 2000;  // results; known for three months without any more
inline constexpr double credit_known = 200;
inline constexpr double blame_max = 4;  // four half-lives and a bit: a key that is worth nothing need not be remembered as worth less

class Reputations {
 public:
  [[nodiscard]] Past past(const PeerId& donor, WallTime now) const;
  /// So many of its results became final.
  void verified(const PeerId& donor, std::uint64_t results, WallTime now);
  void convicted(const PeerId& donor, bool branded, WallTime now);

  void restored(const std::vector<ReputationRow>& rows);
  /// What has changed since last asked; `at_once`: not only every accounts_interval.
  [[nodiscard]] std::vector<Row> take_rows(const SwarmId& swarm, BootTime now, bool at_once);
  [[nodiscard]] std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    double credit = 0;
    double blame = 0;
    WallTime as_of{};
    bool changed = false;
    /// How it stands at another time; a clock that was set back changes nothing.
    [[nodiscard]] Record at(WallTime now) const;
  };

  [[nodiscard]] Record& open(const PeerId& donor, WallTime now);
  [[nodiscard]] static Bytes encoded(const Record& record);
  [[nodiscard]] static std::optional<Record> decoded(ByteView bytes);

  std::map<PeerId, Record> records_;  // reputations_max
  std::vector<PeerId> forgotten_;     // whose rows are there still
  bool any_changed_ = false;
  BootTime written_at_{};
};

}  // namespace dugnad::core
