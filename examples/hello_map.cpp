// hello_map: maps a function over the swarm. How many primes are there in each of ten stretches of a million numbers?
//   hello_map CONTACT    asks the swarm behind a worker's contact, and takes what two of its peers agree on
//   hello_map            alone: this process computes
#include <cstdio>

#include "dugnad/typed.h"

struct Stretch {
  std::uint64_t from, to;  // what the built-in task `primes` takes: the numbers from `from` up to, and without, `to`
};

int main(int argc, char** argv) {
  auto swarm = dugnad::sdk::Swarm::join({.join = {argv + 1, argv + argc}, .alone = argc == 1});
  if (!swarm) return std::fprintf(stderr, "%s\n", swarm.error().message.c_str()), 1;

  std::vector<Stretch> stretches;
  for (std::uint64_t million = 0; million < 10; ++million) stretches.push_back({million * 1'000'000, (million + 1) * 1'000'000});

  auto job = dugnad::sdk::map<std::uint64_t>(*swarm, "primes", stretches, {.copies = argc == 1 ? 1u : 2u});
  if (!job) return std::fprintf(stderr, "%s\n", job.error().message.c_str()), 1;
  while (auto result = job->next()) {
    if (!result->output) return std::fprintf(stderr, "%s\n", result->reason.c_str()), 1;
    std::printf("million %2llu: %llu primes\n", 1ull * result->unit + 1, 1ull * *result->output);
  }
}
