// A guest program in C++20: a unit is a function from bytes to bytes, or from text to text, and this header makes a WebAssembly module of
// it that any donor runs.
//
//   #include <dugnad_guest.hpp>
//   std::string reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }
//   DUGNAD_GUEST(reversed)
//
//   clang++-19 --target=wasm32-wasi -std=c++20 -O2 -fno-exceptions -nostartfiles -I. x.cpp -o x.wasm -Wl,--no-entry,--stack-first,--strip-all
//
// The function takes a dugnad::guest::ByteView or a std::string_view, and returns Bytes, a std::string or a view of something
// that lives on. The standard library is there but for exceptions, threads, clocks and files; a unit that cannot go on calls
// dugnad::guest::fail(). Include it in one file of the program; dugnad_guest.h says the rest.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dugnad_guest.h"

namespace dugnad::guest {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// A line for the donor's log.
inline void log(std::string_view line) { dugnad_log_bytes(line.data(), static_cast<std::uint32_t>(line.size())); }

/// How far the unit is, from 0 to 1.
inline void progress(double share) { dugnad_progress(share); }

/// Ends the unit: it fails, here as on every other machine. The reason is logged.
[[noreturn]] inline void fail(std::string_view reason) {
  log(reason);
  __builtin_trap();
}

namespace detail {

template <class View>
[[nodiscard]] View view_of(dugnad_bytes bytes) {
  using Element = std::remove_pointer_t<decltype(std::declval<View>().data())>;
  return View(reinterpret_cast<Element*>(bytes.data), bytes.size);
}

template <class Function, class... Given>
[[nodiscard]] decltype(auto) call(const Function& function, Given... given) {
  if constexpr (std::is_invocable_v<const Function&, decltype(view_of<ByteView>(given))...>) {
    return function(view_of<ByteView>(given)...);
  } else {
    return function(view_of<std::string_view>(given)...);
  }
}

/// The output stays where it is: the instance goes with all its memory, once the host has copied it.
template <class Output>
[[nodiscard]] dugnad_bytes give_away(Output output) {
  const Output& kept = *new Output(std::move(output));
  static_assert(sizeof(*kept.data()) == 1, "a unit returns bytes or characters");
  return {reinterpret_cast<const std::uint8_t*>(kept.data()), static_cast<std::uint32_t>(kept.size())};
}

/// libc++ says here why it gives up: an index out of range, a length that no memory holds. Its own function would pull in printf. Named as the
/// linker knows it, since whether the declaration is noexcept differs between versions.
extern "C" __attribute__((weak, noreturn)) void dugnad_verbose_abort_(const char* format, ...) __asm__("_ZNSt3__122__libcpp_verbose_abortEPKcz");
extern "C" __attribute__((weak, noreturn)) void dugnad_verbose_abort_(const char* format, ...) { dugnad_fail(format); }

}  // namespace detail
}  // namespace dugnad::guest

/// Makes `function` the module's unit.
#define DUGNAD_GUEST(function)                                                                                               \
  static dugnad_bytes dugnad_adapted_run_(dugnad_bytes input) {                                                              \
    return dugnad::guest::detail::give_away(dugnad::guest::detail::call(                                                     \
        [](auto... given) -> decltype((function)(given...)) { return (function)(given...); }, input));                       \
  }                                                                                                                          \
  DUGNAD_RUN_(dugnad_adapted_run_)

/// Optional, where a result is far cheaper to verify than to compute: `function(input, output)` answers true where the output is right;
/// dugnad_guest.h has the rules.
#define DUGNAD_GUEST_CHECK(function)                                                                                         \
  static bool dugnad_adapted_check_(dugnad_bytes input, dugnad_bytes output) {                                               \
    return dugnad::guest::detail::call([](auto... given) -> decltype((function)(given...)) { return (function)(given...); }, \
                                       input, output);                                                                       \
  }                                                                                                                          \
  DUGNAD_CHECK_(dugnad_adapted_check_)
