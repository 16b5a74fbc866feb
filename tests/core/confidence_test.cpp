#include "coordinatorless/core/confidence.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "coordinatorless/base/generator.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {
ConfidenceGoal per_unit(double confidence, double assumed, Finality final = Finality::end) { return {confidence, false, assumed, final}; }
}  // namespace

TEST_CASE("a combined answer divides its error among its units") {
  CHECK(unit_error(per_unit(0.999, 0.1), 5000) == doctest::Approx(0.001));
  CHECK(unit_error({0.99, true, 0.1, Finality::end}, 5000) == doctest::Approx(0.01 / 5000));
}

TEST_CASE("wrong units at the combined error spoil the answer at most as often as asked") {
  Generator generator = Generator::from_seed(1);
  const std::uint64_t units = 50;
  const double error = unit_error({0.9, true, 0.1, Finality::end}, units);
  int spoilt = 0;
  constexpr int answers = 40000;
  for (int i = 0; i < answers; ++i) {
    bool wrong = false;
    for (std::uint64_t unit = 0; unit < units; ++unit) wrong = generator.chance(error) || wrong;
    spoilt += wrong;
  }
  CHECK(static_cast<double>(spoilt) / answers <= 0.1);
  CHECK(static_cast<double>(spoilt) / answers >= 0.09);  // 1 - (1 - 0.1/50)^50
}

TEST_CASE("blocks partition the job, one for a small job or a combined answer") {
  CHECK(block_count(per_unit(0.999, 0.2), 4000) == 1);
  CHECK(block_count(per_unit(0.999, 0.2), 20000) <= 2);
  CHECK(block_count(per_unit(0.999, 0.2), 100000) >= 3);
  CHECK(block_count(per_unit(0.999, 0.2), 1000000) >= 8);
  CHECK(block_count({0.99, true, 0.2, Finality::stream}, 1000000) == 1);
  CHECK(block_count(per_unit(0.999, 0.2, Finality::stream), 1000000) == 100);
  for (const std::uint64_t units : {1U, 7U, 100U, 12345U}) {
    for (std::uint64_t blocks = 1; blocks <= std::min<std::uint64_t>(units, 13); ++blocks) {
      std::uint64_t sum = 0;
      for (std::uint64_t block = 0; block < blocks; ++block) sum += block_units(units, blocks, block);
      CHECK(sum == units);
    }
  }
}

TEST_CASE("a quiet job's estimate falls towards one attempt a unit as the job grows") {
  double before = 10;
  for (const std::uint64_t units : {1000U, 4000U, 20000U, 100000U, 1000000U}) {
    const CostEstimate cost = cost_expected(per_unit(0.999, 0.2), {units, 100, 1.0});
    CHECK(cost.quiet > 1);
    CHECK(cost.quiet < before);
    CHECK(cost.attacked > cost.quiet);
    CHECK(cost.own < cost.quiet - 1 + 1e-12);
    before = cost.quiet;
  }
  CHECK(cost_expected(per_unit(0.999, 0.2), {4000, 100, 1.0}).quiet <= 1.35);
  CHECK(cost_expected(per_unit(0.999, 0.2), {100000, 100, 1.0}).quiet <= 1.05);
  CHECK(cost_expected(per_unit(0.999, 0.2), {1000000, 100, 1.0}).quiet <= 1.015);
}

TEST_CASE("the estimate of a quiet job is what drawing its audits comes to") {
  Generator generator = Generator::from_seed(2);
  const ConfidenceGoal goal = per_unit(0.999, 0.2);
  const JobFacts facts{4000, 100, 1.0};
  const AuditLevel level = level_needed(block_terms(goal, facts, facts.units), {});
  std::uint64_t attempts = 0;
  constexpr int jobs = 50;
  for (int job = 0; job < jobs; ++job) {
    attempts += facts.units + facts.donors;
    for (std::uint64_t unit = 0; unit < facts.units; ++unit) {
      const AuditDraw draw = draw_audits(generator);
      attempts += audited_by_submitter(draw, level) ? 1 : audits_wanted(draw, level);
    }
  }
  CHECK(static_cast<double>(attempts) / (jobs * 4000.0) == doctest::Approx(cost_expected(goal, facts).quiet).epsilon(0.01));
}

TEST_CASE("a confidence out of reach is said to be, and what is offered instead is within reach") {
  CHECK_FALSE(best_instead(per_unit(0.999, 0.2), {4000, 100, 0.0}).has_value());
  CHECK_FALSE(best_instead({0.999999, true, 0.2, Finality::end}, {4000, 1, 1.0}).has_value());  // the submitter can do it all
  for (const bool combined : {false, true}) {
    for (const std::uint64_t donors : {0U, 1U, 2U, 3U, 5U}) {
      for (const double own : {0.0, 0.01}) {
        const ConfidenceGoal goal{0.99999, combined, 0.2, Finality::end};
        const JobFacts facts{1000, donors, own};
        const auto best = best_instead(goal, facts);
        if (donors <= 2) REQUIRE(best.has_value());
        if (!best.has_value()) continue;
        CHECK(*best < goal.confidence);
        if (*best <= 0) continue;
        ConfidenceGoal less = goal;
        less.confidence = *best * (1 - 1e-6);
        CHECK_FALSE(best_instead(less, facts).has_value());
      }
    }
  }
}

TEST_CASE("what plain voting accepts of colluders is what voting comes to") {
  CHECK(wrong_by_copies(2, 0.2) == doctest::Approx(0.104));   // 0.2² (1 + 2·0.8)
  CHECK(wrong_by_copies(3, 0.2) == doctest::Approx(0.05792));
  Generator generator = Generator::from_seed(3);
  for (const unsigned copies : {1U, 2U, 4U}) {
    constexpr int jobs = 200'000;
    int wrong = 0;
    for (int job = 0; job < jobs; ++job) {
      unsigned lies = 0, truths = 0;
      while (lies < copies && truths < copies) ++(generator.below(10) < 3 ? lies : truths);
      wrong += lies == copies;
    }
    CHECK(wrong / double{jobs} == doctest::Approx(wrong_by_copies(copies, 0.3)).epsilon(0.02));
  }
}

TEST_CASE("the copies that are offered instead of a confidence are the fewest that give it") {
  CHECK(copies_instead(per_unit(0.89, 0.1), 1000, 16) == 1U);  // as good as it says, without any
  const auto copies = copies_instead(per_unit(0.999, 0.1), 1000, 16);
  REQUIRE(copies);
  CHECK(wrong_by_copies(*copies, 0.1) <= 0.001);
  CHECK(wrong_by_copies(*copies - 1, 0.1) > 0.001);
  CHECK(*copies_instead({0.999, true, 0.1, Finality::end}, 1000, 16) > *copies);
  CHECK_FALSE(copies_instead(per_unit(0.999, 0.5), 1000, 16));
}

TEST_CASE("what is reached is never less than what a final block was held to") {
  for (const bool combined : {false, true}) {
    const ConfidenceGoal goal{0.99, combined, 0.2, Finality::end};
    ConfidenceReached reached(goal);
    CHECK(reached.confidence() == 0.0);
    const std::uint64_t blocks = combined ? 1 : 3;
    for (std::uint64_t block = 0; block < blocks; ++block) {
      const AuditTerms terms = block_terms(goal, {9000, 50, 1.0}, block_units(9000, blocks, block));
      const CatchTally tally{block + 3, static_cast<double>(block) + 1};
      reached.block_final(terms, level_needed(terms, tally), tally);
    }
    CHECK(reached.confidence() >= goal.confidence - 1e-9);
    CHECK(reached.confidence() < 1.0);
  }
}
