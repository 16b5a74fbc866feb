// A Donor whose units have large inputs and outputs, with its submitters, its executor and its driver's blobs played by the test.
#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/donor.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

PeerId peer(std::uint8_t name) { return PeerId{{name}}; }
BlobId blob(std::uint8_t name, std::uint64_t length = mebibyte) { return {length, Hash{{name}}}; }
const JobId job{{7}};

struct Bench {
  std::unique_ptr<Crypto> crypto = make_sodium({});
  Generator generator = Generator::from_seed(5);
  Self self{.id = peer(99), .swarm = {}, .endpoint = {}, .donates = true, .crypto = crypto.get(), .generator = &generator};
  Now now{BootTime{} + seconds(1000), WallTime{}};
  BlobWants blobs{self.id};
  FavourAccounts accounts{{}, {}};
  Journal journal;
  Donor donor;
  Output out;
  std::vector<AttemptToStart> running;
  std::vector<FetchBlob> fetches;
  std::vector<BlobId> released;
  std::vector<UnitIndex> returned;
  std::vector<UnitResult> results;
  std::vector<HeldOutput> marks;  // beside the outputs on disk

  std::vector<BlobId> offered;
  std::size_t results_when_offered = 0;
  std::vector<Addressed> asked;

  /// `earlier`: what another process of this donor held; the job is then unknown yet.
  explicit Bench(std::uint64_t room = 4 * mebibyte, std::optional<WantedConfidence> confidence = {}, const std::vector<HeldOutput>& earlier = {})
      : donor(self, blobs, accounts, journal, {{"test", 1}}, {}, 1, room) {
    donor.restore(earlier, now, out);
    settle();
    if (earlier.empty()) learn(confidence);
  }
  void learn(std::optional<WantedConfidence> confidence = {}) {
    Manifest manifest;
    manifest.task = "test";
    manifest.unit_limit = seconds(60);
    manifest.confidence = confidence;
    REQUIRE(donor.learn(job, manifest, peer(1), now, out));
    blobs.connected(peer(1), now, out);
    donor.connected(peer(1), now, out);
    settle();
  }

  void lease(std::uint64_t unit, Value input, Duration valid = seconds(100)) {
    donor.on_lease(peer(1), Lease{job, LeaseId{unit + 1}, valid, {{{unit}, std::move(input)}}}, now, out);
    settle();
  }
  void finish(Value output) {
    REQUIRE_FALSE(running.empty());
    const FinishedAttempt finished{running.front().attempt, Outcome::ok, std::move(output), milliseconds(1)};
    running.erase(running.begin());
    donor.on_finished({finished}, now, out);
    settle();
  }
  void fetched(const BlobId& which) {
    blobs.fetched(which);
    settle();
  }
  void revoke(std::uint64_t unit) {
    donor.on_revoke(peer(1), Revoke{job, {{unit}}}, out);
    settle();
  }
  void pass(Duration time) {
    now.boot += time;
    blobs.tick(now, out);
    donor.tick(now, out);
    settle();
  }
  void settle() {
    for (const BlobWants::News& news : blobs.take_news()) donor.on_blob(news, now, out);
    for (const Addressed& addressed : std::exchange(out.messages, {})) {
      CHECK_NOTHROW((void)encode(addressed.message));
      if (const auto* back = std::get_if<Return>(&addressed.message)) returned.insert(returned.end(), back->units.begin(), back->units.end());
      if (std::holds_alternative<Seek>(addressed.message)) asked.push_back(addressed);
      if (const auto* said = std::get_if<Results>(&addressed.message)) results.insert(results.end(), said->results.begin(), said->results.end());
    }
    for (Effect& effect : std::exchange(out.effects, {})) {
      if (auto* start = std::get_if<StartAttempts>(&effect)) {
        for (AttemptToStart& attempt : start->attempts) running.push_back(std::move(attempt));
      } else if (auto* fetch = std::get_if<FetchBlob>(&effect)) {
        fetches.push_back(*fetch);
      } else if (auto* release = std::get_if<ReleaseBlob>(&effect)) {
        released.push_back(release->blob);
      } else if (auto* offer = std::get_if<OfferBlob>(&effect)) {
        offered.push_back(offer->blob);
        results_when_offered = results.size();
      } else if (auto* held = std::get_if<OutputHeld>(&effect)) {
        marks.push_back(held->held);
      } else if (auto* gone = std::get_if<OutputLetGo>(&effect)) {
        std::erase_if(marks, [&](const HeldOutput& mark) { return mark.unit == gone->unit && mark.output == gone->output; });
      }
    }
  }
};

