// pi: the share of random points of a square that lie in its inscribed quarter circle, times four; with its standard error.
//
// Integers throughout, so that every machine counts the same hits. A unit's generator is seeded from the unit's number.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <string>

#include "tasks/fixed_plan.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

constexpr std::uint64_t samples_most = 20'000'000'000'000;
constexpr std::uint64_t unit_samples = std::uint64_t{1} << 28;
constexpr std::uint64_t samples_between_polls = 1 << 20;

/// xoshiro256++ 1.0 (Blackman and Vigna), seeded by SplitMix64 as its authors advise.
class Xoshiro {
 public:
  explicit Xoshiro(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  [[nodiscard]] std::uint64_t next() {
    const std::uint64_t drawn = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return drawn;
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

Bytes run(ByteView input, const StopToken& stop) {
  Reader in(input);
  const std::uint64_t seed = in.u64();
  const std::uint64_t samples = in.u64();
  if (!in.complete()) fail_unit("pi: a unit is 16 bytes");
  if (samples > unit_samples) fail_unit("pi: too many samples");
  Xoshiro generator(seed);
  std::uint64_t hits = 0;
  for (std::uint64_t sample = 0; sample < samples; ++sample) {
    if (sample % samples_between_polls == 0) stop.throw_if_requested();
    // The point is the middle of cell (x, y) of a grid of 2^32 by 2^32: it lies in the circle of radius 2^32 where
    // (x + 1/2)^2 + (y + 1/2)^2 <= 2^64, that is where x (x + 1) + y (y + 1) does not carry out of 64 bits.
    const std::uint64_t drawn = generator.next();
    const std::uint64_t x = drawn >> 32;
    const std::uint64_t y = drawn & 0xffffffff;
    const std::uint64_t x_part = x * (x + 1);
    const std::uint64_t sum = x_part + y * (y + 1);
    hits += sum >= x_part ? 1 : 0;
  }
  return Writer().u64(hits).take();
}

/// Fixed notation without the locale, which printf would ask.
std::string decimals(double number, int digits) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed, digits).ptr;
  return {text.data(), end};
}

struct Job {
  std::uint64_t samples;
  std::uint64_t hits = 0;

  [[nodiscard]] std::uint64_t units() const { return (samples + unit_samples - 1) / unit_samples; }
  [[nodiscard]] std::uint64_t samples_of(std::uint64_t unit) const { return std::min(unit_samples, samples - unit * unit_samples); }
  [[nodiscard]] Bytes input(std::uint64_t unit) const { return Writer().u64(unit).u64(samples_of(unit)).take(); }
  Result<void> add(std::uint64_t unit, ByteView output) {
    const auto count = read_count(output, samples_of(unit));
    if (!count) return count.error();
    hits += *count;
    return {};
  }

  /// The mean of `samples` draws that are 1 with probability p has the standard error sqrt(p (1 - p) / samples). IEEE division and
  /// square root are exact to the last bit, so this text too is the same everywhere.
  [[nodiscard]] Answer answer() const {
    const double share = static_cast<double>(hits) / static_cast<double>(samples);
    const double error = std::sqrt(share * (1 - share) / static_cast<double>(samples));
    return {decimals(4 * share, 9) + " +- " + decimals(4 * error, 9), std::nullopt};
  }
};

}  // namespace

Task pi() {
  return {
      .name = "pi",
      .help = "estimate pi from random points, with the estimate's standard error",
      .parameters = {{.name = "samples", .help = "the number of points", .least = 1, .most = samples_most, .fallback = std::nullopt}},
      .run = run,
      .plan = [](const Parameters& given) { return fixed_plan(Job{given.at("samples")}); },
      .check = {},
  };
}

}  // namespace dugnad::tasks
