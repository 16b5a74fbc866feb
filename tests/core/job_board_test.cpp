#include "coordinatorless/core/job_board.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

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
  JobBoard board{submitter.self, journal, blobs, output_room};
  Output out;

  static constexpr std::uint64_t output_room = 2 << 20;

  void submit(const JobId& id, std::uint64_t units = 1) {
    Manifest manifest;
    manifest.copies = 1;
    board.submit(id, manifest, JobSubmitted{}, now, out);
    UnitsAppended appended{id, {}, true};
    for (std::uint64_t unit = 0; unit < units; ++unit) appended.units.push_back({{unit}, Bytes{1}});
    board.append(std::move(appended), now, out);
  }
  std::optional<Charge> answer(const JobId& id, LeaseId lease) { return answer(id, {{lease, {0}, Outcome::ok, {}}}); }
  std::optional<Charge> answer(const JobId& id, std::vector<UnitResult> all) {
    Results results{id, {}, std::move(all), {}};
    results.signature = donor.self.sign(Domain::results, results_root(results).view());
    return board.on_results(donor.self.id, donor.crypto->public_key(), std::move(results), now, out);
  }
  /// A job of so many units, which the donor has returned, each with a large output.
  void submit_and_answer(const JobId& id, std::uint64_t units, std::uint64_t length) {
    submit(id, units);
    board.on_want(donor.self.id, Want{id, 8, seconds(100)}, {}, now, out);
    std::uint64_t answered = 0;
    for (auto leases = sent<Lease>(); !leases.empty(); leases = sent<Lease>()) {
      std::vector<UnitResult> all;
      for (const Lease& lease : leases) {
        for (const LeasedUnit& unit : lease.units) {
          const auto name = static_cast<std::uint8_t>(++answered);
          all.push_back({lease.lease, unit.unit, Outcome::ok, Value(BlobId{length, Hash{{id.bytes[0], name}}})});
        }
      }
      CHECK_FALSE(answer(id, std::move(all)));
    }
    CHECK(answered == units);
  }
  /// What was to be fetched, since last asked.
  std::vector<BlobId> fetches() {
    std::vector<BlobId> all;
    for (const Effect& effect : std::exchange(out.effects, {})) {
      if (const auto* fetch = std::get_if<FetchBlob>(&effect)) all.push_back(fetch->blob);
    }
    return all;
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

/// What stewards have gathered of a donor's: units, each with the digest of its own input or of another.
JobBoard::Gathered gathered(const Identity& donor, const std::vector<std::pair<std::uint64_t, bool>>& units, LeaseId lease = {3}) {
  Results results{job, {}, {}, {}};
  InputDigests inputs;
  for (const auto& [unit, is_own] : units) {
    results.results.push_back({lease, {unit}, Outcome::ok, Bytes{42}});
    const auto digest = input_digest(Bytes{static_cast<std::uint8_t>(is_own ? 1 : 2)});
    inputs.digests.insert(inputs.digests.end(), digest.begin(), digest.end());
  }
  results.inputs = std::move(inputs);
  results.signature = donor.self.sign(Domain::results, results_root(results).view());
  return {donor.crypto->public_key(), std::move(results), std::vector<bool>(units.size(), true)};
}

std::uint64_t attempts(const Bench& bench) { return bench.board.progress(job)->attempts; }
/// What the next process finds of a job whose donor has been at so many units for long: one lease.
JobSubmitted killed_after_leasing(std::uint64_t units) {
  Bench before;
  before.submit(job, units);
  before.board.on_want(before.donor.self.id, Want{job, static_cast<std::uint32_t>(units), seconds(100)}, {}, before.now, before.out);
  before.now.boot += limits::lease_noted_after;
  before.board.tick(before.now, before.out);
  JobSubmitted submitted;
  for (const Effect& effect : before.out.effects) {
    const auto* persist = std::get_if<Persist>(&effect);
    for (const Row& row : persist == nullptr ? std::vector<Row>() : persist->rows) {
      if (const auto* note = std::get_if<NoteRow>(&row)) submitted.leases.push_back(*note);
    }
  }
  REQUIRE(submitted.leases.size() == 1);
  return submitted;
}

void settle(Bench& bench) { bench.board.set_waiting(job, false, bench.now, bench.out); }

}  // namespace

