#include "tests/house/source.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

namespace dugnad::house {
namespace {

namespace fs = std::filesystem;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

/// `text` with C++ comments and the insides of literals blanked out; line breaks stay.
std::string without_comments_and_literals(std::string_view text) {
  std::string code(text);
  const auto blank = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < std::min(to, code.size()); ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
  };
  const auto end_of = [&](std::string_view mark, std::size_t from) {
    const auto at = text.find(mark, from);
    return at == text.npos ? text.size() : at;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    std::size_t next = i + 1;
    if (rest.starts_with("//")) {
      next = end_of("\n", i);
      blank(i, next);
    } else if (rest.starts_with("/*")) {
      next = end_of("*/", i + 2) + 2;
      blank(i, next);
    } else if (rest.starts_with("R\"") && (i == 0 || !is_word(text[i - 1]))) {
      const auto open = end_of("(", i);
      const std::string close = ")" + std::string(text.substr(i + 2, open - i - 2)) + "\"";
      next = end_of(close, open) + close.size();
      blank(i + 2, next - 1);
    } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !is_word(text[i - 1])))) {  // not the ' of 100'000
      while (next < text.size() && text[next] != text[i] && text[next] != '\n') next += text[next] == '\\' ? 2 : 1;
      blank(i + 1, next);
      ++next;
    }
    i = next;
  }
  return code;
}

std::string without_hash_comment(const std::string& line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ')) return line.substr(0, i);
  }
  return line;
}

bool is_text(const fs::path& path) {
  static const std::vector<std::string> extensions{".h", ".cpp", ".c", ".sh", ".py", ".cmake", ".md", ".json", ".in"};
  if (path.filename() == "CMakeLists.txt") return true;
  return std::find(extensions.begin(), extensions.end(), path.extension().string()) != extensions.end();
}

bool is_kept_out(const fs::path& folder) {
  return folder.filename().string().starts_with(".") || folder.filename() == "build" || fs::exists(folder / "CMakeCache.txt");
}

}  // namespace

Source::Source(std::string path_given, std::string text_given)
    : path(std::move(path_given)), text(std::move(text_given)), lines(split(text)) {
  if (is_header() || is_cpp()) {
    code = split(without_comments_and_literals(text));
  } else {
    std::transform(lines.begin(), lines.end(), std::back_inserter(code), without_hash_comment);
  }
}

bool Source::is_header() const { return path.ends_with(".h"); }
bool Source::is_cpp() const { return path.ends_with(".cpp"); }
bool Source::is_script() const {
  return path.ends_with(".sh") || path.ends_with(".py") || path.ends_with(".cmake") || name() == "CMakeLists.txt";
}
bool Source::is_under(std::string_view folder) const { return path.starts_with(std::string(folder) + "/"); }
std::string_view Source::name() const { return std::string_view(path).substr(path.rfind('/') + 1); }

std::vector<Source> read_tree(const fs::path& root) {
  std::vector<Source> sources;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && is_kept_out(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && is_text(entry->path())) {
      std::ifstream file(entry->path(), std::ios::binary);
      sources.emplace_back(fs::relative(entry->path(), root).generic_string(), std::string(std::istreambuf_iterator<char>(file), {}));
    }
  }
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

bool has_word(std::string_view line, std::string_view word) {
  for (auto at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool runs_on_before = at > 0 && is_word(line[at - 1]) && is_word(word.front());
    const bool runs_on_behind = end < line.size() && is_word(line[end]) && is_word(word.back());
    if (!runs_on_before && !runs_on_behind) return true;
  }
  return false;
}

}  // namespace dugnad::house
