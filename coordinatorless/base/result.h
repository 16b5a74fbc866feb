// Result: a value, or an Error that says in one line what went wrong, where, and what to do.
// For failures of the environment and bad input from a person. A bug is a PANIC (panic.h); bad input from a peer is an empty optional.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "coordinatorless/base/panic.h"

namespace dugnad {

struct Error {
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & { check(); return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { check(); return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { check(); return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const { DUGNAD_ASSERT(!ok(), "error() of a Result that holds a value"); return std::get<1>(state_); }

 private:
  void check() const { DUGNAD_ASSERT(ok(), std::get<1>(state_).message); }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  [[nodiscard]] bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const { DUGNAD_ASSERT(!ok(), "error() of a Result that is well"); return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace dugnad