TEST_CASE("results that stewards have gathered count where they are of the unit's own input, and nothing else in their frame does") {
  Bench bench;
  bench.submit(job, 4);
  bench.board.gathered(job, gathered(bench.donor, {{0, true}, {1, false}, {2, true}}), {});
  settle(bench);
  CHECK(attempts(bench) == 2);

  // A lease of the very unit that is out to the same donor lets no other input in beside what counts.
  Bench leased;
  leased.submit(job, 4);
  leased.board.on_want(leased.donor.self.id, Want{job, 2, seconds(100)}, {}, leased.now, leased.out);
  std::set<std::uint64_t> out;
  for (const Lease& lease : leased.sent<Lease>()) {
    for (const LeasedUnit& unit : lease.units) out.insert(unit.unit.value);
  }
  REQUIRE_FALSE(out.empty());
  REQUIRE(out.size() < 4);
  std::uint64_t not_leased = 0;
  while (out.contains(not_leased)) ++not_leased;
  leased.board.gathered(job, gathered(leased.donor, {{not_leased, true}, {*out.begin(), false}, {*out.begin(), true}}, LeaseId{0}), {});
  settle(leased);
  CHECK(attempts(leased) == 1);
}

TEST_CASE("gathered results that do not count, say no inputs, or are this peer's own, are not taken") {
  Bench bench;
  bench.submit(job, 4);
  JobBoard::Gathered not_assigned = gathered(bench.donor, {{0, true}});
  not_assigned.counts = {false};
  bench.board.gathered(job, std::move(not_assigned), {});
  JobBoard::Gathered silent = gathered(bench.donor, {{0, true}});
  silent.results.inputs.reset();
  bench.board.gathered(job, std::move(silent), {});
  JobBoard::Gathered too_few = gathered(bench.donor, {{0, true}, {1, true}});
  too_few.counts.pop_back();
  bench.board.gathered(job, std::move(too_few), {});
  bench.board.gathered(job, gathered(bench.submitter, {{0, true}}), {});
  bench.board.gathered(JobId{{8}}, gathered(bench.donor, {{0, true}}), {});
  settle(bench);
  CHECK(attempts(bench) == 0);
}

TEST_CASE("gathered results wait for their units, count once, and go with their job") {
  Bench bench;
  Manifest manifest;
  manifest.copies = 2;
  bench.board.submit(job, manifest, JobSubmitted{}, bench.now, bench.out);
  bench.board.gathered(job, gathered(bench.donor, {{0, true}, {1, true}}), {});
  bench.board.gathered(job, gathered(bench.donor, {{0, true}}, LeaseId{4}), {});
  bench.board.gathered(job, gathered(bench.donor, {{1'000'000'000'000, true}, {2, true}}), {});
  bench.board.append({job, {{{0}, Bytes{1}}}, false}, bench.now, bench.out);
  CHECK(attempts(bench) == 1);
  bench.board.append({job, {{{1}, Bytes{1}}, {{2}, Bytes{1}}}, true}, bench.now, bench.out);
  CHECK(attempts(bench) == 3);
  CHECK(bench.board.progress(job)->units_accepted == 0);
}

TEST_CASE("what a donor returns beyond what it was asked for is not all counted, and who keeps the frame is told so") {
  Bench bench;
  bench.submit(job, 2);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(100)}, {}, bench.now, bench.out);
  const auto leases = bench.sent<Lease>();
  REQUIRE(leases.size() == 1);
  const UnitIndex unit = leases[0].units[0].unit;
  (void)bench.answer(job, {{leases[0].lease, unit, Outcome::ok, {}}, {leases[0].lease, {77}, Outcome::ok, {}}});
  CHECK_FALSE(bench.board.counted_all());
  const auto more = bench.sent<Lease>();
  REQUIRE(more.size() == 1);
  CHECK_FALSE(bench.answer(job, {{more[0].lease, more[0].units[0].unit, Outcome::ok, {}}}));
  CHECK(bench.board.counted_all());
}

