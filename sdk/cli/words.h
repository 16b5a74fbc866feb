// Words: a line as a list of arguments, by the rules of xargs: blanks part them; quotes of either kind and a backslash keep what they hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinatorless/base/result.h"

namespace dugnad::sdk::cli {

/// An error where a quote or a backslash is left open.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view line);

/// As one word of such a line.
[[nodiscard]] std::string quoted(const std::string& word);

}  // namespace dugnad::sdk::cli
