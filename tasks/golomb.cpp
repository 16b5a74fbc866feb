// golomb: the length of the shortest ruler with n marks whose distances all differ (A003022). Branch and bound, in waves.
//
// The search places marks from the left, in lexicographic order. The marks' distances and the places they forbid are bits of three 128-bit
// words, which shift as the ruler grows. What cuts the tree, for a ruler that is to be shorter than the bound:
//   - k marks are at least as long as the shortest ruler of k marks, and so are the marks that are still to come;
//   - a ruler or its mirror image has its middle mark (the left one of two) below half its length.
// The shortest rulers of fewer marks are not taken from a table: the plan finds them first, the small ones itself, the last few by waves.
//
// Trees are as uneven as can be, so no unit is a subtree. The beginnings of rulers are dealt out to chains by a hash; a unit carries one
// chain on from where it stands, for a budget of places tried, and says where it stopped. A wave is one unit of every chain that is
// not at its end; the next one starts from the best bound of them all. Budgets start small, since the first bounds are poor.
// Nothing but the outputs of whole waves decides what the next wave is, whatever their order.
#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

__extension__ typedef unsigned __int128 Bits;  // bit d - 1 stands for distance d

constexpr unsigned marks_most = 14;  // its shortest ruler, 127, is the longest that the words hold
constexpr unsigned bound_most = 128;
constexpr unsigned chains_most = 4'096;
constexpr std::uint32_t budget_first = 1u << 22;  // some 60 ms
constexpr std::uint32_t budget_most = 1u << 26;   // some 1 s
constexpr std::uint32_t budget_growth = 4;        // from wave to wave
constexpr std::uint32_t budget_least = 64;        // more than it takes to come back to where a chain stands
constexpr std::uint32_t tried_between_polls = 1u << 16;
constexpr unsigned marks_by_plan = 9;  // rulers up to these many marks the plan finds itself, in milliseconds

using Marks = std::vector<std::uint8_t>;                     // positions, ascending; the 0 at the left is not among them
using Shortest = std::array<std::uint8_t, marks_most + 1>;  // by number of marks; [0] and [1] are 0

struct Unit {
  std::uint8_t marks = 2;
  std::uint8_t bound = bound_most;  // only shorter rulers count
  Shortest shortest{};              // of fewer marks
  std::uint16_t chain = 0;
  std::uint16_t chains = 1;
  std::uint32_t budget = budget_first;
  Marks from;  // where the chain stands; empty: at its beginning
};

struct Found {
  Marks ruler;                     // empty: none below the bound
  std::optional<Marks> stopped_at;  // nullopt: the chain is at its end
};

void write_marks(Writer& out, const Marks& marks) {
  out.u8(static_cast<std::uint8_t>(marks.size()));
  for (const std::uint8_t mark : marks) out.u8(mark);
}

/// At most 255 marks, whatever the bytes say; ascending() tells whether they can be any.
Marks read_marks(Reader& in) {
  Marks marks(in.u8());
  for (std::uint8_t& mark : marks) mark = in.u8();
  return marks;
}

bool ascending(const Marks& marks) {
  std::uint8_t last = 0;
  for (const std::uint8_t mark : marks) {
    if (mark <= last || mark >= bound_most) return false;
    last = mark;
  }
  return true;
}

bool is_ruler(const Marks& marks) {
  if (!ascending(marks)) return false;
  std::bitset<bound_most> seen;
  for (std::size_t right = 0; right < marks.size(); ++right) {
    for (std::size_t left = 0; left <= right; ++left) {
      const unsigned distance = marks[right] - (left == 0 ? 0u : marks[left - 1]);
      if (seen.test(distance)) return false;
      seen.set(distance);
    }
  }
  return true;
}

Bytes encode(const Unit& unit) {
  Writer out;
  out.u8(unit.marks).u8(unit.bound);
  for (unsigned marks = 2; marks < unit.marks; ++marks) out.u8(unit.shortest[marks]);
  out.u16(unit.chain).u16(unit.chains).u32(unit.budget);
  write_marks(out, unit.from);
  return out.take();
}