TEST_CASE("results and credit for a job that does not run here are answered with its end, and are no offence") {
  Bench bench;
  CHECK_FALSE(bench.answer(job, LeaseId{1}));
  CHECK(bench.sent<Closed>().empty());  // it may come yet: this process has only just begun
  bench.now.boot += limits::restored_grace;
  CHECK_FALSE(bench.answer(job, LeaseId{1}));
  CHECK(bench.sent<Closed>().size() == 1);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, {}, bench.now, bench.out);
  CHECK(bench.sent<Closed>().size() == 1);
  bench.board.on_return(bench.donor.self.id, Return{job, {{0}}}, bench.now, bench.out);
  CHECK(bench.out.messages.empty());
}

TEST_CASE("what donors say before a job is taken up again, or before its units come, is heard then") {
  Bench bench;
  bench.now.boot += std::chrono::hours(1);
  const JobSubmitted submitted = killed_after_leasing(3);
  const LeaseId lease{submitted.leases[0].key};
  const auto result = [&](std::uint64_t unit) { return UnitResult{lease, {unit}, Outcome::ok, Bytes{42}}; };
  CHECK_FALSE(bench.answer(job, {result(0)}));
  CHECK_FALSE(bench.answer(job, {result(1)}));
  bench.board.on_want(bench.donor.self.id, Want{job, 3, seconds(100)}, {}, bench.now, bench.out);
  CHECK(bench.out.messages.empty());
  Manifest manifest;
  manifest.copies = 1;
  bench.board.submit(job, manifest, submitted, bench.now, bench.out);
  const auto wants = bench.board.take_early_wants(job);
  REQUIRE(wants.size() == 1);
  bench.board.on_want(wants[0].from, wants[0].said, {}, bench.now, bench.out);
  bench.board.append(UnitsAppended{job, {{{0}, Bytes{1}}}, false}, bench.now, bench.out);
  CHECK(bench.board.progress(job)->units_accepted == 1);
  CHECK(bench.board.take_heard().size() == 1);
  CHECK_FALSE(bench.answer(job, {result(2)}));
  CHECK(bench.board.progress(job)->attempts == 1);
  bench.board.append(UnitsAppended{job, {{{1}, Bytes{1}}, {{2}, Bytes{1}}}, true}, bench.now, bench.out);
  CHECK(bench.board.progress(job)->units_accepted == 3);
  CHECK(bench.sent<Lease>().empty());  // none was leased again
}

TEST_CASE("of a job by confidence whose ledger was lost, earlier leases are nothing, and a result under one no reason to stop") {
  const JobSubmitted submitted = killed_after_leasing(3);
  Bench bench;
  Manifest manifest;
  manifest.copies = 1;
  manifest.confidence = WantedConfidence{};
  bench.board.submit(job, manifest, submitted, bench.now, bench.out);
  UnitsAppended appended{job, {}, false};
  for (std::uint64_t unit = 0; unit < 3; ++unit) appended.units.push_back({{unit}, Bytes{1}});
  bench.board.append(std::move(appended), bench.now, bench.out);  // no block is open yet
  const auto charge = bench.answer(job, LeaseId{submitted.leases[0].key});
  REQUIRE(charge);
  CHECK(charge->score == charges::hasty.score);
  CHECK(attempts(bench) == 0);
}

