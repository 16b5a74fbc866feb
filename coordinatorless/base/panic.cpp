#include "coordinatorless/base/panic.h"

#include <cstdio>
#include <cstdlib>

namespace dugnad {

void panic(const char* file, int line, std::string_view belief, std::string_view detail) {
  std::fprintf(stderr, "bug: %s:%d: %.*s: %.*s\n", file, line, static_cast<int>(belief.size()), belief.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

}  // namespace dugnad