using Units = std::vector<UnitIndex>;
using Blobs = std::vector<BlobId>;

}  // namespace

TEST_CASE("a unit starts once its large input is here, and those that need none start meanwhile") {
  Bench bench;
  bench.lease(0, Value(blob(1)));
  CHECK(bench.running.empty());
  REQUIRE(bench.fetches.size() == 1);
  CHECK(bench.fetches[0].from == peer(1));
  bench.lease(1, Bytes{5});
  REQUIRE(bench.running.size() == 1);
  CHECK(bench.running[0].input == Bytes{5});
  bench.fetched(blob(1));
  REQUIRE(bench.running.size() == 2);
  CHECK(bench.running[1].input == Value(blob(1)));
  CHECK(bench.released.empty());
  bench.finish(Bytes{});
  bench.finish(Bytes{});
  CHECK(bench.released == Blobs{blob(1)});
  CHECK(bench.results.size() == 2);
}

TEST_CASE("a unit whose input is not to be had goes back") {
  Bench bench;
  bench.lease(0, Value(blob(1)));
  for (unsigned i = 0; i < limits::input_tries_max; ++i) {
    bench.blobs.failed({blob(1), peer(1), "gone"}, bench.now, bench.out);
    bench.settle();
    bench.pass(limits::blob_retry_most);
  }
  CHECK(bench.returned == Units{{0}});
  CHECK(bench.released == Blobs{blob(1)});
  CHECK(bench.blobs.count() == 0);
}

TEST_CASE("an input is not fetched for longer than its lease lasts, nor once the unit is revoked") {
  Bench bench;
  bench.lease(0, Value(blob(1)), seconds(10));
  bench.lease(1, Value(blob(2)));
  REQUIRE(bench.donor.next_deadline() <= bench.now.boot + seconds(10));
  bench.pass(seconds(11));
  CHECK(bench.released == Blobs{blob(1)});
  bench.revoke(1);
  CHECK(bench.released == Blobs{blob(1), blob(2)});
  bench.fetched(blob(1));  // it crossed
  CHECK(bench.running.empty());
}

TEST_CASE("inputs beyond the room for them go back; a lone one never does for that") {
  Bench bench(2 * mebibyte);
  bench.lease(0, Value(blob(1, 5 * mebibyte)));
  bench.lease(1, Value(blob(2)));
  CHECK(bench.returned == Units{{1}});
  bench.fetched(blob(1, 5 * mebibyte));
  bench.finish(Bytes{});
  bench.lease(2, Value(blob(2)));
  bench.lease(3, Value(blob(3)));
  CHECK(bench.returned == Units{{1}});
}

TEST_CASE("an input that is lost before its unit starts is fetched again") {
  Bench bench;
  bench.lease(0, Bytes{1});
  bench.lease(1, Bytes{1});
  bench.lease(2, Value(blob(1)));
  bench.fetched(blob(1));
  REQUIRE(bench.running.size() == 2);  // enough for one slot
  bench.blobs.failed({blob(1), bench.self.id, "corrupt"}, bench.now, bench.out);
  bench.settle();
  CHECK(bench.fetches.size() == 2);
  bench.finish(Bytes{});
  bench.finish(Bytes{});
  CHECK(bench.running.empty());
  bench.fetched(blob(1));
  CHECK(bench.running.size() == 1);
}

