// Source: one text file of the tree as the house rules look at it, line by line, and once more without its comments and literals, so that
// a word in a sentence breaks no rule. Violation: what a rule has against a line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dugnad::house {

struct Source {
  std::string path;                // from the repository's root, with slashes
  std::string text;                // as it stands
  std::vector<std::string> lines;  // without their ends
  std::vector<std::string> code;   // the same lines; C++ comments and the insides of literals are blanks

  /// `code` of anything but C++ is `lines` up to a `#` that begins a comment.
  Source(std::string path, std::string text);

  [[nodiscard]] bool is_header() const;
  [[nodiscard]] bool is_cpp() const;
  [[nodiscard]] bool is_script() const;  // shell, Python, CMake
  [[nodiscard]] bool is_under(std::string_view folder) const;
  [[nodiscard]] std::string_view name() const;
};

struct Violation {
  std::string path;
  std::size_t line = 0;  // from 1
  std::string rule;      // what is wrong, and why that is a rule
  std::string instead;   // the suggested replacement
};

using Violations = std::vector<Violation>;

/// Every text file of the tree at `root` but what is hidden or built, in the order of their paths.
[[nodiscard]] std::vector<Source> read_tree(const std::filesystem::path& root);

/// Whether `word` stands in `line` with no letter, digit or underscore beside its ends (where the end is one itself).
[[nodiscard]] bool has_word(std::string_view line, std::string_view word);

}  // namespace dugnad::house
