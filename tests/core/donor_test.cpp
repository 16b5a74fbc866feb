#include "coordinatorless/core/donor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/core/donor_bench.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Bench = DonorBench;

}  // namespace

TEST_CASE("a donor says what it wants as soon as it is linked with the submitter, and again now and then") {
  Bench bench(3);
  REQUIRE(bench.serve(job(1), peer(1)));
  const auto wants = bench.heard<Want>(peer(1));
  REQUIRE(wants.size() == 1);
  CHECK(wants[0].slots == 3);
  CHECK(wants[0].work > seconds(1));
  bench.pass(limits::want_refresh);
  CHECK(bench.heard<Want>(peer(1)).size() == 1);
}

TEST_CASE("unknown tasks, and others' jobs where it does not donate, are not served") {
  Bench bench;
  Manifest manifest;
  manifest.task = "other";
  CHECK_FALSE(bench.donor.learn(job(1), manifest, peer(1), bench.now, bench.out));
  manifest.task = "test";
  manifest.task_version = 2;
  CHECK_FALSE(bench.donor.learn(job(1), manifest, peer(1), bench.now, bench.out));
  Bench selfish(1, false);
  CHECK_FALSE(selfish.serve(job(1), peer(1)));
  CHECK(selfish.serve(job(1), selfish.self.id));
}

TEST_CASE("a lone unit's result goes off at once") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 1);
  REQUIRE(bench.running.size() == 1);
  bench.finish(1, microseconds(50));
  const auto results = bench.heard<Results>(peer(1));
  REQUIRE(results.size() == 1);
  CHECK(results[0].results[0].output == to_bytes("out"));
  CHECK(bench.self.verify(Domain::results, bench.crypto->public_key(), results_root(results[0]).view(), results[0].signature));
}

TEST_CASE("of a job that stewards may hold a donor says what it computed from, whoever leased it, in messages of any number") {
  Bench bench(14);
  Manifest manifest;
  manifest.task = "test";
  manifest.unit_limit = seconds(60);
  manifest.stewarded = Hash{};
  REQUIRE(bench.donor.learn(job(1), manifest, peer(1), bench.now, bench.out));
  bench.donor.connected(peer(1), bench.now, bench.out);
  Lease lease{job(1), LeaseId{1}, seconds(100), {}};
  for (std::uint8_t i = 0; i < 14; ++i) lease.units.push_back({{i}, Bytes{i, 9}});
  bench.donor.on_lease(peer(1), lease, bench.now, bench.out);
  bench.settle();
  bench.finish(14, microseconds(50), Bytes(60'000, 1));  // too large for one message together
  std::size_t said = 0;
  for (const Results& results : bench.heard<Results>(peer(1))) {
    REQUIRE(results.inputs);
    REQUIRE(results.inputs->digests.size() == results.results.size() * input_digest_bytes);
    CHECK(bench.self.verify(Domain::results, bench.crypto->public_key(), results_root(results).view(), results.signature));
    for (std::size_t place = 0; place < results.results.size(); ++place) {
      const auto digest = input_digest(Bytes{static_cast<std::uint8_t>(results.results[place].unit.value), 9});
      CHECK(std::equal(digest.begin(), digest.end(), results.inputs->digests.begin() + static_cast<std::ptrdiff_t>(place * input_digest_bytes)));
      ++said;
    }
  }
  CHECK(said == 14);
}

TEST_CASE("a stranger's manifest cannot hold a slot longer than the longest lease; one's own may") {
  const auto limit_of = [](Duration asked, const PeerId& submitter) {
    Bench bench;
    Manifest manifest;
    manifest.owner = named<PublicKeyTag>(1);
    manifest.task = "test";
    manifest.unit_limit = asked;
    REQUIRE(bench.donor.learn(job(1), manifest, submitter, bench.now, bench.out));
    bench.donor.connected(submitter, bench.now, bench.out);
    bench.settle();
    bench.lease(job(1), submitter, 0, 1);
    REQUIRE(bench.running.size() == 1);
    return bench.running.front().limit;
  };
  CHECK(limit_of(seconds(60), peer(1)) == seconds(60));
  CHECK(limit_of(Duration::zero(), peer(1)) == limits::unit_limit_most);
  CHECK(limit_of(limits::unit_limit_most * 2, peer(1)) == limits::unit_limit_most);
  CHECK(limit_of(Duration::zero(), peer(99)) == Duration::zero());
  CHECK(limit_of(limits::unit_limit_most * 2, peer(99)) == limits::unit_limit_most * 2);
}

TEST_CASE("results of many small units travel together") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 1000);
  std::size_t messages = 0, results = 0;
  for (int step = 0; step < 10000 && results < 1000; ++step) {
    bench.finish(1, microseconds(100));
    for (const Results& batch : bench.heard<Results>(peer(1))) {
      ++messages;
      results += batch.results.size();
    }
  }
  CHECK(results == 1000);
  CHECK(messages < 30);  // 100 ms of work in gathers of 10 ms, and the tail
}

