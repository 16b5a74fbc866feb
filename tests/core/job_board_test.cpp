#include "coordinatorless/core/job_board.h"

#include <doctest/doctest.h>

#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using std::chrono::seconds;

namespace {

struct Bench {
  Identity submitter{1, std::nullopt};
  Identity donor{2, std::nullopt};
  Now now = start_of_time();
  Journal journal;
  BlobWants blobs{submitter.self.id};
  JobBoard board{submitter.self, journal, blobs, 0};
  Output out;

  void submit(const JobId& id) {
    Manifest manifest;
    manifest.copies = 1;
    board.submit(id, manifest, JobSubmitted{}, now, out);
    board.append(UnitsAppended{id, {{{0}, Bytes{1}}}, true}, now, out);
  }
  std::optional<Charge> answer(const JobId& id, LeaseId lease) {
    Results results{id, {}, {{lease, {0}, Outcome::ok, {}}}, {}};
    results.signature = donor.self.sign(Domain::results, results_root(results).view());
    return board.on_results(donor.self.id, donor.crypto->public_key(), std::move(results), now, out);
  }
  template <class What>
  std::vector<What> sent() {
    std::vector<What> all;
    for (const Addressed& addressed : std::exchange(out.messages, {})) {
      if (const auto* what = std::get_if<What>(&addressed.message)) all.push_back(*what);
    }
    return all;
  }
};

const JobId job{{7}};

}  // namespace

TEST_CASE("results and credit for a job that does not run here are answered with its end, and are no offence") {
  Bench bench;
  CHECK_FALSE(bench.answer(job, LeaseId{1}));
  CHECK(bench.sent<Closed>().size() == 1);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, bench.now, bench.out);
  CHECK(bench.sent<Closed>().size() == 1);
  bench.board.on_return(bench.donor.self.id, Return{job, {{0}}}, bench.now, bench.out);
  CHECK(bench.out.messages.empty());
}

TEST_CASE("of a job that ended, only what became of it is kept") {
  Bench bench;
  bench.submit(job);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, bench.now, bench.out);
  const auto leases = bench.sent<Lease>();
  REQUIRE(leases.size() == 1);
  CHECK(bench.board.employs(bench.donor.self.id));
  CHECK_FALSE(bench.answer(job, leases[0].lease));
  CHECK(bench.sent<Closed>().size() == 1);
  CHECK(bench.board.holds(job));
  CHECK_FALSE(bench.board.runs(job));
  CHECK_FALSE(bench.board.employs(bench.donor.self.id));
  CHECK(bench.board.next_deadline() == never);
  REQUIRE(bench.board.progress(job));
  CHECK(bench.board.progress(job)->ended);
  CHECK(bench.board.progress(job)->units_accepted == 1);
  const auto ended = bench.board.take_ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].donors == std::vector{bench.donor.self.id});
}

TEST_CASE("a forged signature under results is an offence") {
  Bench bench;
  bench.submit(job);
  Results results{job, {}, {{LeaseId{1}, {0}, Outcome::ok, {}}}, {}};
  const auto charge = bench.board.on_results(bench.donor.self.id, bench.donor.crypto->public_key(), results, bench.now, bench.out);
  REQUIRE(charge);
  CHECK(charge->score == charges::forged.score);
}

TEST_CASE("once the submitter leaves, newcomers are sent away") {
  Bench bench;
  bench.submit(job);
  bench.board.leave(bench.out);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, bench.now, bench.out);
  CHECK(bench.sent<Closed>().size() == 1);
  CHECK(bench.board.runs(job));
}