TEST_CASE("a large output stays here until its unit is revoked") {
  Bench bench;
  bench.lease(0, Bytes{1});
  bench.finish(Value(blob(9)));
  REQUIRE(bench.results.size() == 1);
  CHECK(bench.results[0].output == Value(blob(9)));
  CHECK(bench.released.empty());
  CHECK(bench.blobs.here(blob(9)));
  bench.revoke(0);
  CHECK(bench.released == Blobs{blob(9)});
}

TEST_CASE("nobody's output is let go at once: its unit was revoked while it ran") {
  Bench bench;
  bench.lease(0, Bytes{1});
  bench.revoke(0);
  bench.finish(Value(blob(9)));
  CHECK(bench.results.empty());
  CHECK(bench.released == Blobs{blob(9)});
}

TEST_CASE("an output that its submitter never speaks of again is let go in time, later under a longer lease") {
  Bench bench;
  bench.lease(0, Bytes{1});
  bench.finish(Value(blob(8)));
  bench.lease(1, Bytes{1}, limits::output_held_least);
  bench.finish(Value(blob(9)));
  bench.pass(limits::output_held_least);
  CHECK(bench.released == Blobs{blob(8)});
  bench.pass(limits::output_held_least);
  CHECK(bench.released == Blobs{blob(8), blob(9)});
}

TEST_CASE("outputs of a submitter that is gone stay for their time, those of a job that has ended do not") {
  Bench bench;
  bench.lease(0, Bytes{1});
  bench.finish(Value(blob(8)));
  bench.donor.lost(peer(1), bench.now, bench.out);
  bench.pass(limits::announcement_lease);
  CHECK_FALSE(bench.donor.serves(peer(1)));
  CHECK(bench.released.empty());
  bench.pass(limits::output_held_least - limits::announcement_lease);
  CHECK(bench.released == Blobs{blob(8)});
  Bench other;
  other.lease(0, Bytes{1});
  other.finish(Value(blob(8)));
  (void)other.donor.on_closed(peer(1), Closed{job}, other.now, other.out);
  other.settle();
  CHECK(other.released == Blobs{blob(8)});
}

TEST_CASE("a donor that leaves waits a little for its outputs to be fetched") {
  Bench bench;
  bench.lease(0, Bytes{1});
  bench.finish(Value(blob(8)));
  bench.donor.leave(bench.now, bench.out);
  bench.settle();
  CHECK_FALSE(bench.donor.has_left(bench.now));
  bench.revoke(0);
  CHECK(bench.donor.has_left(bench.now));
  Bench forgotten;
  forgotten.lease(0, Bytes{1});
  forgotten.finish(Value(blob(8)));
  forgotten.donor.leave(forgotten.now, forgotten.out);
  REQUIRE(forgotten.donor.next_deadline() <= forgotten.now.boot + limits::leave_grace);
  forgotten.pass(limits::leave_grace);
  CHECK(forgotten.donor.has_left(forgotten.now));
}

TEST_CASE("an input that drips goes back after the time that the slowest line takes, however long its lease") {
  Bench bench;
  bench.lease(0, Value(blob(1)), std::chrono::hours(24));
  const Duration most = limits::bulk_patience + limits::blob_time_most(mebibyte);
  CHECK(bench.donor.next_deadline() <= bench.now.boot + most);
  bench.pass(most - seconds(1));
  CHECK(bench.returned.empty());
  bench.pass(seconds(2));
  CHECK(bench.returned == Units{{0}});
  CHECK(bench.released == Blobs{blob(1)});
}

TEST_CASE("one owner's inputs leave room for another's") {
  Bench bench(256 * mebibyte);
  Manifest other;
  other.task = "test";
  other.unit_limit = seconds(60);
  other.owner = PublicKey{{2}};
  const JobId others{{8}};
  REQUIRE(bench.donor.learn(others, other, peer(2), bench.now, bench.out));
  bench.blobs.connected(peer(2), bench.now, bench.out);
  bench.donor.connected(peer(2), bench.now, bench.out);
  for (std::uint8_t i = 0; i < 5; ++i) bench.lease(i, Value(blob(i, 60 * mebibyte)), std::chrono::hours(24));
  CHECK(bench.returned == Units{{2}, {3}, {4}});
  bench.donor.on_lease(peer(2), Lease{others, {1}, seconds(100), {{{7}, Value(blob(50, 60 * mebibyte))}}}, bench.now, bench.out);
  bench.settle();
  CHECK(bench.returned.size() == 3);
  bench.fetched(blob(0, 60 * mebibyte));
  bench.finish(Bytes{});
  bench.lease(2, Value(blob(2, 60 * mebibyte)));
  CHECK(bench.returned.size() == 3);  // there is room again
}