TEST_CASE("the executor is fed ahead, and not with everything") {
  Bench bench(2);
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 1000);
  CHECK(bench.running.size() == 4);  // nothing is known yet: two a slot
  for (int i = 0; i < 100; ++i) {
    bench.finish(1, milliseconds(1));
    REQUIRE(bench.running.size() >= 4);
    REQUIRE(bench.running.size() <= 66);  // executor_feed * slots / 1 ms, and those started before anything was known
  }
  CHECK(bench.running.size() >= 30);
}

TEST_CASE("two owners' jobs share the slots evenly") {
  Bench bench;
  bench.serve(job(1), peer(1), 1);
  bench.serve(job(2), peer(2), 2);
  bench.lease(job(1), peer(1), 0, 1000);
  bench.lease(job(2), peer(2), 0, 1000);
  std::size_t of_first = 0;
  for (int i = 0; i < 400; ++i) {
    of_first += bench.running.front().job == job(1);
    bench.finish(1, milliseconds(1));
  }
  CHECK(of_first > 170);
  CHECK(of_first < 230);
}

TEST_CASE("what is leased beyond the limits goes straight back") {
  Bench bench;
  bench.serve(job(1), peer(1));
  for (std::uint64_t first = 0; first < limits::donor_units_max + 2048; first += 1024) bench.lease(job(1), peer(1), first, 1024);
  std::size_t returned = 0;
  for (const Return& back : bench.heard<Return>(peer(1))) returned += back.units.size();
  CHECK(returned == 2048);
}

TEST_CASE("a lease from anybody but the submitter is returned and not computed") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(7), 0, 3);
  CHECK(bench.running.empty());
  CHECK(bench.heard<Return>(peer(7)).size() == 1);
}

TEST_CASE("revoked units are dropped, and stopped where they run") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 4);
  REQUIRE(bench.running.size() == 2);
  const std::uint64_t first = 0;
  bench.donor.on_revoke(peer(2), Revoke{job(1), {{first}}}, bench.out);  // a stranger's word
  bench.settle();
  CHECK(bench.cancelled.empty());
  bench.donor.on_revoke(peer(1), Revoke{job(1), {{0}, {3}}}, bench.out);
  bench.settle();
  CHECK(bench.cancelled.size() == 1);
  for (int i = 0; i < 4; ++i) bench.finish(1, milliseconds(20));
  CHECK(bench.results_heard(peer(1)) == 2);
}

TEST_CASE("a closed job is forgotten, and its submitter released") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 4);
  (void)bench.donor.on_closed(peer(1), Closed{job(1)}, bench.now, bench.out);
  bench.settle();
  CHECK(bench.cancelled.size() == 2);
  CHECK(bench.donor.take_released() == std::vector{peer(1)});
  bench.finish(2, milliseconds(1));
  CHECK(bench.results_heard(peer(1)) == 0);
  CHECK(bench.donor.next_deadline() == never);
}

TEST_CASE("results wait for a submitter whose link broke, and the job is given up when it stays away") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 1);
  bench.donor.lost(peer(1), bench.now, bench.out);
  bench.finish(1, milliseconds(1));
  CHECK(bench.results_heard(peer(1)) == 0);
  bench.donor.connected(peer(1), bench.now, bench.out);
  bench.settle();
  CHECK(bench.results_heard(peer(1)) == 1);
  bench.donor.lost(peer(1), bench.now, bench.out);
  bench.pass(limits::announcement_lease);
  CHECK_FALSE(bench.donor.serves(peer(1)));
}

