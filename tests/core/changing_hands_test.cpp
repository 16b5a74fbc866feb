// A donor of a job that somebody else leases out from now on.
#include <doctest/doctest.h>

#include "tests/core/donor_bench.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Serves a job with a submitter, peer(1), and two stewards, peer(2) and peer(3).
struct Bench : DonorBench {
  bool learns(std::uint8_t submitter, std::uint64_t shift, std::uint64_t epoch = 5) {
    Manifest manifest;
    manifest.task = "test";
    manifest.unit_limit = minutes(60);
    manifest.stewarded = Hash{};
    now.wall = shift_begins(shift);
    const bool fresh = donor.learn(job(1), manifest, peer(submitter), now, out, {epoch, submitter - 1U, 3});
    settle();
    return fresh;
  }
  void link(std::uint8_t to) {
    blobs.connected(peer(to), now, out);
    donor.connected(peer(to), now, out);
    settle();
  }
  void lose(std::uint8_t whom) {
    donor.lost(peer(whom), now, out);
    settle();
  }
  bool closes(std::uint8_t whom) {
    const bool waits = donor.on_closed(peer(whom), Closed{job(1)}, now, out);
    settle();
    return waits;
  }
};

}  // namespace

TEST_CASE("a donor that is linked with its submitter leaves it for a later delegation's, and for nobody else's") {
  Bench bench;
  Manifest manifest;
  manifest.task = "test";
  const auto learns = [&](std::uint8_t submitter, std::uint64_t epoch) {
    return bench.donor.learn(job(1), manifest, peer(submitter), bench.now, bench.out, Mandate{.epoch = epoch});
  };
  REQUIRE(learns(1, 5));
  bench.donor.connected(peer(1), bench.now, bench.out);
  CHECK_FALSE(learns(2, 5));
  CHECK_FALSE(learns(2, 4));
  CHECK(bench.donor.serves(peer(1)));
  CHECK_FALSE(learns(1, 7));  // it has a later one itself
  CHECK_FALSE(learns(2, 6));
  CHECK(learns(2, 8));
  CHECK_FALSE(bench.donor.serves(peer(1)));
  CHECK(bench.donor.serves(peer(2)));
  CHECK(learns(3, 8));  // the link with the one before is not there
}

TEST_CASE("of two stewards that both say they lead, a linked donor serves the one whose shift it is") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  CHECK_FALSE(bench.learns(3, 10));
  CHECK(bench.learns(3, 11));
  bench.link(3);
  CHECK_FALSE(bench.learns(2, 11));
  CHECK(bench.donor.serves(peer(3)));
  CHECK(bench.learns(1, 11));  // the submitter is back
  CHECK(bench.learns(2, 12, 6));  // and has left again
}

TEST_CASE("what is in hand for one steward goes on for the next, which has the results") {
  for (const bool linked : {false, true}) {
    CAPTURE(linked);
    Bench bench;
    REQUIRE(bench.learns(2, 10));
    bench.link(2);
    bench.lease(job(1), peer(2), 0, 4, minutes(60));
    REQUIRE(bench.running.size() == 2);
    if (!linked) bench.lose(2);
    bench.finish(1, seconds(1));
    CHECK(bench.heard<Results>(peer(2)).size() == (linked ? 1 : 0));
    REQUIRE(bench.learns(3, 11));
    CHECK_FALSE(bench.donor.serves(peer(2)));
    CHECK(bench.donor.take_released() == std::vector{peer(2)});
    CHECK(bench.cancelled.empty());
    bench.finish(1, seconds(1));  // before there is a link
    bench.link(3);
    CHECK(bench.heard<Want>(peer(3)).size() == 1);
    bench.finish(2, seconds(1));
    std::size_t results = 0;
    for (const Results& heard : bench.heard<Results>(peer(3))) {
      for (const UnitResult& result : heard.results) results += result.outcome == Outcome::ok ? 1 : 0;
    }
    // The first too: by what was sent just before, the other may have gone.
    CHECK(results == 4);
    CHECK(bench.heard<Results>(peer(2)).empty());
  }
}

TEST_CASE("the next steward renews what it leases again and is here") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  bench.lease(job(1), peer(2), 0, 3, minutes(60));
  REQUIRE(bench.learns(3, 11));
  bench.link(3);
  bench.lease(job(1), peer(3), 0, 3, minutes(60));
  CHECK(bench.cancelled.empty());
  CHECK(bench.running.size() == 2);
  CHECK(bench.heard<Return>(peer(3)).empty());
}

