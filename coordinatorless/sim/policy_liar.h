// Liars: the ways in which saboteurs try to get wrong results past the audits, decision by decision.
//
// A gang shares what it knows: who was caught, how many lies stand, which audit rate is in force, and which units its members
// computed. Unless said otherwise its members give the same wrong answer, confirm each other's lies as auditors, and know an audit when they
// see one. `dugnad-trust` (sim/policy_job.h) and `dugnad-sim` (sim/gang.h) both decide by these.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "coordinatorless/base/generator.h"

namespace dugnad::sim {

enum class Tactic : std::uint8_t {
  none,        // honest
  honest = none,
  silent,      // takes leases and never answers: no lie, and in none of the tables
  always,      // every result is wrong, with no accomplices
  random,      // one result in ten, or LiarView::rate, with no accomplices
  sleeper,     // honest for 20 results, then always wrong, with no accomplices
  end,         // wrong in the last tenth of a block
  few,         // two lies a name and block, anywhere
  single,      // one lie a name and block
  turns,       // the exact game of core/audit_plan.h: one lie a name, no more standing at once than pays, and anew after every catch
  smart,       // knows the audit rate and lies as often as survives best
  collude,     // results at the same rate, covered by accomplices
  sybil,       // one honest result, then always wrong, and back at once
  targeted,    // lies only right after it was looked at: lightning does not strike twice
  framing,     // honest results; as an auditor, contradicts every honest donor
  lazy,        // garbage, different each time, as an auditor too
  confession,  // the same, and accomplices expose each other instead of covering
};
inline constexpr std::array tactics{Tactic::none,  Tactic::always,   Tactic::random,  Tactic::sleeper, Tactic::end,
                                    Tactic::few,   Tactic::single,   Tactic::turns,   Tactic::smart,   Tactic::collude,
                                    Tactic::sybil, Tactic::targeted, Tactic::framing, Tactic::lazy,    Tactic::confession};
[[nodiscard]] std::string_view name_of(Tactic tactic);
[[nodiscard]] std::optional<Tactic> tactic_named(std::string_view name);

/// What one saboteur's name remembers.
struct LiarMemory {
  std::uint64_t results = 0;  // returned under this name
  std::uint64_t lies_in_block = 0;
  std::uint64_t bold = 0;  // targeted: lies that it dares now
};

/// What the gang sees.
struct LiarView {
  double progress = 0;         // of the block, in [0, 1]
  double expected = 0;         // results of this donor in a block
  double found = 0;            // the probability that a lie is found, at the level in force
  double allowed = 0;          // wrong results that the block may keep
  std::uint64_t standing = 0;  // the gang's lies in this block
  double rate = 0.1;           // of random, collude and confession: the share of results that are wrong
};

/// Whether it lies about a unit of its own.
[[nodiscard]] bool lies(Tactic tactic, const LiarMemory& memory, const LiarView& view, Generator& generator);
/// Acts as accomplices do: same wrong answer, and confirms an accomplice's lie.
[[nodiscard]] bool covers(Tactic tactic);
/// Contradicts an honest result as an auditor, knowing that it is one.
[[nodiscard]] bool frames(Tactic tactic);
/// Knows no audit from a unit of its own.
[[nodiscard]] bool blind(Tactic tactic);

}  // namespace dugnad::sim
