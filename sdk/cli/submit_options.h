// What `dugnad submit` was asked for, checked as far as that goes without touching the machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "dugnad/swarm.h"
#include "sdk/cli/command.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

struct SubmitOptions {
  const tasks::Task* task = nullptr;  // in the table that was passed in; nullptr where `resume` says it
  tasks::Parameters parameters;
  std::string resume;  // a job's id or the beginning of it; empty: a new job, or the unfinished one of the same command
  SwarmOptions swarm;
  JobOptions job;
  std::string out;  // a file for the answer; empty: none
  bool json = false;
  std::optional<std::chrono::milliseconds> wait;  // patience without enough donors; nullopt: for ever
};

/// The options, or what to exit with: help was asked for and printed, or a line on stderr has said what is wrong.
[[nodiscard]] std::variant<SubmitOptions, ExitCode> read_submit_options(Arguments arguments, const tasks::TaskTable& tasks);

}  // namespace dugnad::sdk::cli
