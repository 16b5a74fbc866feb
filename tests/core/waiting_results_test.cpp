#include "coordinatorless/core/waiting_results.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <set>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

const PeerId ann{{1}}, bob{{2}};
const PublicKey her{{11}}, his{{12}};
JobId job(std::uint8_t name) { return JobId{{name}}; }

std::unique_ptr<Crypto> keys = make_sodium({});
const Self self{.id = PeerId{{99}}, .swarm = {}, .crypto = keys.get()};

Results results_of(const JobId& of, std::uint64_t unit, std::size_t bytes = 8) {
  Results results;
  results.job = of;
  results.results = {{LeaseId{5}, {unit}, Outcome::ok, Bytes(bytes, 7)}};
  return results;
}

/// The units whose results are in a batch.
std::vector<std::uint64_t> units_of(const Results& results) {
  std::vector<std::uint64_t> units;
  for (const UnitResult& result : results.results) units.push_back(result.unit.value);
  return units;
}
using Units = std::vector<std::uint64_t>;

struct Bench {
  void keep(const PeerId& submitter, Results results) {
    waiting.keep({submitter, submitter == ann ? her : his}, std::move(results), now, out);
    settle();
  }
  void sent(const PeerId& submitter, Results results) { waiting.sent({submitter, submitter == ann ? her : his}, std::move(results), now); }
  /// Batches that were sent to it since last asked, each of them rightly signed.
  std::vector<Results> heard(const PeerId& submitter) {
    std::vector<Results> sent;
    for (Addressed& addressed : std::exchange(out.messages, {})) {
      CHECK(addressed.to == submitter);
      CHECK_NOTHROW((void)encode(addressed.message));
      const auto& results = std::get<Results>(addressed.message);
      CHECK(self.verify(Domain::results, keys->public_key(), results_root(results).view(), results.signature));
      sent.push_back(results);
    }
    return sent;
  }
  Units deliver(const PeerId& submitter, const JobId& of, bool is_steward = false) {
    waiting.deliver(submitter, is_steward, of, now, out);
    Units units;
    for (const Results& results : heard(submitter)) {
      for (const std::uint64_t unit : units_of(results)) units.push_back(unit);
    }
    settle();
    return units;
  }
  void lost(const PeerId& submitter) {
    waiting.lost(submitter, now, out);
    settle();
  }
  void pass(Duration time) {
    now.boot += time;
    now.wall += std::chrono::duration_cast<WallTime::duration>(time);
    if (now.boot >= waiting.next_deadline()) waiting.tick(now, out);
    settle();
  }
  /// What the next process of this donor finds.
  [[nodiscard]] std::vector<NoteRow> notes() const {
    std::vector<NoteRow> notes;
    for (const auto& [name, note] : disk) notes.push_back(note);
    return notes;
  }
  void restart(const std::vector<NoteRow>& found) {
    journal = Journal{};
    waiting.~WaitingResults();
    new (&waiting) WaitingResults(self, journal, is_held);
    waiting.restore(found, now, out);
    settle();
  }
  void settle() {
    for (const Effect& effect : std::exchange(out.effects, {})) {
      for (const Row& row : std::get<Persist>(effect).rows) {
        const auto& note = std::get<NoteRow>(row);
        CHECK(note.kind == NoteKind::waiting);
        if (note.body.empty()) CHECK(disk.erase({note.job, note.key}) == 1);  // nothing is written for nothing
        else disk[{note.job, note.key}] = note;
      }
    }
  }

  Now now{BootTime{} + seconds(1000), WallTime{hours(1'000'000)}};
  std::map<std::pair<JobId, std::uint64_t>, NoteRow> disk;
  Output out;
  Journal journal;
  std::set<UnitIndex> held;  // large outputs
  WaitingResults::IsHeld is_held = [this](const JobId&, UnitIndex unit, const BlobId&) { return held.contains(unit); };
  WaitingResults waiting{self, journal, is_held};
};

}  // namespace

TEST_CASE("results wait for their submitter, over a restart, and are sent once for each of its jobs") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    Bench bench;
    bench.keep(ann, results_of(job(1), 1));
    bench.keep(ann, results_of(job(2), 2));
    bench.keep(bob, results_of(job(1), 3));
    bench.keep(ann, results_of(job(1), 4));
    if (restarted) bench.restart(bench.notes());
    CHECK(bench.waiting.bytes_for(ann) > bench.waiting.bytes_for(bob));
    CHECK(bench.deliver(ann, job(1)) == Units{1, 4});
    CHECK(bench.deliver(ann, job(1)).empty());
    CHECK(bench.deliver(bob, job(1)) == Units{3});
    CHECK(bench.deliver(bob, job(2)).empty());
    CHECK(bench.deliver(ann, job(2)) == Units{2});
    CHECK(bench.waiting.bytes_for(ann) == 0);
  }
}

