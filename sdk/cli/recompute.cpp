#include "sdk/cli/recompute.h"

#include <algorithm>
#include <set>

#include "worker/run_attempt.h"

namespace dugnad::sdk::cli {

Result<Recomputed> recompute(const Recipe& recipe, const std::vector<core::AcceptedClaimOf>& accepted, const tasks::TaskTable& tasks,
                             std::uint64_t count, Generator& generator, const OutputAtHand& output_at_hand) {
  const tasks::Task* task = tasks.find(recipe.task);
  if (recipe.kind != Recipe::Kind::run || task == nullptr || !task->plan || !task->run) {
    return Error{"only the units of a built-in task can be computed again; what these were cut from is not in the evidence"};
  }
  if (task->version != recipe.task_version) {
    return Error{"the job was computed with version " + std::to_string(recipe.task_version) + " of " + task->name + ", and here is version " +
                 std::to_string(task->version)};
  }
  const auto parameters = tasks::check_parameters(*task, recipe.parameters);
  if (!parameters) return parameters.error();

  std::vector<UnitIndex> candidates;
  for (const core::AcceptedClaimOf& each : accepted) {
    if (!each.superseded && each.claim.outcome == Outcome::ok) candidates.push_back(each.unit);
  }
  generator.shuffle(std::span(candidates));
  candidates.resize(static_cast<std::size_t>(std::min<std::uint64_t>(count, candidates.size())));
  std::set<UnitIndex> chosen(candidates.begin(), candidates.end());

  Recomputed done;
  const auto plan = task->plan(*parameters);
  UnitIndex unit{};
  for (; !chosen.empty(); ++unit.value) {
    const auto input = plan->next();
    if (!input) break;
    if (chosen.erase(unit) > 0) {
      ++done.units;
      const core::Claim& claim = core::find_accepted(accepted, unit)->claim;
      const auto known = task->check ? output_at_hand(unit) : std::nullopt;
      if (known && core::claim_of(Outcome::ok, value_of(*known)) == claim) {
        ++done.checked;
        const worker::Ran says = worker::run_check(task->check, *input, *known, {});
        if (says.outcome != Outcome::ok || says.output != Bytes{1}) done.differing.push_back(unit);
      } else {
        worker::Ran ran = worker::run_unit(task->run, *input, {});
        const Value output = ran.outcome == Outcome::ok ? value_of(ran.output) : Value(std::move(ran.output));
        if (core::claim_of(ran.outcome, output) != claim) done.differing.push_back(unit);
      }
    }
    // What the plan makes of it matters only for the units that come after.
    if (const auto output = output_at_hand(unit)) (void)plan->accept(unit, *output).ok();
  }
  return done;
}

}  // namespace dugnad::sdk::cli
