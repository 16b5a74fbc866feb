// `dugnad tasks`: what is built in.
#include <CLI/CLI.hpp>
#include <iostream>

#include "sdk/cli/command.h"
#include "sdk/cli/options.h"
#include "sdk/cli/table.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

ExitCode list_tasks(Arguments arguments) {
  CLI::App app("Lists the tasks that are built in, with their parameters.", "dugnad tasks");
  app.footer("Example:\n  dugnad tasks\n  dugnad submit nqueens --n 16\n");
  if (const auto exit = parse(app, arguments)) return *exit;

  using Align = Table::Align;
  Table table({{"TASK"}, {"PARAMETER"}, {"FROM", Align::right}, {"TO", Align::right}, {"DEFAULT", Align::right}, {"MEANING"}});
  const tasks::TaskTable tasks = tasks::builtin_tasks();
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