TEST_CASE("an earlier lease that is long overdue waits for its donor as the others do, and then goes to whoever is there") {
  const JobSubmitted submitted = killed_after_leasing(1);
  Bench bench;
  bench.now.wall += std::chrono::hours(30);
  Manifest manifest;
  manifest.copies = 1;
  bench.board.submit(job, manifest, submitted, bench.now, bench.out);
  bench.board.append(UnitsAppended{job, {{{0}, Bytes{1}}}, true}, bench.now, bench.out);
  bench.now.boot += limits::restored_grace - seconds(1);
  bench.board.tick(bench.now, bench.out);
  CHECK(bench.board.progress(job)->attempts_running == 1);
  bench.now.boot += seconds(1);
  bench.board.tick(bench.now, bench.out);
  CHECK(bench.board.progress(job)->attempts_running == 0);
  const Identity other(77);
  bench.board.on_want(other.self.id, Want{job, 1, seconds(100)}, {}, bench.now, bench.out);
  CHECK(bench.sent<Lease>().size() == 1);
}

TEST_CASE("what is said early by who has gone, by whom it is not signed, or too much of it, is not heard") {
  Bench bench;
  bench.board.on_want(bench.donor.self.id, Want{job, 3, seconds(100)}, {}, bench.now, bench.out);
  bench.board.lost(bench.donor.self.id, bench.now, bench.out);
  CHECK(bench.board.take_early_wants(job).empty());
  Results forged{job, {}, {{LeaseId{1}, {0}, Outcome::ok, Bytes{1}}}, {}};
  CHECK(bench.board.on_results(bench.donor.self.id, bench.donor.crypto->public_key(), forged, bench.now, bench.out)->score == charges::forged.score);
  EarlyMessages early;
  REQUIRE(early.may_wait(bench.now.boot));
  Results large{job, {}, {}, {}};
  for (std::uint64_t unit = 0; unit < 9; ++unit) large.results.push_back({LeaseId{1}, {unit}, Outcome::ok, Bytes(60'000)});
  for (int i = 0; i < 9; ++i) early.keep(EarlyMessages::Results{PeerId{{1}}, {}, large});
  for (std::uint8_t i = 0; i < 2 * limits::early_of_peer_max; ++i) early.keep(EarlyMessages::Want{PeerId{{2}}, Want{JobId{{i}}, 1, {}}});
  early.keep(EarlyMessages::Want{PeerId{{3}}, Want{job, 1, {}}});
  early.keep(EarlyMessages::Want{PeerId{{3}}, Want{job, 2, {}}});
  const auto wants = early.take_wants(job);
  CHECK(std::count_if(wants.begin(), wants.end(), [](const auto& want) { return want.from == PeerId{{3}} && want.said.slots == 2; }) == 1);
  CHECK(early.take_results(job, [](const Results&) { return true; }).size() == 1);
  early.drop_unknown([](const JobId& id) { return id == JobId{{1}}; });
  CHECK(early.take_wants(JobId{{2}}).empty());
  CHECK(early.take_wants(JobId{{1}}).size() == 1);
  CHECK(early.empty());
  CHECK_FALSE(early.may_wait(bench.now.boot + limits::restored_grace));
}

TEST_CASE("a unit is not taken up under a lease of another input, and a donor that comes back gets what it has under a new number") {
  for (const bool changed : {false, true}) {
    const JobSubmitted submitted = killed_after_leasing(1);
    Bench bench;
    Manifest manifest;
    manifest.copies = 1;
    bench.board.submit(job, manifest, submitted, bench.now, bench.out);
    bench.board.append(UnitsAppended{job, {{{0}, Bytes{static_cast<std::uint8_t>(changed ? 9 : 1)}}}, true}, bench.now, bench.out);
    const Identity other(77);
    bench.board.on_want(other.self.id, Want{job, 1, seconds(100)}, {}, bench.now, bench.out);
    CHECK(bench.sent<Lease>().size() == (changed ? 1 : 0));  // it is free, or somebody's who may come back
    bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(100)}, {}, bench.now, bench.out);
    const auto renewed = bench.sent<Lease>();
    REQUIRE(renewed.size() == (changed ? 0 : 1));
    if (!changed) CHECK(renewed[0].lease.value > submitted.leases[0].key);
    // What it has computed under the earlier number comes late: of the same input it counts.
    const auto charge = bench.answer(job, LeaseId{submitted.leases[0].key});
    CHECK(charge.has_value() == changed);
    CHECK((bench.board.progress(job) ? bench.board.progress(job)->units_accepted : 99) == (changed ? 0 : 1));
  }
}

TEST_CASE("of a job that ended, only what became of it is kept") {
  Bench bench;
  bench.submit(job);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, {}, bench.now, bench.out);
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

namespace {

/// The evidence that was handed to the journal, since last asked.
std::vector<EvidenceBatch> evidence_in(Output& out) {
  std::vector<EvidenceBatch> batches;
  for (const Effect& effect : std::exchange(out.effects, {})) {
    const auto* persist = std::get_if<Persist>(&effect);
    for (const Row& row : persist == nullptr ? std::vector<Row>{} : persist->rows) {
      const auto* accepted = std::get_if<AcceptedRow>(&row);
      if (accepted == nullptr) continue;
      packed::Reader in(accepted->evidence);
      while (in.left() > 0) batches.push_back(read_evidence(in).value());
    }
  }
  return batches;
}

}  // namespace

TEST_CASE("what is accepted is journalled with the papers of its job and what its donor signed") {
  Bench bench;
  bench.submit(job, 2);
  const auto papers = all<Persist>(bench.out);
  REQUIRE(papers.size() == 1);
  CHECK(std::get<PapersRow>(papers[0].rows.back()).swarm == swarm);
  bench.board.on_want(bench.donor.self.id, Want{job, 2, seconds(1)}, {}, bench.now, bench.out);
  const auto leases = bench.sent<Lease>();
  REQUIRE(leases.size() == 1);
  REQUIRE(leases[0].units.size() == 2);
  bench.out.effects.clear();
  CHECK_FALSE(bench.answer(job, {{leases[0].lease, {0}, Outcome::ok, Bytes{1}}, {leases[0].lease, {1}, Outcome::ok, Bytes{2}}}));
  const auto batches = evidence_in(bench.out);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].donor == bench.donor.crypto->public_key());
  CHECK(is_signed(batches[0], swarm, job, *bench.donor.crypto));
  REQUIRE(batches[0].results.size() == 2);
  CHECK(batches[0].results[1].claim == claim_of(Outcome::ok, Bytes{2}));
}

