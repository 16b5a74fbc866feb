// What a Journal is made of, for the two halves of its source: journal.cpp writes, journal_read.cpp reads.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "coordinatorless/store/journal.h"
#include "coordinatorless/store/row_writer.h"
#include "coordinatorless/store/sqlite.h"

namespace dugnad::store {

class Journal::Impl {
 public:
  Impl(Database database, std::string path) : path_(std::move(path)), database_(std::move(database)) {
    sqlite3_wal_hook(
        get(),
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<Impl*>(self)->pages_waiting_ = pages;
          return SQLITE_OK;
        },
        this);
  }

  [[nodiscard]] sqlite3* get() const { return database_.get(); }
  [[nodiscard]] int pages_waiting() const { return pages_waiting_; }
  [[nodiscard]] Error failure(const std::string& what) const { return error_of(get(), what, path_); }
  [[nodiscard]] Error damage(const std::string& what) const { return damaged(path_, what); }
  [[nodiscard]] bool has_schema(std::int64_t version) const { return number_from(get(), "PRAGMA user_version").value_or(0) >= version; }

  Result<void> write(std::span<const QueuedRows> queued) {
    int moved = 0;  // SQLite would go on writing into a file that nobody can find any more
    if (sqlite3_file_control(get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0) {
      return Error{"cannot write the journal " + path_ + ": the file was moved or deleted; put it back, or start again"};
    }
    bool written = writing().begin();
    for (const QueuedRows& entry : queued) {
      for (const auto& row : entry.rows) {
        written = written && std::visit([this](const auto& one) { return writing().put(one); }, row);
      }
    }
    if (written && writing().commit()) return {};
    const Error error = failure("cannot write");
    if (sqlite3_get_autocommit(get()) == 0) execute(get(), "ROLLBACK");
    return error;
  }

  void checkpoint() {
    if (sqlite3_wal_checkpoint_v2(get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) == SQLITE_OK) pages_waiting_ = 0;
  }

 private:
  RowWriter& writing() {
    if (!writing_) writing_ = std::make_unique<RowWriter>(get());
    return *writing_;
  }

  const std::string path_;
  Database database_;
  std::unique_ptr<RowWriter> writing_;  // after database_: statements go before their database
  int pages_waiting_ = 0;
};

}  // namespace dugnad::store
