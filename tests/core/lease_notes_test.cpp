#include "coordinatorless/core/lease_notes.h"

#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const JobId job{{1}};
constexpr std::uint64_t settled = 66;  // out all the same
const std::vector<PeerId> donors{PeerId{{20}}, PeerId{{21}}, PeerId{{22}}};
constexpr DonorIndex self = 2;  // whose leases are not noted
std::optional<std::uint64_t> tag_of(UnitIndex unit) { return unit.value == settled ? std::nullopt : std::optional(unit.value * 7); }

struct Bench {
  explicit Bench(LeaseId first = {100}) : leases(first) {}

  LeaseId open(DonorIndex donor, std::vector<UnitIndex> units, Duration valid = hours(2)) {
    const LeaseId lease = leases.next_id();
    std::vector<std::uint32_t> bytes(units.size(), 8);
    leases.open(donor, std::move(units), std::move(bytes), now.boot, now.boot + valid);
    CHECK(look() == 0);
    return lease;
  }
  /// Rows are written at once; how many.
  std::size_t look() {
    if (now.boot < notes.next_look(!leases.empty(), now.boot)) return 0;
    std::vector<Row> rows;
    notes.look(job, leases, [](DonorIndex donor) { return donor == self ? nullptr : &donors[donor]; }, tag_of, now, rows);
    return write(rows);
  }
  std::size_t write(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const auto& note = std::get<NoteRow>(row);
      CHECK((note.kind == NoteKind::lease && note.job == job));
      if (note.body.empty()) CHECK(disk.erase(note.key) == 1);
      else disk[note.key] = note;
    }
    return rows.size();
  }
  std::size_t pass(Duration time) {
    now.boot += time;
    now.wall += std::chrono::duration_cast<WallTime::duration>(time);
    return look();
  }
  [[nodiscard]] std::vector<NoteRow> found() const {
    std::vector<NoteRow> rows;
    for (const auto& [key, row] : disk) rows.push_back(row);
    return rows;
  }

  Now now{BootTime{} + seconds(1000), WallTime{hours(1'000'000)}};
  LeaseBook leases;
  LeaseNotes notes{{}, now};
  std::map<std::uint64_t, NoteRow> disk;
};

}  // namespace

TEST_CASE("what is out for long is noted once, and forgotten when it is back; what is not, and this peer's own, cost nothing") {
  Bench bench;
  const LeaseId slow = bench.open(0, {{1}, {2}});
  bench.open(self, {{3}});
  CHECK(bench.pass(limits::lease_noted_after / 2) == 0);
  const LeaseId late = bench.open(1, {{4}});
  CHECK(bench.pass(limits::lease_noted_after / 2) == 1);
  CHECK(bench.disk.contains(slow.value));
  CHECK(bench.pass(seconds(20)) == 0);
  CHECK(bench.leases.unit_back(late, 1, {4}));
  CHECK(bench.leases.unit_back(slow, 0, {1}));
  CHECK(bench.pass(minutes(2)) == 0);  // some of it is out still
  CHECK(bench.leases.unit_back(slow, 0, {2}));
  CHECK(bench.pass(minutes(2)) == 1);
  CHECK(bench.disk.empty());
}

