#include "tasks/task.h"

#include <utility>

namespace dugnad::tasks {
namespace {

std::string names_of(const Task& task) {
  if (task.parameters.empty()) return "none";
  std::string names;
  for (const Parameter& parameter : task.parameters) names += (names.empty() ? "" : ", ") + parameter.name;
  return names;
}

std::string range_of(const Parameter& parameter) {
  return std::to_string(parameter.least) + " to " + std::to_string(parameter.most);
}

const Parameter* parameter_of(const Task& task, const std::string& name) {
  for (const Parameter& parameter : task.parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

void TaskTable::add(Task task) {
  std::string name = task.name;
  tasks_.insert_or_assign(std::move(name), std::move(task));
}

const Task* TaskTable::find(const std::string& name) const {
  const auto found = tasks_.find(name);
  return found == tasks_.end() ? nullptr : &found->second;
}

Result<Parameters> check_parameters(const Task& task, const Parameters& given) {
  for (const auto& [name, value] : given) {
    if (!parameter_of(task, name)) return Error{task.name + " has no parameter \"" + name + "\"; its parameters: " + names_of(task)};
  }
  Parameters checked;
  for (const Parameter& parameter : task.parameters) {
    const auto found = given.find(parameter.name);
    if (found == given.end() && !parameter.fallback) {
      return Error{task.name + " needs " + parameter.name + ", " + range_of(parameter) + ": " + parameter.help};
    }
    const std::uint64_t value = found == given.end() ? *parameter.fallback : found->second;
    if (value < parameter.least || value > parameter.most) {
      return Error{task.name + ": " + parameter.name + " is " + std::to_string(value) + ", and may be " + range_of(parameter)};
    }
    checked.emplace(parameter.name, value);
  }
  return checked;
}

}  // namespace dugnad::tasks
