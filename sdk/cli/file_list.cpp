#include "sdk/cli/file_list.h"

#include <sstream>

#include "sdk/cli/words.h"
#include "sdk/read_file.h"

namespace dugnad::sdk::cli {
namespace {

constexpr std::size_t list_bytes_most = 256u << 20;  // a million files with long paths

}  // namespace

std::string text_of(const std::vector<ListedFile>& files) {
  std::string text;
  for (const ListedFile& file : files) {
    text += file.hash.hex() + " " + quoted(file.name);
    if (file.path != file.name) text += " " + quoted(file.path);
    text += '\n';
  }
  return text;
}

Result<std::vector<ListedFile>> read_file_list(const std::string& path) {
  const auto bytes = read_file(path, list_bytes_most);
  if (!bytes) return bytes.error();
  std::istringstream lines(to_text(*bytes));
  std::vector<ListedFile> files;
  for (std::string line; std::getline(lines, line);) {
    const auto words = split_words(line);
    const auto hex = words && (words->size() == 2 || words->size() == 3) ? from_hex(words->front()) : std::nullopt;
    const auto hash = hex ? Hash::from(*hex) : std::nullopt;
    if (!hash) return Error{path + " is damaged: dugnad cancel ends its job, and the same command submits it again"};
    files.push_back({*hash, (*words)[1], words->back()});
  }
  return files;
}

Result<Bytes> read_listed(const ListedFile& file, std::size_t most) {
  auto bytes = read_file(file.path, most);
  if (!bytes) return bytes.error();
  if (hash_of(*bytes) != file.hash) {
    return Error{file.path + " has changed since its job was submitted; put back what it held, or end the job with dugnad cancel"};
  }
  return bytes;
}

}  // namespace dugnad::sdk::cli
