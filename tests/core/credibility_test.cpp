#include "coordinatorless/core/credibility.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "coordinatorless/base/generator.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

/// Bayes by enumeration: each donor is right or wrong; those who are right agree, and nobody agrees with them.
double naive_credibility(const std::vector<Voice>& voices, unsigned group) {
  double all = 0, wanted = 0;
  for (unsigned world = 0; world < 1U << voices.size(); ++world) {
    double probability = 1;
    bool possible = true;
    int truth = -1;
    for (std::size_t i = 0; i < voices.size(); ++i) {
      const bool right = (world >> i & 1) != 0;
      probability *= right ? 1 - voices[i].doubt : voices[i].doubt;
      if (!right) continue;
      if (truth >= 0 && truth != static_cast<int>(voices[i].group)) possible = false;
      truth = static_cast<int>(voices[i].group);
    }
    for (std::size_t i = 0; i < voices.size(); ++i) {
      if ((world >> i & 1) == 0 && truth == static_cast<int>(voices[i].group)) possible = false;
    }
    if (!possible) continue;
    all += probability;
    if (truth == static_cast<int>(group)) wanted += probability;
  }
  return wanted / all;
}

}  // namespace

TEST_CASE("no share of lies passes audits better than the closed form says") {
  for (const std::uint64_t audits : {1U, 2U, 3U, 10U, 100U, 1000U}) {
    double most = 0;
    for (int i = 0; i <= 20000; ++i) {
      const double x = i / 20000.0;
      most = std::max(most, x * std::pow(1 - x, static_cast<double>(audits)));
    }
    CHECK(most <= lies_passed_most(audits) * (1 + 1e-12));
    CHECK(most >= lies_passed_most(audits) * 0.999);
    CHECK(lies_passed_most(audits) < 1 / (std::numbers::e * static_cast<double>(audits)));
  }
  CHECK(lies_passed_most(0) == 1.0);
}

TEST_CASE("liars that passed their audits are wrong at most as often as their doubt says") {
  Generator generator = Generator::from_seed(1);
  const double f = 0.2;
  for (const std::uint64_t audits : {1U, 3U, 10U}) {
    for (const double lying : {0.05, 1.0 / (static_cast<double>(audits) + 1), 0.5}) {
      std::uint64_t passed = 0, wrong = 0;
      for (int i = 0; i < 200000; ++i) {
        const bool liar = generator.chance(f);
        bool caught = false;
        for (std::uint64_t a = 0; a < audits && !caught; ++a) caught = liar && generator.chance(lying);
        if (caught) continue;
        ++passed;
        wrong += liar && generator.chance(lying);
      }
      const double share = static_cast<double>(wrong) / static_cast<double>(passed);
      CHECK(share <= donor_doubt(audits, f) + 4 * std::sqrt(0.2 / static_cast<double>(passed)));
    }
  }
}

TEST_CASE("doubt begins at the assumed share and only falls") {
  for (const double f : {0.0, 0.05, 0.2, 0.5}) {
    CHECK(donor_doubt(0, f) == f);
    for (std::uint64_t audits = 0; audits < 200; ++audits) CHECK(donor_doubt(audits + 1, f) <= donor_doubt(audits, f));
  }
  CHECK(agreement_doubt(1, 0.2) == doctest::Approx(0.2));
  CHECK(agreement_doubt(3, 0.2) == doctest::Approx(0.008 / (0.008 + 0.512)));
  CHECK(agreement_doubt(3, 0.0) == 0.0);
}

TEST_CASE("the credibility of a group is what Bayes gives by enumeration") {
  Generator generator = Generator::from_seed(2);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Voice> voices(1 + generator.below(7));
    for (Voice& voice : voices) voice = {static_cast<unsigned>(generator.below(3)), 0.01 + 0.9 * generator.share()};
    for (unsigned group = 0; group < 3; ++group) {
      REQUIRE(group_credibility(voices, group) == doctest::Approx(naive_credibility(voices, group)).epsilon(1e-9));
    }
  }
}

TEST_CASE("hundreds of agreeing voices neither underflow nor make a wrong group credible") {
  std::vector<Voice> voices(800, Voice{0, 0.1});
  voices.push_back({1, 0.001});
  CHECK(group_credibility(voices, 0) == doctest::Approx(1.0));
  CHECK(group_credibility(voices, 1) < 1e-9);
  CHECK(group_credibility({}, 0) == 0.0);
}