Unit decode(ByteView input) {
  Reader in(input);
  Unit unit;
  unit.marks = in.u8();
  if (unit.marks < 2 || unit.marks > marks_most) fail_unit("golomb: the number of marks is out of range");
  unit.bound = in.u8();
  for (unsigned marks = 2; marks < unit.marks; ++marks) unit.shortest[marks] = in.u8();
  unit.chain = in.u16();
  unit.chains = in.u16();
  unit.budget = in.u32();
  unit.from = read_marks(in);
  if (!in.complete()) fail_unit("golomb: the unit has too many or too few bytes");
  if (unit.bound < 2 || unit.bound > bound_most) fail_unit("golomb: the bound is out of range");
  for (unsigned marks = 2; marks < unit.marks; ++marks) {
    if (unit.shortest[marks] < marks - 1 || unit.shortest[marks] >= bound_most) {
      fail_unit("golomb: a shorter ruler's length is out of range");
    }
  }
  if (unit.chains < 1 || unit.chains > chains_most || unit.chain >= unit.chains) fail_unit("golomb: no such chain");
  if (unit.budget < budget_least || unit.budget > budget_most) fail_unit("golomb: the budget is out of range");
  if (unit.from.size() + 2 > unit.marks || !ascending(unit.from)) fail_unit("golomb: the chain's place is not one");
  return unit;
}

unsigned lowest_distance(Bits bits) {
  const auto low = static_cast<std::uint64_t>(bits);
  const auto high = static_cast<std::uint64_t>(bits >> 64);
  return 1u + static_cast<unsigned>(low != 0 ? std::countr_zero(low) : 64 + std::countr_zero(high));
}

class Search {
 public:
  Search(const Unit& unit, const StopToken& stop)
      : unit_(unit), stop_(stop), last_level_(unit.marks - 2u), bound_(unit.bound) {
    deal_level_ = std::min(unit.marks >= 13 ? 4u : 3u, last_level_);
    set_limits();
  }

  Found run() {
    Found found;
    unsigned level = 0;  // marks placed beside the one at 0
    bool returning = !unit_.from.empty();
    std::uint32_t tried = 0;
    levels_[0].free = ~Bits{0};
    if (last_level_ == 0) finish(levels_[0], found);
    if (returning) skip_to(levels_[0], unit_.from[0]);
    while (last_level_ > 0) {
      Level& here = levels_[level];
      const unsigned step = here.free == 0 ? bound_most : lowest_distance(here.free);
      const unsigned mark = here.mark + step;
      if (mark > limit_[level + 1]) {
        if (level == 0) break;
        --level;
        returning = false;
        continue;
      }
      if (tried == unit_.budget) {
        found.stopped_at = place(level, mark);
        return found;
      }
      if (++tried % tried_between_polls == 0) stop_.throw_if_requested();
      here.free &= here.free - 1;
      returning = returning && unit_.from[level] == mark;

      Level& next = levels_[level + 1];
      next.mark = mark;
      next.distances = here.distances << step | Bits{1} << (step - 1);
      next.used = here.used | next.distances;
      next.forbidden = here.forbidden >> step | next.used;
      next.free = ~next.forbidden;
      next.hash = (here.hash ^ mark) * 0x9e3779b1u;
      next.hash ^= next.hash >> 15;
      if (level + 1 == deal_level_ && next.hash % unit_.chains != unit_.chain) continue;
      if (level + 1 == last_level_) {
        finish(next, found);
        continue;
      }
      ++level;
      if (returning && level < unit_.from.size()) {
        skip_to(next, unit_.from[level]);
      } else {
        returning = false;
      }
    }
    return found;
  }

 private:
  struct Level {
    Bits distances = 0;  // from the last mark back to the others
    Bits used = 0;       // distances between any two marks
    Bits forbidden = 0;  // steps to a next mark that would repeat a distance
    Bits free = 0;       // steps still to try
    unsigned mark = 0;
    std::uint32_t hash = 0;
  };

