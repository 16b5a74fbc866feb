#include "coordinatorless/store/pages.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <utility>

#include "coordinatorless/store/big_endian.h"

namespace dugnad::store {
namespace {

// SQLite's file format, "B-tree Pages". Of interior pages those of indexes alone have rows, and tables without row numbers are indexes.
constexpr std::uint8_t index_interior = 0x02, table_interior = 0x05, index_leaf = 0x0a, table_leaf = 0x0d;
constexpr std::size_t file_header_size = 100;

/// SQLite's varint: 7 bits a byte, the highest first; the ninth byte has 8. Advances `at`; nullopt at the end of `bytes`.
std::optional<std::uint64_t> varint(ByteView bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 9; ++i) {
    if (at >= bytes.size()) return std::nullopt;
    const std::uint8_t byte = bytes[at++];
    if (i == 8) return value << 8 | byte;
    value = value << 7 | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return value;
}

/// What has `type` in a record's header; text is bytes. nullopt for floats and what does not exist: no row of ours has them.
std::optional<Record::Column> column(ByteView bytes, std::size_t& at, std::uint64_t type) {
  constexpr std::array<std::size_t, 7> sizes{0, 1, 2, 3, 4, 6, 8};
  if (type == 0) return Record::Nothing{};
  if (type == 8 || type == 9) return static_cast<std::int64_t>(type - 8);
  const bool is_number = type < sizes.size();
  if (type == 7 || type == 10 || type == 11) return std::nullopt;
  const std::uint64_t size = is_number ? sizes[type] : (type - 12) / 2;
  if (size > bytes.size() - at) return std::nullopt;
  const ByteView content = bytes.subspan(at, static_cast<std::size_t>(size));
  at += content.size();
  if (!is_number) return content;
  std::uint64_t number = (content[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const std::uint8_t byte : content) number = number << 8 | byte;
  return static_cast<std::int64_t>(number);
}

bool read_columns(Record& record) {
  const ByteView bytes(record.bytes);
  std::size_t at = 0;
  const auto header = varint(bytes, at);
  if (!header || *header > bytes.size()) return false;
  std::size_t content = static_cast<std::size_t>(*header);
  while (at < *header) {
    const auto type = varint(bytes, at);
    if (!type || at > *header) return false;
    auto one = column(bytes, content, *type);
    if (!one) return false;
    record.columns.push_back(*one);
  }
  return content == bytes.size();
}

}  // namespace

Result<Pages> Pages::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return Error{"cannot read " + path + ": " + reason_of(errno)};
  auto log = LogFile::open(path);
  if (!log) return log.error();
  return Pages(std::move(file), *std::move(log));
}

Pages::Pages(Descriptor file, LogFile log) : file_(std::move(file)), log_(std::move(log)) {
  struct stat status {};
  if (::fstat(file_.get(), &status) == 0) file_bytes_ = static_cast<std::uint64_t>(status.st_size);
  const Bytes header = read_at(file_.get(), 0, file_header_size);
  if (header.size() == file_header_size) {
    const std::uint32_t size = big_endian_16(header, 16);
    if (std::has_single_bit(size) && size >= 512 && to_text(ByteView(header).first(15)) == "SQLite format 3") page_size_ = size;
    pages_said_ = big_endian_32(header, 28);
  }
  pages_ = static_cast<std::uint32_t>(std::min<std::uint64_t>((file_bytes_ + page_size_ - 1) / page_size_, UINT32_MAX));
  // What follows the last commit was never said to be kept.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> uncommitted;
  log_.for_each(page_size_, [&](const LogFile::Frame& frame) {
    uncommitted.emplace_back(frame.page, frame.at);
    if (!frame.commits) return;
    for (const auto& [page, at] : std::exchange(uncommitted, {})) logged_[page].insert(logged_[page].begin(), at);
    if (frame.sound) pages_said_ = 0;  // the file has grown or shrunk in the log, and a log that is whole knows
  });
}

std::size_t Pages::versions(std::uint32_t number) const {
  const auto logged = logged_.find(number);
  return (logged == logged_.end() ? 0 : logged->second.size()) + 1;
}

Bytes Pages::page(std::uint32_t number, std::size_t version) const {
  const auto logged = logged_.find(number);
  if (logged != logged_.end() && version < logged->second.size()) return read_at(log_.fd(), logged->second[version], page_size_);
  return read_at(file_.get(), std::uint64_t{number - 1} * page_size_, page_size_);
}

bool Pages::add_overflow(Bytes& payload, std::uint64_t size, std::uint32_t next, std::size_t version) const {
  while (payload.size() < size) {
    if (next == 0) return false;
    const Bytes more = page(next, version == 0 ? 0 : versions(next) - 1);
    if (more.size() < page_size_) return false;
    next = big_endian_32(more, 0);
    const auto take = std::min<std::uint64_t>(page_size_ - 4, size - payload.size());
    payload.insert(payload.end(), more.begin() + 4, more.begin() + 4 + static_cast<std::ptrdiff_t>(take));
  }
  return true;
}

std::optional<Record> Pages::record_at(ByteView page, const CellPlace& place) const {
  const std::size_t start = place.page == 1 ? file_header_size : 0;
  if (page.size() < page_size_) return std::nullopt;
  const std::uint8_t kind = page[start];
  if (kind != index_interior && kind != index_leaf && kind != table_leaf) return std::nullopt;
  const std::size_t pointer = start + (kind == index_interior ? 12 : 8) + 2 * std::size_t{place.cell};
  if (place.cell >= big_endian_16(page, start + 3) || pointer + 2 > page.size()) return std::nullopt;
  std::size_t at = big_endian_16(page, pointer) + (kind == index_interior ? 4U : 0U);
  const auto size = varint(page, at);
  Record record;
  record.has_id = kind == table_leaf;
  if (record.has_id) {
    const auto id = varint(page, at);
    if (!id) return std::nullopt;
    record.id = static_cast<std::int64_t>(*id);
  }
  // A payload is not larger than all there is: a damaged length must not ask for all memory.
  if (!size || at > page.size() || *size > file_bytes_ + logged_.size() * page_size_) return std::nullopt;
  const std::uint64_t least = (page_size_ - 12) * 32 / 255 - 23, most = record.has_id ? page_size_ - 35 : (page_size_ - 12) * 64 / 255 - 23;
  std::uint64_t here = *size;
  if (here > most) {
    here = least + (*size - least) % (page_size_ - 4);
    if (here > most) here = least;
  }
  const bool goes_on = here < *size;
  if (here + (goes_on ? 4 : 0) > page.size() - at) return std::nullopt;
  const auto end = static_cast<std::size_t>(at + here);
  record.bytes.assign(page.begin() + static_cast<std::ptrdiff_t>(at), page.begin() + static_cast<std::ptrdiff_t>(end));
  if (goes_on && !add_overflow(record.bytes, *size, big_endian_32(page, end), place.overflow)) return std::nullopt;
  record.scattered = goes_on;
  if (!read_columns(record)) return std::nullopt;
  return record;
}

std::optional<Record> Pages::read(const CellPlace& place) const { return record_at(page(place.page, place.version), place); }

bool Pages::is_suspect(std::uint32_t number) const {
  const Bytes bytes = page(number, 0);
  if (bytes.size() < page_size_) return true;
  const std::size_t start = number == 1 ? file_header_size : 0;
  const std::uint8_t kind = bytes[start];
  if (kind != index_interior && kind != index_leaf && kind != table_leaf) {
    // Of a table's interior pages and of those on which a row goes on; the first begin with 5, the others with a page's number.
    const bool is_empty = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
    return is_empty || (kind != table_interior && big_endian_32(bytes, start) > std::max(pages_, pages_said_));
  }
  for (std::uint32_t cell = 0; cell < big_endian_16(bytes, start + 3); ++cell) {
    if (!record_at(bytes, {number, static_cast<std::uint16_t>(cell), 0, 0})) return true;
  }
  return false;
}

bool Pages::may_lack_a_tail() const {
  std::uint32_t suspect = pages_ < pages_said_ || log_.is_damaged() ? 2 : 0;
  for (std::uint32_t number = 1; number <= pages_ && suspect < 2; ++number) suspect += is_suspect(number);
  return suspect > 1;
}

void Pages::for_each(const std::function<void(const CellPlace&, const Record&)>& visit) const {
  const auto visit_page = [&](std::uint32_t number, std::size_t version) {
    const Bytes bytes = page(number, version);
    const std::size_t start = number == 1 ? file_header_size : 0;
    if (bytes.size() < page_size_) return;
    const std::size_t cells = std::min<std::size_t>(big_endian_16(bytes, start + 3), page_size_ / 2);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      CellPlace place{number, static_cast<std::uint16_t>(cell), static_cast<std::uint8_t>(version), 0};
      for (place.overflow = 0; place.overflow < 2; ++place.overflow) {
        const auto record = record_at(bytes, place);
        if (!record) continue;
        visit(place, *record);
        if (!record->scattered) break;
      }
    }
  };
  const auto visit_versions = [&](bool newest) {
    // A number in a damaged log may be any, and the pages between have nothing.
    for (std::uint32_t number = 1; number <= pages_; ++number) {
      for (std::size_t version = newest ? 0 : 1; version < (newest ? 1 : std::min<std::size_t>(versions(number), 256)); ++version) {
        visit_page(number, version);
      }
    }
    for (auto logged = logged_.upper_bound(pages_); logged != logged_.end(); ++logged) {
      for (std::size_t version = newest ? 0 : 1; version < (newest ? 1 : std::min<std::size_t>(logged->second.size(), 256)); ++version) {
        visit_page(logged->first, version);
      }
    }
  };
  visit_versions(true);
  visit_versions(false);
}

}  // namespace dugnad::store
