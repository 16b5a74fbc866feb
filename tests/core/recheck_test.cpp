#include "coordinatorless/core/recheck.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/agreement.h"
#include "tests/core/cases.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;

namespace {

using Kind = UnitFinding::Kind;

const UnitResult right = Case::result(17, "right");
const UnitResult wrong = Case::result(17, "wrong");

/// Why unit 17 is not confirmed, where it is not.
std::optional<Kind> doubt(const Findings& findings) {
  REQUIRE(findings.units == 1);
  REQUIRE(findings.confirmed + findings.doubtful.size() == 1);
  if (findings.doubtful.empty()) return std::nullopt;
  CHECK(findings.doubtful[0].unit.value == 17);
  return findings.doubtful[0].kind;
}

}  // namespace

TEST_CASE("a unit is confirmed by as many donors as the job asks for, and an outvoted liar is named") {
  Case one;
  one.accept({right});
  one.keep(one.batch(0, {wrong}));
  one.keep(one.batch(1, {right}));
  CHECK(doubt(one.findings()) == Kind::disputed);
  one.keep(one.batch(2, {right}));
  const Findings findings = one.findings();
  CHECK_FALSE(doubt(findings));
  CHECK(findings.holds());
  CHECK(findings.signed_by == std::map<std::uint32_t, std::uint64_t>{{2, 1}});
  REQUIRE(findings.differing.size() == 1);
  CHECK(findings.differing[0].peer == one.donors[0]->self.id);
  CHECK(findings.differing[0].unit.value == 17);
  CHECK(findings.audited == 1);
  REQUIRE(findings.donors.size() == 3);
  for (const DonorRecord& donor : findings.donors) CHECK(donor.differing == (donor.peer == one.donors[0]->self.id ? 1 : 0));
}

TEST_CASE("a donor counts once however often it signs, and its last word counts") {
  Case one;
  one.accept({right});
  one.keep(one.batch(0, {right}));
  one.keep(one.batch(0, {right}));
  CHECK(doubt(one.findings()) == Kind::unsupported);
  one.keep(one.batch(1, {right}));
  CHECK_FALSE(doubt(one.findings()));
  one.keep(one.batch(1, {wrong}));
  CHECK(doubt(one.findings()) == Kind::disputed);
}

TEST_CASE("a forged batch, one of another job and one of another swarm count for nothing and are faults") {
  Case one;
  one.accept({right});
  one.keep(one.batch(0, {right}));
  EvidenceBatch forged = one.batch(1, {wrong});
  forged.results[0].claim = claim_of(Outcome::ok, right.output);
  EvidenceBatch moved = one.batch(2, {Case::result(16, "right")});
  moved.results[0].unit.value = 17;
  const Case other(3);
  const EvidenceBatch replayed = other.batch(3, {right});
  for (const EvidenceBatch& bad : {forged, moved, replayed}) {
    Case spoilt;
    spoilt.accept({right});
    spoilt.keep(spoilt.batch(0, {right}));
    spoilt.keep(spoilt.batch(1, {right}));
    CHECK(spoilt.findings().holds());
    spoilt.keep(bad);
    CHECK(spoilt.findings().forged == 1);
    CHECK_FALSE(spoilt.findings().holds());
    one.keep(bad);
  }
  CHECK(doubt(one.findings()) == Kind::unsupported);
  CHECK(one.findings().forged == 3);
}

TEST_CASE("the submitter's own result counts as one peer's word, is marked, and settles a dispute") {
  Case one;
  one.accept({right});
  one.keep(one.batch(0, {right}));
  one.keep(one.own({right}));
  Findings findings = one.findings();
  CHECK_FALSE(doubt(findings));
  CHECK(findings.with_own == 1);
  CHECK(findings.own == 1);
  CHECK(findings.signed_by == std::map<std::uint32_t, std::uint64_t>{{1, 1}});
  REQUIRE(findings.donors.size() == 2);
  CHECK(findings.donors[1].own);
  CHECK(findings.donors[1].peer == one.submitter.self.id);
  // Two colluding donors against it and an honest one.
  one.keep(one.batch(1, {wrong}));
  one.keep(one.batch(2, {wrong}));
  CHECK_FALSE(doubt(one.findings()));
  Case lied;
  lied.accept({wrong});
  for (std::size_t donor = 0; donor < 3; ++donor) lied.keep(lied.batch(donor, {wrong}));
  CHECK_FALSE(doubt(lied.findings()));
  lied.keep(lied.own({right}));
  CHECK(doubt(lied.findings()) == Kind::disputed);
}

