// Sieve of Eratosthenes over a stretch of odd numbers, a cache-sized segment at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "tasks/task.h"

namespace dugnad::tasks {

inline constexpr std::uint64_t sieve_end_most = 10'000'000'000'001;  // whatever is sieved lies below
inline constexpr std::uint64_t sieve_span_most = std::uint64_t{1} << 28;

/// Calls `segment` with the odd numbers of [from, to) as bits, in order: bit b of word w of the first segment stands for
/// 2 * (64 * w + b) + 1 counted from `from` rounded down to a multiple of 128, and it is set for an odd prime within [from, to). Every
/// segment follows on the one before. Needs from <= to <= sieve_end_most. Polls `stop` before each segment (under a millisecond).
void sieve_odd(std::uint64_t from, std::uint64_t to, const StopToken& stop,
               const std::function<void(std::span<const std::uint64_t>)>& segment);

/// A unit's {from, to}, both u64: what primes and twinprimes share. Fails the unit for anything that is not a fair stretch.
struct Stretch {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // exclusive
};
[[nodiscard]] Stretch read_stretch(ByteView input);

/// How [0, end) is cut into stretches, none longer than the sieve allows and none shorter than is worth sending.
class Stretches {
 public:
  explicit Stretches(std::uint64_t end) : end_(end) {}
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] Stretch at(std::uint64_t index) const;
  [[nodiscard]] Bytes input(std::uint64_t index) const;

 private:
  std::uint64_t end_;
};

}  // namespace dugnad::tasks
