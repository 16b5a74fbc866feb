#include "coordinatorless/core/agreement.h"

#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

Hash digest_of(std::string_view text) { return hash_of(view_of(text)); }

void lease(UnitHistory& history, DonorIndex donor) { history.attempts.push_back({LeaseId{donor + 1}, donor, AttemptState::leased, 0}); }

void vote(UnitHistory& history, DonorIndex donor, std::string_view output) {
  if (history.attempt_of(donor) == nullptr) lease(history, donor);
  history.vote(*history.attempt_of(donor), digest_of(output), Outcome::ok, to_bytes(output));
}

}  // namespace

TEST_CASE("an untouched unit wants as many leases as copies") {
  for (unsigned copies = 1; copies < 5; ++copies) CHECK(judge({}, copies, 1).leases_wanted == copies);
}

TEST_CASE("matching results of different donors settle a unit") {
  UnitHistory history;
  vote(history, 0, "a");
  CHECK(judge(history, 2, 1).kind == Verdict::Kind::open);
  CHECK(judge(history, 2, 1).leases_wanted == 1);
  vote(history, 1, "a");
  const Verdict verdict = judge(history, 2, 1);
  CHECK(verdict.kind == Verdict::Kind::settled);
  CHECK(history.candidates[verdict.group].output == to_bytes("a"));
}

TEST_CASE("a disagreement costs one lease more, not a fresh round") {
  UnitHistory history;
  vote(history, 0, "right");
  vote(history, 1, "wrong");
  CHECK(judge(history, 2, 1).leases_wanted == 1);
  lease(history, 2);
  CHECK(judge(history, 2, 1).leases_wanted == 0);
  vote(history, 2, "right");
  CHECK(judge(history, 2, 1).kind == Verdict::Kind::settled);
}

TEST_CASE("a lapsed lease is wanted again, and its late result still counts") {
  UnitHistory history;
  lease(history, 0);
  CHECK(judge(history, 1, 1).leases_wanted == 0);
  history.attempt_of(0)->state = AttemptState::lapsed;
  CHECK(judge(history, 1, 1).leases_wanted == 1);
  vote(history, 0, "a");
  CHECK(judge(history, 1, 1).kind == Verdict::Kind::settled);
}

TEST_CASE("a donor's faults are no votes, yet enough of them blame the unit") {
  UnitHistory history;
  for (unsigned i = 0; i < limits::donor_faults_per_unit_max; ++i) {
    CHECK(judge(history, 1, 1).kind == Verdict::Kind::open);
    CHECK(judge(history, 1, 1).leases_wanted == 1);
    lease(history, i);
    history.fault(*history.attempt_of(i), "ran over its time");
  }
  const Verdict verdict = judge(history, 1, 1);
  CHECK(verdict.kind == Verdict::Kind::failed);
  CHECK(verdict.reason.find("ran over its time") != std::string::npos);
}

TEST_CASE("a unit that never agrees fails in the end") {
  UnitHistory history;
  for (DonorIndex i = 0; i < limits::attempts_per_unit_max; ++i) {
    CHECK(judge(history, 2, 1).kind == Verdict::Kind::open);
    vote(history, i, "answer " + std::to_string(i));
  }
  CHECK(judge(history, 2, 1).kind == Verdict::Kind::failed);
}

TEST_CASE("judging random histories agrees with counting naively") {
  Generator generator = Generator::from_seed(11);
  for (int round = 0; round < 20000; ++round) {
    const unsigned copies = 1 + generator.below(4);
    UnitHistory history;
    std::map<std::string, unsigned> votes;
    unsigned running = 0;
    for (DonorIndex donor = 0; donor < generator.below(8); ++donor) {
      switch (generator.below(3)) {
        case 0: lease(history, donor); ++running; break;
        case 1: lease(history, donor); history.attempt_of(donor)->state = AttemptState::lapsed; break;
        default: {
          const std::string output(1, static_cast<char>('a' + generator.below(3)));
          vote(history, donor, output);
          ++votes[output];
        }
      }
    }
    unsigned best = 0;
    for (const auto& [output, count] : votes) best = std::max(best, count);
    const Verdict verdict = judge(history, copies, 1);
    REQUIRE((verdict.kind == Verdict::Kind::settled) == (best >= copies));
    if (verdict.kind == Verdict::Kind::settled) {
      REQUIRE(votes[to_text(history.candidates[verdict.group].output.bytes)] >= copies);
    } else {
      REQUIRE(verdict.leases_wanted == (best + running < copies ? copies - best - running : 0));
    }
  }
}

TEST_CASE("one donor's faults do not fail a unit while there are others that could try it") {
  UnitHistory history;
  const auto fault = [&](DonorIndex donor) {
    lease(history, donor);
    history.fault(*history.attempt_of(donor), "ran over its time");
  };
  for (unsigned i = 0; i < limits::donor_faults_per_unit_max + 2; ++i) fault(0);
  CHECK(judge(history, 1, 2).kind == Verdict::Kind::open);
  CHECK(judge(history, 1, 1).kind == Verdict::Kind::failed);  // nobody else is there
  fault(1);
  CHECK(judge(history, 1, 2).kind == Verdict::Kind::failed);
  CHECK(judge(history, 1, 100).kind == Verdict::Kind::open);
  while (history.faults() < limits::unit_faults_max) fault(0);  // the others never come to it
  CHECK(judge(history, 1, 100).kind == Verdict::Kind::failed);
}

TEST_CASE("a lone liar does not fail a unit, however many copies are wanted") {
  for (const unsigned copies : {2U, 9U, 16U, limits::copies_max}) {
    UnitHistory history;
    vote(history, 0, "lie");
    for (DonorIndex donor = 1; donor < copies; ++donor) vote(history, donor, "right");
    CHECK(judge(history, copies, 100).kind == Verdict::Kind::open);
    vote(history, copies, "right");
    CHECK(judge(history, copies, 100).kind == Verdict::Kind::settled);
  }
}
