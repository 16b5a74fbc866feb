// What is published (OEIS, by sequence), and what was once computed and must stay so.
#include <cmath>

#include "coordinatorless/base/hash.h"
#include "tests/tasks/in_process.h"

using namespace dugnad;
using namespace dugnad::tasks;

TEST_CASE("queens are placed in as many ways as A000170 says") {
  const std::vector<std::string> published{"1", "0", "0", "2", "10", "4", "40", "92", "352", "724", "2680", "14200", "73712", "365596"};
  for (std::size_t i = 0; i < published.size(); ++i) CHECK(answer("nqueens", {{"n", i + 1}}) == published[i]);
}

TEST_CASE("queens on a board that is cut into several units add up to the same") {
  const Finished job = finish("nqueens", {{"n", 15}});
  CHECK(job.inputs.size() > 1);
  CHECK(job.answer.text == "2279184");
}

TEST_CASE("primes up to a power of ten are as many as A006880 says") {
  CHECK(answer("primes", {{"to", 1}}) == "0");
  CHECK(answer("primes", {{"to", 2}}) == "1");
  CHECK(answer("primes", {{"to", 10}}) == "4");
  CHECK(answer("primes", {{"to", 1'000'000}}) == "78498");
  CHECK(answer("primes", {{"to", 100'000'000}}) == "5761455");
  CHECK(answer("primes", {{"to", 1'000'000'000}}) == "50847534");
}

TEST_CASE("twin primes below a power of ten are as many as A007508 says") {
  CHECK(answer("twinprimes", {{"to", 4}}) == "0");
  CHECK(answer("twinprimes", {{"to", 5}}) == "1");
  CHECK(answer("twinprimes", {{"to", 10}}) == "2");
  CHECK(answer("twinprimes", {{"to", 100}}) == "8");
  CHECK(answer("twinprimes", {{"to", 1'000'000}}) == "8169");
  CHECK(answer("twinprimes", {{"to", 100'000'000}}) == "440312");
  CHECK(answer("twinprimes", {{"to", 1'000'000'000}}) == "3424506");
}

TEST_CASE("self-avoiding walks are as many as A001411 says") {
  const std::vector<std::string> published{"4", "12", "36", "100", "284", "780", "2172", "5916",
                                           "16268", "44100", "120292", "324932", "881500", "2374444"};
  for (std::size_t i = 0; i < published.size(); ++i) CHECK(answer("walks", {{"n", i + 1}}) == published[i]);
  CHECK(answer("walks", {{"n", 18}}) == "124658732");  // longer than the beginnings that are dealt out
}

TEST_CASE("the shortest Golomb rulers are as long as A003022 says") {
  const std::vector<std::string> published{"1", "3", "6", "11", "17", "25", "34", "44", "55", "72", "85"};
  for (std::size_t i = 0; i < published.size(); ++i) CHECK(answer("golomb", {{"n", i + 2}}) == published[i]);
}

TEST_CASE("the starts with the longest Collatz orbits are those of A006877") {
  CHECK(answer("collatz", {{"to", 1}}) == "1");
  CHECK(answer("collatz", {{"to", 10}}) == "9");
  CHECK(answer("collatz", {{"to", 26}}) == "25");
  CHECK(answer("collatz", {{"to", 27}}) == "27");
  CHECK(answer("collatz", {{"to", 100'000}}) == "77031");
  CHECK(answer("collatz", {{"to", 1'000'000}}) == "837799");
}

TEST_CASE("semiprimes up to a power of ten are as many as A066265 says") {
  CHECK(answer("factors", {{"from", 1}, {"count", 1}}) == "0 semiprimes");
  CHECK(answer("factors", {{"from", 1}, {"count", 4}}) == "1 semiprime, the hardest 4 = 2 * 2");
  CHECK(answer("factors", {{"from", 1}, {"count", 100}}) == "34 semiprimes, the hardest 49 = 7 * 7");
  CHECK(answer("factors", {{"from", 1}, {"count", 10'000}}) == "2625 semiprimes, the hardest 9409 = 97 * 97");
  CHECK(answer("factors", {{"from", 1}, {"count", 100'000}}) == "23378 semiprimes, the hardest 97969 = 313 * 313");
}

TEST_CASE("pi is what it was, and within five standard errors") {
  CHECK(answer("pi", {{"samples", 1'000'000}}) == "3.142028000 +- 0.001641881");
  const std::string text = answer("pi", {{"samples", 400'000'000}});
  const double estimate = std::stod(text);
  const double error = std::stod(text.substr(text.find("+- ") + 3));
  CHECK(error == doctest::Approx(4 * std::sqrt(0.7854 * 0.2146 / 4e8)).epsilon(0.001));
  CHECK(std::abs(estimate - 3.141592653589793) < 5 * error);
}

TEST_CASE("the Mandelbrot picture is what it was, and its halves mirror each other") {
  const Finished job = finish("mandelbrot", {{"width", 601}, {"height", 500}});
  REQUIRE(job.answer.picture.has_value());
  const Picture& picture = *job.answer.picture;
  REQUIRE(picture.rgb.size() == 601u * 500u * 3u);
  const std::size_t row = 601 * 3;
  for (std::size_t y = 0; y < 250; ++y) {
    const auto upper = picture.rgb.begin() + static_cast<std::ptrdiff_t>(y * row);
    const auto lower = picture.rgb.begin() + static_cast<std::ptrdiff_t>((499 - y) * row);
    REQUIRE(std::equal(upper, upper + static_cast<std::ptrdiff_t>(row), lower));
  }
  std::uint64_t black = 0;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) black += picture.rgb[i] + picture.rgb[i + 1] + picture.rgb[i + 2] == 0 ? 1 : 0;
  CHECK(std::to_string(black) == job.answer.text);
  // The set's area is 1.5066 (Förstemann), and a pixel's 0.005 squared.
  CHECK(static_cast<double>(black) * 0.005 * 0.005 == doctest::Approx(1.5066).epsilon(0.01));
  CHECK(job.answer.text == "60234");
  CHECK(hash_of(picture.rgb).hex() == "7b8c47a9ce13e395830e13568d0d65343f611aaba8b0859343d9033398025087");
}
