// A job's answer does not depend on how it is cut, nor on the order in which outputs are accepted; both against naive computations.
#include <set>

#include "coordinatorless/base/generator.h"
#include "tests/tasks/in_process.h"
#include "tasks/wire.h"

using namespace dugnad;
using namespace dugnad::tasks;

namespace {

bool is_prime(std::uint64_t number) {
  if (number < 2) return false;
  for (std::uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

std::uint64_t run_count(const std::string& task, std::uint64_t from, std::uint64_t to) {
  const Bytes output = builtin(task).run(Writer().u64(from).u64(to).take(), StopToken());
  Reader in(output);
  const std::uint64_t count = in.u64();
  REQUIRE(in.complete());
  return count;
}

/// Random borders from `from` to `to`, both included.
std::vector<std::uint64_t> cut(Generator& generator, std::uint64_t from, std::uint64_t to) {
  std::set<std::uint64_t> borders{from, to};
  for (std::uint64_t i = generator.below(6); i > 0; --i) borders.insert(from + generator.below(to - from + 1));
  return {borders.begin(), borders.end()};
}

std::uint32_t naive_steps(std::uint64_t start) {
  __extension__ typedef unsigned __int128 Wide;
  std::uint32_t steps = 0;
  for (Wide term = start; term != 1; ++steps) term = term % 2 == 0 ? term / 2 : 3 * term + 1;
  return steps;
}

std::uint64_t naive_queens(unsigned n, std::vector<unsigned>& columns) {
  if (columns.size() == n) return 1;
  std::uint64_t found = 0;
  for (unsigned column = 0; column < n; ++column) {
    bool free = true;
    for (std::size_t row = 0; row < columns.size(); ++row) {
      const auto apart = static_cast<unsigned>(columns.size() - row);
      free = free && columns[row] != column && columns[row] + apart != column && column + apart != columns[row];
    }
    if (!free) continue;
    columns.push_back(column);
    found += naive_queens(n, columns);
    columns.pop_back();
  }
  return found;
}

std::uint64_t naive_walks(unsigned steps, std::set<std::pair<int, int>>& visited, int x, int y) {
  if (steps == 0) return 1;
  std::uint64_t found = 0;
  for (const auto& [dx, dy] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
    if (!visited.insert({x + dx, y + dy}).second) continue;
    found += naive_walks(steps - 1, visited, x + dx, y + dy);
    visited.erase({x + dx, y + dy});
  }
  return found;
}

unsigned naive_escape(double c_re, double c_im) {
  double re = 0;
  double im = 0;
  for (unsigned round = 1; round <= 5000; ++round) {
    const double next = re * re - im * im + c_re;
    im = 2 * (re * im) + c_im;
    re = next;
    if (re * re + im * im > 4) return round;
  }
  return 0;
}

}  // namespace

TEST_CASE("primes and twin primes are counted the same wherever the stretches are cut") {
  auto generator = Generator::from_seed(1);
  for (int round = 0; round < 60; ++round) {
    // Small numbers, where 2 and the wheel's own primes are; and large ones.
    const std::uint64_t from = round < 30 ? generator.below(300) : generator.below(10'000'000'000);
    const std::uint64_t to = from + generator.below(round < 30 ? 300 : 2'000);
    std::uint64_t primes = 0;
    std::uint64_t twins = 0;
    for (std::uint64_t number = from; number < to; ++number) {
      if (!is_prime(number)) continue;
      ++primes;
      twins += number >= 5 && is_prime(number - 2) ? 1 : 0;
    }
    std::uint64_t primes_found = 0;
    std::uint64_t twins_found = 0;
    const auto borders = cut(generator, from, to);
    for (std::size_t i = 1; i < borders.size(); ++i) {
      primes_found += run_count("primes", borders[i - 1], borders[i]);
      twins_found += run_count("twinprimes", borders[i - 1], borders[i]);
    }
    INFO("from ", from, " to ", to);
    CHECK(primes_found == primes);
    CHECK(twins_found == twins);
  }
}

TEST_CASE("an empty stretch holds no primes, wherever it is") {
  for (const std::uint64_t at : {0, 2, 3, 5, 128, 1'000'003}) {
    CHECK(run_count("primes", at, at) == 0);
    CHECK(run_count("twinprimes", at, at) == 0);
  }
}

TEST_CASE("stretches longer than a segment of the sieve agree with those that are not") {
  const std::uint64_t from = 999'999'000'001;
  std::uint64_t primes = 0;
  std::uint64_t twins = 0;
  for (std::uint64_t at = from; at < from + 3'000'000; at += 100'000) {
    primes += run_count("primes", at, at + 100'000);
    twins += run_count("twinprimes", at, at + 100'000);
  }
  CHECK(run_count("primes", from, from + 3'000'000) == primes);
  CHECK(run_count("twinprimes", from, from + 3'000'000) == twins);
}

TEST_CASE("the longest Collatz orbit of any stretch is the naive one, and the smallest start of those that tie") {
  auto generator = Generator::from_seed(2);
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t from = 1 + generator.below(round < 30 ? 200'000 : 1'000'000'000);
    const std::uint64_t to = from + 1 + generator.below(2'000);
    std::uint64_t best = from;
    for (std::uint64_t start = from; start < to; ++start) {
      if (naive_steps(start) > naive_steps(best)) best = start;
    }
    const Bytes output = builtin("collatz").run(Writer().u64(from).u64(to).take(), StopToken());
    CHECK(output == Writer().u64(best).u32(naive_steps(best)).take());
  }
}

TEST_CASE("a Collatz orbit that outgrows 64 bits is followed in 128") {
  // Starts whose orbits rise higher than those of all smaller ones (A006884): to 2^60 for the first, above 2^78 for the last.
  const std::vector<std::uint64_t> starts{319'804'831, 1'410'123'943, 12'327'829'503, 77'566'362'559, 567'839'862'631, 871'673'828'443};
  for (const std::uint64_t start : starts) {
    const Bytes output = builtin("collatz").run(Writer().u64(start).u64(start + 1).take(), StopToken());
    CHECK(output == Writer().u64(start).u32(naive_steps(start)).take());
  }
}

TEST_CASE("queens and walks are as many as a naive search finds") {
  for (unsigned n = 1; n <= 8; ++n) {
    std::vector<unsigned> columns;
    CHECK(answer("nqueens", {{"n", n}}) == std::to_string(naive_queens(n, columns)));
    std::set<std::pair<int, int>> visited{{0, 0}};
    CHECK(answer("walks", {{"n", n}}) == std::to_string(naive_walks(n, visited, 0, 0)));
  }
}

TEST_CASE("a pixel's escape time is the naive one, whatever tile it is in") {
  auto generator = Generator::from_seed(3);
  for (int round = 0; round < 300; ++round) {
    const auto x = static_cast<std::uint32_t>(generator.below(300));
    const auto y = static_cast<std::uint32_t>(generator.below(250));
    const Bytes output = builtin("mandelbrot").run(Writer().u32(300).u32(250).u32(x).u32(y).u32(1).u32(1).take(), StopToken());
    const double half_pixel = 0.01 / 2;
    const auto naive = static_cast<std::uint16_t>(naive_escape((2.0 * x + 1 - 300) * half_pixel - 0.75, (2.0 * y + 1 - 250) * half_pixel));
    INFO("pixel ", x, ", ", y);
    CHECK(output == Writer().u16(naive).take());
  }
}

TEST_CASE("the order in which outputs are accepted changes neither the units nor the answer") {
  const std::vector<std::pair<std::string, Parameters>> jobs{{"golomb", {{"n", 11}}},
                                                            {"collatz", {{"to", 40'000'000}}},
                                                            {"primes", {{"to", 700'000'000}}},
                                                            {"mandelbrot", {{"width", 600}, {"height", 300}}}};
  for (const auto& [name, parameters] : jobs) {
    const Finished forward = finish(name, parameters, Order::handed_out);
    const Finished backward = finish(name, parameters, Order::reversed);
    INFO(name);
    CHECK(forward.inputs.size() > 2);
    CHECK(forward.inputs == backward.inputs);
    CHECK(forward.answer.text == backward.answer.text);
    if (forward.answer.picture) CHECK(forward.answer.picture->rgb == backward.answer.picture->rgb);
  }
}

TEST_CASE("a later wave of the Golomb search knows the best bound of the earlier ones") {
  const Finished job = finish("golomb", {{"n", 12}});
  // A unit's first two bytes are the number of marks and the bound.
  unsigned first = 0;
  unsigned last = 0;
  for (const Bytes& input : job.inputs) {
    if (input[0] != 12) continue;
    if (first == 0) first = input[1];
    last = input[1];
  }
  CHECK(first > 100);
  CHECK(last < first);
  CHECK(last >= 85);
}
