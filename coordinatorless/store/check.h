// Check: whether a journal is damaged, asked before anything is written to it.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"

namespace dugnad::store {

/// Looks at what holds the rows together: the pages of the file, the numbers of rows, the log. What a row says is checked when it is read. A journal
/// that is damaged, or that is none of ours, is an error in one line; neither it nor its log is changed. Others may be writing it.
/// Above `checked_bytes_max` the pages are not looked at.
[[nodiscard]] Result<void> check(const std::string& path);

/// The same, and every row, however many there are.
[[nodiscard]] Result<void> check_all(const std::string& path);

/// What a start may spend on reading pages: about a second.
inline constexpr std::uint64_t checked_bytes_max = std::uint64_t{1} << 30;

}  // namespace dugnad::store