TEST_CASE("of results that nobody asked for no more is kept than the signature over the others needs") {
  Bench bench;
  bench.submit(job, 3);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, {}, bench.now, bench.out);
  const auto leases = bench.sent<Lease>();
  REQUIRE(leases.size() == 1);
  const LeasedUnit leased = leases[0].units.front();
  const UnitIndex other{leased.unit.value == 0 ? 1U : 0U};
  bench.out.effects.clear();
  // A lone result of what was not leased is nobody's evidence.
  CHECK(bench.answer(job, {{LeaseId{~std::uint64_t{0}}, other, Outcome::ok, Bytes{6}}}));
  CHECK(evidence_in(bench.out).empty());
  CHECK(bench.answer(job, {{LeaseId{~std::uint64_t{0}}, other, Outcome::ok, Bytes{6}}, {leases[0].lease, leased.unit, Outcome::ok, Bytes{1}}}));
  bench.board.cancel(job, bench.now, bench.out);
  const auto batches = evidence_in(bench.out);
  REQUIRE(batches.size() == 1);
  REQUIRE(batches[0].results.size() == 2);
  CHECK(batches[0].results[0].veiled);
  CHECK_FALSE(batches[0].results[1].veiled);
  CHECK(is_signed(batches[0], swarm, job, *bench.donor.crypto));
}

