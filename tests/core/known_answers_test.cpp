#include "coordinatorless/core/known_answers.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/job_checks.h"
#include "coordinatorless/core/job_trust.h"

using namespace dugnad;
using namespace dugnad::core;
using Next = KnownAnswers::Finding::Next;

namespace {

constexpr UnitIndex unit{7};
constexpr ShortDigest right = 1, lie = 2;

KnownAnswers with(ShortDigest answer) {
  KnownAnswers known;
  known.add(unit, answer);
  return known;
}

}  // namespace

TEST_CASE("whoever gives the known output is through with it, and so is the unit") {
  KnownAnswers known = with(right);
  CHECK(known.holds(unit));
  const auto finding = known.returned(unit, 0, right, true);
  CHECK(finding.next == Next::done);
  CHECK(finding.guilty.empty());
  CHECK_FALSE(known.holds(unit));
}

TEST_CASE("who answers otherwise is convicted once a second donor gives the known output, without anything computed here") {
  KnownAnswers known = with(right);
  const auto first = known.returned(unit, 0, lie, true);
  CHECK(first.next == Next::second);
  CHECK(first.guilty.empty());
  const auto second = known.returned(unit, 1, right, true);
  CHECK(second.next == Next::done);
  REQUIRE(second.guilty.size() == 1);
  CHECK(second.guilty[0].donor == 0);
  CHECK_FALSE(second.guilty[0].colluded);
  CHECK_FALSE(second.answer_is_wrong);
}

TEST_CASE("a wrong answer given as known brands nobody: what two donors contradict is computed here, and said") {
  KnownAnswers known = with(lie);
  CHECK(known.returned(unit, 0, right, true).next == Next::second);
  CHECK(known.returned(unit, 1, right, true).next == Next::own);
  const auto finding = known.recomputed(unit, right);
  CHECK(finding.guilty.empty());
  CHECK(finding.answer_is_wrong);
  CHECK(finding.next == Next::done);
}

TEST_CASE("where a wrong answer was given as known, who differs from what is right is convicted all the same") {
  KnownAnswers known = with(3);
  (void)known.returned(unit, 0, lie, true);
  (void)known.returned(unit, 1, right, true);
  const auto finding = known.recomputed(unit, right);
  REQUIRE(finding.guilty.size() == 1);
  CHECK(finding.guilty[0].donor == 0);
  CHECK(finding.answer_is_wrong);
}

TEST_CASE("two donors with the same lie do not outvote the known output: it is computed here, and both have colluded") {
  KnownAnswers known = with(right);
  (void)known.returned(unit, 0, lie, true);
  CHECK(known.returned(unit, 1, lie, true).next == Next::own);
  const auto finding = known.recomputed(unit, right);
  REQUIRE(finding.guilty.size() == 2);
  CHECK(finding.guilty[0].colluded);
  CHECK(finding.guilty[1].colluded);
  CHECK_FALSE(finding.answer_is_wrong);
}

TEST_CASE("where no other donor is there, what is contradicted is computed here at once") {
  KnownAnswers known = with(right);
  CHECK(known.returned(unit, 0, lie, false).next == Next::own);
}

TEST_CASE("a known unit stands where it was appended, is leased like others, counts nowhere, and is over when it is closed") {
  UnitTable units{0};
  units.append({{UnitIndex{0}, Bytes{0}, {}}, {UnitIndex{1}, Bytes{1}, Value(Bytes{9})}, {UnitIndex{2}, Bytes{2}, {}}});
  CHECK(units.known() == 2);
  CHECK(units.open() == 2);
  Generator generator = Generator::from_seed(1);
  CHECK_FALSE(units.lease_next(0, LeaseId{1}, generator));  // nothing was offered
  units.offer(1);
  std::vector<std::uint64_t> leased;
  const auto lease = [&](DonorIndex donor, LeaseId id) {
    const auto got = units.lease_next(donor, id, generator);
    if (got) leased.push_back(got->unit.value);
    return got.has_value();
  };
  while (lease(0, LeaseId{2})) {
  }
  std::sort(leased.begin(), leased.end());
  CHECK(leased == std::vector<std::uint64_t>{0, 1});
  units.offer(2);
  CHECK(lease(0, LeaseId{3}));
  CHECK(leased.back() == 2);
  const auto counted = units.vote(UnitIndex{1}, 0, LeaseId{2}, Outcome::ok, Bytes{9});
  CHECK(counted.is_result);
  CHECK(counted.digest == short_digest(digest_of(Outcome::ok, Bytes{9})));
  (void)units.close(UnitIndex{1});
  CHECK(units.open() == 2);
  CHECK(units.bytes_held() == 0);
  CHECK(units.vote(UnitIndex{1}, 0, LeaseId{2}, Outcome::ok, Bytes{9}).kind == UnitTable::Counted::Kind::late);
}

TEST_CASE("a conviction at a known unit voids what the donor has returned, by audits or by checks, and names the unit") {
  for (const bool checked : {false, true}) {
    CAPTURE(checked);
    UnitTable units{0};
    HeldLog log;
    const WantedConfidence wanted{1'000'000, false, 100'000, false};
    std::unique_ptr<JobJudge> judge;
    if (checked) judge = std::make_unique<JobChecks>(wanted, 400, units);
    else judge = std::make_unique<JobTrust>(wanted, 400, units, log);
    for (DonorIndex donor = 0; donor < 3; ++donor) judge->joined(donor);
    judge->set_self(2);
    judge->set_present({{0, {}}, {1, {}}}, true);
    std::vector<NewUnit> fresh;
    for (std::uint64_t i = 0; i < 400; ++i) fresh.push_back({UnitIndex{i}, Bytes{1}, {}});
    units.append(std::move(fresh));
    judge->appended(BootTime{});
    (void)judge->plan(BootTime{}, true);
    Generator generator = Generator::from_seed(4);
    for (int i = 0; i < 5; ++i) {
      const auto leased = units.lease_next(0, LeaseId{9}, generator);
      REQUIRE(leased);
      judge->voted(leased->unit, 0, units.vote(leased->unit, 0, LeaseId{9}, Outcome::ok, Bytes{5}), generator);
    }
    (void)judge->turn(100);
    CHECK(judge->held() == 5);
    judge->convict(0, UnitIndex{1234}, true);
    const auto turn = judge->turn(100);
    CHECK(judge->held() == 0);
    REQUIRE(turn.convicted.size() == 1);
    CHECK(turn.convicted[0].first == UnitIndex{1234});
    CHECK(turn.convicted[0].second.sentence == Sentence::branded);
    CHECK(judge->leases_allowed(0, 10, {}) == 0);
  }
}
