// monte_carlo: an estimate of pi with statistics of our own. The built-in task `pi` throws darts at a square; its plan would combine them. Here
// we map over its units ourselves, treat each as an independent experiment, and compare the spread among them with what theory expects.
//   monte_carlo CONTACT    asks the swarm behind a worker's contact
//   monte_carlo            alone: this process computes
#include <cmath>
#include <cstdio>

#include "dugnad/typed.h"

namespace {

struct Experiment {
  std::uint64_t seed, darts;  // a unit of the task `pi`; its output is how many of the darts hit the quarter circle
};

/// Mean and variance as the numbers come (Welford), since results come in any order and none needs to be kept.
class Spread {
 public:
  void add(double x) {
    ++count_;
    const double off = x - mean_;
    mean_ += off / count_;
    squares_ += off * (x - mean_);
  }
  double mean() const { return mean_; }
  double standard_error() const { return std::sqrt(squares_ / (count_ - 1) / count_); }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

int complain(const std::string& what) {
  std::fprintf(stderr, "monte_carlo: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr double pi = 3.14159265358979323846;
  constexpr std::uint64_t experiments = 100, darts = 1'000'000;
  const bool alone = argc == 1;
  auto swarm = dugnad::sdk::Swarm::join({.join = {argv + 1, argv + argc}, .alone = alone});
  if (!swarm) return complain(swarm.error().message);

  std::vector<Experiment> inputs;
  for (std::uint64_t seed = 1; seed <= experiments; ++seed) inputs.push_back({seed, darts});
  auto job = dugnad::sdk::map<std::uint64_t>(*swarm, "pi", inputs, {.copies = alone ? 1u : 2u});
  if (!job) return complain(job.error().message);

  Spread spread;
  while (auto result = job->next()) {
    if (!result->output) return complain("experiment " + std::to_string(result->unit) + " failed: " + result->reason);
    spread.add(4.0 * static_cast<double>(*result->output) / darts);
  }
  const double expected = std::sqrt(pi * (4 - pi) / (experiments * darts));
  std::printf("pi is %.6f +- %.6f, by the spread of %llu experiments; theory expects +- %.6f\n", spread.mean(), spread.standard_error(),
              1ull * experiments, expected);
  return std::abs(spread.mean() - pi) < 5 * expected ? 0 : complain("that is further off than chance allows");
}
