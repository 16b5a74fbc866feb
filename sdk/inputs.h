// InputsPlan: a function's inputs as a plan, one unit each, with nothing to combine; so that a session knows plans alone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "tasks/task.h"

namespace dugnad::sdk {

class InputsPlan final : public tasks::Plan {
 public:
  using Next = std::function<Result<std::optional<Bytes>>()>;

  InputsPlan(Next next, std::optional<std::uint64_t> expected) : next_(std::move(next)), expected_(expected) {}

  [[nodiscard]] std::optional<Bytes> next() override {
    if (exhausted_) return std::nullopt;
    auto input = next_();
    if (!input) {
      fault_ = input.error();
      return std::nullopt;
    }
    exhausted_ = !*input;
    return *std::move(input);
  }
  Result<void> accept(UnitIndex, ByteView) override { return {}; }
  [[nodiscard]] bool exhausted() const override { return exhausted_; }
  [[nodiscard]] std::optional<std::uint64_t> units_expected() const override { return expected_; }
  [[nodiscard]] tasks::Answer answer() override { return {}; }
  /// Why next() has no further input, though it is not exhausted.
  [[nodiscard]] const std::optional<Error>& fault() const { return fault_; }

 private:
  const Next next_;
  const std::optional<std::uint64_t> expected_;
  bool exhausted_ = false;
  std::optional<Error> fault_;
};

}  // namespace dugnad::sdk
