// Keys on disk: one file a key, mode 0600, made on first use. Never in the journal, so that a journal can be copied about.
#pragma once

#include <string>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/result.h"

namespace dugnad::store {

/// Reads `path`, or makes it with fresh keys. Text: a header line `dugnad key 1`, then `sign HEX` and `curve HEX`.
/// Errors in one line: wrong mode (others can read it), damaged, not writable.
[[nodiscard]] Result<SecretKeys> load_or_make_keys(const std::string& path);

}  // namespace dugnad::store
