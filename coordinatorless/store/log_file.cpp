#include "coordinatorless/store/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "coordinatorless/store/big_endian.h"

namespace dugnad::store {
namespace {

// SQLite's file format, "The Write-Ahead Log".
constexpr std::size_t header_size = 32;
constexpr std::size_t frame_header_size = 24;
constexpr std::uint32_t magic = 0x377f0682;  // and 1 more where sums are of big-endian words
constexpr std::size_t default_page_size = 4096;

using Sum = std::array<std::uint32_t, 2>;

Sum add_to(Sum sum, ByteView bytes, bool big_endian) {
  const auto word = [&](std::size_t at) { return big_endian ? big_endian_32(bytes, at) : __builtin_bswap32(big_endian_32(bytes, at)); };
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sum[0] += word(at) + sum[1];
    sum[1] += word(at + 4) + sum[0];
  }
  return sum;
}

Sum sum_at(ByteView bytes, std::size_t at) { return {big_endian_32(bytes, at), big_endian_32(bytes, at + 4)}; }

}  // namespace

Bytes read_at(int fd, std::uint64_t at, std::size_t size) {
  Bytes bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Result<LogFile> LogFile::open(const std::string& journal_path) {
  const std::string path = journal_path + "-wal";
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno != ENOENT) return Error{"cannot read " + path + ": " + reason_of(errno)};
  return LogFile(std::move(fd));
}

void LogFile::for_each(std::size_t page_size, const std::function<void(const Frame&)>& visit) const {
  if (!fd_.valid()) return;
  const Bytes header = read_at(fd_.get(), 0, header_size);
  if (header.size() < header_size) return;
  const std::uint32_t kind = big_endian_32(header, 0);
  const bool big_endian = kind == magic + 1;
  Sum sum = add_to({0, 0}, ByteView(header).first(24), big_endian);
  bool sound = (kind & ~1U) == magic && sum == sum_at(header, 24);
  std::optional<Sum> salts;  // unknown where the beginning is damaged: then the first frame's
  if (sound) {
    page_size = big_endian_32(header, 8) == 1 ? 65536 : big_endian_32(header, 8);
    salts = sum_at(header, 16);
  }
  for (std::uint64_t at = header_size;; at += frame_header_size + page_size) {
    const Bytes frame = read_at(fd_.get(), at, frame_header_size + page_size);
    if (frame.size() < frame_header_size + page_size) return;
    const std::uint32_t page = big_endian_32(frame, 0);
    if (!salts && page != 0) salts = sum_at(frame, 8);
    const bool of_now = page != 0 && salts == sum_at(frame, 8);
    sum = add_to(add_to(sum, ByteView(frame).first(8), big_endian), ByteView(frame).subspan(frame_header_size), big_endian);
    sound = sound && of_now && sum == sum_at(frame, 16);
    if (of_now) visit({page, at + frame_header_size, big_endian_32(frame, 4) != 0, sound});
  }
}

bool LogFile::is_damaged() const {
  if (!fd_.valid()) return false;
  const auto look = [this] {
    // Where a commit stands behind another, the first of them was on disk before the second was begun.
    std::size_t commits_behind = 0;
    for_each(default_page_size, [&](const Frame& frame) { commits_behind += !frame.sound && frame.commits; });
    return commits_behind > 1;
  };
  // What another process was writing while it was looked at is whole when it is looked at again, or begun anew.
  return look() && look() && look();
}

}  // namespace dugnad::store
