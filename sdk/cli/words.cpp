#include "sdk/cli/words.h"

#include <optional>
#include <utility>

namespace dugnad::sdk::cli {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;  // none between words; "" is a word too
  char quote = 0;
  const auto add = [&](char c) {
    if (!word) word.emplace();
    *word += c;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        add(c);
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      if (!word) word.emplace();
    } else if (c == '\\') {
      if (++i == line.size()) return Error{"nothing follows its last backslash"};
      add(line[i]);
    } else if (!is_blank(c)) {
      add(c);
    } else if (word) {
      words.push_back(*std::exchange(word, std::nullopt));
    }
  }
  if (quote != 0) return Error{std::string("its quote ") + quote + " is not closed"};
  if (word) words.push_back(*std::move(word));
  return words;
}

std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:+@%=";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return word;
  std::string text;
  for (const char c : word) {
    if (plain.find(c) == plain.npos) text += '\\';
    text += c;
  }
  return word.empty() ? "''" : text;
}

}  // namespace dugnad::sdk::cli