  /// limit_[i]: how far right the i-th mark may stand in a ruler shorter than bound_.
  void set_limits() {
    const unsigned length_most = bound_ - 1;
    const unsigned middle = (unit_.marks - 1u) / 2;
    for (unsigned i = 1; i < unit_.marks; ++i) {
      limit_[i] = less(length_most, unit_.shortest[unit_.marks - i]);
      if (i <= middle) limit_[i] = std::min(limit_[i], less((length_most - 1) / 2, unit_.shortest[middle - i + 1]));
    }
  }
  static unsigned less(unsigned from, unsigned taken) { return from < taken ? 0 : from - taken; }

  /// The last mark goes to the first place that is free.
  void finish(const Level& last, Found& found) {
    const Bits free = ~last.forbidden;
    if (free == 0) return;
    const unsigned length = last.mark + lowest_distance(free);
    if (length >= bound_) return;
    found.ruler = place(last_level_, length);
    bound_ = length;
    set_limits();
  }

  static void skip_to(Level& level, unsigned mark) {
    const unsigned step = mark - level.mark;  // ascending() made it at least 1
    level.free &= ~Bits{0} << (step - 1);
  }

  [[nodiscard]] Marks place(unsigned level, unsigned mark) const {
    Marks marks;
    for (unsigned i = 1; i <= level; ++i) marks.push_back(static_cast<std::uint8_t>(levels_[i].mark));
    marks.push_back(static_cast<std::uint8_t>(mark));
    return marks;
  }

  const Unit& unit_;
  const StopToken& stop_;
  const unsigned last_level_;  // where only the mark at the right end is missing
  unsigned deal_level_;        // beginnings of so many marks are dealt out to the chains
  unsigned bound_;
  std::array<Level, marks_most> levels_{};
  std::array<unsigned, marks_most + 1> limit_{};
};

Bytes run(ByteView input, const StopToken& stop) {
  const Unit unit = decode(input);
  const Found found = Search(unit, stop).run();
  Writer out;
  write_marks(out, found.ruler);
  write_marks(out, found.stopped_at.value_or(Marks{}));
  return out.take();
}

/// One longer than the ruler that always takes the first free place; the search has to start from something.
unsigned first_bound(unsigned marks) {
  Marks ruler;
  for (std::uint8_t place = 1; ruler.size() + 1 < marks && place < bound_most; ++place) {
    ruler.push_back(place);
    if (!is_ruler(ruler)) ruler.pop_back();
  }
  return ruler.size() + 1 < marks ? bound_most : ruler.back() + 1u;
}

class Waves final : public Plan {
 public:
  explicit Waves(unsigned marks) : marks_(marks) {
    while (stage_ < std::min(marks_ - 1, marks_by_plan)) {
      Unit unit;
      unit.marks = static_cast<std::uint8_t>(stage_ + 1);
      unit.bound = static_cast<std::uint8_t>(first_bound(stage_ + 1));
      unit.shortest = shortest_;
      unit.budget = budget_most;
      const Found found = Search(unit, StopToken()).run();
      DUGNAD_ASSERT(!found.stopped_at && !found.ruler.empty(), "a small ruler needs a small search");
      shortest_[++stage_] = found.ruler.back();
    }
    begin_stage();
  }

  [[nodiscard]] std::optional<Bytes> next() override {
    if (handed_ == wave_.size()) return std::nullopt;
    return encode(wave_[handed_++]);
  }

  Result<void> accept(UnitIndex unit, ByteView output) override {
    if (unit.value < wave_begin_ || unit.value >= wave_begin_ + handed_) {
      return Error{"unit " + std::to_string(unit.value) + " is not one that is waited for"};
    }
    const std::size_t place = unit.value - wave_begin_;
    if (accepted_[place]) return Error{"unit " + std::to_string(unit.value) + " was accepted before"};
    auto found = check(wave_[place], output);
    if (!found) return found.error();
    accepted_[place] = std::move(*found);
    if (++accepted_count_ == wave_.size()) end_wave();
    return {};
  }

  [[nodiscard]] bool exhausted() const override { return wave_.empty(); }
  /// Nobody knows beforehand.
  [[nodiscard]] std::optional<std::uint64_t> units_expected() const override {
    return exhausted() ? std::optional(wave_begin_) : std::nullopt;
  }
  [[nodiscard]] Answer answer() override {
    DUGNAD_ASSERT(exhausted(), "answer() before every unit was accepted");
    return {std::to_string(shortest_[marks_]), std::nullopt};
  }