TEST_CASE("the next process finds who has what, unit by unit, under the number that it had, and until when") {
  Bench bench;
  const LeaseId first = bench.open(0, {{70}, {3}, {settled}, {4'000'000'000}});
  const LeaseId second = bench.open(1, {{3}}, minutes(5));
  CHECK(bench.leases.unit_back(first, 0, {70}));
  CHECK(bench.pass(limits::lease_noted_after) == 2);

  const Now later{BootTime{} + seconds(7), bench.now.wall + minutes(1)};  // the machine was started again
  LeaseNotes notes(bench.found(), later);
  CHECK((notes.donors() == std::set<PeerId>{donors[0], donors[1]}));
  CHECK(notes.take({70}).empty());
  CHECK(notes.take({settled}).empty());
  CHECK(notes.awaits(first, {3}));
  CHECK_FALSE(notes.awaits(first, {70}));
  const auto both = notes.take({3});
  REQUIRE(both.size() == 2);
  CHECK(both[0].lease == second);  // the later replaced the earlier, where both are one donor's
  CHECK(both[0].donor == donors[1]);
  CHECK(both[0].expires == later.boot + minutes(3));
  CHECK(both[0].sent == later.boot - minutes(2));
  CHECK(both[0].input_tag == 21);
  CHECK(both[1].lease == first);
  CHECK(both[1].donor == donors[0]);
  CHECK(both[1].expires == later.boot + hours(2) - minutes(2));
  CHECK(notes.take({3}).empty());
  CHECK(notes.take({4'000'000'000}).size() == 1);
  CHECK_FALSE(notes.awaits(first, {3}));

  const LeaseId next = LeaseNotes::first_after(bench.found(), LeaseId{1});
  CHECK(next.value > bench.leases.next_id().value + 1'000'000'000);
  CHECK(LeaseNotes::first_after({}, LeaseId{1}) == LeaseId{1});
}

TEST_CASE("a note stays while its units may come, and goes when none is out under it") {
  Bench before;
  const LeaseId lease = before.open(0, {{1}, {2}});
  CHECK(before.pass(limits::lease_noted_after) == 1);
  Bench bench(LeaseNotes::first_after(before.found(), {}));
  bench.disk = before.disk;
  bench.notes = LeaseNotes(bench.found(), bench.now);
  REQUIRE(bench.notes.take({1}).size() == 1);
  bench.leases.take_up(lease, 0, {1}, 8, bench.now.boot - minutes(1), bench.now.boot + hours(1));
  CHECK(bench.pass(minutes(1)) == 0);
  (void)bench.leases.close(lease);
  CHECK(bench.pass(minutes(1)) == 0);  // the second unit has not come
  REQUIRE(bench.notes.take({2}).size() == 1);
  CHECK(bench.pass(minutes(1)) == 1);
  CHECK(bench.disk.empty());
}

TEST_CASE("a lease that is renewed is noted under its new number at once, and all are forgotten when the job ends") {
  Bench bench;
  const LeaseId old = bench.open(0, {{1}});
  CHECK(bench.pass(limits::lease_noted_after) == 1);
  const LeaseRecord record = bench.leases.close(old);
  const LeaseId renewed = bench.leases.next_id();
  bench.leases.open(0, {{1}}, {8}, record.sent, record.expires);
  CHECK(bench.look() == 0);
  bench.notes.look_at_once(bench.now.boot);
  CHECK(bench.look() == 2);
  CHECK(bench.disk.contains(renewed.value));
  std::vector<Row> rows;
  bench.notes.end(job, rows);
  CHECK(bench.write(rows) == 1);
  CHECK(bench.disk.empty());
}

TEST_CASE("notes that are damaged or that nobody can have written say nothing, and go") {
  Bench bench;
  bench.open(0, {{1}, {2}, {3}});
  CHECK(bench.pass(limits::lease_noted_after) == 1);
  const NoteRow whole = bench.found().front();
  const auto units_in = [&](const std::vector<NoteRow>& rows) {
    LeaseNotes notes(rows, bench.now);
    std::size_t units = 0;
    for (std::uint64_t unit = 0; unit < 10; ++unit) units += notes.take({unit}).size();
    return units;
  };
  CHECK(units_in({whole}) == 3);
  CHECK(units_in({whole, whole}) == 3);
  NoteRow other = whole;
  other.body.resize(48);  // donor and times
  CHECK(units_in({other}) == 0);
  other.body.resize(30);
  CHECK(units_in({other}) == 0);
  other = whole;
  other.body.push_back(0x80);  // a number without an end
  CHECK(units_in({other}) == 0);
  other = whole;
  for (std::size_t i = 0; i < limits::batch_units_max; ++i) other.body.insert(other.body.end(), {2, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(units_in({other}) == 0);
  other = whole;
  other.key = ~std::uint64_t{0};
  CHECK(units_in({other}) == 0);
  CHECK(LeaseNotes::first_after({other}, LeaseId{5}) == LeaseId{5});  // nothing could be above it
  LeaseNotes notes({other}, bench.now);
  bench.now.boot += minutes(1);
  std::vector<Row> rows;
  notes.look(job, LeaseBook({5}), [](DonorIndex) { return &donors[0]; }, tag_of, bench.now, rows);
  CHECK(rows.size() == 1);  // it goes
  other = whole;
  other.kind = NoteKind::waiting;
  CHECK(units_in({other}) == 0);

  std::vector<NoteRow> many(limits::lease_notes_max + 10, whole);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].key = i + 1;
  CHECK(units_in(many) == 3 * limits::lease_notes_max);
}

TEST_CASE("no more leases, and no more of their units, are noted than may be") {
  Bench bench;
  for (std::uint64_t unit = 0; unit < limits::lease_notes_max + 10; ++unit) bench.open(0, {{unit}});
  CHECK(bench.pass(limits::lease_noted_after) == limits::lease_notes_max);
  Bench broad;
  std::vector<UnitIndex> many;
  for (std::uint64_t unit = 100; unit < 100 + limits::batch_units_max; ++unit) many.push_back({unit});
  constexpr std::size_t fits = limits::lease_note_units_max / limits::batch_units_max;
  for (std::size_t i = 0; i < fits + 10; ++i) broad.open(0, many);
  CHECK(broad.pass(limits::lease_noted_after) == fits);
  std::vector<NoteRow> rows = broad.found();
  for (std::size_t i = 0; i < 10; ++i) rows.push_back(rows[i]), rows.back().key += 1000;
  CHECK(LeaseNotes(rows, broad.now).take({100}).size() == fits);
}
