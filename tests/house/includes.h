// Includes: what a C++ file includes, and on which line.
#pragma once

#include "tests/house/source.h"

namespace dugnad::house {

struct Include {
  std::size_t line = 0;
  std::string path;
  bool quoted = false;  // "..." rather than <...>
};

[[nodiscard]] std::vector<Include> includes_of(const Source& source);

}  // namespace dugnad::house
