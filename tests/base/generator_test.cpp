#include <doctest/doctest.h>

#include <array>

#include "coordinatorless/base/generator.h"

using namespace dugnad;

TEST_CASE("the same key draws the same numbers, another key others") {
  Generator a = Generator::from_seed(1), b = Generator::from_seed(1), c = Generator::from_seed(2);
  int same = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto draw = a.next();
    CHECK(draw == b.next());
    same += draw == c.next();
  }
  CHECK(same == 0);
}

TEST_CASE("draws below a bound are uniform") {
  Generator generator = Generator::from_seed(7);
  std::array<int, 10> seen{};
  for (int i = 0; i < 100000; ++i) ++seen[generator.below(10)];
  for (const int count : seen) {
    CHECK(count > 9600);   // 10,000 expected, standard deviation 95
    CHECK(count < 10400);
  }
}

TEST_CASE("a share lies in [0, 1) and averages a half") {
  Generator generator = Generator::from_seed(9);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double share = generator.share();
    REQUIRE(share >= 0.0);
    REQUIRE(share < 1.0);
    sum += share;
  }
  CHECK(sum / 100000 == doctest::Approx(0.5).epsilon(0.01));
}

TEST_CASE("a shuffle keeps what it shuffles") {
  Generator generator = Generator::from_seed(3);
  std::vector<int> items(100);
  for (int i = 0; i < 100; ++i) items[i] = i;
  generator.shuffle(std::span(items));
  CHECK(items[0] + items[1] + items[2] != 3);
  std::sort(items.begin(), items.end());
  for (int i = 0; i < 100; ++i) CHECK(items[i] == i);
}
