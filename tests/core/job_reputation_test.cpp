// What a donor's past changes in a job by confidence, and what it does not.
#include <doctest/doctest.h>

#include "coordinatorless/core/job_board.h"
#include "coordinatorless/core/job_trust.h"
#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using std::chrono::seconds;

namespace {

constexpr ShortDigest right = 7;

struct Ledger {
  Generator generator = Generator::from_seed(1);
  TrustLedger ledger{{0.99, false, 0.2, Finality::end}};
  explicit Ledger(std::uint64_t units) {
    ledger.open_block({0.01, 0.2, units, 0.01});
    ledger.check_first(true);
  }
  bool is_recomputed(UnitNumber unit, DonorIndex donor) {
    CHECK(ledger.returned(unit, donor, right, generator));
    return ledger.state(unit).own_wanted;
  }
  void catch_one(UnitNumber unit, DonorIndex donor) {
    (void)ledger.returned(unit, donor, right + 1, generator);
    ledger.recomputed(unit, right);
    CHECK(ledger.anyone_caught());
  }
};

/// A submitter of jobs by confidence that computes too, and a donor.
struct Bench {
  Identity submitter{1, std::nullopt};
  Identity donor{2, std::nullopt};
  Now now = start_of_time();
  Journal journal;
  BlobWants blobs{submitter.self.id};
  JobBoard board{submitter.self, journal, blobs, 1 << 20};
  Output out;
  std::vector<Effect> effects;  // others than attempts
  std::uint8_t jobs = 0;

