// factors: the prime factors of each number of a stretch, by trial division; how many of them are semiprimes (A001358), and which of these is
// the hardest to find: the one whose smaller factor is largest.
//
// Factoring is the textbook's case of what is long to find and quick to check: a check multiplies, and asks of each factor whether it is prime
// (Miller and Rabin; with the bases below there are no false answers up to 3.8e18, Jiang and Deng 2014).
#include <algorithm>
#include <array>
#include <string>

#include "tasks/fixed_plan.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

constexpr std::uint64_t from_most = 1'000'000'000'000'000;
constexpr std::uint64_t count_most = 100'000;
constexpr unsigned factors_most = 50;  // 2 to that power is above the largest number

std::uint64_t root_of(std::uint64_t number) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 25; bit != 0; bit >>= 1) {
    if ((root | bit) * (root | bit) <= number) root |= bit;
  }
  return root;
}

/// So many numbers are a unit, which then costs some tenths of a second where most of them are hard.
std::uint64_t numbers_in_unit(std::uint64_t first) { return std::clamp<std::uint64_t>(40'000'000 / (root_of(first) / 4 + 1), 1, 2000); }

struct Stretch {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// A count of 0 where the bytes are no unit.
Stretch stretch_of(ByteView input) {
  Reader in(input);
  const Stretch stretch{in.u64(), in.u16()};
  const bool fits = in.complete() && stretch.first >= 1 && stretch.first < from_most + count_most && stretch.count <= numbers_in_unit(stretch.first);
  return fits ? stretch : Stretch{};
}

Bytes run(ByteView input, const StopToken& stop) {
  const Stretch stretch = stretch_of(input);
  if (stretch.count == 0) fail_unit("factors: a unit is a first number and how many, within the limits");
  Writer out;
  for (std::uint64_t number = stretch.first; number < stretch.first + stretch.count; ++number) {
    stop.throw_if_requested();
    std::array<std::uint64_t, factors_most> factors{};
    std::uint8_t found = 0;
    std::uint64_t rest = number;
    const auto divide_by = [&](std::uint64_t divisor) {
      for (; rest % divisor == 0; rest /= divisor) factors[found++] = divisor;
    };
    for (const std::uint64_t small : {2, 3, 5}) divide_by(small);
    // Of 30 numbers in a row, these 8 are divisible by none of the three.
    constexpr std::array<std::uint64_t, 8> steps{4, 2, 4, 2, 4, 6, 2, 6};
    std::size_t at = 0;
    for (std::uint64_t divisor = 7, tried = 0; divisor <= rest / divisor; divisor += steps[at++ % steps.size()]) {
      divide_by(divisor);
      if (++tried % 4096 == 0) stop.throw_if_requested();
    }
    if (rest > 1) factors[found++] = rest;
    out.u8(found);
    for (std::uint8_t i = 0; i < found; ++i) out.u64(factors[i]);
  }
  return out.take();
}

/// `a` * `b` modulo `n`, all below 2^51, without wider integers, which not every compiler of guests has.
std::uint64_t product(std::uint64_t a, std::uint64_t b, std::uint64_t n) {
  constexpr int bits = 12;
  std::uint64_t result = 0;
  for (int shift = 4 * bits; shift >= 0; shift -= bits) {
    const std::uint64_t digit = b >> shift & ((1u << bits) - 1);
    result = ((result << bits) % n + a * digit % n) % n;
  }
  return result;
}

bool is_prime(std::uint64_t number) {
  constexpr std::array<std::uint64_t, 9> bases{2, 3, 5, 7, 11, 13, 17, 19, 23};
  if (number < 2) return false;
  for (const std::uint64_t base : bases) {
    if (number % base == 0) return number == base;
  }
  std::uint64_t odd = number - 1;
  unsigned halvings = 0;
  for (; odd % 2 == 0; odd /= 2) ++halvings;
  return std::all_of(bases.begin(), bases.end(), [&](std::uint64_t base) {
    std::uint64_t power = 1;
    for (std::uint64_t bit = std::uint64_t{1} << 50; bit != 0; bit >>= 1) {
      power = product(power, power, number);
      if ((odd & bit) != 0) power = product(power, base, number);
    }
    if (power == 1 || power == number - 1) return true;
    for (unsigned i = 1; i < halvings; ++i) {
      power = product(power, power, number);
      if (power == number - 1) return true;
    }
    return false;
  });
}

bool check(ByteView input, ByteView output, const StopToken& stop) {
  const Stretch stretch = stretch_of(input);
  if (stretch.count == 0) return false;
  Reader in(output);
  for (std::uint64_t number = stretch.first; number < stretch.first + stretch.count; ++number) {
    std::uint64_t rest = number;
    std::uint64_t before = 2;
    for (unsigned left = in.u8(); left > 0; --left) {
      const std::uint64_t factor = in.u64();
      if (factor < before || factor > rest || rest % factor != 0 || !is_prime(factor)) return false;
      rest /= factor;
      before = factor;
    }
    if (rest != 1) return false;
    stop.throw_if_requested();
  }
  return in.complete();
}

struct Job {
  std::uint64_t from;
  std::uint64_t count;
  std::uint64_t semiprimes = 0;
  std::uint64_t hardest = 0, smaller = 0;

