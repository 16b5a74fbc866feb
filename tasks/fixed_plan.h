// FixedPlan: the plan of a job whose units are all known from the start. It keeps the books (what was handed out, what was accepted);
// the task says what a unit is and what its output adds.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {

template <class T>
concept Split = requires(T split, const T& fixed, std::uint64_t unit, ByteView output) {
  { fixed.units() } -> std::same_as<std::uint64_t>;
  { fixed.input(unit) } -> std::same_as<Bytes>;
  { split.add(unit, output) } -> std::same_as<Result<void>>;  // changes nothing where it answers with an error
  { split.answer() } -> std::same_as<Answer>;
};

template <Split T>
class FixedPlan final : public Plan {
 public:
  explicit FixedPlan(T split) : split_(std::move(split)), accepted_(split_.units()) {}

  [[nodiscard]] std::optional<Bytes> next() override {
    if (exhausted()) return std::nullopt;
    return split_.input(next_++);
  }

  Result<void> accept(UnitIndex unit, ByteView output) override {
    // Counting a unit twice would be a wrong answer without any liar.
    if (unit.value >= next_) return Error{"unit " + std::to_string(unit.value) + " was not handed out"};
    if (accepted_[unit.value]) return Error{"unit " + std::to_string(unit.value) + " was accepted before"};
    auto added = split_.add(unit.value, output);
    if (added) {
      accepted_[unit.value] = true;
      ++accepted_count_;
    }
    return added;
  }

  [[nodiscard]] bool exhausted() const override { return next_ == split_.units(); }
  [[nodiscard]] std::optional<std::uint64_t> units_expected() const override { return split_.units(); }

  [[nodiscard]] Answer answer() override {
    DUGNAD_ASSERT(accepted_count_ == split_.units(), "answer() before every unit was accepted");
    return split_.answer();
  }

 private:
  T split_;
  std::vector<bool> accepted_;
  std::uint64_t accepted_count_ = 0;
  std::uint64_t next_ = 0;
};

template <Split T>
[[nodiscard]] std::unique_ptr<Plan> fixed_plan(T split) {
  return std::make_unique<FixedPlan<T>>(std::move(split));
}

/// The output of a unit that counts: one u64, at most `most`.
[[nodiscard]] inline Result<std::uint64_t> read_count(ByteView output, std::uint64_t most) {
  Reader in(output);
  const std::uint64_t count = in.u64();
  if (!in.complete()) return Error{"a count is 8 bytes, not " + std::to_string(output.size())};
  if (count > most) return Error{"a count of " + std::to_string(count) + " is more than the unit can hold (" + std::to_string(most) + ")"};
  return count;
}

}  // namespace dugnad::tasks
