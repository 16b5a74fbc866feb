// nqueens: in how many ways n queens stand on an n by n board without attacking each other (A000170).
//
// Columns and diagonals are bits of three words. Mirrored left to right a solution is another one, so only the first row's left half
// is searched; of an odd board's middle column, the second row's left half. A unit takes every k-th placement of the first rows:
// neighbours in that order cost alike, so that units come out even.
#include <array>
#include <string>

#include "tasks/fixed_plan.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

constexpr unsigned n_most = 21;
constexpr unsigned prefix_rows = 6;         // for 21 queens about five million placements, some 50 ms to go through
constexpr unsigned rows_between_polls = 9;  // 9 rows left are well below a millisecond

/// How many units a board makes, of a second or so: a row more is about eight times the work. A board of 16 is three seconds' work, which is cut
/// finer, so that each of a few donors has some of it.
constexpr std::uint64_t units_of(unsigned n) {
  constexpr std::array<std::uint64_t, 6> from_16{8, 20, 170, 1'400, 10'000, 75'000};
  if (n < 15) return 1;
  return n == 15 ? 2 : from_16[n - 16];
}

class Board {
 public:
  Board(unsigned n, std::uint64_t unit, const StopToken& stop) : n_(n), all_((1u << n) - 1), unit_(unit), stop_(stop) {}

  /// Solutions below this unit's placements of the first rows.
  [[nodiscard]] std::uint64_t count() {
    place(0, 0, 0, 0);
    return solutions_;
  }

 private:
  void place(unsigned row, std::uint32_t columns, std::uint32_t left, std::uint32_t right) {
    if (row == prefix_rows || row == n_) {
      if (seen_++ % units_of(n_) == unit_) solutions_ += complete(n_ - row, columns, left, right);
      return;
    }
    const std::uint32_t left_half = (1u << (n_ / 2)) - 1;
    const std::uint32_t middle = n_ % 2 == 1 ? left_half + 1 : 0;
    std::uint32_t free = all_ & ~(columns | left | right);
    if (row == 0) free &= left_half | middle;
    if (row == 1 && columns == middle) free &= left_half;
    for (; free != 0; free &= free - 1) {
      const std::uint32_t queen = free & -free;
      place(row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
  }

  std::uint64_t complete(unsigned rows, std::uint32_t columns, std::uint32_t left, std::uint32_t right) const {
    if (rows == 0) return 1;
    if (rows == rows_between_polls) stop_.throw_if_requested();
    std::uint32_t free = all_ & ~(columns | left | right);
    if (rows == 1) return free != 0;
    std::uint64_t found = 0;
    for (; free != 0; free &= free - 1) {
      const std::uint32_t queen = free & -free;
      found += complete(rows - 1, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return found;
  }

  const unsigned n_;
  const std::uint32_t all_;
  const std::uint64_t unit_;
  const StopToken& stop_;
  std::uint64_t seen_ = 0;
  std::uint64_t solutions_ = 0;
};

Bytes run(ByteView input, const StopToken& stop) {
  Reader in(input);
  const unsigned n = in.u8();
  const std::uint64_t unit = in.u32();
  if (!in.complete()) fail_unit("nqueens: a unit is 5 bytes");
  if (n < 1 || n > n_most) fail_unit("nqueens: n is out of range");
  if (unit >= units_of(n)) fail_unit("nqueens: no such unit");
  return Writer().u64(Board(n, unit, stop).count()).take();
}

struct Job {
  unsigned n;
  std::uint64_t found = 0;

  [[nodiscard]] std::uint64_t units() const { return units_of(n); }
  [[nodiscard]] Bytes input(std::uint64_t unit) const {
    return Writer().u8(static_cast<std::uint8_t>(n)).u32(static_cast<std::uint32_t>(unit)).take();
  }

  /// Queens in different rows and columns: at most the permutations of the rows below each of the unit's placements.
  [[nodiscard]] std::uint64_t most() const {
    std::uint64_t placements = 1;
    std::uint64_t below = 1;
    for (unsigned row = 0; row < n; ++row) (row < prefix_rows ? placements : below) *= n - row;
    return (placements / units() + 1) * below;
  }
  Result<void> add(std::uint64_t, ByteView output) {
    const auto count = read_count(output, most());
    if (!count) return count.error();
    found += *count;
    return {};
  }
  [[nodiscard]] Answer answer() const {
    const std::uint64_t ways = n == 1 ? 1 : 2 * found;  // a single queen is its own mirror image
    return {std::to_string(ways), std::nullopt};
  }
};

}  // namespace

Task nqueens() {
  return {
      .name = "nqueens",
      .version = 2,
      .help = "count the ways to place n queens on an n by n board so that none attacks another",
      .parameters = {{.name = "n", .help = "the board's side", .least = 1, .most = n_most, .fallback = std::nullopt}},
      .run = run,
      .plan = [](const Parameters& given) { return fixed_plan(Job{static_cast<unsigned>(given.at("n"))}); },
      .check = {},
  };
}

}  // namespace dugnad::tasks
