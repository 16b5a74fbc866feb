// twinprimes: how many pairs of primes (p, p + 2) there are with p + 2 up to a number (A007508 at the powers of ten). A unit counts the
// pairs whose greater prime lies in its stretch; so a pair across a border is counted once, by the unit above it.
#include <bit>

#include "tasks/sieve.h"
#include "tasks/stretch_count.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

Bytes run(ByteView input, const StopToken& stop) {
  const auto [from, to] = read_stretch(input);
  const std::uint64_t first = from < 2 ? 0 : from - 2;  // where the lesser prime of the first pair may be
  std::uint64_t count = 0;
  std::uint64_t carry = 0;  // whether the odd number before this word is prime
  sieve_odd(from < to ? first : from, to, stop, [&](std::span<const std::uint64_t> words) {
    for (const std::uint64_t word : words) {
      count += static_cast<std::uint64_t>(std::popcount(word & (word << 1 | carry)));
      carry = word >> 63;
    }
  });
  return Writer().u64(count).take();
}

}  // namespace

Task twinprimes() { return stretch_count("twinprimes", "count the pairs of primes p and p + 2 up to a number", run); }

}  // namespace dugnad::tasks
