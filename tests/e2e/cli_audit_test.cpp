// What `dugnad audit` makes of evidence, and units computed again.
#include <doctest/doctest.h>

#include "sdk/cli/audit_report.h"
#include "sdk/cli/recompute.h"
#include "tests/core/cases.h"

namespace dugnad::sdk::cli {
namespace {

using core::test::Case;

const tasks::TaskTable builtin = tasks::builtin_tasks();

Recipe primes_up_to(std::uint64_t to) {
  Recipe recipe;
  recipe.task = "primes";
  recipe.task_version = builtin.find("primes")->version;
  recipe.parameters = {{"to", to}};
  return recipe;
}

/// All units of the job, computed.
std::vector<core::AcceptedClaimOf> accepted_for(const Recipe& recipe) {
  const tasks::Task& task = *builtin.find(recipe.task);
  const auto plan = task.plan(recipe.parameters);
  std::vector<AcceptedUnit> units;
  while (const auto input = plan->next()) {
    const UnitIndex unit{units.size()};
    Bytes output = task.run(*input, {});
    REQUIRE(plan->accept(unit, output).ok());
    units.push_back({unit, 0, Outcome::ok, value_of(output)});
  }
  return core::accepted_claims(units);
}

OutputAtHand brief_outputs(const std::vector<core::AcceptedClaimOf>& accepted) {
  return [&accepted](UnitIndex unit) -> std::optional<Bytes> {
    const auto* found = core::find_accepted(accepted, unit);
    const auto output = found == nullptr ? std::nullopt : found->claim.output();
    return output ? std::optional(Bytes(output->begin(), output->end())) : std::nullopt;
  };
}

}  // namespace

TEST_CASE("numbers in a row are told as ranges") {
  CHECK(ranges({}).empty());
  CHECK(ranges({{7}}) == "7");
  CHECK(ranges({{0}, {1}, {2}, {5}, {7}, {8}}) == "0-2, 5, 7-8");
}

TEST_CASE("units computed again are alike, and a false one among them is found") {
  const Recipe recipe = primes_up_to(300'000'000);
  auto accepted = accepted_for(recipe);
  REQUIRE(accepted.size() >= 2);
  Generator generator = Generator::from_seed(1);
  const auto some = recompute(recipe, accepted, builtin, 1, generator, brief_outputs(accepted));
  REQUIRE(some.ok());
  CHECK(some->units == 1);
  CHECK(some->differing.empty());
  accepted[1].claim.bytes[0] ^= 1;
  const auto all = recompute(recipe, accepted, builtin, 1'000'000, generator, brief_outputs(accepted));
  REQUIRE(all.ok());
  CHECK(all->units == accepted.size());
  CHECK(all->differing == std::vector{UnitIndex{1}});
}

TEST_CASE("where the task has a check, that is run again on what is at hand, and finds a false one too") {
  Recipe recipe;
  recipe.task = "factors";
  recipe.task_version = builtin.find("factors")->version;
  recipe.parameters = {{"from", 999'999'999'999'000}, {"count", 40}};
  const auto plan = builtin.find("factors")->plan(recipe.parameters);
  std::vector<AcceptedUnit> units;
  for (UnitIndex unit{}; const auto input = plan->next(); ++unit.value) {
    units.push_back({unit, 0, Outcome::ok, value_of(builtin.find("factors")->run(*input, {}))});
  }
  REQUIRE(units.size() >= 3);
  units[1].output.bytes.back() ^= 1;
  const auto accepted = core::accepted_claims(units);
  Generator generator = Generator::from_seed(1);
  const auto at_hand = [&](UnitIndex unit) -> std::optional<Bytes> {
    if (unit.value == 2) return std::nullopt;  // is computed again instead
    return units[unit.value].output.bytes;
  };
  const auto all = recompute(recipe, accepted, builtin, 1'000'000, generator, at_hand);
  REQUIRE(all.ok());
  CHECK(all->units == units.size());
  CHECK(all->checked == units.size() - 1);
  CHECK(all->differing == std::vector{UnitIndex{1}});
}

TEST_CASE("a plan that goes in waves is cut as far as its outputs are at hand") {
  Recipe recipe;
  recipe.task = "golomb";
  recipe.task_version = builtin.find("golomb")->version;
  recipe.parameters = {{"n", 6}};
  const auto accepted = accepted_for(recipe);
  Generator generator = Generator::from_seed(1);
  const auto blind = recompute(recipe, accepted, builtin, 1'000'000, generator, [](UnitIndex) { return std::nullopt; });
  REQUIRE(blind.ok());
  CHECK(blind->units > 0);
  CHECK(blind->differing.empty());
}

TEST_CASE("what cannot be computed again here says why") {
  Generator generator = Generator::from_seed(1);
  const auto reason = [&](const Recipe& recipe) {
    const auto done = recompute(recipe, {}, builtin, 1, generator, [](UnitIndex) { return std::nullopt; });
    REQUIRE_FALSE(done.ok());
    return done.error().message;
  };
  Recipe recipe = primes_up_to(1000);
  recipe.kind = Recipe::Kind::map;
  CHECK(reason(recipe).find("only the units of a built-in task") == 0);
  recipe = primes_up_to(1000);
  ++recipe.task_version;
  CHECK(reason(recipe).find("the job was computed with version") == 0);
  recipe = primes_up_to(1000);
  recipe.parameters = {};
  CHECK_FALSE(reason(recipe).empty());
}

TEST_CASE("a report names every unit that is not confirmed, and who was outvoted") {
  Case one;
  std::vector<core::UnitResult> all;
  for (std::uint64_t unit = 0; unit < 4; ++unit) all.push_back(Case::result(unit, "right"));
  one.accept(all);
  one.keep(one.batch(0, {all[0], all[1], all[2]}));
  one.keep(one.batch(1, {all[0], Case::result(1, "wrong"), all[2]}));
  one.keep(one.batch(2, {all[1]}));
  core::Recheck recheck(one.papers, core::test::swarm, false, one.dossier.accepted, one.verifier(), UnitIndex{3});
  REQUIRE(core::each_batch(one.dossier, [&](const core::EvidenceBatch& batch) { recheck.add(batch); }));
  Audited audited{one.papers, {}, {}, recheck.needed(), recheck.findings(), {}};
  const std::string text = text_of(audited);
  CHECK_MESSAGE(text.find("donor " + one.donors[1]->self.id.hex() + " was outvoted at unit 1\n") != std::string::npos, text);
  CHECK_MESSAGE(text.find("unit 3: fewer peers agree") != std::string::npos, text);
  CHECK_MESSAGE(text.find("NOT confirmed: 3 of 4 units") != std::string::npos, text);
  const auto json = json_of(audited);
  CHECK(json["holds"] == false);
  CHECK(json["doubtful"].size() == 1);
  CHECK(json["doubtful"][0]["unit"] == 3);
  CHECK(json["outvoted"][0]["peer"] == one.donors[1]->self.id.hex());
  // A submitter that claims more than it has.
  audited.findings.doubtful.clear();
  CHECK(audited.holds());
  audited.stated = core::StatedConfidence{0.99, false, 0.1, 0.99, {{5, 1, 0, 0}}};
  CHECK_FALSE(audited.holds());
}

TEST_CASE("a stranger's words reach the terminal without their control characters") {
  Case one;
  one.accept({Case::result(3, "\x1b[31mred\n", Outcome::failed)});
  one.keep(one.batch(0, {Case::result(3, "\x1b[31mred\n", Outcome::failed)}));
  core::Recheck recheck(one.papers, core::test::swarm, false, one.dossier.accepted, one.verifier(), UnitIndex{3});
  REQUIRE(core::each_batch(one.dossier, [&](const core::EvidenceBatch& batch) { recheck.add(batch); }));
  const std::string text = text_of(AuditedUnit{{3}, one.dossier.accepted[0].claim, recheck.testimonies(), 1, {}});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_MESSAGE(text.find("failed: ?[31mred?") != std::string::npos, text);
}

}  // namespace dugnad::sdk::cli
