// A guest that ends its units in every way that C++ offers a reactor, by its input's word, to see that each is a failed unit and no more.
#include <dugnad_guest.hpp>

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>

namespace {

int deeper(int depth) { return depth == 0 ? 0 : 1 + deeper(depth + 1) * 3; }

struct Counted {
  static inline int made = 0;
  Counted() { ++made; }
};
const Counted counted;

std::string unit(std::string_view word) {
  if (word == "fails") dugnad::guest::fail("in no mood");
  if (word == "aborts") std::abort();
  if (word == "exits") std::exit(3);
  if (word == "misses") return std::to_string(std::map<int, int>().at(7));
  if (word == "recurses") return std::to_string(deeper(1));
  if (word == "prints") std::puts("into the log");
  return "made " + std::to_string(Counted::made);
}

}  // namespace

DUGNAD_GUEST(unit)
