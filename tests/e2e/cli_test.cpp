// The parts of `dugnad` that need no swarm.
#include <doctest/doctest.h>

#include <functional>

#include "sdk/cli/nearest.h"
#include "sdk/cli/patience.h"
#include "sdk/cli/progress_line.h"
#include "sdk/cli/replay.h"
#include "sdk/cli/table.h"
#include "sdk/cli/task_parameters.h"

namespace dugnad::sdk::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const tasks::TaskTable builtin = tasks::builtin_tasks();

Result<tasks::Parameters> nqueens(const std::vector<std::string>& arguments) {
  return read_parameters(*builtin.find("nqueens"), arguments, {"--copies", "--join"});
}

Progress with(std::uint32_t donors, std::uint64_t units_done = 0) {
  Progress progress;
  progress.donors = progress.copies_in_reach = donors;
  progress.units_done = units_done;
  return progress;
}

}  // namespace

TEST_CASE("a mistyped name is told from one that nobody meant") {
  const std::vector<std::string> names{"primes", "twinprimes", "nqueens", "pi"};
  CHECK(nearest("prims", names) == "primes");
  CHECK(nearest("nqueesn", names) == "nqueens");
  CHECK(nearest("ip", names) == "pi");
  CHECK(!nearest("folding", names));
  CHECK(!nearest(std::string(100'000, 'x'), names));
  CHECK(suggestion("prims", names) == " (did you mean primes?)");
  CHECK(suggestion("folding", names).empty());
}

TEST_CASE("a task's parameters are read as --NAME VALUE, --NAME=VALUE and powers of ten") {
  CHECK(*nqueens({"--n", "16"}) == tasks::Parameters{{"n", 16}});
  CHECK(*nqueens({"--n=16"}) == tasks::Parameters{{"n", 16}});
  CHECK(*nqueens({"--n", "1e1"}) == tasks::Parameters{{"n", 10}});
  for (const char* bad : {"", "x", "-1", "1.5", "0x10", "1e", "e1", "1e99", "0e99999999999", "18446744073709551616", "16 "}) {
    CAPTURE(bad);
    const auto read = nqueens({"--n", bad});
    REQUIRE(!read);
    CHECK(read.error().message.find("--n wants a ") == 0);
  }
  CHECK(nqueens({"16"}).error().message == "what is '16'? Parameters of nqueens are written as --NAME VALUE");
  CHECK(nqueens({"--", "16"}).error().message.find("what is '--'?") == 0);
  CHECK(nqueens({"--copis", "16"}).error().message == "nqueens has no parameter --copis (did you mean --copies?); its parameters: --n");
}

TEST_CASE("what a job was asked for can be typed again") {
  CHECK(command_line_of("mandelbrot", {{"width", 3}, {"height", 2}}) == "mandelbrot --height 2 --width 3");
}

TEST_CASE("columns align, and lines end where their text does") {
  Table table({{"NAME"}, {"N", Table::Align::right}, {"WHAT"}});
  table.add({"é", "5", "short"});
  table.add({"longer", "1000", ""});
  CHECK(table.text() ==
        "NAME       N  WHAT\n"
        "é          5  short\n"
        "longer  1000\n");
}

TEST_CASE("patience ends when there were too few donors for the whole time, and only then") {
  const Patience::Time start{};
  Patience patience(milliseconds(5000), 2, start);
  CHECK(!patience.look(with(0), start + milliseconds(4999)));
  CHECK(patience.look(with(0), start + seconds(5)) == ExitCode::nobody);
  CHECK(patience.look(with(1), start + seconds(5)) == ExitCode::out_of_reach);
  CHECK(!patience.look(with(2), start + seconds(6)));
  CHECK(!patience.look(with(1), start + seconds(10)));
  CHECK(!patience.look(with(1, 1), start + seconds(11)));  // got on
  CHECK(!patience.look(with(1, 1), start + seconds(15)));
  CHECK(patience.look(with(1, 1), start + seconds(16)) == ExitCode::out_of_reach);
}

TEST_CASE("patience ends with donors enough who have all computed what is open, and disagree") {
  const Patience::Time start{};
  Patience patience(milliseconds(5000), 2, start);
  Progress progress = with(2);
  progress.copies_in_reach = 1;
  CHECK(!patience.look(progress, start + seconds(4)));
  CHECK(patience.look(progress, start + seconds(5)) == ExitCode::out_of_reach);
  CHECK(Patience::in_reach(progress) == 1);
  CHECK(!patience.look(with(3), start + seconds(6)));
}

TEST_CASE("without --wait patience has no end") {
  const Patience::Time start{};
  Patience patience(std::nullopt, 2, start);
  CHECK(!patience.look(with(0), start + std::chrono::hours(10'000)));
}

TEST_CASE("progress is told in one line") {
  Progress progress;
  CHECK(describe(progress) == "0 units  0 donors");
  progress.units_expected = 8;
  progress.units_done = 5;
  progress.units_resumed = 1;
  progress.attempts = 10;
  progress.donors = 1;
  progress.units_per_second = 0.5;
  CHECK(describe(progress) == "5/8 units  62 %  0.5/s  6 s left  1 donor  2.5 attempts/unit");
  progress.units_per_second = 0.05;
  CHECK(describe(progress) == "5/8 units  62 %  3.0/min  1 min left  1 donor  2.5 attempts/unit");
}

TEST_CASE("times are told in two units at most") {
  CHECK(describe(seconds(59)) == "59 s");
  CHECK(describe(seconds(200)) == "3 min 20 s");
  CHECK(describe(seconds(3600 * 5 + 720)) == "5 h 12 min");
  CHECK(describe(seconds(86400 * 8)) == "8 days");
}

TEST_CASE("a finished job's answer comes from the journal alone, an unfinished one's does not") {
  Recipe recipe;
  recipe.task = "primes";
  recipe.parameters = {{"to", 1'000'000'000}};
  const tasks::Task& task = *builtin.find("primes");
  recipe.task_version = task.version;
  // Outputs need not be right, only of the right shape: the plan adds them up.
  const Bytes one_prime = task.run(*task.plan({{"to", 2}})->next(), {});
  std::vector<AcceptedUnit> accepted;
  const auto plan = task.plan(recipe.parameters);
  while (const auto input = plan->next()) accepted.push_back({UnitIndex{accepted.size()}, input_tag_of(value_of(*input)), Outcome::ok, one_prime});
  REQUIRE(accepted.size() > 1);

  const auto answer = replay(recipe, accepted, builtin);
  REQUIRE(answer);
  CHECK(answer->text == std::to_string(accepted.size()));

  const auto spoilt = [&](const std::function<void(Recipe&, std::vector<AcceptedUnit>&)>& spoil) {
    Recipe other = recipe;
    auto units = accepted;
    spoil(other, units);
    return !replay(other, units, builtin).has_value();
  };
  CHECK(spoilt([](Recipe&, auto& units) { units.pop_back(); }));
  CHECK(spoilt([](Recipe&, auto& units) { units.clear(); }));
  CHECK(spoilt([](Recipe&, auto& units) { units.front().outcome = Outcome::failed; }));
  CHECK(spoilt([](Recipe&, auto& units) { ++units.front().input_tag; }));
  CHECK(spoilt([](Recipe&, auto& units) { units.front().output.bytes.clear(); }));
  CHECK(spoilt([](Recipe& other, auto&) { ++other.task_version; }));
  CHECK(spoilt([](Recipe& other, auto&) { other.task = "pruning"; }));
  CHECK(spoilt([](Recipe& other, auto&) { other.kind = Recipe::Kind::map; }));
  CHECK(spoilt([](Recipe& other, auto&) { other.parameters["to"] = 0; }));
}

}  // namespace dugnad::sdk::cli
