#include "coordinatorless/core/retraction.h"

#include <doctest/doctest.h>

#include <cmath>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/admission.h"

using namespace dugnad::core;

TEST_CASE("a culprit's results and audits are reopened unless they are final or the submitter settled them") {
  for (const bool final : {false, true}) {
    for (const bool settled : {false, true}) {
      const bool safe = final || settled;
      CHECK(reopened_by({true, false, settled, final}) == (safe ? Reopening::nothing : Reopening::result));
      CHECK(reopened_by({false, true, settled, final}) == (safe ? Reopening::nothing : Reopening::audit));
      CHECK(reopened_by({false, false, settled, final}) == Reopening::nothing);
    }
  }
}

TEST_CASE("collusion is never forgiven, rare errors are") {
  CHECK(judge_culprit({1, 100000, true}) == Sentence::branded);
  CHECK(judge_culprit({1, 0, false}) == Sentence::forgiven);
  CHECK(judge_culprit({2, 0, false}) == Sentence::forgiven);
  CHECK(judge_culprit({3, 0, false}) == Sentence::branded);
  CHECK(judge_culprit({3, 199, false}) == Sentence::branded);
  CHECK(judge_culprit({3, 200, false}) == Sentence::forgiven);
}

TEST_CASE("an honest donor with a hardware error in ten thousand results keeps its name, a careless liar does not") {
  dugnad::Generator generator = dugnad::Generator::from_seed(1);
  const auto branded = [&](double errors, int audits) {
    Culprit donor{0, 0, false};
    for (int i = 0; i < audits; ++i) {
      if (!generator.chance(errors)) {
        ++donor.verified;
      } else if (++donor.errors, judge_culprit(donor) == Sentence::branded) {
        return true;
      }
    }
    return false;
  };
  int honest = 0, liars = 0;
  for (int i = 0; i < 500; ++i) honest += branded(1e-4, 10000);
  for (int i = 0; i < 500; ++i) liars += branded(0.05, 1000);
  CHECK(honest == 0);
  CHECK(liars == 500);
}

TEST_CASE("newcomers are held down once somebody was caught, and kept out once they have cost enough") {
  CHECK(share_for_newcomers({false, true, 1000, 0}) == 1.0);
  CHECK(share_for_newcomers({true, true, 1000, 0}) == newcomers_share);
  CHECK(share_for_newcomers({true, true, 1000, 10}) == newcomers_share);
  CHECK(share_for_newcomers({true, true, 1000, 11}) == 0.0);
  CHECK(share_for_newcomers({true, false, 1000, 11}) == 1.0);
}
