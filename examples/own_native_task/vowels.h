// The task that this example adds: how often each vowel occurs in a text. Compiled into worker and client alike.
#pragma once

#include <cstdint>
#include <string>

#include "dugnad/values.h"

namespace vowels {

struct Vowels {
  std::uint32_t a = 0, e = 0, i = 0, o = 0, u = 0;
};

inline Vowels count(const std::string& text) {
  Vowels found;
  for (const char c : text) {
    switch (c) {
      case 'a': ++found.a; break;
      case 'e': ++found.e; break;
      case 'i': ++found.i; break;
      case 'o': ++found.o; break;
      case 'u': ++found.u; break;
    }
  }
  return found;
}

/// Raise the version whenever count() answers otherwise: peers of different versions must not vote on one unit.
inline dugnad::tasks::Task task() { return dugnad::task_of<std::string, Vowels>("vowels", 1, count); }

}  // namespace vowels
