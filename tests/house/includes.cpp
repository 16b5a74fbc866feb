#include "tests/house/includes.h"

namespace dugnad::house {

std::vector<Include> includes_of(const Source& source) {
  std::vector<Include> includes;
  for (std::size_t i = 0; i < source.code.size(); ++i) {
    // The directive is looked for in the code, where no comment or raw string can pass for one; the path is a literal, so only in the line.
    const auto hash = source.code[i].find_first_not_of(' ');
    if (hash == std::string::npos || source.code[i].compare(hash, 8, "#include") != 0) continue;
    const std::string& line = source.lines[i];
    const auto open = line.find_first_of("\"<", hash);
    if (open == line.npos) continue;
    const bool quoted = line[open] == '"';
    const auto close = line.find(quoted ? '"' : '>', open + 1);
    includes.push_back({i + 1, line.substr(open + 1, close == line.npos ? close : close - open - 1), quoted});
  }
  return includes;
}

}  // namespace dugnad::house