TEST_CASE("of a job by confidence an input may be helped, and is offered to others once the result is signed and gone; where there is none, not") {
  Bench bench(8 * mebibyte, WantedConfidence{});
  bench.lease(0, Value(blob(1)));
  bench.lease(1, Value(blob(2)));
  bench.lease(2, Value(blob(3, chunk_bytes)));
  REQUIRE(bench.fetches.size() == 3);
  CHECK(bench.fetches[0].sharing == Sharing::helped);
  CHECK(bench.fetches[2].sharing == Sharing::alone);  // one chunk
  REQUIRE(bench.asked.size() == 2);
  for (const Addressed& asked : bench.asked) {
    CHECK(asked.to == peer(1));
    CHECK(std::get<Seek>(asked.message).hops == 0);
  }
  for (const BlobId& input : {blob(1), blob(2), blob(3, chunk_bytes)}) bench.fetched(input);
  CHECK(bench.offered.empty());
  REQUIRE_FALSE(bench.running.empty());
  REQUIRE(bench.running[0].input == Value(blob(1)));
  bench.finish(Bytes{1});
  bench.pass(limits::result_gather);
  REQUIRE(bench.results.size() == 1);
  CHECK(bench.offered == Blobs{blob(1)});
  CHECK(bench.results_when_offered == 1);
  // What it could not compute it has said nothing about, and neither has it of what is revoked.
  const FinishedAttempt failed{bench.running.front().attempt, Outcome::donor_fault, Bytes{}, milliseconds(1)};
  bench.running.erase(bench.running.begin());
  bench.donor.on_finished({failed}, bench.now, bench.out);
  bench.settle();
  bench.pass(limits::result_gather);
  CHECK(bench.results.size() == 2);
  while (!bench.running.empty()) bench.finish(Bytes{1});
  bench.pass(limits::result_gather);
  CHECK(bench.results.size() == 3);
  CHECK(bench.offered == Blobs{blob(1)});
}

TEST_CASE("what a donor has promised its next process still has, and lets go of when the same submitter says so, or its time is over") {
  Bench before;
  for (std::uint64_t unit = 0; unit < 4; ++unit) {
    before.lease(unit, Bytes{});
    before.finish(Value(blob(static_cast<std::uint8_t>(10 + unit))));
  }
  before.revoke(3);
  REQUIRE(before.marks.size() == 3);
  CHECK(before.marks[0].submitter == peer(1));
  CHECK(before.marks[0].until == before.now.wall + limits::output_held_least);

  Bench after(4 * mebibyte, {}, before.marks);
  CHECK(after.released.empty());
  CHECK(after.blobs.here(blob(10)));
  // Before the job is known again, and by nobody else.
  after.donor.on_revoke(peer(2), Revoke{job, {{0}}}, after.out);
  (void)after.donor.on_closed(peer(2), Closed{job}, after.now, after.out);
  after.settle();
  CHECK(after.released.empty());
  after.revoke(0);
  CHECK(after.released == Blobs{blob(10)});
  after.learn();
  after.lease(5, Bytes{});
  after.revoke(1);
  CHECK(after.released == Blobs{blob(10), blob(11)});
  after.pass(limits::output_held_least);
  CHECK(after.released == Blobs{blob(10), blob(11), blob(12)});
  CHECK(after.blobs.count() == 0);

  Bench closed(4 * mebibyte, {}, before.marks);
  closed.donor.forget(job, closed.out);
  closed.settle();
  CHECK(closed.released.size() == 3);
}
