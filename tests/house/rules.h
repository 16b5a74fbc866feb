// The house rules: each looks at one file and says what it has against it, line by line, with what to write instead.
#pragma once

#include "tests/house/source.h"

namespace dugnad::house {

/// Folders are layers: which may include which (layers.cpp has the table, with a sentence for each forbidden edge).
[[nodiscard]] Violations check_layers(const Source& source);

/// Each third-party library is touched in one place, so that replacing it stays local.
[[nodiscard]] Violations check_libraries(const Source& source);

/// What is replayed from a seed reads no clock, draws no randomness of the machine's, starts no thread, and iterates in a fixed order.
[[nodiscard]] Violations check_determinism(const Source& source);

/// How a file looks: no tab, no long line, a line end at its end; a header begins with its purpose and is included once.
[[nodiscard]] Violations check_layout(const Source& source);

/// No test waits by sleeping.
[[nodiscard]] Violations check_tests_do_not_sleep(const Source& source);

/// Programs that README.md runs as `./NAME` are there; `exists` answers for a path from the root.
[[nodiscard]] Violations check_readme_commands(const Source& readme, bool (*exists)(const std::string& path));

}  // namespace dugnad::house
