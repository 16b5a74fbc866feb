// A bug ends the process at once, with one line that says which belief was wrong. Always on, in every build.
#pragma once

#include <string_view>

namespace dugnad {
[[noreturn]] void panic(const char* file, int line, std::string_view belief, std::string_view detail);
}

#define DUGNAD_ASSERT(condition, detail) \
  do { if (!(condition)) [[unlikely]] ::dugnad::panic(__FILE__, __LINE__, #condition, (detail)); } while (false)
