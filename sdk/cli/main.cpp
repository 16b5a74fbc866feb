// dugnad: submit work to a swarm, and look at it. This file has the table of commands; each has a file of its own.
#include <signal.h>

#include <array>
#include <cstring>
#include <iostream>
#include <string_view>

#include "sdk/cli/command.h"
#include "sdk/cli/nearest.h"
#include "sdk/cli/table.h"

namespace dugnad::sdk::cli {
namespace {

constexpr std::array commands{
    Command{"submit", "compute something: dugnad submit nqueens --n 16", submit},
    Command{"tasks", "what can be computed, and its parameters", list_tasks},
    Command{"peers", "who is in the swarm", list_peers},
    Command{"jobs", "what this user has submitted", list_jobs},
    Command{"status", "how a job stands", show_status},
    Command{"results", "what was accepted for a job so far", show_results},
    Command{"cancel", "give up an unfinished job", cancel_job},
    Command{"id", "this user's owner key, and the ids of the peers here", show_ids},
    Command{"audit", "recheck who signed a job's results, from its journal or an exported file", audit},
};

void print_help() {
  Table table({{"COMMAND"}, {""}});
  for (const Command& command : commands) table.add({std::string("  ") + command.name, command.help});
  std::cout << "dugnad submits work to a swarm of volunteers without a server, and gets back answers that several of them agree on.\n"
               "Usage: dugnad COMMAND [ARGUMENTS]\n\n"
            << table.text()
            << "\nTo start with, on one machine:\n"
               "  dugnad-worker &                                donate; it prints: ready CONTACT\n"
               "  dugnad submit primes --to 1e9                  finds that worker; two peers agree on every unit\n"
               "In somebody else's swarm:\n"
               "  dugnad submit primes --to 1e9 --join CONTACT   any one contact is enough to find everybody\n\n"
               "dugnad COMMAND --help says more. dugnad --version.\n";
}

const Command* find(std::string_view name) {
  for (const Command& command : commands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

ExitCode unknown(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  return fail(ExitCode::bad_usage, "there is no command '" + name + "'" + suggestion(name, names) + "; there are " + joined(names));
}

ExitCode run(Arguments arguments) {
  if (arguments.empty()) {
    print_help();
    return ExitCode::bad_usage;
  }
  const std::string_view first = arguments.front();
  const bool help = first == "--help" || first == "-h" || first == "help";
  if (help && arguments.size() == 1) {
    print_help();
    return ExitCode::ok;
  }
  if (first == "--version") {
    std::cout << "dugnad " DUGNAD_VERSION "\n";
    return ExitCode::ok;
  }
  const Command* command = find(help ? arguments[1] : first);
  if (command == nullptr) return unknown(help ? arguments[1] : arguments[0]);
  if (!help) return command->run(arguments.subspan(1));
  std::array<char, 7> ask{"--help"};
  std::array<char*, 1> asking{ask.data()};
  return command->run(asking);
}

}  // namespace

}  // namespace dugnad::sdk::cli

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // whoever reads the output may go; a job does not end with it
  return static_cast<int>(dugnad::sdk::cli::run({argv + 1, argv + argc}));
}