TEST_CASE("evidence of units that stay open takes bounded room before it is written") {
  Bench bench;
  EvidenceBatch batch{bench.donor.crypto->public_key(), Signature{}, {}};
  const Claim claim = claim_of(Outcome::ok, Bytes(32, 1));
  for (std::uint64_t unit = 0; unit < limits::batch_units_max; ++unit) batch.results.push_back({{unit}, {1}, claim, false});
  std::size_t kept = 0;
  while (bench.out.effects.empty() && kept < 1000) {
    bench.journal.keep(kept % 2 == 0 ? job : JobId{{8}}, batch, {}, bench.now.boot, bench.out);
    ++kept;
  }
  CHECK(kept < 16);
  CHECK(evidence_in(bench.out).size() == kept);
}

TEST_CASE("once the submitter leaves, newcomers are sent away") {
  Bench bench;
  bench.submit(job);
  bench.board.leave(bench.out);
  bench.board.on_want(bench.donor.self.id, Want{job, 1, seconds(1)}, {}, bench.now, bench.out);
  CHECK(bench.sent<Closed>().size() == 1);
  CHECK(bench.board.runs(job));
}

namespace {

const JobId other_job{{8}};

/// One job has all the room for its output; the other's first output is fetched beside it, and the second waits.
void wait_for_room(Bench& bench) {
  bench.blobs.connected(bench.donor.self.id, bench.now, bench.out);
  bench.submit_and_answer(job, 1, Bench::output_room);
  CHECK(bench.fetches().size() == 1);
  bench.submit_and_answer(other_job, 2, 1 << 20);
  CHECK(bench.fetches().size() == 1);
}

}  // namespace

TEST_CASE("the room that a cancelled job leaves serves the one that waits for it, at once") {
  Bench bench;
  wait_for_room(bench);
  bench.board.cancel(job, bench.now, bench.out);
  CHECK(bench.fetches().size() == 1);
}

TEST_CASE("the room of an output that is given up serves the job that waits for it, at once") {
  Bench bench;
  wait_for_room(bench);
  bench.now.boot += limits::holder_absence / 2;
  bench.board.lost(bench.donor.self.id, bench.now, bench.out);
  CHECK(bench.fetches().empty());
  bench.board.on_want(bench.donor.self.id, Want{other_job, 8, seconds(100)}, {}, bench.now, bench.out);  // for this one it is back
  bench.now.boot += limits::holder_absence;
  bench.board.tick(bench.now, bench.out);
  CHECK(bench.board.progress(job)->units_reopened == 1);
  CHECK(bench.board.progress(other_job)->units_reopened == 0);
  CHECK(bench.fetches().size() == 1);
}

TEST_CASE("an output of a job that is over leaves its room when it is read, and it serves another job") {
  Bench bench;
  bench.blobs.connected(bench.donor.self.id, bench.now, bench.out);
  bench.submit_and_answer(job, 1, Bench::output_room);
  const auto first = bench.fetches();
  REQUIRE(first.size() == 1);
  bench.blobs.fetched(first[0]);
  for (const auto& news : bench.blobs.take_news()) bench.board.on_blob(news, bench.now, bench.out);
  CHECK_FALSE(bench.board.runs(job));
  bench.submit_and_answer(other_job, 2, 1 << 20);
  CHECK(bench.fetches().size() == 1);
  bench.board.on_taken({job, first[0]}, bench.now, bench.out);
  CHECK(bench.fetches().size() == 1);
}