TEST_CASE("a steward whose shift is over closes the job: what is in hand waits for the next, and what is not costs no place") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  bench.lease(job(1), peer(2), 0, 1, minutes(60));
  CHECK_FALSE(bench.closes(3));  // who never led it
  CHECK(bench.closes(2));
  CHECK(bench.cancelled.empty());
  CHECK(bench.donor.serves(peer(2)));
  CHECK(bench.learns(3, 10));  // it is nobody's now
  bench.link(3);
  bench.finish(1, seconds(1));
  CHECK(bench.results_heard(peer(3)) == 1);
  CHECK_FALSE(bench.closes(3));
  CHECK_FALSE(bench.donor.serves(peer(3)));
}

TEST_CASE("work for a steward that has closed the job is given up where nobody comes for it") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  bench.lease(job(1), peer(2), 0, 1, minutes(60));
  CHECK(bench.closes(2));
  bench.pass(limits::absent_grace);
  CHECK(bench.cancelled.size() == 1);
}

TEST_CASE("what is in hand for the submitter does not go to a steward, nor the other way: they ask different donors") {
  for (const bool leaves : {false, true}) {
    CAPTURE(leaves);
    Bench bench;
    const std::uint8_t before = leaves ? 1 : 2, after = leaves ? 2 : 1;
    REQUIRE(bench.learns(before, 10));
    bench.link(before);
    bench.lease(job(1), peer(before), 0, 1, minutes(60));
    if (leaves) bench.lose(before);
    REQUIRE(bench.learns(after, 10));
    CHECK(bench.cancelled.size() == 1);
  }
}

TEST_CASE("a steward that has closed the job and leads it again over the same link is served again") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  bench.lease(job(1), peer(2), 0, 1, minutes(60));
  REQUIRE(bench.closes(2));
  CHECK_FALSE(bench.closes(2));  // it has said so before
  (void)bench.heard<Want>(peer(2));
  CHECK(bench.learns(2, 10));  // whoever routes that sees that there is a link
  bench.link(2);
  CHECK(bench.heard<Want>(peer(2)).size() == 1);
  bench.finish(1, seconds(1));
  CHECK(bench.results_heard(peer(2)) == 1);
}

TEST_CASE("a steward that closes a job of which nothing is in hand had perhaps stopped before it had the last results: the next has them") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  bench.lease(job(1), peer(2), 0, 1, minutes(60));
  bench.finish(1, seconds(1));
  CHECK(bench.results_heard(peer(2)) == 1);
  CHECK_FALSE(bench.closes(2));
  CHECK_FALSE(bench.donor.serves(peer(2)));
  REQUIRE(bench.learns(3, 10));
  bench.link(3);
  CHECK(bench.results_heard(peer(3)) == 1);
}

TEST_CASE("a donor that is a steward itself keeps what it has in hand when it begins to lead, and when it stops") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  bench.lease(job(1), peer(2), 0, 2, minutes(60));
  REQUIRE(bench.running.size() == 2);
  Manifest manifest;
  manifest.task = "test";
  manifest.stewarded = Hash{};
  bench.now.wall = shift_begins(11);
  CHECK(bench.donor.learn_led(job(1), manifest, {5, 2, 3}, bench.now, bench.out));
  bench.donor.connected(bench.self.id, bench.now, bench.out);
  bench.settle();
  CHECK(bench.donor.serves(bench.self.id, job(1)));
  CHECK_FALSE(bench.donor.serves(bench.self.id, job(2)));
  bench.finish(1, seconds(1));
  CHECK(bench.results_heard(bench.self.id) == 1);
  CHECK_FALSE(bench.learns(2, 11));
  REQUIRE(bench.learns(2, 12));
  bench.link(2);
  CHECK(bench.cancelled.empty());
  bench.finish(1, seconds(1));
  CHECK(bench.results_heard(peer(2)) == 1);
  CHECK(bench.donor.take_released().empty() == false);
}

TEST_CASE("a former leader's word does not let go of what was computed for its successor") {
  Bench bench;
  REQUIRE(bench.learns(2, 10));
  bench.link(2);
  const auto compute = [&](std::uint8_t whom, std::uint64_t unit) {
    bench.lease(job(1), peer(whom), unit, 1, minutes(60));
    const BlobId blob{70'000, Hash{{static_cast<std::uint8_t>(unit)}}};
    FinishedAttempt finished{bench.running.front().attempt, Outcome::ok, Value(blob), seconds(1)};
    bench.running.clear();
    bench.donor.on_finished({std::move(finished)}, bench.now, bench.out);
    bench.settle();
    return blob;
  };
  const BlobId first = compute(2, 1);
  REQUIRE(bench.learns(3, 11));
  bench.link(3);
  const BlobId second = compute(3, 2);
  bench.released.clear();
  const auto revokes = [&](std::uint8_t whom) {
    bench.donor.on_revoke(peer(whom), Revoke{job(1), {{1}, {2}}}, bench.out);
    bench.settle();
    return std::exchange(bench.released, {});
  };
  CHECK(revokes(2).empty());
  CHECK(revokes(3) == std::vector{first, second});
}
