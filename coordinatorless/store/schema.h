// The schema of a journal's file (journal.h): what kind of file one is, and how it becomes one of today's.
#pragma once

#include <string>

#include "coordinatorless/store/sqlite.h"

namespace dugnad::store {

inline constexpr std::int64_t schema_version = 6;
inline constexpr std::int64_t schema_with_evidence = 2;
inline constexpr std::int64_t schema_with_favours = 3;
inline constexpr std::int64_t schema_with_held = 4;
inline constexpr std::int64_t schema_with_sums = 5;
inline constexpr std::int64_t schema_with_notes = 6;

enum class Found { empty, older, ours };

/// What kind of file is open. An error in one line where it is damaged, somebody else's, or a later version's.
[[nodiscard]] Result<Found> identify(sqlite3* database, const std::string& path);

/// Looks at the file without locks, log or recovery, none of which a file that is not ours should see. SQLite does the looking, because closing
/// a descriptor of our own would drop the locks that this process may hold on the file.
[[nodiscard]] Result<Found> identify_untouched(const std::string& path);

/// Whether a newer version of dugnad has made the file.
[[nodiscard]] bool is_newer(const std::string& path);

/// The file is ours: from here on it is written.
[[nodiscard]] Result<void> prepare_for_writing(sqlite3* database, const std::string& path);

}  // namespace dugnad::store