TEST_CASE("of a job that audits a donor is told who has returned what it was leased, and of nothing else, before or after") {
  Bench bench;
  const Identity auditor{3, std::nullopt}, other{4, std::nullopt};
  constexpr std::uint64_t units = 64;
  Manifest manifest;
  manifest.copies = 1;
  manifest.confidence = WantedConfidence{.error_ppb = 1'000'000};
  bench.board.submit(job, manifest, JobSubmitted{}, bench.now, bench.out);
  const auto input_of = [](UnitIndex unit) { return BlobId{1 << 20, Hash{{5, static_cast<std::uint8_t>(unit.value)}}}; };
  UnitsAppended appended{job, {}, true};
  for (std::uint64_t unit = 0; unit < units; ++unit) appended.units.push_back({{unit}, Value(input_of({unit}))});
  bench.board.append(std::move(appended), bench.now, bench.out);
  const auto want = [&](const Identity& who) {
    bench.board.on_want(who.self.id, Want{job, 8, seconds(100)}, {}, bench.now, bench.out);
    std::vector<std::pair<LeaseId, UnitIndex>> leased;
    for (const Addressed& addressed : std::exchange(bench.out.messages, {})) {
      const auto* lease = std::get_if<Lease>(&addressed.message);
      if (lease == nullptr || addressed.to != who.self.id) continue;
      for (const LeasedUnit& unit : lease->units) leased.emplace_back(lease->lease, unit.unit);
    }
    return leased;
  };
  const auto answer_as = [&](const Identity& who, const std::pair<LeaseId, UnitIndex>& unit) {
    Results results{job, {}, {{unit.first, unit.second, Outcome::ok, Bytes{1}}}, {}};
    results.signature = who.self.sign(Domain::results, results_root(results).view());
    CHECK_FALSE(bench.board.on_results(who.self.id, who.crypto->public_key(), std::move(results), bench.now, bench.out));
  };
  // Whoever computes a unit first is told of nobody.
  std::set<UnitIndex> returned;
  for (auto leased = want(bench.donor); !leased.empty(); leased = want(bench.donor)) {
    for (const auto& unit : leased) {
      const auto help = bench.board.help_with(bench.donor.self.id, input_of(unit.second));
      REQUIRE(help);
      CHECK_FALSE(help->askers);
      CHECK(help->holders.empty());
      answer_as(bench.donor, unit);
      returned.insert(unit.second);
      CHECK_FALSE(bench.board.help_with(bench.donor.self.id, input_of(unit.second)));  // nor of who audits it
    }
  }
  REQUIRE(returned.size() == units);
  (void)want(other);
  const auto audits = want(auditor);
  REQUIRE(audits.size() > 1);
  for (const auto& audit : audits) {
    const auto help = bench.board.help_with(auditor.self.id, input_of(audit.second));
    REQUIRE(help);
    CHECK_FALSE(help->askers);
    CHECK(help->holders == std::vector<PeerId>{bench.donor.self.id});
  }
  const std::set<UnitIndex> its = [&] {
    std::set<UnitIndex> all;
    for (const auto& audit : audits) all.insert(audit.second);
    return all;
  }();
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    if (!its.contains({unit})) CHECK_FALSE(bench.board.help_with(auditor.self.id, input_of({unit})));
  }
  answer_as(auditor, audits.front());
  CHECK_FALSE(bench.board.help_with(auditor.self.id, input_of(audits.front().second)));
  // Of one that is gone nobody is told.
  bench.board.lost(bench.donor.self.id, bench.now, bench.out);
  CHECK(bench.board.help_with(auditor.self.id, input_of(audits.back().second))->holders.empty());
}

TEST_CASE("of a job by copies a donor may be told of the others that asked for an input that it was leased, and of no other") {
  Bench bench;
  for (const unsigned copies : {1U, 2U}) {
    const JobId id{{static_cast<std::uint8_t>(copies)}};
    Manifest manifest;
    manifest.copies = copies;
    bench.board.submit(id, manifest, JobSubmitted{}, bench.now, bench.out);
    const BlobId input{1 << 20, Hash{{static_cast<std::uint8_t>(copies)}}};
    bench.board.append(UnitsAppended{id, {{{0}, Value(input)}}, true}, bench.now, bench.out);
    CHECK_FALSE(bench.board.help_with(bench.donor.self.id, input));
    bench.board.on_want(bench.donor.self.id, Want{id, 8, seconds(100)}, {}, bench.now, bench.out);
    REQUIRE(bench.sent<Lease>().size() == 1);
    const auto help = bench.board.help_with(bench.donor.self.id, input);
    REQUIRE(help);
    CHECK(help->askers == (copies > 1));
    CHECK(help->holders.empty());
    CHECK_FALSE(bench.board.help_with(bench.donor.self.id, BlobId{1 << 20, Hash{{77}}}));
  }
}
