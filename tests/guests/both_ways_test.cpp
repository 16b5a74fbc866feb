// Built-in tasks compile both ways: natively into every worker, and as guests. The same units must give the same bytes.
#include <algorithm>
#include <map>

#include "tests/guests/module.h"
#include "tests/tasks/in_process.h"

using namespace dugnad;
using namespace dugnad::tests;

namespace {

// Small enough for seconds, large enough for several units or an uneven end where the task's units allow.
const std::map<std::string, tasks::Parameters> jobs{
    {"collatz", {{"to", 3'000'000}}}, {"factors", {{"from", 1'000'000'000'000}, {"count", 300}}},
    {"golomb", {{"n", 10}}},          {"mandelbrot", {{"width", 300}, {"height", 200}}},
    {"nqueens", {{"n", 10}}},         {"pi", {{"samples", 3'000'000}}}, {"primes", {{"to", 30'000'000}}},
    {"twinprimes", {{"to", 3'000'000}}}, {"walks", {{"n", 16}}}};

}  // namespace

TEST_CASE("a built-in task gives the same bytes natively and as a guest, for every unit that its plan cuts") {
  REQUIRE(jobs.size() == tasks::builtins().all().size());
  for (const auto& [name, parameters] : jobs) {
    CAPTURE(name);
    const tasks::Finished natively = tasks::finish(name, parameters);
    worker::cage::Engine& engine = engine_with("task_" + name);
    REQUIRE(!natively.inputs.empty());
    for (std::size_t unit = 0; unit < natively.inputs.size(); ++unit) {
      CAPTURE(unit);
      const auto caged = engine.run(natively.inputs[unit], 0);
      REQUIRE_MESSAGE(caged.outcome == Outcome::ok, text_of(caged));
      REQUIRE(caged.output == natively.outputs[unit]);
    }
  }
}

TEST_CASE("what fails a unit natively fails it as a guest too, and the guest goes on") {
  for (const auto& [name, parameters] : jobs) {
    CAPTURE(name);
    worker::cage::Engine& engine = engine_with("task_" + name);
    const Bytes fair = tasks::plan_of(name, parameters)->next().value();
    Bytes cut(fair.begin(), fair.end() - 1);
    CHECK_THROWS_AS(static_cast<void>(tasks::builtin(name).run(cut, {})), tasks::UnitFailed);
    CHECK(engine.run(cut, 0).outcome == Outcome::failed);
    CHECK(engine.run({}, 0).outcome == Outcome::failed);
    CHECK(engine.run(fair, 0).outcome == Outcome::ok);
  }
}
