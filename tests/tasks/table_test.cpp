#include "tests/tasks/in_process.h"

using namespace dugnad;
using namespace dugnad::tasks;

namespace {
Task sample() {
  Task task;
  task.name = "sample";
  task.parameters = {{.name = "n", .help = "how many", .least = 2, .most = 9, .fallback = std::nullopt},
                     {.name = "seed", .help = "where to start", .least = 0, .most = 100, .fallback = 7}};
  return task;
}
std::string complaint(const Task& task, const Parameters& given) {
  const auto checked = check_parameters(task, given);
  REQUIRE_FALSE(checked.ok());
  return checked.error().message;
}
}  // namespace

TEST_CASE("parameters within their ranges are taken, and fallbacks filled in") {
  CHECK(*check_parameters(sample(), {{"n", 2}}) == Parameters{{"n", 2}, {"seed", 7}});
  CHECK(*check_parameters(sample(), {{"n", 9}, {"seed", 100}}) == Parameters{{"n", 9}, {"seed", 100}});
}

TEST_CASE("a wrong parameter is answered with one line that says what would be right") {
  CHECK(complaint(sample(), {{"m", 3}}) == "sample has no parameter \"m\"; its parameters: n, seed");
  CHECK(complaint(sample(), {}) == "sample needs n, 2 to 9: how many");
  CHECK(complaint(sample(), {{"n", 1}}) == "sample: n is 1, and may be 2 to 9");
  CHECK(complaint(sample(), {{"n", 10}}) == "sample: n is 10, and may be 2 to 9");
  CHECK(complaint(sample(), {{"n", 3}, {"seed", 101}}) == "sample: seed is 101, and may be 0 to 100");
  CHECK(complaint(Task{.name = "bare", .help = "", .parameters = {}, .run = {}, .plan = {}, .check = {}}, {{"n", 1}}) ==
        "bare has no parameter \"n\"; its parameters: none");
}

TEST_CASE("a second task of a name replaces the first") {
  TaskTable table = builtin_tasks();
  Task other = sample();
  other.name = "primes";
  table.add(other);
  REQUIRE(table.find("primes") != nullptr);
  CHECK(table.find("primes")->parameters.size() == 2);
  CHECK(table.all().size() == builtins().all().size());
  CHECK(table.find("prime") == nullptr);
}

TEST_CASE("every built-in task is complete") {
  const TaskTable table = builtin_tasks();
  std::vector<std::string> names;
  for (const auto& [name, task] : table.all()) {
    names.push_back(name);
    CHECK(task.name == name);
    CHECK_FALSE(task.help.empty());
    CHECK(task.version >= 1);
    CHECK(task.run);
    CHECK(task.plan);
    CHECK_FALSE(task.parameters.empty());
    for (const Parameter& parameter : task.parameters) {
      CHECK_FALSE(parameter.help.empty());
      CHECK(parameter.least <= parameter.most);
    }
  }
  CHECK(names == std::vector<std::string>{"collatz", "factors", "golomb", "mandelbrot", "nqueens", "pi", "primes", "twinprimes", "walks"});
}