  [[nodiscard]] std::uint64_t in_unit() const { return numbers_in_unit(from + count - 1); }
  [[nodiscard]] std::uint64_t units() const { return (count + in_unit() - 1) / in_unit(); }
  [[nodiscard]] Stretch stretch(std::uint64_t unit) const { return {from + unit * in_unit(), std::min(in_unit(), count - unit * in_unit())}; }
  [[nodiscard]] Bytes input(std::uint64_t unit) const {
    return Writer().u64(stretch(unit).first).u16(static_cast<std::uint16_t>(stretch(unit).count)).take();
  }

  Result<void> add(std::uint64_t unit, ByteView output) {
    const Stretch numbers = stretch(unit);
    Reader in(output);
    Job sum = *this;
    for (std::uint64_t number = numbers.first; number < numbers.first + numbers.count; ++number) {
      const unsigned factors = in.u8();
      const std::uint64_t first = factors > 0 ? in.u64() : 1;
      std::uint64_t product = first;
      for (unsigned i = 1; i < factors; ++i) {
        const std::uint64_t factor = in.u64();
        if (factor == 0 || product > number / factor) return Error{"factors of " + std::to_string(number) + " that are none"};
        product *= factor;
      }
      if (product != number) return Error{"factors of " + std::to_string(number) + " that are none"};
      if (factors != 2) continue;
      ++sum.semiprimes;
      // Of two that are as hard the first, whichever was accepted first.
      if (first < sum.smaller || (first == sum.smaller && number > sum.hardest)) continue;
      sum.hardest = number;
      sum.smaller = first;
    }
    if (!in.complete()) return Error{"an output of " + std::to_string(output.size()) + " bytes is not the unit's factors"};
    *this = sum;
    return {};
  }
  [[nodiscard]] Answer answer() const {
    if (semiprimes == 0) return {"0 semiprimes", std::nullopt};
    return {std::to_string(semiprimes) + (semiprimes == 1 ? " semiprime" : " semiprimes") + ", the hardest " + std::to_string(hardest) + " = " +
                std::to_string(smaller) + " * " + std::to_string(hardest / smaller),
            std::nullopt};
  }
};

}  // namespace

Task factors() {
  return {
      .name = "factors",
      .version = 1,
      .help = "factor numbers in a row, and count those with two prime factors; each result is checked rather than computed twice",
      .parameters = {{.name = "from", .help = "the first number", .least = 1, .most = from_most, .fallback = std::nullopt},
                     {.name = "count", .help = "how many", .least = 1, .most = count_most, .fallback = 1000}},
      .run = run,
      .plan = [](const Parameters& given) { return fixed_plan(Job{given.at("from"), given.at("count")}); },
      .check = check,
  };
}

}  // namespace dugnad::tasks
