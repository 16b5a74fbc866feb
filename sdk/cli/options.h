// What the commands' options have in common: the ones that several have, and how CLI11's outcome becomes ours.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/result.h"
#include "dugnad/swarm.h"
#include "sdk/cli/command.h"

namespace dugnad::sdk::cli {

/// nullopt where the command may go on; else what to exit with, help printed or the fault said in a line.
[[nodiscard]] std::optional<ExitCode> parse(CLI::App& app, Arguments arguments);

/// --join, --swarm, --swarm-secret, --listen, --advertise.
void add_swarm_options(CLI::App& app, SwarmOptions& options);
/// --upload, --download.
void add_rate_options(CLI::App& app, SwarmOptions& options);
/// --cache.
void add_cache_option(CLI::App& app, SwarmOptions& options);
/// --data.
void add_data_option(CLI::App& app, std::string& data);

/// As far as can be told without asking the machine.
[[nodiscard]] Result<void> check_swarm_options(const SwarmOptions& options);

/// The long names of the app's own options, as in `--join`.
[[nodiscard]] std::vector<std::string> option_names(const CLI::App& app);

}  // namespace dugnad::sdk::cli