TEST_CASE("an attempt outlasts its submitter's absence for as long again as it had run, and its result waits") {
  for (const Duration later : {std::chrono::hours(6 * 24), std::chrono::hours(8 * 24)}) {
    Bench bench;
    REQUIRE(bench.serve(job(1), peer(1)));
    bench.lease(job(1), peer(1), 0, 1, std::chrono::hours(3));
    REQUIRE(bench.running.size() == 1);
    bench.pass(std::chrono::minutes(40));
    bench.donor.lost(peer(1), bench.now, bench.out);
    bench.pass(std::chrono::minutes(25));
    bench.finish(1, seconds(1));
    CHECK(bench.heard<Results>(peer(1)).empty());
    bench.pass(std::chrono::minutes(1));
    CHECK_FALSE(bench.donor.serves(peer(1)));  // nothing of it is in hand, and its announcement has run out
    bench.pass(later - std::chrono::minutes(26));
    CHECK(bench.heard<Results>(peer(1)).empty());
    bench.serve(job(1), peer(1));  // it is back
    CHECK(bench.heard<Results>(peer(1)).size() == (later < limits::waiting_most ? 1 : 0));
  }
}

TEST_CASE("a unit that is leased again goes on, whether it waits or runs; with another input it is begun anew") {
  Bench bench;
  REQUIRE(bench.serve(job(1), peer(1)));
  const auto lease = [&](std::uint64_t number, std::uint8_t input) {
    Lease leased{job(1), LeaseId{number}, seconds(100), {}};
    for (std::uint64_t unit = 0; unit < 3; ++unit) leased.units.push_back({{unit}, Bytes{input}});
    bench.donor.on_lease(peer(1), std::move(leased), bench.now, bench.out);
    bench.settle();
  };
  lease(1, 7);
  REQUIRE(bench.running.size() == 2);  // the third waits
  lease(2, 7);
  CHECK(bench.cancelled.empty());
  CHECK(bench.running.size() == 2);
  lease(3, 8);
  CHECK(bench.cancelled.size() == 2);
  std::vector<FinishedAttempt> stopped;
  for (const AttemptId attempt : bench.cancelled) stopped.push_back({attempt, Outcome::cancelled, {}, {}});
  std::erase_if(bench.running, [](const AttemptToStart& attempt) { return attempt.input.bytes == Bytes{7}; });
  bench.donor.on_finished(std::move(stopped), bench.now, bench.out);
  bench.settle();
  for (int unit = 0; unit < 3; ++unit) {
    REQUIRE_FALSE(bench.running.empty());
    CHECK(bench.running.front().input.bytes == Bytes{8});
    bench.finish(1, seconds(1));
  }
  std::size_t count = 0;
  for (const Results& results : bench.heard<Results>(peer(1))) {
    for (const UnitResult& result : results.results) count += result.lease == LeaseId{3};
  }
  CHECK(count == 3);
}

TEST_CASE("one that stays away for longer than its attempts had run has them stopped") {
  Bench bench;
  REQUIRE(bench.serve(job(1), peer(1)));
  bench.lease(job(1), peer(1), 0, 1, std::chrono::hours(3));
  bench.pass(std::chrono::minutes(40));
  bench.donor.lost(peer(1), bench.now, bench.out);
  bench.pass(std::chrono::minutes(39));
  CHECK(bench.cancelled.empty());
  bench.pass(std::chrono::minutes(1));
  CHECK(bench.cancelled.size() == 1);
  CHECK_FALSE(bench.donor.serves(peer(1)));
}

TEST_CASE("units whose lease has run out are not computed") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 5, seconds(1));
  bench.now.boot += seconds(2);
  bench.finish(2, milliseconds(1));
  CHECK(bench.running.empty());
}

TEST_CASE("leaving returns what is not started, finishes what runs, and then is done") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 5);
  bench.donor.leave(bench.now, bench.out);
  bench.settle();
  const auto returned = bench.heard<Return>(peer(1));
  REQUIRE(returned.size() == 1);
  CHECK(returned[0].units.size() == 3);
  CHECK(bench.heard<Want>(peer(1)).back().slots == 0);
  CHECK_FALSE(bench.donor.has_left(bench.now));
  bench.finish(2, milliseconds(1));
  CHECK(bench.results_heard(peer(1)) == 2);
  CHECK(bench.donor.has_left(bench.now));
}

