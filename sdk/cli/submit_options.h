// What `dugnad submit` was asked for, checked as far as that goes without touching the machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "dugnad/swarm.h"
#include "sdk/cli/command.h"
#include "sdk/cli/unit_source.h"
#include "tasks/task.h"

namespace dugnad::sdk::cli {

/// A program of the user's own, and its units.
struct ModuleOrder {
  std::string path;
  UnitSource units;

  /// "/home/ada/prog.wasm --lines /home/ada/units.txt": kept with the job, so that --resume finds both again.
  [[nodiscard]] std::string text() const;
  /// The way back; nullopt for anything else.
  [[nodiscard]] static std::optional<ModuleOrder> read(const std::string& text);
};

struct SubmitOptions {
  const tasks::Task* task = nullptr;  // in the table that was passed in; nullptr where `module` or `resume` says it
  std::optional<ModuleOrder> module;
  tasks::Parameters parameters;
  std::string resume;  // a job's id or the beginning of it; empty: a new job, or the unfinished one of the same command
  SwarmOptions swarm;
  JobOptions job;
  bool policy_by_default = false;  // nothing was said of copies or a confidence
  std::string out;  // a file for the answer, of a module a directory for the outputs; empty: none
  bool json = false;
  bool detach = false;
  int hosted = 0;  // the process of the worker that this one runs the job for; 0: none does
  std::optional<std::chrono::milliseconds> wait;  // patience without enough donors; nullopt: for ever
};

/// The options, or what to exit with: help was asked for and printed, or a line on stderr has said what is wrong.
[[nodiscard]] std::variant<SubmitOptions, ExitCode> read_submit_options(Arguments arguments, const tasks::TaskTable& tasks);

}  // namespace dugnad::sdk::cli
