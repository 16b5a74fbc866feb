#include "coordinatorless/core/held_outputs.h"

#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/base/generator.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::seconds;

namespace {

JobId job(std::uint8_t name) { return JobId{{name}}; }
PublicKey owner(std::uint8_t name) { return PublicKey{{name}}; }
BlobId blob(std::uint8_t name, std::uint64_t length = 100) { return {length, Hash{{name}}}; }

struct Bench {
  explicit Bench(std::uint64_t room) : held(wants, room) {}

  void hold(const JobId& of, std::uint64_t unit, const PublicKey& by, const BlobId& output, Duration until = seconds(100)) {
    wants.kept(output);
    held.hold({of, {unit}, output, by, submitter, {}}, until, now, out);
  }
  /// What another process of this peer would find on disk, having been told so far.
  std::vector<HeldOutput> marked() {
    for (const Effect& effect : out.effects) {
      if (const auto* added = std::get_if<OutputHeld>(&effect)) marks[{added->held.job, added->held.unit}] = added->held;
      if (const auto* gone = std::get_if<OutputLetGo>(&effect)) marks.erase({gone->job, gone->unit});
    }
    out.effects.clear();
    std::vector<HeldOutput> all;
    for (const auto& [unit, mark] : marks) all.push_back(mark);
    return all;
  }
  std::vector<BlobId> released() {
    std::vector<BlobId> blobs;
    for (const Effect& effect : std::exchange(out.effects, {})) {
      if (const auto* release = std::get_if<ReleaseBlob>(&effect)) blobs.push_back(release->blob);
    }
    return blobs;
  }

  const PeerId submitter{{77}};
  const Now now{BootTime{}, WallTime{std::chrono::hours(1)}};
  std::map<std::pair<JobId, UnitIndex>, HeldOutput> marks;
  BlobWants wants{PeerId{}};
  Output out;
  HeldOutputs held;
};

using Blobs = std::vector<BlobId>;

}  // namespace

TEST_CASE("an output stays until its unit is revoked, its job is over or its time is") {
  Bench bench(1000);
  bench.hold(job(1), 1, owner(1), blob(1));
  bench.hold(job(1), 2, owner(1), blob(2));
  bench.hold(job(2), 1, owner(1), blob(3), seconds(10));
  CHECK(bench.released().empty());
  CHECK(bench.held.let_go(job(1), {1}, bench.out));
  CHECK_FALSE(bench.held.let_go(job(1), {1}, bench.out));
  CHECK(bench.released() == Blobs{blob(1)});
  CHECK(bench.held.next_deadline() == BootTime{} + seconds(10));
  bench.held.tick(BootTime{} + seconds(9), bench.out);
  CHECK(bench.released().empty());
  bench.held.tick(BootTime{} + seconds(10), bench.out);
  CHECK(bench.released() == Blobs{blob(3)});
  bench.held.let_go_all(job(1), bench.out);
  CHECK(bench.released() == Blobs{blob(2)});
  CHECK(bench.held.empty());
  CHECK(bench.held.next_deadline() == never);
}

TEST_CASE("the same output of two units stays until both are let go") {
  Bench bench(1000);
  bench.hold(job(1), 1, owner(1), blob(1));
  bench.hold(job(1), 2, owner(1), blob(1));
  CHECK(bench.held.let_go(job(1), {1}, bench.out));
  CHECK(bench.released().empty());
  CHECK(bench.held.let_go(job(1), {2}, bench.out));
  CHECK(bench.released() == Blobs{blob(1)});
}

TEST_CASE("a unit that was computed again keeps its latest output alone") {
  Bench bench(1000);
  bench.hold(job(1), 1, owner(1), blob(1));
  bench.hold(job(1), 1, owner(1), blob(2));
  CHECK(bench.released() == Blobs{blob(1)});
  CHECK(bench.held.bytes() == 100);
}

TEST_CASE("beyond the room, the oldest output of the owner with the most goes") {
  Bench bench(350);
  bench.hold(job(1), 1, owner(1), blob(1));
  bench.hold(job(2), 1, owner(2), blob(2));
  bench.hold(job(2), 2, owner(2), blob(3));
  CHECK(bench.released().empty());
  bench.hold(job(1), 2, owner(1), blob(4, 50));
  CHECK(bench.released().empty());
  bench.hold(job(1), 3, owner(1), blob(5, 10));
  CHECK(bench.released() == Blobs{blob(2)});
  CHECK_FALSE(bench.held.let_go(job(2), {1}, bench.out));
}

