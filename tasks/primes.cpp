// primes: how many primes there are up to a number (A006880 at the powers of ten). A unit counts those in one stretch.
#include <bit>

#include "tasks/sieve.h"
#include "tasks/stretch_count.h"
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

}  // namespace

Task primes() { return stretch_count("primes", "count the primes up to a number", run); }

}  // namespace dugnad::tasks