TEST_CASE("what was sent is kept until it must have arrived, and waits again where the link breaks before that") {
  Bench bench;
  bench.keep(ann, results_of(job(1), 1));
  CHECK(bench.deliver(ann, job(1)).size() == 1);
  bench.sent(ann, results_of(job(1), 2));
  CHECK(bench.disk.size() == 1);  // what the link has carried so far costs no row
  bench.lost(bob);
  CHECK(bench.deliver(ann, job(1)).empty());
  bench.pass(limits::results_in_doubt - seconds(1));
  bench.lost(ann);
  CHECK(bench.disk.size() == 2);
  bench.restart(bench.notes());
  CHECK(bench.deliver(ann, job(1)).size() == 2);
  bench.pass(limits::results_in_doubt);
  CHECK(bench.disk.empty());
  bench.lost(ann);
  CHECK(bench.deliver(ann, job(1)).empty());
  CHECK(bench.waiting.next_deadline() == never);
}

TEST_CASE("what waits for one steward, and what it perhaps has not, is whichever's leads next, over a restart, and nobody else's") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    Bench bench;
    bench.waiting.keep({ann, her, true}, results_of(job(1), 1), bench.now, bench.out);
    bench.waiting.keep({ann, her, true}, results_of(job(2), 2), bench.now, bench.out);
    bench.waiting.sent({ann, her, true}, results_of(job(1), 3), bench.now);
    bench.keep(ann, results_of(job(1), 4));  // it submits it itself
    bench.waiting.change_hands(job(1), ann, bob, bench.now, bench.out);
    bench.settle();
    CHECK(bench.disk.size() == 4);
    if (restarted) bench.restart(bench.notes());
    CHECK(bench.deliver(bob, job(1)).size() == (restarted ? 0 : 2));  // as a submitter it has what is told to be its own
    CHECK(bench.deliver(bob, job(1), true).size() == (restarted ? 2 : 0));
    CHECK(bench.deliver(ann, job(1)) == Units{4});
    CHECK(bench.deliver(bob, job(2), true) == Units{2});
    bench.lost(bob);  // soon after: the next has them
    CHECK(bench.deliver(ann, job(1), true) == Units{1, 3});
    bench.pass(limits::waiting_most);
    CHECK(bench.disk.empty());
  }
}

TEST_CASE("a steward has each batch as it was, however many there are") {
  Bench bench;
  const std::size_t count = limits::delivered_at_once / 4096 + 5;
  for (std::uint64_t unit = 0; unit < count; ++unit) bench.waiting.keep({ann, her, true}, results_of(job(1), unit), bench.now, bench.out);
  bench.waiting.deliver(bob, true, job(1), bench.now, bench.out);
  std::size_t frames = 0;
  const auto count_frames = [&] {
    for (const Results& frame : bench.heard(bob)) {
      CHECK(frame.results.size() == 1);
      ++frames;
    }
  };
  count_frames();
  CHECK(frames < count);
  for (int i = 0; i < 5; ++i) {
    bench.now = Now{bench.now.boot + limits::delivery_pause, bench.now.wall};
    if (bench.now.boot >= bench.waiting.next_deadline()) bench.waiting.tick(bench.now, bench.out);
    count_frames();
  }
  CHECK(frames == count);
}

TEST_CASE("what waits is let go of when its job has ended, or nobody has come for it") {
  Bench bench;
  bench.keep(ann, results_of(job(1), 1));
  bench.keep(ann, results_of(job(2), 2));
  bench.waiting.drop(job(1), bench.out);
  bench.settle();
  CHECK(bench.disk.size() == 1);
  CHECK(bench.deliver(ann, job(1)).empty());
  bench.pass(limits::waiting_most - hours(1));
  bench.restart(bench.notes());
  bench.pass(hours(1) - seconds(1));
  CHECK(bench.disk.size() == 1);
  bench.pass(seconds(2));
  CHECK(bench.disk.empty());
  CHECK(bench.deliver(ann, job(2)).empty());
}

