// What saboteurs know together, and what each of them says for it.
#include <doctest/doctest.h>

#include <set>

#include "coordinatorless/sim/gang.h"

using namespace dugnad;
using namespace dugnad::sim;

namespace {

using Answer = Gang::Answer;

const JobId job{{7}};
const PeerId ann{{1}}, bob{{2}};

/// Two saboteurs, as fast together as a fifth of the swarm, and a job of 1,000 units.
struct Two {
  Gang gang;
  Generator generator = Generator::from_seed(1);

  Two() {
    gang.honest_joined(8);
    gang.joined(ann, 1);
    gang.joined(bob, 1);
    JobSpec spec;
    spec.units = 1000;
    spec.confidence = core::WantedConfidence{};
    spec.confidence->error_ppb = 1'000'000;
    gang.submitted(job, spec, 10);
  }
  Answer ask(const PeerId& who, Tactic tactic, std::uint64_t unit) { return gang.answer(who, tactic, job, {unit}, generator); }
  /// The first of these units that `who` lies about.
  std::uint64_t lie_of(const PeerId& who, Tactic tactic, std::uint64_t from, std::uint64_t to) {
    for (; from < to; ++from) {
      if (ask(who, tactic, from) != Answer::right) break;
    }
    return from;
  }
};

}  // namespace

TEST_CASE("an accomplice's lie is confirmed, and an accomplice's right result too") {
  Two two;
  two.gang.set_rate(0.1);
  const std::uint64_t lie = two.lie_of(ann, Tactic::collude, 0, 900);
  REQUIRE(lie > 0);
  REQUIRE(lie < 900);
  CHECK(two.ask(bob, Tactic::collude, lie) == Answer::alike);
  for (std::uint64_t unit = 0; unit < lie; ++unit) CHECK(two.ask(bob, Tactic::collude, unit) == Answer::right);
}

TEST_CASE("an accomplice that may confess exposes the lie") {
  Two two;
  const std::uint64_t lie = two.lie_of(ann, Tactic::confession, 0, 900);
  REQUIRE(lie < 900);
  CHECK(two.ask(bob, Tactic::confession, lie) == Answer::right);
}

TEST_CASE("a lie whose liar was caught is nobody's to confirm: the unit is computed anew") {
  Two two;
  two.gang.set_rate(1);
  REQUIRE(two.ask(ann, Tactic::collude, 3) == Answer::alike);
  two.gang.caught(ann);
  two.gang.set_rate(0.0);
  CHECK(two.ask(bob, Tactic::collude, 3) == Answer::right);
}

TEST_CASE("who lies where nobody looks waits until an accomplice has looked") {
  Two two;
  CHECK(two.lie_of(ann, Tactic::targeted, 0, 50) == 50);
  CHECK(two.ask(bob, Tactic::targeted, 10) == Answer::right);
  CHECK(two.ask(ann, Tactic::targeted, 50) == Answer::alike);
  CHECK(two.ask(ann, Tactic::targeted, 51) == Answer::alike);
  CHECK(two.ask(ann, Tactic::targeted, 52) == Answer::right);
}

TEST_CASE("who lies at the end waits until the gang has done nearly its share of the job") {
  Two two;
  CHECK(two.lie_of(ann, Tactic::end, 0, 250) == 181);  // of 200, a fifth of 1,000
}

TEST_CASE("who tells one lie a name tells another one once the name is caught") {
  Two two;
  const std::uint64_t first = two.lie_of(ann, Tactic::single, 0, 1000);
  REQUIRE(first < 1000);
  CHECK(two.lie_of(ann, Tactic::single, first + 1, 1000) == 1000);
  two.gang.caught(ann);
  CHECK(two.lie_of(ann, Tactic::single, 0, 1000) < 1000);
}

TEST_CASE("no more lies stand at once than pay, whoever told them") {
  Two two;
  CHECK(two.ask(ann, Tactic::turns, 0) == Answer::right);  // the first result is recomputed more often
  CHECK(two.ask(ann, Tactic::turns, 1) == Answer::alike);
  CHECK(two.ask(bob, Tactic::turns, 2) == Answer::right);
  CHECK(two.ask(bob, Tactic::turns, 3) == Answer::right);
  two.gang.caught(ann);
  CHECK(two.ask(bob, Tactic::turns, 4) == Answer::alike);
}

TEST_CASE("who frames contradicts one in ten, or every honest result where the gang overhears what is one, and else says what is right") {
  Two two;
  int contradicted = 0;
  for (std::uint64_t unit = 0; unit < 100; ++unit) contradicted += two.ask(ann, Tactic::framing, unit) == Answer::own;
  CHECK(contradicted == 10);
  two.gang.overhear([](const JobId&, UnitIndex unit) { return unit.value % 2 == 0; });
  for (std::uint64_t unit = 200; unit < 220; ++unit) CHECK((two.ask(bob, Tactic::framing, unit) == Answer::own) == (unit % 2 == 0));
}

TEST_CASE("a gang that overhears lies in no audit, except to confirm") {
  Two two;
  two.gang.set_rate(1);
  std::set<std::uint64_t> returned;
  two.gang.overhear([&](const JobId&, UnitIndex unit) { return returned.contains(unit.value); });
  returned = {1};
  CHECK(two.ask(ann, Tactic::collude, 1) == Answer::right);
  CHECK(two.ask(ann, Tactic::collude, 2) == Answer::alike);
  returned = {1, 2};
  CHECK(two.ask(bob, Tactic::collude, 2) == Answer::alike);
}

TEST_CASE("liars without accomplices know nothing of each other") {
  Two two;
  for (std::uint64_t unit = 0; unit < 20; ++unit) {
    CHECK(two.ask(ann, Tactic::sleeper, unit) == Answer::right);
    CHECK(two.ask(bob, Tactic::always, unit) == Answer::own);
  }
  CHECK(two.ask(ann, Tactic::sleeper, 20) == Answer::own);
}
