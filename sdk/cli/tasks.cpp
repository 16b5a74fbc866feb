// `dugnad tasks`: what is built in.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "sdk/cli/command.h"
#include "sdk/cli/options.h"
#include "sdk/cli/table.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {
namespace {

nlohmann::ordered_json json_of(const tasks::Task& task) {
  nlohmann::ordered_json object{{"task", task.name}, {"help", task.help}, {"parameters", nlohmann::ordered_json::array()}};
  for (const tasks::Parameter& parameter : task.parameters) {
    object["parameters"].push_back(
        {{"name", parameter.name},
         {"least", parameter.least},
         {"most", parameter.most},
         {"default", parameter.fallback ? nlohmann::ordered_json(*parameter.fallback) : nlohmann::ordered_json(nullptr)},
         {"help", parameter.help}});
  }
  return object;
}

}  // namespace

ExitCode list_tasks(Arguments arguments) {
  CLI::App app("Lists the tasks that are built in, with their parameters.", "dugnad tasks");
  app.footer("Example:\n  dugnad tasks\n  dugnad submit nqueens --n 16\n");
  bool json = false;
  app.add_flag("--json", json, "Print a JSON object per task.");
  if (const auto exit = parse(app, arguments)) return *exit;

  using Align = Table::Align;
  Table table({{"TASK"}, {"PARAMETER"}, {"FROM", Align::right}, {"TO", Align::right}, {"DEFAULT", Align::right}, {"MEANING"}});
  const tasks::TaskTable tasks = tasks::builtin_tasks();
  if (json) {
    for (const auto& [name, task] : tasks.all()) std::cout << json_of(task).dump() << '\n';
    return ExitCode::ok;
  }
  for (const auto& [name, task] : tasks.all()) {
    table.add({name, "", "", "", "", task.help});
    for (const tasks::Parameter& parameter : task.parameters) {
      table.add({"", "--" + parameter.name, std::to_string(parameter.least), std::to_string(parameter.most),
                 parameter.fallback ? std::to_string(*parameter.fallback) : "required", parameter.help});
    }
  }
  std::cout << table.text();
  return ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
