// How files look, and that tests do not sleep.
#include <algorithm>
#include <cctype>

#include "tests/house/rules.h"

namespace dugnad::house {
namespace {

constexpr std::size_t columns_max = 150;
constexpr std::size_t purpose_words_min = 3;

/// Characters, not bytes: UTF-8 continuation bytes do not count.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::size_t words_of(std::string_view line) {
  std::size_t words = 0;
  bool inside = false;
  for (const char c : line) {
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0;
    words += letter && !inside;
    inside = letter;
  }
  return words;
}

void check_header(const Source& source, Violations& violations) {
  const std::string first = source.lines.empty() ? std::string{} : source.lines.front();
  if (!first.starts_with("// ") || words_of(first) < purpose_words_min) {
    violations.push_back({source.path, 1, "a header begins with its purpose: it is what a reader wants to know first",
                          "begin with a comment, as in `// Executor: runs attempts on a TBB arena and hands back what they came to.`"});
  }
  if (std::find(source.code.begin(), source.code.end(), "#pragma once") == source.code.end()) {
    violations.push_back({source.path, 1, "a header that can be included twice", "add `#pragma once` behind the opening comment"});
  }
}

}  // namespace

Violations check_layout(const Source& source) {
  Violations violations;
  const bool code = source.is_header() || source.is_cpp() || source.is_script();
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    const std::string& line = source.lines[i];
    if (line.find('\t') != line.npos) violations.push_back({source.path, i + 1, "a tab: it is as wide as everybody likes", "use spaces"});
    if (line.ends_with('\r') || (code && line.ends_with(' '))) {
      violations.push_back(
          {source.path, i + 1, "blanks at a line's end: they show in every diff", "end the line behind its last character"});
    }
    if (code && columns(line) > columns_max) {
      violations.push_back({source.path, i + 1,
                            "a line of " + std::to_string(columns(line)) + " columns; " + std::to_string(columns_max) + " is the most",
                            "break it; clang-format does at 140"});
    }
  }
  if (!source.text.empty() && source.text.back() != '\n') {
    violations.push_back({source.path, source.lines.size(), "the last line has no end", "end the file with a line break"});
  }
  if (source.is_header()) check_header(source, violations);
  return violations;
}

Violations check_tests_do_not_sleep(const Source& source) {
  Violations violations;
  if (!source.is_under("tests") || !(source.is_header() || source.is_cpp() || source.is_script())) return violations;
  for (std::size_t i = 0; i < source.code.size(); ++i) {
    for (const std::string_view word : {"sleep", "sleep_for", "sleep_until", "usleep", "nanosleep", "clock_nanosleep"}) {
      if (!has_word(source.code[i], word) || source.lines[i].find(" sleep: ") != std::string::npos) continue;
      violations.push_back(
          {source.path, i + 1, "a test that sleeps is slow where it is right, and wrong where the machine is slow",
           "wait for the event itself (a ready line, a descriptor, a condition) or drive virtual time; where time must pass, "
           "as in a measurement, end the line with `// sleep: WHY`"});
    }
  }
  return violations;
}

Violations check_readme_commands(const Source& readme, bool (*exists)(const std::string& path)) {
  Violations violations;
  bool in_block = false;
  for (std::size_t i = 0; i < readme.lines.size(); ++i) {
    const std::string& line = readme.lines[i];
    if (line.starts_with("```")) in_block = !in_block;
    const auto begin = line.find_first_not_of(" $");
    if (!(in_block || line.starts_with("    ")) || begin == line.npos || line.compare(begin, 2, "./") != 0) continue;
    const std::string program = line.substr(begin + 2, line.find_first_of(" ;&|", begin) - begin - 2);
    if (!program.starts_with("build/") && !exists(program)) {
      violations.push_back({readme.path, i + 1, "README.md tells the reader to run ./" + program + ", which does not exist",
                            "name a program that is there, or add it"});
    }
  }
  return violations;
}

}  // namespace dugnad::house
