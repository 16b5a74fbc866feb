// Pages: the rows that stand in the pages of a journal's file and its log, whether or not a way still leads to them. Nothing is taken from SQLite,
// which gives up where a page on the way is damaged. What comes out are bytes that may be anything: row_sum.h tells which are a row.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/store/log_file.h"

namespace dugnad::store {

/// Where a row stands, so that it can be read again: rows may be too many and too large to be kept.
struct CellPlace {
  std::uint32_t page = 0;
  std::uint16_t cell = 0;
  std::uint8_t version = 0;   // of the page: 0 is the newest; the last is the file's own
  std::uint8_t overflow = 0;  // which versions its further pages have
};

/// A row, as SQLite's record format has it. Columns are views of `bytes`, so it moves and is not copied.
struct Record {
  Record() = default;
  Record(Record&&) = default;
  Record& operator=(Record&&) = default;

  struct Nothing {};
  using Column = std::variant<Nothing, std::int64_t, ByteView>;

  /// The row's number in a table that has some; in others it means nothing.
  std::int64_t id = 0;
  bool has_id = false;     // of a table that numbers its rows
  bool scattered = false;  // over several pages
  Bytes bytes;
  std::vector<Column> columns;

  [[nodiscard]] bool is_blob(std::size_t column) const { return std::holds_alternative<ByteView>(columns[column]); }
  [[nodiscard]] bool is_number(std::size_t column) const { return std::holds_alternative<std::int64_t>(columns[column]); }
  [[nodiscard]] bool is_null(std::size_t column) const { return std::holds_alternative<Nothing>(columns[column]); }
  [[nodiscard]] ByteView blob(std::size_t column) const { return is_blob(column) ? std::get<ByteView>(columns[column]) : ByteView(); }
  [[nodiscard]] std::int64_t number(std::size_t column) const { return is_number(column) ? std::get<std::int64_t>(columns[column]) : 0; }
};

class Pages {
 public:
  /// An error in one line where the file or its log cannot be read at all.
  [[nodiscard]] static Result<Pages> open(const std::string& path);

  /// Visits all that looks like a row, the newest versions of all pages first; older ones may have rows that were changed or deleted since.
  void for_each(const std::function<void(const CellPlace&, const Record&)>& visit) const;
  /// nullopt where nothing that looks like a row stands there.
  [[nodiscard]] std::optional<Record> read(const CellPlace& place) const;
  /// Whether rows may have gone together with all that speaks of them, the last ones first: the file is shorter than it says, or damaged in several
  /// places. One page alone that is lost is noticed, since the table and its index have no page in common.
  [[nodiscard]] bool may_lack_a_tail() const;

 private:
  Pages(Descriptor file, LogFile log);
  [[nodiscard]] bool is_suspect(std::uint32_t number) const;
  /// Its bytes; fewer than a page where they cannot be read.
  [[nodiscard]] Bytes page(std::uint32_t number, std::size_t version) const;
  [[nodiscard]] std::size_t versions(std::uint32_t number) const;
  /// The payload of a cell, with what of it stands on further pages.
  [[nodiscard]] std::optional<Record> record_at(ByteView page, const CellPlace& place) const;
  [[nodiscard]] bool add_overflow(Bytes& payload, std::uint64_t size, std::uint32_t next, std::size_t version) const;

  Descriptor file_;
  LogFile log_;
  std::size_t page_size_ = 4096;
  std::uint64_t file_bytes_ = 0;
  std::uint32_t pages_ = 0;                                     // the file has
  std::uint32_t pages_said_ = 0;                                // the file says that it has
  std::map<std::uint32_t, std::vector<std::uint64_t>> logged_;  // where in the log, the newest first
};

}  // namespace dugnad::store
