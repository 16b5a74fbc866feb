// What the store uses of SQLite: a database that closes itself, statements, and what went wrong as one line for a user.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"

namespace dugnad::store {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

/// `what` is damaged, where that is known.
[[nodiscard]] Error damaged(const std::string& path, const std::string& what = {});
[[nodiscard]] Error not_ours(const std::string& path);

/// What SQLite last complained of, as one line that starts with `what`.
[[nodiscard]] Error error_of(sqlite3* database, const std::string& what, const std::string& path);

/// `name` is the path, or an address that uri_of() made of it; errors speak of `path`.
[[nodiscard]] Result<Database> open_database(const std::string& name, int flags, const std::string& path);

/// The address under which SQLite reads the file alone, without locks, log or recovery.
[[nodiscard]] std::string uri_of(const std::string& path);

/// A prepared statement, used again and again. Bound bytes are not copied: they must stand until step() has returned false.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) { sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] bool prepared() const { return statement_ != nullptr; }

  Statement& bind(int position, ByteView bytes) {
    // A null pointer would be NULL, which is not the empty blob.
    sqlite3_bind_blob64(statement_, position, bytes.empty() ? "" : static_cast<const void*>(bytes.data()), bytes.size(), SQLITE_STATIC);
    return *this;
  }
  Statement& bind(int position, std::int64_t number) {
    sqlite3_bind_int64(statement_, position, number);
    return *this;
  }

  /// True while there are rows; after false, ok() tells the end from a failure.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    ok_ = code == SQLITE_DONE;
    // reset() repeats the failure's code, so that the database's error stays the one to report.
    sqlite3_reset(statement_);
    return false;
  }
  [[nodiscard]] bool run() {
    while (step()) {
    }
    return ok_;
  }
  [[nodiscard]] bool ok() const { return ok_; }

  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] ByteView bytes(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  bool ok_ = false;
};

/// The first column of the first row; nullopt where that fails, or there is none.
[[nodiscard]] std::optional<std::int64_t> number_from(sqlite3* database, const char* sql);

/// False where it fails; the database has the error.
bool execute(sqlite3* database, const char* sql);

}  // namespace dugnad::store
