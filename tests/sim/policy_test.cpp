// The trust policies against every strategy: a quick grid. `dugnad-trust --table large` is the long one.
#include <doctest/doctest.h>

#include <string>
#include <tuple>

#include "coordinatorless/sim/policy_grid.h"
#include "coordinatorless/sim/policy_job.h"

using namespace dugnad;
using namespace dugnad::sim;

namespace {

PolicyOptions job_of(std::uint64_t units, std::uint64_t donors, double confidence) {
  PolicyOptions options;
  options.units = units;
  options.donors = donors;
  options.goal.confidence = confidence;
  return options;
}

std::string replay(const PolicyRow& row) {
  return "dugnad-trust --units " + std::to_string(row.options.units) + " --donors " + std::to_string(row.options.donors) +
         " --confidence " + std::to_string(row.options.goal.confidence) + " --strategy " + std::string(name_of(row.options.tactic)) +
         " --runs " + std::to_string(row.runs);
}

}  // namespace

TEST_CASE("no strategy gets more wrong results past the audits than the confidence allows, and no honest donor is branded") {
  struct Point {
    std::uint64_t units, donors;
    double confidence;
    std::uint64_t runs;
  };
  for (const Point& point : {Point{1000, 10, 0.99, 40},
                             {1000, 100, 0.999, 40},
                             {1000, 100, 0.9999, 60},
                             {4000, 100, 0.999, 20},
                             {4000, 1000, 0.999, 6},
                             {30000, 100, 0.9999, 2}}) {
    double wrong = 0;
    for (const PolicyRow& row : measure_all(job_of(point.units, point.donors, point.confidence), point.runs)) {
      CHECK_MESSAGE(row.holds(), replay(row), ": wrong ", row.wrong, " ± ", row.wrong_margin);
      CHECK_MESSAGE(row.branded == 0, replay(row));
      CHECK(row.overhead >= 1.0);
      wrong += row.wrong;
    }
    CHECK(wrong > 0);  // the liars do try
  }
}

TEST_CASE("what certainty costs stays within what was promised") {
  struct Promise {
    std::uint64_t units, runs;
    double quiet, worst;
  };
  for (const Promise& promise : {Promise{4000, 20, 1.35, 2.5}, {100000, 1, 1.05, 1.30}}) {
    const PolicySummary summary = summary_of(measure_all(job_of(promise.units, 100, 0.999), promise.runs));
    CHECK_MESSAGE(summary.quiet.overhead <= promise.quiet, replay(summary.quiet));
    CHECK_MESSAGE(summary.costliest.overhead <= promise.worst, replay(summary.costliest));
    if (promise.units == 4000) CHECK(summary.costliest.own <= 0.07);
  }
}

TEST_CASE("what a job is said to cost before it starts is near what it comes to, in peace and under the costliest attack") {
  for (const auto& [units, donors, runs] : {std::tuple{1000U, 100U, 10U}, {4000U, 100U, 10U}, {4000U, 10U, 10U}, {100000U, 100U, 1U}}) {
    const PolicyOptions options = job_of(units, donors, 0.999);
    const core::CostEstimate said = core::cost_expected(options.goal, {units, donors, 1.0});
    const PolicySummary summary = summary_of(measure_all(options, runs));
    CHECK(summary.quiet.overhead == doctest::Approx(said.quiet).epsilon(0.02));
    CHECK(summary.quiet.own == doctest::Approx(said.own).epsilon(0.2));
    CHECK_MESSAGE(summary.costliest.overhead >= said.attacked * 0.75, replay(summary.costliest), ": said ", said.attacked);
    CHECK_MESSAGE(summary.costliest.overhead <= said.attacked * 1.15, replay(summary.costliest), ": said ", said.attacked);
  }
}

TEST_CASE("a combined answer is right as often as asked, whatever the strategy") {
  PolicyOptions options = job_of(200, 10, 0.9);
  options.goal.combined = true;
  for (const PolicyRow& row : measure_all(options, 60)) CHECK_MESSAGE(row.holds(), replay(row), " --combined: wrong ", row.wrong);
}

TEST_CASE("donors that come, go and err now and then, in few networks, change nothing of it") {
  PolicyOptions options = job_of(4000, 100, 0.999);
  options.churn = 0.5;
  options.groups = 10;
  options.hardware_errors = 1e-4;
  std::uint64_t erred = 0;
  for (const PolicyRow& row : measure_all(options, 10)) {
    CHECK_MESSAGE(row.holds(), replay(row), ": wrong ", row.wrong);
    CHECK_MESSAGE(row.branded == 0, replay(row));
    erred += row.erred;
  }
  CHECK(erred > 0);  // errors were found, and forgiven
}

TEST_CASE("a job ends, and keeps its promise, where few or no honest donors are left") {
  for (const std::uint64_t donors : {2U, 3U, 4U}) {
    PolicyOptions options = job_of(300, donors, 0.99);
    options.saboteurs = 0.4;
    options.goal.assumed = 0.4;
    for (const PolicyRow& row : measure_all(options, 30)) CHECK_MESSAGE(row.holds(), replay(row), ": wrong ", row.wrong);
  }
}

TEST_CASE("the same seed gives the same job") {
  for (const Tactic tactic : {Tactic::none, Tactic::collude, Tactic::sybil}) {
    PolicyOptions options = job_of(2000, 50, 0.999);
    options.tactic = tactic;
    const PolicyOutcome first = PolicyJob(options).run(), second = PolicyJob(options).run();
    CHECK(first.attempts == second.attempts);
    CHECK(first.wrong == second.wrong);
    CHECK(first.caught == second.caught);
    CHECK(first.reached >= options.goal.confidence - 1e-9);
  }
}

TEST_CASE("a reputation that was built up to be spent buys no wrong results") {
  PolicyOptions options = job_of(4000, 100, 0.999);
  options.honest_past = options.liars_past = core::Past::known;
  options.known_names = 5;
  double costliest = 0;
  for (const PolicyRow& row : measure_all(options, 10)) {
    CHECK_MESSAGE(row.holds(), replay(row), ": wrong ", row.wrong, " ± ", row.wrong_margin);
    CHECK(row.branded == 0);
    costliest = std::max(costliest, row.overhead);
  }
  CHECK(costliest < 5);
}

TEST_CASE("knowing donors makes no job dearer, and liars that were convicted before cost next to nothing") {
  const auto cost = [](core::Past honest, core::Past liars, Tactic tactic) {
    PolicyOptions options = job_of(4000, 100, 0.999);
    options.honest_past = honest;
    options.liars_past = liars;
    options.tactic = tactic;
    return measure(options, 10).overhead;
  };
  using core::Past;
  CHECK(cost(Past::known, Past::known, Tactic::none) <= cost(Past::unknown, Past::unknown, Tactic::none) + 0.005);
  CHECK(cost(Past::known, Past::convicted, Tactic::few) < cost(Past::unknown, Past::unknown, Tactic::few) - 0.3);
}
