// Somebody else's guest in C++: text from its end to its beginning, and a check that is cheaper than that. Uses enough of the library to see
// that it needs nothing from outside.
#include <dugnad_guest.hpp>

#include <algorithm>
#include <map>

namespace {

const std::map<std::string, int> made_before_any_unit{{"reversed", 1}};

std::string reversed(std::string_view text) {
  if (text.size() > std::string().max_size() / 2) dugnad::guest::fail("too long");
  std::vector<char> letters(text.begin(), text.end());
  std::reverse(letters.begin(), letters.end());
  dugnad::guest::progress(made_before_any_unit.at("reversed"));
  return {letters.begin(), letters.end()};
}

bool is_reversed(std::string_view text, std::string_view output) {
  return std::equal(text.begin(), text.end(), output.rbegin(), output.rend());
}

}  // namespace

DUGNAD_GUEST(reversed)
DUGNAD_GUEST_CHECK(is_reversed)