  /// Runs a job to its end; the donor returns what is right, or something else. `checked`: its task has a check.
  void run(std::uint64_t units, bool honest, bool checked = false) {
    const JobId id{{++jobs}};
    Manifest manifest;
    manifest.copies = 1;
    manifest.confidence = WantedConfidence{10'000'000, false, 100'000, false};
    JobSubmitted submitted;
    submitted.units_expected = units;
    submitted.checked = checked;
    board.submit(id, manifest, submitted, now, out);
    UnitsAppended appended{id, {}, true};
    for (std::uint64_t unit = 0; unit < units; ++unit) appended.units.push_back({{unit}, Bytes{1}});
    board.append(std::move(appended), now, out);
    board.on_want(donor.self.id, Want{id, 4, seconds(1000)}, {}, now, out);
    board.on_want(submitter.self.id, Want{id, 4, seconds(1000)}, {}, now, out);
    for (int round = 0; round < 10'000 && board.runs(id); ++round) {
      now = later(now, std::chrono::milliseconds(5));
      for (Addressed& addressed : std::exchange(out.messages, {})) {
        if (const auto* lease = std::get_if<Lease>(&addressed.message)) answer(addressed.to, *lease, honest);
      }
      std::vector<FinishedAttempt> checks;
      for (const Effect& effect : std::exchange(out.effects, {})) {
        if (const auto* start = std::get_if<StartAttempts>(&effect)) check(start->attempts, checks);
        else effects.push_back(effect);
      }
      if (!checks.empty()) board.on_checked(checks, now, out);
      if (board.next_deadline() <= now.boot) board.tick(now, out);
    }
    CHECK_FALSE(board.runs(id));
    effects.insert(effects.end(), out.effects.begin(), out.effects.end());
  }
  static void check(const std::vector<AttemptToStart>& starting, std::vector<FinishedAttempt>& checks) {
    for (const AttemptToStart& attempt : starting) {
      REQUIRE(attempt.claimed);
      const bool is_right = attempt.claimed->bytes == Bytes{static_cast<std::uint8_t>(right)};
      checks.push_back({attempt.attempt, Outcome::ok, Bytes{is_right}, std::chrono::microseconds(10)});
    }
  }
  void answer(const PeerId& from, const Lease& lease, bool honest) {
    const bool own = from == submitter.self.id;
    Results results{lease.job, {}, {}, {}};
    const Bytes said{static_cast<std::uint8_t>(own || honest ? right : 66)};
    for (const LeasedUnit& unit : lease.units) results.results.push_back({lease.lease, unit.unit, Outcome::ok, said});
    results.signature = donor.self.sign(Domain::results, results_root(results).view());
    (void)board.on_results(from, (own ? submitter : donor).crypto->public_key(), std::move(results), now, out);
  }
  [[nodiscard]] Past past() { return board.reputations().past(donor.self.id, now.wall); }
};

}  // namespace

TEST_CASE("a stranger's first result is recomputed, a known donor's is not for being the first") {
  Ledger bench(100'000);
  bench.ledger.joined(0);
  bench.ledger.joined(1, Past::known);
  CHECK(bench.is_recomputed(0, 0));
  int recomputed = 0;
  for (UnitNumber unit = 1; unit <= 20; ++unit) recomputed += bench.is_recomputed(unit, 1);
  CHECK(recomputed <= 2);  // by their draws alone
}

TEST_CASE("after the first catch a stranger is a newcomer on probation, and a known donor is neither") {
  Ledger bench(1000);
  bench.ledger.joined(0);
  CHECK_FALSE(bench.ledger.standing(0).newcomer);
  bench.catch_one(0, 0);
  bench.ledger.joined(1);
  CHECK(bench.ledger.standing(1).newcomer);
  CHECK(bench.ledger.standing(1).probation);
  bench.ledger.joined(2, Past::known);
  CHECK_FALSE(bench.ledger.standing(2).newcomer);
  CHECK_FALSE(bench.ledger.standing(2).probation);
}

TEST_CASE("a known donor that is caught is convicted and forfeits like anybody") {
  Ledger bench(1000);
  bench.ledger.joined(0, Past::known);
  for (UnitNumber unit = 0; unit < 10; ++unit) (void)bench.is_recomputed(unit, 0);
  const std::uint64_t held = bench.ledger.held();
  bench.catch_one(10, 0);
  CHECK(bench.ledger.held() < held);
  CHECK(bench.ledger.standing(0).probation);
}

TEST_CASE("a donor that was convicted earlier is a newcomer before anybody is caught, and strangers are not for its sake") {
  Ledger bench(1000);
  bench.ledger.joined(0, Past::convicted);
  bench.ledger.joined(1);
  CHECK(bench.ledger.standing(0).newcomer);
  CHECK_FALSE(bench.ledger.standing(1).newcomer);
  for (UnitNumber unit = 0; unit < 5; ++unit) CHECK(bench.is_recomputed(unit, 0));
  CHECK_FALSE(bench.ledger.anyone_caught());
}

TEST_CASE("convicted donors get a hundredth of the leases while there are others, and all where there are none") {
  UnitTable units{0};
  HeldLog log;
  JobTrust trust({10'000'000, false, 100'000, false}, 10'000, units, log);
  trust.joined(0, Past::convicted);
  trust.joined(1);
  trust.joined(2);
  trust.set_self(2);
  trust.set_present({{0, {}}}, true);
  CHECK(trust.leases_allowed(0, 100, {}) == 100);
  trust.set_present({{0, {}}, {1, {}}}, true);
  CHECK(trust.leases_allowed(0, 100, {}) == 1);
  trust.leased(0, 1);
  CHECK(trust.leases_allowed(0, 100, {}) == 0);
  trust.leased(1, 1000);
  CHECK(trust.leases_allowed(1, 100, {}) == 100);
  const std::size_t more = trust.leases_allowed(0, 100, {});
  CHECK(more >= 9);
  CHECK(more <= 11);
}

TEST_CASE("final results in one job make a donor known in the next, and a lie convicts it") {
  Bench bench;
  bench.run(400, true);
  CHECK(bench.past() == Past::known);
  bench.run(400, false);
  CHECK(bench.past() == Past::convicted);
}

TEST_CASE("results that a check has found right are known and thanked for like others") {
  Bench bench;
  bench.run(400, true, true);
  CHECK(bench.past() == Past::known);
  std::uint64_t results = 0;
  for (const VerifiedWork& work : bench.board.take_verified()) results += work.results;
  CHECK(results > 200);
}

TEST_CASE("what is learned goes to the journal, together") {
  Bench bench;
  bench.run(400, true);
  std::vector<ReputationRow> rows;
  for (const Effect& effect : bench.effects) {
    const auto* persist = std::get_if<Persist>(&effect);
    for (const Row& row : persist != nullptr ? persist->rows : std::vector<Row>{}) {
      if (const auto* reputation = std::get_if<ReputationRow>(&row)) rows.push_back(*reputation);
    }
  }
  REQUIRE(rows.size() == 1);
  Reputations fresh;
  fresh.restored(rows);
  CHECK(fresh.past(bench.donor.self.id, bench.now.wall) == Past::known);
}
