// `dugnad jobs --repair`: what is whole of damaged journals is saved, and said.
#pragma once

#include <string>

#include "sdk/cli/exit_code.h"

namespace dugnad::sdk::cli {

/// All journals of the data directory; empty: the user's own.
[[nodiscard]] ExitCode repair_journals(const std::string& data, bool json);

}  // namespace dugnad::sdk::cli
