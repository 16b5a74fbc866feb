#include "sdk/cli/replay.h"

#include <map>

namespace dugnad::sdk::cli {

std::optional<tasks::Answer> replay(const Recipe& recipe, const std::vector<AcceptedUnit>& accepted, const tasks::TaskTable& tasks,
                                    const OutputOf& output_of) {
  const tasks::Task* task = tasks.find(recipe.task);
  if (recipe.kind != Recipe::Kind::run || task == nullptr || !task->plan || task->version != recipe.task_version) return std::nullopt;
  const auto parameters = tasks::check_parameters(*task, recipe.parameters);
  if (!parameters) return std::nullopt;

  std::map<UnitIndex, const AcceptedUnit*> by_unit;
  for (const AcceptedUnit& unit : accepted) by_unit[unit.unit] = &unit;  // the later one counts
  const auto plan = task->plan(*parameters);
  UnitIndex unit{};
  for (; const auto input = plan->next(); ++unit.value) {
    const auto found = by_unit.find(unit);
    if (found == by_unit.end()) return std::nullopt;
    const AcceptedUnit& kept = *found->second;
    if (kept.outcome != Outcome::ok || kept.input_tag != input_tag_of(value_of(*input))) return std::nullopt;
    if (!kept.output.large) {
      if (!plan->accept(unit, kept.output.bytes)) return std::nullopt;
      continue;
    }
    const auto output = output_of ? output_of(kept) : Result<Bytes>(Error{"a large output"});
    if (!output || !plan->accept(unit, *output)) return std::nullopt;
  }
  if (!plan->exhausted()) return std::nullopt;
  return plan->answer();
}

}  // namespace dugnad::sdk::cli
