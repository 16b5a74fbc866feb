#include "sdk/cli/nearest.h"

#include <algorithm>

namespace dugnad::sdk::cli {
namespace {

/// Optimal string alignment: Levenshtein's distance, a swap of neighbours counting as one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> steps(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) steps[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) steps[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = steps[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      steps[i][j] = std::min({steps[i - 1][j] + 1, steps[i][j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
    }
  }
  return steps[a.size()][b.size()];
}

constexpr std::size_t name_most = 64;  // a longer word is no slip of any of our names, and would cost a large table

}  // namespace

std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& names) {
  std::optional<std::string> best;
  if (typed.size() > name_most) return best;
  std::size_t least = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t steps = distance(typed, name);
    if (steps < least) best = name, least = steps;
  }
  return best;
}

std::string suggestion(std::string_view typed, const std::vector<std::string>& names) {
  const auto meant = nearest(typed, names);
  return meant ? " (did you mean " + *meant + "?)" : "";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace dugnad::sdk::cli