TEST_CASE("the submitter's word under several keys is still one word, and smears no donor") {
  Case one;
  one.accept({right});
  EvidenceBatch mine = one.own({right});
  one.keep(mine);
  mine.donor = one.donors[0]->crypto->public_key();
  one.keep(mine);
  const Findings findings = one.findings();
  CHECK(doubt(findings) == Kind::unsupported);
  REQUIRE(findings.donors.size() == 1);
  CHECK(findings.donors[0].peer == one.submitter.self.id);
}

TEST_CASE("nothing accepted without evidence is confirmed, and results of open units are none for others") {
  Case one;
  one.accept({right});
  CHECK(doubt(one.findings()) == Kind::unsupported);
  one.keep(one.batch(0, {Case::result(18, "right"), Case::result(16, "right")}));
  one.keep(one.batch(1, {Case::result(18, "right"), Case::result(16, "right")}));
  CHECK(doubt(one.findings()) == Kind::unsupported);
  CHECK(one.findings().open_results == 4);
}

TEST_CASE("a veiled result is no vote") {
  Case one;
  one.accept({right});
  EvidenceBatch slipped = one.batch(0, {Case::result(1, "x"), wrong});
  veil_others(slipped, one.job(), {0});
  one.keep(slipped);
  one.keep(one.batch(1, {right}));
  one.keep(one.batch(2, {right}));
  CHECK(one.findings().differing.empty());
  CHECK(one.findings().holds());
}

TEST_CASE("with a confidence one result is enough where nothing contradicts it") {
  Case one(1);
  one.accept({right});
  one.keep(one.batch(0, {right}));
  CHECK_FALSE(doubt(one.findings(true)));
  one.keep(one.batch(1, {wrong}));
  CHECK(doubt(one.findings(true)) == Kind::disputed);
  one.keep(one.own({right}));
  CHECK_FALSE(doubt(one.findings(true)));
}

TEST_CASE("a failure that donors agree on is confirmed like an output") {
  Case one;
  one.accept({Case::result(17, "division by zero", Outcome::failed)});
  one.keep(one.batch(0, {Case::result(17, "division by zero", Outcome::failed)}));
  one.keep(one.batch(1, {Case::result(17, "division by zero")}));  // as an output it is another result
  CHECK(doubt(one.findings()) == Kind::disputed);
  one.keep(one.batch(2, {Case::result(17, "division by zero", Outcome::failed)}));
  CHECK_FALSE(doubt(one.findings()));
}

TEST_CASE("a unit given up for want of agreement, or of anybody able, is confirmed where the evidence shows it") {
  const UnitResult gave_up = Case::result(17, "no 2 of 16 donors returned the same result", Outcome::failed);
  Case split(2, votes_max(2));
  split.accept({gave_up});
  for (std::size_t donor = 0; donor < votes_max(2); ++donor) {
    CHECK(doubt(split.findings()) == Kind::gave_up);
    split.keep(split.batch(donor, {Case::result(17, "mine " + std::to_string(donor))}));
  }
  CHECK_FALSE(doubt(split.findings()));
  Case unable(2);
  unable.accept({gave_up});
  for (std::size_t fault = 0; fault < limits::donor_faults_per_unit_max; ++fault) {
    CHECK(doubt(unable.findings()) == Kind::gave_up);
    unable.keep(unable.batch(fault % 4, {Case::result(17, "no memory", Outcome::donor_fault)}));
  }
  CHECK_FALSE(doubt(unable.findings()));
}

