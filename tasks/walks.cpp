// walks: how many walks of n steps on the square lattice never visit a point twice (A001411).
//
// Turned and mirrored, a walk that is not straight is one of eight alike: only those are searched that begin eastward and whose first
// turn is to the north. A unit takes every k-th beginning of such walks, which makes units even. The last step is counted, not walked.
#include <algorithm>
#include <array>
#include <string>

#include "tasks/fixed_plan.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

constexpr unsigned n_most = 34;
constexpr unsigned prefix_steps = 16;        // about two million beginnings, 10 ms to go through
constexpr unsigned steps_between_polls = 12;  // about 30,000 walks

/// How many units a length makes: a step more is 2.64 times the work.
constexpr std::uint64_t units_of(unsigned n) {
  std::uint64_t units = 1;
  for (unsigned length = 21; length < n; ++length) units = units * 8 / 3;
  return std::min<std::uint64_t>(units, 200'000);
}

class Lattice {
 public:
  Lattice(unsigned n, std::uint64_t unit, const StopToken& stop) : n_(n), unit_(unit), units_(units_of(n)), stop_(stop) {}

  /// Walks that extend this unit's beginnings.
  [[nodiscard]] std::uint64_t count() {
    unsigned at = origin;
    visited_[at] = 1;
    for (unsigned straight = 1; straight < n_; ++straight) {
      at += east;
      visited_[at] = 1;
      visited_[at + north] = 1;
      begin(at + north, straight + 1);
      visited_[at + north] = 0;
    }
    return walks_;
  }

 private:
  static constexpr unsigned side = 2 * n_most + 3;
  static constexpr unsigned origin = side * (side / 2) + side / 2;
  static constexpr unsigned east = 1;
  static constexpr unsigned north = side;

  void begin(unsigned at, unsigned steps) {
    if (steps >= prefix_steps || steps == n_) {
      if (seen_++ % units_ == unit_) walks_ += extend(at, n_ - steps);
      return;
    }
    for (const unsigned to : {at + east, at - east, at + north, at - north}) {
      if (visited_[to]) continue;
      visited_[to] = 1;
      begin(to, steps + 1);
      visited_[to] = 0;
    }
  }

  std::uint64_t extend(unsigned at, unsigned steps) {
    if (steps == 0) return 1;
    if (steps == 1) return ways_on(at);
    if (steps == steps_between_polls) stop_.throw_if_requested();
    std::uint64_t found = 0;
    for (const unsigned to : {at + east, at - east, at + north, at - north}) {
      if (visited_[to]) continue;
      if (steps == 2) {
        found += ways_on(to);  // a point is not its own neighbour: it need not be marked
        continue;
      }
      visited_[to] = 1;
      found += extend(to, steps - 1);
      visited_[to] = 0;
    }
    return found;
  }

  [[nodiscard]] unsigned ways_on(unsigned at) const {
    return 4u - visited_[at + east] - visited_[at - east] - visited_[at + north] - visited_[at - north];
  }

  const unsigned n_;
  const std::uint64_t unit_;
  const std::uint64_t units_;
  const StopToken& stop_;
  std::array<std::uint8_t, side * side> visited_{};
  std::uint64_t seen_ = 0;
  std::uint64_t walks_ = 0;
};

Bytes run(ByteView input, const StopToken& stop) {
  Reader in(input);
  const unsigned n = in.u8();
  const std::uint64_t unit = in.u32();
  if (!in.complete()) fail_unit("walks: a unit is 5 bytes");
  if (n < 1 || n > n_most) fail_unit("walks: n is out of range");
  if (unit >= units_of(n)) fail_unit("walks: no such unit");
  return Writer().u64(Lattice(n, unit, stop).count()).take();
}

struct Job {
  unsigned n;
  std::uint64_t found = 0;

  [[nodiscard]] std::uint64_t units() const { return units_of(n); }
  [[nodiscard]] Bytes input(std::uint64_t unit) const {
    return Writer().u8(static_cast<std::uint8_t>(n)).u32(static_cast<std::uint32_t>(unit)).take();
  }
  Result<void> add(std::uint64_t, ByteView output) {
    std::uint64_t most = 1;  // three ways on from every point but the first, whose step is given
    for (unsigned step = 1; step < n; ++step) most *= 3;
    const auto count = read_count(output, most);
    if (!count) return count.error();
    found += *count;
    return {};
  }
  [[nodiscard]] Answer answer() const { return {std::to_string(4 + 8 * found), std::nullopt}; }  // 4 straight ones
};

}  // namespace

Task walks() {
  return {
      .name = "walks",
      .help = "count the self-avoiding walks of n steps on the square lattice",
      .parameters = {{.name = "n", .help = "the number of steps", .least = 1, .most = n_most, .fallback = std::nullopt}},
      .run = run,
      .plan = [](const Parameters& given) { return fixed_plan(Job{static_cast<unsigned>(given.at("n"))}); },
      .check = {},
  };
}

}  // namespace dugnad::tasks