 private:
  /// A ruler proves itself; a place must lie ahead, or a liar's output could send a chain in circles.
  static Result<Found> check(const Unit& unit, ByteView output) {
    Reader in(output);
    Found found;
    found.ruler = read_marks(in);
    Marks stopped_at = read_marks(in);
    if (!in.complete()) return Error{"a search's output has too many or too few bytes"};
    if (!found.ruler.empty() && (found.ruler.size() + 1 != unit.marks || !is_ruler(found.ruler) || found.ruler.back() >= unit.bound)) {
      return Error{"what was found is not a shorter ruler"};
    }
    if (!stopped_at.empty()) {
      if (stopped_at.size() + 2 > unit.marks || !ascending(stopped_at) || stopped_at <= unit.from) {
        return Error{"a search stopped where it cannot have"};
      }
      found.stopped_at = std::move(stopped_at);
    }
    return found;
  }

  /// How many chains share the search: one for every two seconds of it, so that most of the work is done in units with the full budget. A
  /// mark more is about ten times the work.
  static unsigned chains_of(unsigned marks) {
    static constexpr std::array<unsigned, marks_most - marks_by_plan> from_10{1, 2, 2, 4, 40};
    return marks <= marks_by_plan ? 1 : from_10[marks - marks_by_plan - 1];
  }

  void begin_stage() {
    ++stage_;
    bound_ = first_bound(stage_);
    budget_ = budget_first;
    chains_.assign(chains_of(stage_), Marks{});
    begin_wave();
  }

  void begin_wave() {
    wave_.clear();
    handed_ = 0;
    accepted_count_ = 0;
    for (std::size_t chain = 0; chain < chains_.size(); ++chain) {
      if (!chains_[chain]) continue;
      Unit unit;
      unit.marks = static_cast<std::uint8_t>(stage_);
      unit.bound = static_cast<std::uint8_t>(bound_);
      unit.shortest = shortest_;
      unit.chain = static_cast<std::uint16_t>(chain);
      unit.chains = static_cast<std::uint16_t>(chains_.size());
      unit.budget = budget_;
      unit.from = *chains_[chain];
      wave_.push_back(std::move(unit));
    }
    accepted_.assign(wave_.size(), std::nullopt);
  }

  void end_wave() {
    for (std::size_t place = 0; place < wave_.size(); ++place) {
      Found& found = *accepted_[place];
      if (!found.ruler.empty()) bound_ = std::min<unsigned>(bound_, found.ruler.back());
      chains_[wave_[place].chain] = std::move(found.stopped_at);
    }
    wave_begin_ += wave_.size();
    budget_ = std::min(budget_growth * budget_, budget_most);
    begin_wave();
    if (!wave_.empty()) return;
    shortest_[stage_] = static_cast<std::uint8_t>(bound_);
    if (stage_ < marks_) begin_stage();
  }

  const unsigned marks_;
  unsigned stage_ = 1;   // the number of marks that the search is for; at first, that shortest_ is known for
  Shortest shortest_{};
  unsigned bound_ = 0;
  std::uint32_t budget_ = 0;
  std::vector<std::optional<Marks>> chains_;  // where each stands; nullopt: at its end

  std::vector<Unit> wave_;
  std::vector<std::optional<Found>> accepted_;
  std::size_t handed_ = 0;
  std::size_t accepted_count_ = 0;
  std::uint64_t wave_begin_ = 0;  // index of the wave's first unit
};

}  // namespace

Task golomb() {
  return {
      .name = "golomb",
      .version = 2,
      .help = "find the length of the shortest ruler with n marks whose distances all differ",
      .parameters = {{.name = "n", .help = "the number of marks", .least = 2, .most = marks_most, .fallback = std::nullopt}},
      .run = run,
      .plan = [](const Parameters& given) { return std::make_unique<Waves>(static_cast<unsigned>(given.at("n"))); },
      .check = {},
  };
}

}  // namespace dugnad::tasks
