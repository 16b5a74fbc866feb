// Values as a unit's bytes, and a task made of an ordinary function: for tasks of one's own.
//
//   tasks.add(dugnad::task_of<double, double>("square", 1, [](double x) { return x * x; }));
//
// What travels, the same on every machine: numbers and enums as they lie in a little-endian machine's memory (IEEE floats); a struct likewise,
// its members in their order; std::string and Bytes as their characters; std::vector<T> as its elements, one after the other.
//
// A struct must be trivially copyable and without padding, whose bytes would differ between donors and spoil their agreement. The compiler
// tells that for structs of integers. One that holds floats says it itself, once it is true:
//
//   template <> inline constexpr bool dugnad::has_no_padding<Point> = true;
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "tasks/task.h"

namespace dugnad {

static_assert(std::endian::native == std::endian::little, "values travel as they lie in memory, which must be little-endian");

template <class T>
inline constexpr bool has_no_padding = std::has_unique_object_representations_v<T>;
template <>
inline constexpr bool has_no_padding<float> = true;
template <>
inline constexpr bool has_no_padding<double> = true;

/// Pointers are numbers too, but mean nothing elsewhere.
template <class T>
concept FlatValue = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_member_pointer_v<T> && has_no_padding<T>;

template <FlatValue T>
[[nodiscard]] Bytes to_unit(const T& value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
[[nodiscard]] inline Bytes to_unit(const std::string& text) { return to_bytes(text); }
[[nodiscard]] inline Bytes to_unit(Bytes bytes) { return bytes; }
template <FlatValue T>
[[nodiscard]] Bytes to_unit(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// from_unit<T>(bytes): the value, or nullopt where the bytes are too few or too many for it.
template <class T>
struct FromUnit {
  static_assert(FlatValue<T>, "travels neither as text nor flat: see has_no_padding above");
  static std::optional<T> from(ByteView bytes) {
    if (bytes.size() != sizeof(T)) return std::nullopt;
    std::array<std::uint8_t, sizeof(T)> copy;
    std::memcpy(copy.data(), bytes.data(), sizeof(T));
    return std::bit_cast<T>(copy);
  }
};
template <>
struct FromUnit<std::string> {
  static std::optional<std::string> from(ByteView bytes) { return to_text(bytes); }
};
template <>
struct FromUnit<Bytes> {
  static std::optional<Bytes> from(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }
};
template <FlatValue T>
struct FromUnit<std::vector<T>> {
  static std::optional<std::vector<T>> from(ByteView bytes) {
    if (bytes.size() % sizeof(T) != 0) return std::nullopt;
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
};

template <class T>
[[nodiscard]] std::optional<T> from_unit(ByteView bytes) {
  return FromUnit<T>::from(bytes);
}

/// A task whose unit is one call. `function` takes an In, and may take a const tasks::StopToken& behind it, to be asked every few milliseconds
/// where the call is long; see tasks/task.h for what it must not do. An exception fails the unit, with its what().
template <class In, class Out, class Function>
[[nodiscard]] tasks::Task task_of(std::string name, std::uint32_t version, Function function) {
  tasks::Task task;
  task.help = name + ", by a function of this program";
  task.name = std::move(name);
  task.version = version;
  task.run = [function = std::move(function)](ByteView input, const tasks::StopToken& stop) -> Bytes {
    std::optional<In> value = from_unit<In>(input);
    if (!value) throw tasks::UnitFailed("its input of " + std::to_string(input.size()) + " bytes is no value of the task's");
    if constexpr (std::is_invocable_v<const Function&, In, const tasks::StopToken&>) {
      return to_unit(Out(function(*std::move(value), stop)));
    } else {
      return to_unit(Out(function(*std::move(value))));
    }
  };
  return task;
}

/// The same with a check: `check(In, Out)`, and perhaps a const tasks::StopToken& behind them, says whether that is what the function returns, for
/// much less than calling it costs. See tasks::CheckUnit.
template <class In, class Out, class Function, class Check>
[[nodiscard]] tasks::Task task_of(std::string name, std::uint32_t version, Function function, Check check) {
  tasks::Task task = task_of<In, Out>(std::move(name), version, std::move(function));
  task.check = [check = std::move(check)](ByteView input, ByteView output, const tasks::StopToken& stop) -> bool {
    std::optional<In> given = from_unit<In>(input);
    std::optional<Out> claimed = from_unit<Out>(output);
    if (!given || !claimed) return false;
    if constexpr (std::is_invocable_v<const Check&, In, Out, const tasks::StopToken&>) {
      return check(*std::move(given), *std::move(claimed), stop);
    } else {
      return check(*std::move(given), *std::move(claimed));
    }
  };
  return task;
}

}  // namespace dugnad