TEST_CASE("leaving does not wait for ever: what still runs is returned and stopped") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 2);
  bench.donor.leave(bench.now, bench.out);
  bench.settle();
  REQUIRE(bench.donor.next_deadline() <= bench.now.boot + limits::leave_grace);
  bench.pass(limits::leave_grace);
  CHECK(bench.cancelled.size() == 2);
  CHECK(bench.heard<Return>(peer(1)).size() == 1);
  CHECK(bench.donor.has_left(bench.now));
}

TEST_CASE("attempts of a job's earlier time here do not disturb it when it is served again") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 2);
  (void)bench.donor.on_closed(peer(1), Closed{job(1)}, bench.now, bench.out);
  bench.settle();
  bench.serve(job(1), peer(1));
  bench.finish(2, milliseconds(1));
  bench.lease(job(1), peer(1), 10, 1);
  bench.finish(1, microseconds(50));
  CHECK(bench.results_heard(peer(1)) == 1);  // at once: nothing else counts as in hand
}

TEST_CASE("two jobs of one owner are both worked on") {
  Bench bench;
  bench.serve(job(1), peer(1), 1);
  bench.serve(job(2), peer(2), 1);
  bench.lease(job(1), peer(1), 0, 50);
  bench.lease(job(2), peer(2), 0, 2);
  for (std::uint64_t i = 0; i < 100; ++i) {
    bench.lease(job(1), peer(1), 1000 + i, 1);  // this one never runs dry
    bench.finish(1, milliseconds(20));
  }
  CHECK(bench.results_heard(peer(2)) == 2);
}

TEST_CASE("a unit that is leased again while it is here is computed once, under its newest lease") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 3, seconds(1));
  REQUIRE(bench.running.size() == 2);
  Lease again{job(1), LeaseId{70}, seconds(100), {}};
  for (std::uint64_t i = 0; i < 3; ++i) again.units.push_back({{i}, Bytes(8)});
  bench.donor.on_lease(peer(1), std::move(again), bench.now, bench.out);
  bench.settle();
  bench.now.boot += seconds(2);
  for (int i = 0; i < 3; ++i) bench.finish(1, milliseconds(20));
  CHECK(bench.running.empty());
  std::size_t results = 0;
  for (const Results& batch : bench.heard<Results>(peer(1))) {
    for (const UnitResult& result : batch.results) {
      CHECK(result.lease == LeaseId{70});
      ++results;
    }
  }
  CHECK(results == 3);
}

TEST_CASE("a job whose submitter is never reached is given up") {
  Bench bench;
  Manifest manifest;
  manifest.task = "test";
  REQUIRE(bench.donor.learn(job(1), manifest, peer(1), bench.now, bench.out));
  CHECK(bench.donor.next_deadline() <= bench.now.boot + limits::announcement_lease);
  bench.pass(limits::announcement_lease);
  CHECK_FALSE(bench.donor.serves(peer(1)));
}

TEST_CASE("where all places are taken, a newcomer gets that of a job that gives no work") {
  Bench bench;
  for (std::uint8_t i = 0; i < limits::donor_jobs_max; ++i) REQUIRE(bench.serve(job(i + 1), peer(i + 1), i + 1));
  CHECK_FALSE(bench.serve(job(100), peer(98), 100));  // they have had no time to give any
  bench.now.boot += limits::idle_place;
  for (std::uint8_t i = 0; i < limits::donor_jobs_max; ++i) {
    if (i != 7) bench.lease(job(i + 1), peer(i + 1), 0, 1);
  }
  CHECK(bench.serve(job(100), peer(98), 100));
  CHECK_FALSE(bench.donor.serves(peer(8)));
  CHECK(bench.heard<Want>(peer(8)).back().slots == 0);
  CHECK_FALSE(bench.serve(job(101), peer(97), 101));
}