TEST_CASE("a clock that was put back keeps nothing for longer than anything is kept") {
  Bench bench;
  bench.keep(ann, results_of(job(1), 1));
  bench.now.wall -= hours(10'000);
  bench.restart(bench.notes());
  bench.pass(limits::waiting_most);
  CHECK(bench.disk.empty());
}

TEST_CASE("notes that are damaged, or of another job than they say, are forgotten, and the others are there") {
  Bench bench;
  for (std::uint64_t unit = 0; unit < 3; ++unit) bench.keep(ann, results_of(job(1), unit));
  const std::vector<NoteRow> whole = bench.notes();
  for (std::size_t cut = 1; cut < whole[0].body.size(); cut += 7) {
    auto notes = whole;
    notes[0].body.resize(cut);
    bench.disk[{notes[0].job, notes[0].key}] = notes[0];
    bench.restart(notes);
    CHECK(bench.disk.size() == 2);
    CHECK(bench.deliver(ann, job(1)).size() == 2);
  }
  auto notes = whole;
  notes[1].job = job(9);
  for (const NoteRow& note : notes) bench.disk[{note.job, note.key}] = note;
  bench.restart(notes);
  CHECK(bench.deliver(ann, job(9)).empty());
  CHECK(bench.deliver(ann, job(1)).size() == 2);
}

TEST_CASE("where there is no room, the oldest results go of the owner whose take most; nobody else's do") {
  Bench bench;
  bench.keep(ann, results_of(job(1), 0, 40'000));
  const std::size_t each = 60'000;
  const std::size_t count = limits::waiting_bytes_max / each + 20;
  for (std::uint64_t unit = 0; unit < count; ++unit) bench.keep(bob, results_of(job(2), unit, each));
  CHECK(bench.waiting.bytes_for(ann) + bench.waiting.bytes_for(bob) <= limits::waiting_bytes_max);
  CHECK(bench.deliver(ann, job(1)).size() == 1);
  const std::size_t on_disk = bench.disk.size() - 1;
  Units left = bench.deliver(bob, job(2));
  CHECK(left.size() <= limits::delivered_at_once / each + 1);
  for (int pause = 0; pause < 100; ++pause) {
    bench.pass(limits::delivery_pause);
    std::size_t bytes = 0;
    for (const Results& results : bench.heard(bob)) {
      for (const UnitResult& result : results.results) {
        left.push_back(result.unit.value);
        bytes += result.output.bytes.size();
      }
    }
    CHECK(bytes <= limits::delivered_at_once + each);
  }
  REQUIRE(left.size() < count);
  CHECK(left.size() > count - 50);
  CHECK(left.back() == count - 1);
  CHECK(left.front() == count - left.size());
  CHECK(on_disk == left.size());
}

TEST_CASE("however small they are, no more batches wait than may, and many of one owner's push out no one of another's") {
  Bench bench;
  bench.keep(ann, results_of(job(1), 0, 60'000));
  constexpr std::uint64_t count = 6000;
  for (std::uint64_t unit = 0; unit < count; ++unit) bench.keep(bob, results_of(job(2), unit));
  CHECK(bench.disk.size() <= limits::waiting_bytes_max / 4096);
  CHECK(bench.disk.size() > 3900);
  CHECK(bench.deliver(ann, job(1)) == Units{0});
}

TEST_CASE("what gathered one by one is sent in batches, signed anew, with what is said of its inputs, and not with faults") {
  Bench bench;
  for (std::uint64_t unit = 0; unit < 200; ++unit) {
    Results results = results_of(job(1), unit);
    results.inputs = InputDigests{Bytes(input_digest_bytes, static_cast<std::uint8_t>(unit))};
    bench.keep(ann, results);
  }
  bench.waiting.deliver(ann, false, job(1), bench.now, bench.out);
  const auto batches = bench.heard(ann);
  REQUIRE(batches.size() == 1);
  REQUIRE(batches[0].results.size() == 200);
  for (std::size_t i = 0; i < 200; ++i) CHECK(batches[0].inputs->digests[i * input_digest_bytes] == batches[0].results[i].unit.value);

  Results results = results_of(job(1), 500);
  results.results.push_back({LeaseId{5}, {501}, Outcome::donor_fault, to_bytes("no memory")});
  results.results.push_back({LeaseId{5}, {502}, Outcome::failed, to_bytes("odd")});
  bench.sent(ann, results);
  bench.pass(limits::results_in_doubt - seconds(1));
  bench.lost(ann);
  const Units again = bench.deliver(ann, job(1));
  CHECK(again.size() == 202);
  CHECK(std::count(again.begin(), again.end(), 501) == 0);
}

TEST_CASE("a large output that is not held any more is not promised again") {
  Bench bench;
  for (std::uint64_t unit = 0; unit < 3; ++unit) {
    Results results = results_of(job(1), unit);
    results.results[0].output = Value(BlobId{1 << 20, Hash{{7}}});
    bench.keep(ann, results);
  }
  bench.held = {{0}, {2}};
  CHECK(bench.deliver(ann, job(1)) == Units{0, 2});
}

TEST_CASE("what was sent is kept within bounds, however much that is") {
  Bench bench;
  constexpr std::size_t each = 60'000;
  for (std::uint64_t unit = 0; unit < 200; ++unit) bench.sent(ann, results_of(job(1), unit, each));
  bench.lost(ann);
  CHECK(bench.waiting.bytes_for(ann) <= limits::doubted_bytes_max);
  CHECK(bench.waiting.bytes_for(ann) > limits::doubted_bytes_max / 2);
  CHECK(bench.deliver(ann, job(1)).back() > 130);  // the oldest have arrived longest ago
  bench.lost(ann);
  bench.pass(seconds(5));
  CHECK(bench.heard(ann).empty());  // nothing is sent while nobody is there
}
