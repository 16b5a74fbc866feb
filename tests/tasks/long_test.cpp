// Published answers that take minutes (-DDUGNAD_LONG_TESTS=ON).
#include "tests/tasks/in_process.h"

using namespace dugnad;
using namespace dugnad::tasks;

TEST_CASE("16 queens") { CHECK(answer("nqueens", {{"n", 16}}) == "14772512"); }
TEST_CASE("17 queens") { CHECK(answer("nqueens", {{"n", 17}}) == "95815104"); }
TEST_CASE("primes up to 10^10") { CHECK(answer("primes", {{"to", 10'000'000'000}}) == "455052511"); }
TEST_CASE("twin primes up to 10^10") { CHECK(answer("twinprimes", {{"to", 10'000'000'000}}) == "27412679"); }
TEST_CASE("self-avoiding walks of 22 steps") { CHECK(answer("walks", {{"n", 22}}) == "6444560484"); }
TEST_CASE("the shortest Golomb ruler of 12 marks") { CHECK(answer("golomb", {{"n", 12}}) == "85"); }
TEST_CASE("the shortest Golomb ruler of 13 marks") { CHECK(answer("golomb", {{"n", 13}}) == "106"); }
TEST_CASE("the shortest Golomb ruler of 14 marks") { CHECK(answer("golomb", {{"n", 14}}) == "127"); }
TEST_CASE("the longest Collatz orbit up to 10^8") { CHECK(answer("collatz", {{"to", 100'000'000}}) == "63728127"); }
