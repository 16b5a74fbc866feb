// LogFile: SQLite's write-ahead log, read as bytes, for what SQLite does not say of it: at the first frame that is damaged it takes the log for
// ended, as after a crash, and what was committed behind it is gone without a word.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/store/files.h"

namespace dugnad::store {

class LogFile {
 public:
  struct Frame {
    std::uint32_t page = 0;  // its number
    std::uint64_t at = 0;    // where its bytes begin in the log
    bool commits = false;    // the last of a transaction
    bool sound = false;      // so are all frames before it: SQLite would read it
  };

  /// An empty log where there is none. An error in one line where it cannot be read.
  [[nodiscard]] static Result<LogFile> open(const std::string& journal_path);

  /// Frames of the log as it is now, in order: those that are its latest, whether sound or not. `page_size` where the log's beginning is damaged.
  void for_each(std::size_t page_size, const std::function<void(const Frame&)>& visit) const;
  /// Whether frames are damaged that were committed. One that was being written when a crash came is not meant. Others may be writing it.
  [[nodiscard]] bool is_damaged() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit LogFile(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;  // invalid: there is none
};

/// Up to `size` bytes from `at` on: fewer at the file's end, or where they cannot be read.
[[nodiscard]] Bytes read_at(int fd, std::uint64_t at, std::size_t size);

}  // namespace dugnad::store
