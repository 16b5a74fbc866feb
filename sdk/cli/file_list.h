// FileList: the files that were the units of a job when it was left to the worker: which, in which order, and what was in them. A file that is added
// since is no unit, and one that was changed or removed is an error in one line, rather than another unit without a word.
//
// On disk: a line for each, of words (words.h): the hash of what it holds, its path as people know it, and where it lies, if that is elsewhere.
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/result.h"

namespace dugnad::sdk::cli {

struct ListedFile {
  Hash hash;         // of its bytes
  std::string name;  // the whole path that it had
  std::string path;  // where to read it
};

[[nodiscard]] std::string text_of(const std::vector<ListedFile>& files);
[[nodiscard]] Result<std::vector<ListedFile>> read_file_list(const std::string& path);

/// Its bytes, which are those that it was listed with.
[[nodiscard]] Result<Bytes> read_listed(const ListedFile& file, std::size_t most);

}  // namespace dugnad::sdk::cli