TEST_CASE("a lone output is held however large it is") {
  Bench bench(100);
  bench.hold(job(1), 1, owner(1), blob(1, 5000));
  CHECK(bench.released().empty());
  bench.hold(job(1), 2, owner(1), blob(2, 10));
  CHECK(bench.released() == Blobs{blob(1, 5000)});
}

TEST_CASE("the next process holds what is left of the time, for the same submitter, and within the same room") {
  Bench before(1000);
  before.hold(job(1), 1, owner(1), blob(1), seconds(100));
  before.hold(job(1), 2, owner(1), blob(2), seconds(300));
  before.hold(job(2), 1, owner(2), blob(3), seconds(300));
  before.hold(job(2), 2, owner(2), blob(4), seconds(300));
  CHECK(before.held.let_go(job(2), {2}, before.out));
  const auto marked = before.marked();
  REQUIRE(marked.size() == 3);

  Bench after(1000);
  const Now later{BootTime{} + seconds(7), after.now.wall + seconds(200)};
  after.held.restore(marked, later, after.out);
  CHECK(after.released() == Blobs{blob(1)});
  CHECK(after.held.bytes() == 200);
  CHECK(after.held.holds_for(after.submitter, job(1), {2}));
  CHECK_FALSE(after.held.holds_for(PeerId{{78}}, job(1), {2}));
  CHECK_FALSE(after.held.holds_for(after.submitter, job(1), {9}));
  CHECK_FALSE(after.held.holds_for(after.submitter, job(3), {2}));
  after.held.change_hands(job(1), PeerId{{70}}, PeerId{{78}});
  CHECK_FALSE(after.held.holds_for(PeerId{{78}}, job(1), {2}));
  after.held.change_hands(job(1), after.submitter, PeerId{{78}});
  CHECK(after.held.holds_for(PeerId{{78}}, job(1), {2}));
  CHECK(after.held.next_deadline() == later.boot + seconds(100));
  after.held.let_go_all(job(1), after.out);
  CHECK(after.released() == Blobs{blob(2)});
  after.held.tick(later.boot + seconds(100), after.out);
  CHECK(after.released() == Blobs{blob(3)});

  Bench narrow(150);
  narrow.held.restore(marked, narrow.now, narrow.out);
  CHECK(narrow.held.bytes() == 100);
  CHECK(narrow.wants.count() == 1);
}

TEST_CASE("a clock that was put back, or a date out of all bounds, holds nothing for longer than a donor ever does") {
  for (const auto until : {WallTime{std::chrono::hours(24 * 365)}, WallTime::max(), WallTime::min()}) {
    Bench bench(1000);
    bench.held.restore({HeldOutput{job(1), {1}, blob(1), owner(1), bench.submitter, until}}, bench.now, bench.out);
    bench.held.tick(BootTime{} + std::chrono::hours(48), bench.out);
    CHECK(bench.released() == Blobs{blob(1)});
    CHECK(bench.held.empty());
  }
}

TEST_CASE("what is held under random operations is what a plain list says") {
  Generator generator = Generator::from_seed(11);
  Bench bench(2000);
  std::map<std::pair<std::uint8_t, std::uint64_t>, BlobId> model;
  for (int step = 0; step < 5000; ++step) {
    const auto of = static_cast<std::uint8_t>(1 + generator.below(3));
    const std::uint64_t unit = generator.below(20);
    if (generator.below(3) != 0) {
      const BlobId output = blob(static_cast<std::uint8_t>(generator.below(40)), 1 + generator.below(30));  // 60 of them always fit
      bench.hold(job(of), unit, owner(of), output);
      model[{of, unit}] = output;
    } else if (generator.below(10) != 0) {
      CHECK(bench.held.let_go(job(of), {unit}, bench.out) == (model.erase({of, unit}) == 1));
    } else {
      bench.held.let_go_all(job(of), bench.out);
      std::erase_if(model, [&](const auto& entry) { return entry.first.first == of; });
    }
    std::uint64_t bytes = 0;
    for (const auto& [key, output] : model) bytes += output.length;
    REQUIRE(bench.held.bytes() == bytes);
    if (step % 100 != 0) continue;
    const auto marked = bench.marked();
    REQUIRE(marked.size() == model.size());
    for (const HeldOutput& mark : marked) REQUIRE(model.at({mark.job.bytes[0], mark.unit.value}) == mark.output);
  }
  for (std::uint8_t of = 1; of <= 3; ++of) bench.held.let_go_all(job(of), bench.out);
  CHECK(bench.wants.count() == 0);
}
