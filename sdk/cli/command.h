// Command: one word behind `dugnad`, and what it runs. main.cpp has the table of them all.
#pragma once

#include <iostream>
#include <span>
#include <string>

#include "sdk/cli/exit_code.h"

namespace dugnad::sdk::cli {

/// What the user wrote behind the command's name.
using Arguments = std::span<char* const>;

struct Command {
  const char* name;
  const char* help;  // one line, for the table that `dugnad --help` prints
  ExitCode (*run)(Arguments arguments);
};

ExitCode submit(Arguments arguments);
ExitCode list_tasks(Arguments arguments);
ExitCode list_peers(Arguments arguments);
ExitCode list_jobs(Arguments arguments);
ExitCode show_status(Arguments arguments);
ExitCode show_results(Arguments arguments);
ExitCode cancel_job(Arguments arguments);
ExitCode show_ids(Arguments arguments);
ExitCode audit(Arguments arguments);

/// One line on stderr, whatever line breaks a library put into `reason`.
inline void complain(std::string reason) {
  for (char& c : reason) {
    if (c == '\n') c = ' ';
  }
  std::cerr << "dugnad: " << reason << '\n';
}

/// The same, and what the program ends with.
inline ExitCode fail(ExitCode code, std::string reason) {
  complain(std::move(reason));
  return code;
}

}  // namespace dugnad::sdk::cli
