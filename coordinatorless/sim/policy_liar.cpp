#include "coordinatorless/sim/policy_liar.h"

#include <algorithm>

namespace dugnad::sim {

std::string_view name_of(Tactic tactic) {
  switch (tactic) {
    case Tactic::none: return "none";
    case Tactic::silent: return "silent";
    case Tactic::always: return "always";
    case Tactic::random: return "random";
    case Tactic::sleeper: return "sleeper";
    case Tactic::end: return "end";
    case Tactic::few: return "few";
    case Tactic::single: return "single";
    case Tactic::turns: return "turns";
    case Tactic::smart: return "smart";
    case Tactic::collude: return "collude";
    case Tactic::sybil: return "sybil";
    case Tactic::targeted: return "targeted";
    case Tactic::framing: return "framing";
    case Tactic::lazy: return "lazy";
    case Tactic::confession: return "confession";
  }
  return "";
}

std::optional<Tactic> tactic_named(std::string_view name) {
  const auto found = std::find_if(tactics.begin(), tactics.end(), [&](Tactic tactic) { return name_of(tactic) == name; });
  return found == tactics.end() ? std::nullopt : std::optional(*found);
}

bool lies(Tactic tactic, const LiarMemory& memory, const LiarView& view, Generator& generator) {
  constexpr double last_part = 0.1;
  constexpr std::uint64_t slept = 20;
  const double expected = std::max(1.0, view.expected);
  switch (tactic) {
    case Tactic::none:
    case Tactic::silent: return false;
    case Tactic::always: return true;
    case Tactic::random: return generator.chance(view.rate);
    case Tactic::sleeper: return memory.results >= slept;
    case Tactic::end: return view.progress > 1.0 - last_part;
    case Tactic::few: return memory.results > 0 && memory.lies_in_block < 2 && generator.chance(3.0 / expected);
    case Tactic::single: return memory.results > 0 && memory.lies_in_block < 1 && generator.chance(2.0 / expected);
    case Tactic::turns:
      return memory.results > 0 && memory.lies_in_block < 1 && static_cast<double>(view.standing) < std::max(1.0, view.allowed / 1.25);
    case Tactic::smart:
      return memory.results > 0 && generator.chance(1.0 / (1.0 + view.found * expected));  // audits it expects: found * expected
    case Tactic::collude: return generator.chance(view.rate);
    case Tactic::sybil: return memory.results > 0;
    case Tactic::targeted: return memory.bold > 0;
    case Tactic::framing: return false;
    case Tactic::lazy: return true;
    case Tactic::confession: return generator.chance(view.rate);
  }
  return false;
}

bool covers(Tactic tactic) {
  return !blind(tactic) && tactic != Tactic::none && tactic != Tactic::silent && tactic != Tactic::confession;
}

bool frames(Tactic tactic) { return tactic == Tactic::framing; }

bool blind(Tactic tactic) {
  return tactic == Tactic::always || tactic == Tactic::random || tactic == Tactic::sleeper || tactic == Tactic::lazy;
}

}  // namespace dugnad::sim
