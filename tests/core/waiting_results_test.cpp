#include "coordinatorless/core/waiting_results.h"

#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

const PeerId ann{{1}}, bob{{2}};
const PublicKey her{{11}}, his{{12}};
JobId job(std::uint8_t name) { return JobId{{name}}; }

Results results_of(const JobId& of, std::uint64_t unit, std::size_t bytes = 8) {
  Results results;
  results.job = of;
  results.results = {{LeaseId{5}, {unit}, Outcome::ok, Bytes(bytes, 7)}};
  results.signature[0] = static_cast<std::uint8_t>(unit);
  return results;
}

struct Bench {
  void keep(const PeerId& submitter, Results results) {
    waiting.keep({submitter, submitter == ann ? her : his}, std::move(results), now, out);
    settle();
  }
  void sent(const PeerId& submitter, Results results) {
    waiting.sent({submitter, submitter == ann ? her : his}, std::move(results), now, out);
    settle();
  }
  std::vector<Results> deliver(const PeerId& submitter, const JobId& of) {
    waiting.deliver(submitter, of, now, out);
    std::vector<Results> sent;
    for (Addressed& addressed : std::exchange(out.messages, {})) {
      CHECK(addressed.to == submitter);
      sent.push_back(std::get<Results>(std::move(addressed.message)));
    }
    settle();
    return sent;
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
    new (&waiting) WaitingResults(journal);
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
  WaitingResults waiting{journal};
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
    CHECK((bench.deliver(ann, job(1)) == std::vector{results_of(job(1), 1), results_of(job(1), 4)}));
    CHECK(bench.deliver(ann, job(1)).empty());
    CHECK((bench.deliver(bob, job(1)) == std::vector{results_of(job(1), 3)}));
    CHECK(bench.deliver(bob, job(2)).empty());
    CHECK((bench.deliver(ann, job(2)) == std::vector{results_of(job(2), 2)}));
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
  const auto left = bench.deliver(bob, job(2));
  REQUIRE(left.size() < count);
  CHECK(left.size() > count - 30);
  CHECK(left.back().results.front().unit.value == count - 1);
  CHECK(left.front().results.front().unit.value == count - left.size());
  CHECK(bench.disk.size() == left.size() + 1);
}

TEST_CASE("however small they are, no more batches wait than may") {
  Bench bench;
  bench.keep(ann, results_of(job(1), 0));
  for (std::uint64_t unit = 0; unit < limits::waiting_batches_max + 10; ++unit) bench.keep(bob, results_of(job(2), unit));
  CHECK(bench.disk.size() == limits::waiting_batches_max);
  CHECK(bench.deliver(ann, job(1)).size() == 1);
}
