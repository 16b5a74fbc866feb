// factors: the prime factors of a number, as a reactor: a unit is a number in decimal digits, its result a line as `factor` prints it.
//   dugnad submit factors.wasm --lines numbers.txt
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

std::string factors(std::string_view unit) {
  const std::uint64_t number = number_of(unit);
  std::string line = std::to_string(number) + ":";
  for (const std::uint64_t factor : factors_of(number)) line += " " + std::to_string(factor);
  return line + "\n";
}

}  // namespace

DUGNAD_GUEST(factors)
