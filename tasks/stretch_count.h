// StretchCount: a job that counts something below a bound, in stretches: the plan and the parameter of every task that sieves.
#pragma once

#include <string>
#include <utility>

#include "tasks/fixed_plan.h"
#include "tasks/sieve.h"
#include "tasks/task.h"

namespace dugnad::tasks {

/// A unit's output is a count, of at most one in two numbers of its stretch and one more.
struct StretchCount {
  Stretches stretches;
  std::uint64_t found = 0;

  [[nodiscard]] std::uint64_t units() const { return stretches.count(); }
  [[nodiscard]] Bytes input(std::uint64_t unit) const { return stretches.input(unit); }
  Result<void> add(std::uint64_t unit, ByteView output) {
    const auto [from, to] = stretches.at(unit);
    const auto count = read_count(output, (to - from) / 2 + 1);
    if (!count) return count.error();
    found += *count;
    return {};
  }
  [[nodiscard]] Answer answer() const { return {std::to_string(found), std::nullopt}; }
};

/// The task whose units `run` counts.
[[nodiscard]] inline Task stretch_count(std::string name, std::string help, RunUnit run) {
  return {
      .name = std::move(name),
      .help = std::move(help),
      .parameters = {{.name = "to", .help = "the last number looked at", .least = 1, .most = sieve_end_most - 1, .fallback = std::nullopt}},
      .run = std::move(run),
      .plan = [](const Parameters& given) { return fixed_plan(StretchCount{Stretches(given.at("to") + 1)}); },
      .check = {},
  };
}

}  // namespace dugnad::tasks
