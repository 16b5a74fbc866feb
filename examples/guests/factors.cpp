// factors: the prime factors of a number, as a reactor: a unit is a number in decimal digits, its result a line as `factor` prints it.
//   dugnad submit factors.wasm --lines numbers.txt
// It has a check: with --confidence (the default) the submitter checks each line, instead of having some of them computed again. That pays, since
// finding factors is long and multiplying them is not.
#include <dugnad_guest.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number == 0) {
    dugnad::guest::fail("a unit is a number from 1 to 18446744073709551615");
  }
  return number;
}

std::vector<std::uint64_t> factors_of(std::uint64_t number) {
  std::vector<std::uint64_t> factors;
  for (std::uint64_t divisor = 2; divisor <= number / divisor; divisor += divisor == 2 ? 1 : 2) {
    for (; number % divisor == 0; number /= divisor) factors.push_back(divisor);
  }
  if (number > 1) factors.push_back(number);
  return factors;
}

std::string line_of(std::uint64_t number, const std::vector<std::uint64_t>& factors) {
  std::string line = std::to_string(number) + ":";
  for (const std::uint64_t factor : factors) line += " " + std::to_string(factor);
  return line + "\n";
}

std::string factors(std::string_view unit) {
  const std::uint64_t number = number_of(unit);
  return line_of(number, factors_of(number));
}

// --- The check ---

std::uint64_t product(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  const auto sum = [modulus](std::uint64_t x, std::uint64_t y) { return x >= modulus - y ? x - (modulus - y) : x + y; };
  std::uint64_t result = 0;
  for (; b != 0; b >>= 1, a = sum(a, a)) {
    if ((b & 1) != 0) result = sum(result, a);
  }
  return result;
}

/// Miller and Rabin; the first twelve primes as bases are enough below 2^64.
bool is_prime(std::uint64_t number) {
  constexpr std::uint64_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  if (number < 2) return false;
  for (const std::uint64_t base : bases) {
    if (number % base == 0) return number == base;
  }
  std::uint64_t odd = number - 1;
  int halvings = 0;
  for (; odd % 2 == 0; odd /= 2) ++halvings;
  for (std::uint64_t base : bases) {
    std::uint64_t power = 1;
    for (std::uint64_t rest = odd; rest != 0; rest >>= 1, base = product(base, base, number)) {
      if ((rest & 1) != 0) power = product(power, base, number);
    }
    bool passes = power == 1 || power == number - 1;
    for (int i = 1; i < halvings && !passes; ++i) {
      power = product(power, power, number);
      passes = power == number - 1;
    }
    if (!passes) return false;
  }
  return true;
}

/// The claimed line may be anything; what is read off it has to make the same line again.
bool is_right(std::string_view unit, std::string_view claimed) {
  const std::uint64_t number = number_of(unit);
  std::vector<std::uint64_t> found;
  std::uint64_t rest = number, before = 2;
  for (std::size_t at = claimed.find(' '); at != claimed.npos; at = claimed.find(' ', at + 1)) {
    std::uint64_t factor = 0;
    std::from_chars(claimed.data() + at + 1, claimed.data() + claimed.size(), factor);
    if (factor < before || rest % factor != 0 || !is_prime(factor)) return false;
    rest /= before = factor;
    found.push_back(factor);
  }
  return rest == 1 && claimed == line_of(number, found);
}

}  // namespace

DUGNAD_GUEST(factors)
DUGNAD_GUEST_CHECK(is_right)