TEST_CASE("one owner's many jobs make room for another's first, and an own job always finds a place") {
  Bench bench;
  for (std::uint8_t i = 0; i < limits::donor_jobs_max; ++i) {
    REQUIRE(bench.serve(job(i + 1), peer(i + 1), 1));
    bench.lease(job(i + 1), peer(i + 1), 0, 3);
  }
  CHECK_FALSE(bench.serve(job(50), peer(50), 1));
  CHECK(bench.serve(job(100), peer(98), 2));
  std::size_t returned = 0;
  for (std::uint8_t i = 0; i < limits::donor_jobs_max; ++i) {
    for (const Return& back : bench.heard<Return>(peer(i + 1))) returned += back.units.size();
  }
  CHECK(returned == 3);  // the work of the job that had to go
  CHECK(bench.serve(job(101), bench.self.id, 1));
}

TEST_CASE("one that may compute no more returns what waits, and takes nothing") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 5);
  bench.donor.allow(0, bench.now, bench.out);
  bench.settle();
  CHECK(bench.said[peer(1)].size() >= 2);
  CHECK(std::holds_alternative<Return>(bench.said[peer(1)].back()));  // behind the Want that says so
  CHECK(bench.heard<Return>(peer(1))[0].units.size() == 3);
  bench.lease(job(1), peer(1), 10, 2);
  CHECK(bench.heard<Return>(peer(1))[0].units.size() == 2);
}

TEST_CASE("outputs for a submitter that is gone do not pile up without a limit") {
  Bench bench;
  bench.serve(job(1), peer(1));
  bench.lease(job(1), peer(1), 0, 1000);
  bench.donor.lost(peer(1), bench.now, bench.out);
  std::size_t computed = 0;
  for (; computed < 1000 && !bench.running.empty(); ++computed) bench.finish(1, milliseconds(20), Bytes(limits::unit_bytes_max));
  CHECK(computed * limits::unit_bytes_max < limits::absent_bytes_max + 16 * limits::unit_bytes_max);
  bench.donor.connected(peer(1), bench.now, bench.out);
  bench.settle();
  std::size_t heard = bench.results_heard(peer(1));
  CHECK(heard < computed);  // not all of it at once
  for (int pause = 0; pause < 30; ++pause) {
    bench.pass(limits::delivery_pause);
    heard += bench.results_heard(peer(1));
  }
  CHECK(heard == computed);
  CHECK_FALSE(bench.running.empty());
}

// --- Modules ---

namespace {
const BlobId program{3000, named<HashTag>(7)};
}

TEST_CASE("a module is fetched from the submitter before its job gets credit, and its attempts name it") {
  Bench bench;
  REQUIRE(bench.serve(job(1), peer(1), 1, program));
  CHECK(bench.heard<Want>(peer(1)).empty());
  REQUIRE(bench.fetches.size() == 1);
  CHECK(bench.fetches[0].blob == program);
  CHECK(bench.fetches[0].from == peer(1));
  bench.fetched(program);
  REQUIRE(bench.heard<Want>(peer(1)).size() == 1);
  bench.lease(job(1), peer(1), 0, 1);
  REQUIRE(bench.running.size() == 1);
  CHECK(bench.running[0].module == program);
  CHECK(bench.running[0].memory_bytes == 1 << 20);
  CHECK(bench.running[0].fuel == 5);
}

TEST_CASE("a unit that is leased before the module is here goes straight back") {
  Bench bench;
  bench.serve(job(1), peer(1), 1, program);
  bench.lease(job(1), peer(1), 0, 3);
  CHECK(bench.running.empty());
  const auto returned = bench.heard<Return>(peer(1));
  REQUIRE(returned.size() == 1);
  CHECK(returned[0].units.size() == 3);
}

TEST_CASE("two jobs with the same module fetch it once, and it is released with the last of them") {
  Bench bench;
  bench.serve(job(1), peer(1), 1, program);
  bench.serve(job(2), peer(2), 2, program);
  CHECK(bench.fetches.size() == 1);
  bench.fetched(program);
  CHECK(bench.heard<Want>(peer(1)).size() == 1);
  CHECK(bench.heard<Want>(peer(2)).size() == 1);
  (void)bench.donor.on_closed(peer(1), Closed{job(1)}, bench.now, bench.out);
  bench.settle();
  CHECK(bench.released.empty());
  (void)bench.donor.on_closed(peer(2), Closed{job(2)}, bench.now, bench.out);
  bench.settle();
  CHECK(bench.released == std::vector{program});
}

