// Any process may die at any instant: submitter, workers and stewards are killed again and again while real jobs run, and each job must come to
// its right answer all the same, with every unit accepted once and nothing computed again that was final.
//
// DUGNAD_KILLS: how many kills in all; DUGNAD_KILLS_SEED: of whom, and when.
#include <cstdlib>

#include "tests/e2e/reaper.h"

namespace dugnad::e2e {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE(
    "submitter, workers and stewards are killed at random while jobs run: each answer is right, each unit accepted once, and what was final stays "
    "so") {
  const std::uint64_t kills_wanted = number_from("DUGNAD_KILLS", 20);
  const std::uint64_t seed = number_from("DUGNAD_KILLS_SEED", 1);
  CAPTURE(seed);
  Reaper reaper(seed, 2);
  for (int i = 0; i < 2; ++i) reaper.add_worker({"--steward", "64MiB"});
  const std::vector<Order> orders{{"primes --to 20000000000 --copies 2", {}, "882206716"},
                                  {"primes --to 20000000000 --unit-confidence 0.95 --final stream", {}, "882206716"},
                                  {"twinprimes --to 10000000000 --confidence 0.9", {}, "27412679"},
                                  {"primes --to 20000000000 --copies 2 --stewards 2", {}, "882206716"}};
  const std::uint64_t share = std::max<std::uint64_t>(5, kills_wanted / 8);
  std::uint64_t kills = 0;
  for (std::size_t i = 0; kills < kills_wanted; ++i) {
    REQUIRE_MESSAGE(i < 100 + kills_wanted, "jobs end before anything can be killed");
    kills += reaper.run(orders[i % orders.size()], std::min(share, kills_wanted - kills));
  }
}

}  // namespace dugnad::e2e
