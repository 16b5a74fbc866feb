// Repair: a damaged journal is replaced by what is whole of it, and kept beside it.
#pragma once

#include <optional>
#include <string>

#include "coordinatorless/store/salvage.h"

namespace dugnad::store {

struct Repaired {
  Salvaged saved;
  std::string kept_as;  // where the damaged file is now
};

/// Reads all of the journal at `path`. Where that is well, nullopt, and the file stays as it is. Else see salvage.h; the damaged file is kept
/// as `PATH.damaged-1` or with the next free number. At every moment there is a journal at `path`. An error in one line: another program
/// has it open, a newer version has made it, the new one cannot be written; then it stays as it is.
[[nodiscard]] Result<std::optional<Repaired>> repair(const std::string& path);

}  // namespace dugnad::store
