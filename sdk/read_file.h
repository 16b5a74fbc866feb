// A whole file, within a limit.
#pragma once

#include <string>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"

namespace dugnad::sdk {

/// An error in one line where it cannot be read, or has more than `most` bytes.
[[nodiscard]] Result<Bytes> read_file(const std::string& path, std::size_t most);

}  // namespace dugnad::sdk