TEST_CASE("a job that is forgotten while its module is fetched lets go of it") {
  Bench bench;
  bench.serve(job(1), peer(1), 1, program);
  bench.donor.forget(job(1), bench.out);
  bench.settle();
  CHECK(bench.released == std::vector{program});
  bench.fetched(program);
  CHECK(bench.heard<Want>(peer(1)).empty());
}

TEST_CASE("a module that cannot be had is asked for ever more rarely, then its job is shelved for a while") {
  Bench bench;
  bench.serve(job(1), peer(1), 1, program);
  for (unsigned tries = 1; tries < limits::blob_tries_max; ++tries) {
    REQUIRE(bench.fetches.size() == tries);
    bench.not_fetched(program, peer(1));
    bench.pass(limits::blob_retry_first * (1 << (tries - 1)) - milliseconds(1));
    CHECK(bench.fetches.size() == tries);
    bench.pass(milliseconds(1));
  }
  bench.not_fetched(program, peer(1));
  CHECK(bench.donor.submitters().empty());
  CHECK(bench.released == std::vector{program});
  CHECK_FALSE(bench.serve(job(1), peer(1), 1, program));
  bench.pass(limits::job_shelved);
  CHECK(bench.serve(job(1), peer(1), 1, program));
}

TEST_CASE("a module that turns out to be lost is fetched again, and nothing is started meanwhile") {
  Bench bench;
  bench.serve(job(1), peer(1), 1, program);
  bench.fetched(program);
  bench.heard<Want>(peer(1));
  bench.not_fetched(program, bench.self.id);
  REQUIRE(bench.fetches.size() == 2);
  bench.lease(job(1), peer(1), 0, 1);
  CHECK(bench.running.empty());
  bench.fetched(program);
  CHECK(bench.heard<Want>(peer(1)).size() == 1);
}

TEST_CASE("a module is asked for again once its submitter is back") {
  Bench bench;
  bench.serve(job(1), peer(1), 1, program);
  bench.blobs.lost(peer(1), bench.now);
  bench.donor.lost(peer(1), bench.now, bench.out);
  bench.not_fetched(program, peer(1));  // what the driver makes of the broken link
  bench.pass(seconds(20));
  CHECK(bench.fetches.size() == 1);
  bench.blobs.connected(peer(1), bench.now, bench.out);
  bench.donor.connected(peer(1), bench.now, bench.out);
  bench.settle();
  CHECK(bench.fetches.size() == 2);
}

TEST_CASE("others' code is served where it is allowed, one's own always") {
  const auto serves = [](CodePolicy code, bool module, std::uint8_t owner) {
    Bench bench(1, true, std::move(code));
    return bench.serve(job(1), peer(1), owner, module ? std::optional(program) : std::nullopt);
  };
  const std::vector<PublicKey> friends{named<PublicKeyTag>(5)};
  CHECK(serves({}, false, 1));
  CHECK_FALSE(serves({}, true, 1));
  CHECK_FALSE(serves({.builtin = false, .modules = true, .any = true}, false, 1));
  CHECK(serves({.builtin = false, .modules = true, .any = true}, true, 1));
  CHECK_FALSE(serves({.modules = false, .any = true, .owners = friends}, true, 5));
  CHECK_FALSE(serves({.modules = true, .owners = friends}, true, 1));
  CHECK(serves({.modules = true, .owners = friends}, true, 5));
  // What a unit may take of memory, 256 MiB where its manifest does not say, is a donor's to give.
  CHECK(serves({.modules = true, .any = true, .memory_bytes = 1 << 20}, true, 1));
  CHECK_FALSE(serves({.modules = true, .any = true, .memory_bytes = (1 << 20) - 1}, true, 1));
  Manifest silent{};
  silent.module = program;
  CHECK(CodePolicy{.modules = true, .any = true, .memory_bytes = 256 << 20}.allows(silent, false));
  CHECK_FALSE(CodePolicy{.modules = true, .any = true, .memory_bytes = (256 << 20) - 1}.allows(silent, false));
  CHECK(serves({.memory_bytes = 0}, false, 1));
  Bench own(1, true, {.builtin = false, .modules = true, .memory_bytes = 0});
  CHECK(own.serve(job(1), own.self.id, 1, program));
  CHECK(own.serve(job(2), own.self.id, 1));
  Bench uncaged(1, true, {.modules = false});
  CHECK_FALSE(uncaged.serve(job(1), uncaged.self.id, 1, program));
}
