#include "tasks/sieve.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

constexpr std::uint64_t word_span = 128;      // numbers that a word's 64 odd ones stretch over
constexpr std::uint64_t segment_words = 4096;  // 32 KiB: a first-level cache
constexpr std::uint64_t segment_span = segment_words * word_span;
constexpr std::uint64_t stretch_span = std::uint64_t{1} << 28;  // 0.1 s, at the upper end 0.3 s
static_assert(stretch_span % word_span == 0 && stretch_span <= sieve_span_most);

/// The multiples of 3, 5, 7 and 11 come round again every 3 * 5 * 7 * 11 words, so they are struck out once and copied.
constexpr std::array<std::uint64_t, 4> wheel_primes{3, 5, 7, 11};
constexpr std::uint64_t wheel_words = 3 * 5 * 7 * 11;

std::vector<std::uint64_t> make_wheel() {
  std::vector<std::uint64_t> wheel(wheel_words, ~std::uint64_t{0});
  for (const std::uint64_t prime : wheel_primes) {
    for (std::uint64_t odd = prime / 2; odd < wheel_words * 64; odd += prime) wheel[odd / 64] &= ~(std::uint64_t{1} << (odd % 64));
  }
  return wheel;
}

/// The primes above the wheel's whose squares lie below `end`.
std::vector<std::uint32_t> make_base(std::uint64_t end) {
  std::uint32_t root = 1;
  while (std::uint64_t{root} * root < end) ++root;
  std::vector<bool> composite(root / 2 + 1);  // index i stands for 2 i + 1
  std::vector<std::uint32_t> base;
  for (std::uint32_t number = 3; number < root; number += 2) {
    if (composite[number / 2]) continue;
    if (number > wheel_primes.back()) base.push_back(number);
    for (std::uint64_t multiple = std::uint64_t{number} * number; multiple < root; multiple += 2 * number) composite[multiple / 2] = true;
  }
  return base;
}

}  // namespace

void sieve_odd(std::uint64_t from, std::uint64_t to, const StopToken& stop,
               const std::function<void(std::span<const std::uint64_t>)>& segment) {
  if (from >= to) return;
  const std::vector<std::uint64_t> wheel = make_wheel();
  const std::vector<std::uint32_t> base = make_base(to);
  const std::uint64_t start = from / word_span * word_span;

  // For each base prime, the odd number to strike out next, as its position (number / 2) from the current segment's start.
  std::vector<std::uint64_t> next(base.size());
  for (std::size_t i = 0; i < base.size(); ++i) {
    const std::uint64_t prime = base[i];
    std::uint64_t multiple = std::max(prime * prime, (start + prime - 1) / prime * prime);
    if (multiple % 2 == 0) multiple += prime;
    next[i] = (multiple - start) / 2;
  }

  std::vector<std::uint64_t> words(segment_words);
  for (std::uint64_t low = start; low < to; low += segment_span) {
    stop.throw_if_requested();
    const std::uint64_t high = std::min(low + segment_span, to);
    const std::uint64_t used = (high - low + word_span - 1) / word_span;
    const std::uint64_t odds = used * 64;
    std::uint64_t spoke = low / word_span % wheel_words;
    for (std::uint64_t word = 0; word < used; ++word) {
      words[word] = wheel[spoke];
      if (++spoke == wheel_words) spoke = 0;
    }
    for (std::size_t i = 0; i < base.size(); ++i) {
      const std::uint64_t prime = base[i];
      std::uint64_t odd = next[i];
      for (; odd < odds; odd += prime) words[odd / 64] &= ~(std::uint64_t{1} << (odd % 64));
      next[i] = odd - odds;
    }
    if (low == 0) {
      words[0] &= ~std::uint64_t{1};  // 1 is no prime, and the wheel struck out its own
      for (const std::uint64_t prime : wheel_primes) words[0] |= std::uint64_t{1} << (prime / 2);
    }
    // Bit b stands for 2 b + 1, so those below a bound x are the first x / 2.
    if (low < from) {
      words[0] &= ~std::uint64_t{0} << ((from - low) / 2);
    }
    if (const std::uint64_t tail = (high - low) % word_span; tail != 0) {
      words[used - 1] &= (std::uint64_t{1} << (tail / 2)) - 1;
    }
    segment(std::span(words).first(used));
  }
}

Stretch read_stretch(ByteView input) {
  Reader in(input);
  const Stretch stretch{in.u64(), in.u64()};
  if (!in.complete()) fail_unit("a stretch to sieve is 16 bytes");
  if (stretch.from > stretch.to || stretch.to > sieve_end_most) fail_unit("the stretch to sieve is out of range");
  if (stretch.to - stretch.from > sieve_span_most) fail_unit("the stretch to sieve is too long");
  return stretch;
}

std::uint64_t Stretches::count() const { return (end_ + stretch_span - 1) / stretch_span; }

Stretch Stretches::at(std::uint64_t index) const {
  return {index * stretch_span, std::min((index + 1) * stretch_span, end_)};
}

Bytes Stretches::input(std::uint64_t index) const { return Writer().u64(at(index).from).u64(at(index).to).take(); }

}  // namespace dugnad::tasks
