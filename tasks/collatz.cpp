// collatz: which start up to a number takes the most steps (halve if even, else 3 n + 1) to reach 1; the smallest of those that tie.
//
// Only the upper half is searched: twice a start takes one step more. Below 2^16 the steps are looked up; above, ten halvings are taken
// at once: with n = 1024 a + b, the parities of the next ten terms depend on b alone, and the term after them is 3^odd(b) a + rest(b).
#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "tasks/fixed_plan.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr std::uint64_t to_most = 1'000'000'000'000;
constexpr std::uint64_t span = std::uint64_t{1} << 23;
constexpr std::uint64_t known_end = std::uint64_t{1} << 16;  // 128 KiB of steps: a second-level cache
constexpr unsigned jump_bits = 10;                            // far fewer than known_end has, so that no jump passes 1
constexpr std::uint64_t starts_between_polls = 1 << 16;

struct Jump {
  std::uint32_t factor = 1;  // 3^odd
  std::uint32_t rest = 0;
  std::uint32_t steps = 0;
};

class Orbits {
 public:
  Orbits() : known_(known_end) {
    for (std::uint64_t b = 0; b < jumps_.size(); ++b) {
      Jump jump{1, static_cast<std::uint32_t>(b), 0};
      for (unsigned halving = 0; halving < jump_bits; ++halving) {
        if (jump.rest % 2 == 1) {
          jump = {jump.factor * 3, 3 * jump.rest + 1, jump.steps + 1};
        }
        jump = {jump.factor, jump.rest / 2, jump.steps + 1};
      }
      jumps_[b] = jump;
    }
    for (std::uint64_t start = 2; start < known_end; ++start) {
      std::uint32_t steps = 0;
      std::uint64_t term = start;
      for (; term >= start; ++steps) term = term % 2 == 0 ? term / 2 : 3 * term + 1;
      known_[start] = static_cast<std::uint16_t>(steps + known_[term]);
    }
  }

  /// Steps from `start` (at least 1) to 1. Fails the unit where a term outgrows 128 bits; none of a start below to_most is known to.
  [[nodiscard]] std::uint32_t steps(std::uint64_t start) const {
    std::uint32_t steps = 0;
    std::uint64_t term = start;
    while (term >= known_end) {
      const Jump& jump = jumps_[term % jumps_.size()];
      const std::uint64_t high = term >> jump_bits;
      steps += jump.steps;
      if (high < safe_high) {
        term = high * jump.factor + jump.rest;
      } else {
        term = come_down(Wide{high} * jump.factor + jump.rest, steps);
      }
    }
    return steps + known_[term];
  }

 private:
  /// 3^10 times anything below this, and a rest, fits 64 bits.
  static constexpr std::uint64_t safe_high = std::uint64_t{1} << 48;

  /// Goes on from a large term until it is back below 2^64.
  static std::uint64_t come_down(Wide term, std::uint32_t& steps) {
    while (term >> 64 != 0) {
      if (term % 2 == 0) {
        term /= 2;
      } else {
        if (term > (~Wide{0} - 1) / 3) fail_unit("collatz: a term is too large");
        term = 3 * term + 1;
      }
      ++steps;
    }
    return static_cast<std::uint64_t>(term);
  }

  std::array<Jump, 1 << jump_bits> jumps_{};
  std::vector<std::uint16_t> known_;  // known_[0] is never asked for
};

Bytes run(ByteView input, const StopToken& stop) {
  Reader in(input);
  const std::uint64_t from = in.u64();
  const std::uint64_t to = in.u64();
  if (!in.complete()) fail_unit("collatz: a unit is 16 bytes");
  if (from < 1 || from >= to || to > to_most + 1) fail_unit("collatz: the starts are out of range");
  if (to - from > span) fail_unit("collatz: too many starts");
  const Orbits orbits;
  std::uint64_t best = from;
  std::uint32_t most = orbits.steps(from);
  for (std::uint64_t start = from + 1; start < to; ++start) {
    if (start % starts_between_polls == 0) stop.throw_if_requested();
    const std::uint32_t steps = orbits.steps(start);
    if (steps > most) {
      most = steps;
      best = start;
    }
  }
  return Writer().u64(best).u32(most).take();
}

struct Job {
  std::uint64_t from;  // the first start worth looking at
  std::uint64_t to;    // exclusive
  Orbits orbits{};
  std::uint64_t best = 0;
  std::uint32_t most = 0;

  [[nodiscard]] std::uint64_t units() const { return (to - from + span - 1) / span; }
  [[nodiscard]] std::uint64_t begin_of(std::uint64_t unit) const { return from + unit * span; }
  [[nodiscard]] std::uint64_t end_of(std::uint64_t unit) const { return std::min(begin_of(unit) + span, to); }
  [[nodiscard]] Bytes input(std::uint64_t unit) const { return Writer().u64(begin_of(unit)).u64(end_of(unit)).take(); }

  Result<void> add(std::uint64_t unit, ByteView output) {
    Reader in(output);
    const std::uint64_t start = in.u64();
    const std::uint32_t steps = in.u32();
    if (!in.complete()) return Error{"a longest orbit is 12 bytes, not " + std::to_string(output.size())};
    if (start < begin_of(unit) || start >= end_of(unit)) return Error{"start " + std::to_string(start) + " is not one of the unit's"};
    if (orbits.steps(start) != steps) return Error{"start " + std::to_string(start) + " does not take " + std::to_string(steps) + " steps"};
    if (best == 0 || steps > most || (steps == most && start < best)) {
      best = start;
      most = steps;
    }
    return {};
  }
  [[nodiscard]] Answer answer() const { return {std::to_string(best), std::nullopt}; }
};

}  // namespace

Task collatz() {
  return {
      .name = "collatz",
      .help = "find the start up to a number that takes the most steps to 1 (halve if even, else 3 n + 1)",
      .parameters = {{.name = "to", .help = "the last start looked at", .least = 1, .most = to_most, .fallback = std::nullopt}},
      .run = run,
      .plan =
          [](const Parameters& given) {
            const std::uint64_t to = given.at("to");
            return fixed_plan(Job{to / 2 + 1, to + 1});
          },
      .check = {},
  };
}

}  // namespace dugnad::tasks
