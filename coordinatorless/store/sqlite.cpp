#include "coordinatorless/store/sqlite.h"

#include <chrono>
#include <filesystem>

#include "coordinatorless/store/files.h"

namespace dugnad::store {
namespace {

constexpr std::chrono::milliseconds busy_max{5000};  // another writer's commit takes milliseconds

}  // namespace

Error damaged(const std::string& path, const std::string& what) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  return {"the journal " + path + " is damaged" + (what.empty() ? "" : " (" + what + ")") +
          " and was left as it is: `dugnad jobs --repair --data " + directory.string() + "` saves what is whole"};
}
Error not_ours(const std::string& path) {
  return {path + " is not a dugnad journal, or its beginning is damaged; move it away, choose another data directory with --data, or try " +
          "`dugnad jobs --repair`"};
}

Error error_of(sqlite3* database, const std::string& what, const std::string& path) {
  switch (sqlite3_errcode(database)) {
    case SQLITE_NOTADB: return not_ours(path);
    case SQLITE_CORRUPT: return damaged(path);
    case SQLITE_FULL: return {what + " the journal " + path + ": the disk is full; make room there"};
    case SQLITE_BUSY: return {what + " the journal " + path + ": another program is using it"};
  }
  const int system = sqlite3_system_errno(database);
  return {what + " the journal " + path + ": " + (system != 0 ? reason_of(system) : std::string(sqlite3_errmsg(database)))};
}

Result<Database> open_database(const std::string& name, int flags, const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  if (opened == nullptr) return Error{"cannot open the journal " + path + ": out of memory"};
  if (code != SQLITE_OK) return error_of(opened, "cannot open", path);
  sqlite3_busy_timeout(opened, static_cast<int>(busy_max.count()));
  return database;
}

std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<std::uint8_t>(c);
      uri += '%' + to_hex({&byte, 1});
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

std::optional<std::int64_t> number_from(sqlite3* database, const char* sql) {
  Statement statement(database, sql);
  if (!statement.prepared() || !statement.step()) return std::nullopt;
  return statement.number(0);
}

bool execute(sqlite3* database, const char* sql) { return sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

}  // namespace dugnad::store
