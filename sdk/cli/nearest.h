// What somebody who mistyped a name probably meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dugnad::sdk::cli {

/// The name that takes the fewest letters inserted, left out, changed or swapped with their neighbour to become `typed`; nullopt where none is
/// near enough to be a slip.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& names);

/// " (did you mean NAME?)", or nothing.
[[nodiscard]] std::string suggestion(std::string_view typed, const std::vector<std::string>& names);

/// "a, b, c".
[[nodiscard]] std::string joined(const std::vector<std::string>& names);

}  // namespace dugnad::sdk::cli
