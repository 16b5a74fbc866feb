// primes: how many primes there are up to a number (A006880 at the powers of ten). A unit counts those in one stretch.
#include <bit>
#include <string>

#include "tasks/fixed_plan.h"
#include "tasks/sieve.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

Bytes run(ByteView input, const StopToken& stop) {
  const auto [from, to] = read_stretch(input);
  std::uint64_t count = from <= 2 && to > 2 ? 1 : 0;  // the even one
  sieve_odd(from, to, stop, [&count](std::span<const std::uint64_t> words) {
    for (const std::uint64_t word : words) count += static_cast<std::uint64_t>(std::popcount(word));
  });
  return Writer().u64(count).take();
}

struct Job {
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

}  // namespace

Task primes() {
  return {
      .name = "primes",
      .help = "count the primes up to a number",
      .parameters = {{.name = "to", .help = "the last number looked at", .least = 1, .most = sieve_end_most - 1, .fallback = std::nullopt}},
      .run = run,
      .plan = [](const Parameters& given) { return fixed_plan(Job{Stretches(given.at("to") + 1)}); },
      .check = {},
  };
}

}  // namespace dugnad::tasks