TEST_CASE("results of an earlier input of the unit are held against nobody") {
  Case one;
  one.accept({wrong, right});  // the later one counts
  one.keep(one.batch(0, {wrong}));
  one.keep(one.batch(1, {wrong}));
  one.keep(one.batch(0, {right}));
  one.keep(one.batch(2, {right}));
  const Findings findings = one.findings();
  CHECK_FALSE(doubt(findings));
  CHECK(findings.differing.empty());
}

TEST_CASE("what one unit's donors said is kept word for word") {
  Case one;
  one.accept({right});
  Recheck recheck(one.papers, swarm, false, one.dossier.accepted, one.verifier(), UnitIndex{17});
  recheck.add(one.batch(0, {Case::result(16, "x"), wrong}));
  recheck.add(one.own({right}));
  REQUIRE(recheck.testimonies().size() == 2);
  const Testimony& liar = recheck.testimonies()[0];
  CHECK(liar.peer == one.donors[0]->self.id);
  CHECK(liar.says == Testimony::Says::differs);
  CHECK(liar.lease == wrong.lease);
  CHECK(liar.claim == claim_of(Outcome::ok, wrong.output));
  CHECK(recheck.testimonies()[1].own);
}

TEST_CASE("against a naive reckoning, random evidence comes to the same") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Generator generator = Generator::from_seed(seed);
    const auto copies = static_cast<std::uint32_t>(1 + generator.below(3));
    Case one(copies);
    constexpr std::uint64_t units = 6;
    const auto output = [](std::uint64_t version) { return "output " + std::to_string(version); };
    std::vector<UnitResult> accepted;
    for (std::uint64_t unit = 0; unit < units; ++unit) accepted.push_back(Case::result(unit, output(0)));
    one.accept(accepted);
    std::map<std::uint64_t, std::map<std::size_t, std::uint64_t>> last;  // by unit and donor; donor 4 is the submitter
    for (int round = 0; round < 12; ++round) {
      const std::size_t donor = generator.below(5);
      std::vector<UnitResult> all;
      for (std::uint64_t unit = 0; unit < units; ++unit) {
        if (generator.chance(0.5)) continue;
        const std::uint64_t version = generator.below(6) < 4 ? 0 : generator.below(3);
        last[unit][donor] = version;
        all.push_back(Case::result(unit, output(version)));
      }
      if (!all.empty()) one.keep(donor == 4 ? one.own(all) : one.batch(donor, all));
    }
    std::vector<std::uint64_t> doubtful;
    for (std::uint64_t unit = 0; unit < units; ++unit) {
      std::map<std::uint64_t, std::uint32_t> votes;
      for (const auto& [donor, version] : last[unit]) ++votes[version];
      const std::uint32_t most_others = std::max(votes[1], votes[2]);
      const auto own = last[unit].find(4);
      const bool own_differs = own != last[unit].end() && own->second != 0;
      const bool outweighed = own == last[unit].end() && most_others > 0 && most_others >= votes[0];
      if (own_differs || outweighed || votes[0] < copies) doubtful.push_back(unit);
    }
    std::vector<std::uint64_t> found;
    for (const UnitFinding& each : one.findings().doubtful) found.push_back(each.unit.value);
    CHECK(found == doubtful);
  }
}

TEST_CASE("what a donor returned that the submitter has proven wrong elsewhere weighs against nobody, in a job by confidence") {
  Case one;
  one.accept({Case::result(1, "right"), Case::result(2, "right")});
  one.keep(one.batch(0, {Case::result(1, "lie"), Case::result(2, "lie")}));
  one.keep(one.batch(1, {Case::result(2, "right")}));
  one.keep(one.own({Case::result(1, "right")}));
  CHECK(one.findings(true).holds());
  CHECK(one.findings(true).differing.size() == 2);
  CHECK_FALSE(one.findings(false).holds());  // two copies are asked for

  Case open;
  open.accept({Case::result(2, "right")});
  open.keep(open.batch(0, {Case::result(2, "lie")}));
  open.keep(open.batch(1, {Case::result(2, "right")}));
  CHECK_FALSE(open.findings(true).holds());  // nobody has proven it wrong
}
