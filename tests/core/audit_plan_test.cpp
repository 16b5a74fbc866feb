#include "coordinatorless/core/audit_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace dugnad;
using namespace dugnad::core;

namespace {

double found_after(std::size_t caught, double allowed) {
  const double burden = charge({caught, static_cast<double>(caught)}, allowed);
  return burden / (burden + allowed);
}

/// Single lies against the stopping rule: `lies` identities with one lie each, whose draws are hit as the level rises. Returns the lies kept.
std::size_t lies_kept(double allowed, std::size_t lies, Generator& generator) {
  std::vector<double> draws(lies);
  for (double& draw : draws) draw = generator.share();
  std::sort(draws.begin(), draws.end());
  std::size_t caught = 0;
  while (caught < lies && draws[caught] < found_after(caught, allowed)) ++caught;
  return lies - caught;
}

/// The adversary's game, solved exactly. State: `caught` names so far and the lies that stand. It may stop, or commit one more lie, which is hit
/// with the detection that is in force; a hit raises the detection, which may hit standing lies, and so on. It knows all of this. A name
/// has one lie: more under one name are lost together. Returns the most wrong results that it can expect to keep, in units of `allowed`.
class Game {
 public:
  Game(double allowed, std::size_t names)
      : names_(names), standing_(static_cast<std::size_t>(3 * allowed + 6 * std::sqrt(allowed)) + 8), found_(names + 1) {
    for (std::size_t c = 0; c <= names_; ++c) found_[c] = found_after(c, allowed);
    value_.assign(names_ + 1, std::vector<double>(standing_ + 1));
    raised_.assign(names_ + 1, std::vector<std::vector<double>>(standing_ + 2, std::vector<double>(standing_ + 1)));
    for (std::size_t c = names_ + 1; c-- > 0;) {
      for (std::size_t k = standing_ + 1; k-- > 0;) {
        value_[c][k] = static_cast<double>(k);
        if (c == names_ || k == standing_) continue;
        value_[c][k] = std::max(value_[c][k], found_[c] * raised_[c][1][k] + (1 - found_[c]) * value_[c][k + 1]);
      }
      for (std::size_t jump = 1; jump <= standing_ + 1 && jump <= c; ++jump) raise_to(c, jump);
    }
    worth_ = value_[0][0] / allowed;
  }
  [[nodiscard]] double worth() const { return worth_; }

 private:
  /// The detection rises from that of `c - jump` catches to that of `c`: each standing lie is hit independently.
  void raise_to(std::size_t c, std::size_t jump) {
    const double hit = (found_[c] - found_[c - jump]) / (1 - found_[c - jump]);
    for (std::size_t k = 0; k <= standing_; ++k) {
      double sum = 0, probability = std::pow(1 - hit, static_cast<double>(k));
      for (std::size_t hits = 0; hits <= k; ++hits) {
        const std::size_t next = std::min(names_, c + hits);
        const double then = hits == 0 ? value_[c][k] : next == c ? static_cast<double>(k - hits) : raised_[c][next - c][k - hits];
        sum += probability * then;
        probability *= hit / (1 - hit) * static_cast<double>(k - hits) / static_cast<double>(hits + 1);
      }
      raised_[c - jump][jump][k] = sum;
    }
  }

  std::size_t names_, standing_;
  std::vector<double> found_;
  std::vector<std::vector<double>> value_;
  std::vector<std::vector<std::vector<double>>> raised_;
  double worth_ = 0;
};

}  // namespace

TEST_CASE("a higher level only adds audits, and as many on average as it says") {
  Generator generator = Generator::from_seed(1);
  for (const double donors : {0.0, 0.1, 1.0, 1.7, 4.25}) {
    std::uint64_t audits = 0;
    for (int i = 0; i < 100000; ++i) {
      const AuditDraw draw = draw_audits(generator);
      audits += audits_wanted(draw, {0.02, donors});
      REQUIRE(audits_wanted(draw, {0.02, donors}) <= audits_wanted(draw, {0.02, donors + 0.3}));
      REQUIRE((!audited_by_submitter(draw, {0.02, donors}) || audited_by_submitter(draw, {0.03, donors})));
    }
    CHECK(static_cast<double>(audits) / 100000 == doctest::Approx(donors).epsilon(0.02));
  }
}

TEST_CASE("audits find lies as often as the closed form of detection says") {
  Generator generator = Generator::from_seed(2);
  for (const AuditLevel level : {AuditLevel{0.02, 0.3}, AuditLevel{0.1, 1.5}, AuditLevel{0.0, 2.0}}) {
    const double f = 0.3;
    int found = 0;
    constexpr int lies = 200000;
    for (int i = 0; i < lies; ++i) {
      const AuditDraw draw = draw_audits(generator);
      bool hit = audited_by_submitter(draw, level);
      for (unsigned k = audits_wanted(draw, level); k > 0 && !hit; --k) hit = !generator.chance(f);
      found += hit;
    }
    CHECK(static_cast<double>(found) / lies == doctest::Approx(detection(level, f)).epsilon(0.01));
  }
}

TEST_CASE("the lies that are kept are g times the identities hit exactly once") {
  Generator generator = Generator::from_seed(3);
  for (const double found : {0.1, 0.4}) {
    for (const int lies : {1, 2, 5, 12}) {
      constexpr int identities = 200000;
      std::uint64_t kept = 0, once = 0;
      for (int i = 0; i < identities; ++i) {
        int hits = 0;
        for (int lie = 0; lie < lies; ++lie) hits += generator.chance(found);
        if (hits == 0) kept += static_cast<std::uint64_t>(lies);
        once += hits == 1;
      }
      const double predicted = odds_missed(found) * static_cast<double>(once);
      const double deviation = std::sqrt(lies * predicted + odds_missed(found) * predicted);
      CHECK(std::abs(static_cast<double>(kept) - predicted) < 4.5 * deviation);
      CHECK(std::abs(static_cast<double>(kept) - identities * lies * std::pow(1 - found, lies)) < 4.5 * deviation);
    }
  }
}

TEST_CASE("draws during the work keep no more than every catch charged") {
  Generator generator = Generator::from_seed(4);
  const double found = 0.05;
  for (const int most : {1, 5, 20, 100}) {  // an identity that stops after so many lies
    std::uint64_t kept = 0, caught = 0;
    for (int i = 0; i < 100000; ++i) {
      int standing = 0;
      bool hit = false;
      while (standing < most && !hit) (hit = generator.chance(found)) || ++standing;
      kept += hit ? 0 : static_cast<std::uint64_t>(standing);
      caught += hit;
    }
    CHECK(static_cast<double>(kept) <= odds_missed(found) * static_cast<double>(caught) * 1.02);
  }
}

TEST_CASE("the level needed is the least at which a block is final") {
  for (const double f : {0.0, 0.1, 0.2, 0.5}) {
    for (const double error : {0.01, 0.001, 1e-5, 1e-7}) {
      for (const std::uint64_t units : {100U, 4000U, 1000000U}) {
        for (const std::uint64_t caught : {0U, 3U, 50U}) {
          const AuditTerms terms{error, f, units, 0.02};
          const CatchTally tally{caught, static_cast<double>(caught)};
          const AuditLevel level = level_needed(terms, tally);
          CHECK(is_final(terms, level, tally));
          CHECK(level.donors <= donor_audits_max);
          if (level.own == 1) continue;
          const AuditLevel less{level.own * 0.99, level.donors * 0.99};
          CHECK_FALSE(is_final(terms, less, tally));
          CHECK_FALSE(is_final(terms, level, {caught + 5, static_cast<double>(caught) + 5}));
        }
      }
    }
  }
}

TEST_CASE("lies forfeited lessen a catch's charge, down to nothing") {
  CatchTally tally;
  Catch caught{0.25, 0};  // g = 3
  tally.add(caught);
  CHECK(tally.catches == 1);
  CHECK(tally.charged == 1.0);
  for (const double left : {2.0 / 3, 1.0 / 3, 0.0, 0.0}) {
    tally.forfeit(caught);
    CHECK(tally.charged == doctest::Approx(left));
  }
  CHECK(Catch{1.0, 0}.charge() == 1.0);
  CHECK(Catch{1.0, 1}.charge() == 0.0);
}

TEST_CASE("with the lies forfeited known, the charges equal the lies kept, whenever the liar stops") {
  Generator generator = Generator::from_seed(6);
  for (const double found : {0.05, 0.3}) {
    for (const int most : {1, 3, 10, 60}) {  // a name that stops after so many lies
      constexpr int names = 200000;
      double kept = 0, exact = 0, charged = 0;
      for (int i = 0; i < names; ++i) {
        unsigned standing = 0;
        bool hit = false;
        while (static_cast<int>(standing) < most && !hit) (hit = generator.chance(found)) || ++standing;
        if (!hit) {
          kept += standing;
          continue;
        }
        exact += odds_missed(found) - standing;
        charged += odds_missed(found) * Catch{found, standing}.charge();
      }
      const double deviation = std::sqrt(static_cast<double>(names)) * (most + odds_missed(found));
      CHECK(std::abs(kept - exact) < 4 * deviation);
      CHECK(charged >= kept - 4 * deviation);
      CHECK(charged >= exact);
    }
  }
}

TEST_CASE("where the level rises over lies told before, the exact charges average to the single hits") {
  Generator generator = Generator::from_seed(7);
  for (const int lies : {1, 2, 5}) {
    constexpr int names = 200000;
    const double last = 0.6;
    double charged = 0;
    int once = 0;
    for (int i = 0; i < names; ++i) {
      double first = 1;
      int hits = 0;
      for (int lie = 0; lie < lies; ++lie) {
        const double draw = generator.share();
        hits += draw < last;
        first = std::min(first, draw);
      }
      once += hits == 1;
      if (hits > 0) charged += 1.0 - (lies - 1) / odds_missed(first);
    }
    CHECK(std::abs(charged - once) < 5 * std::sqrt(static_cast<double>(names)) * lies);
  }
}

TEST_CASE("no number of single lies keeps more than is allowed") {
  Generator generator = Generator::from_seed(5);
  double worst = 0;
  for (const double allowed : {0.1, 1.0, 4.0, 20.0, 100.0}) {
    for (const double times : {0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 30.0}) {
      const auto lies = static_cast<std::size_t>(std::max(1.0, std::round(allowed * times)));
      constexpr int runs = 4000;
      std::size_t kept = 0;
      for (int i = 0; i < runs; ++i) kept += lies_kept(allowed, lies, generator);
      const double share = static_cast<double>(kept) / runs / allowed;
      worst = std::max(worst, share);
      CHECK_MESSAGE(share <= 1.0, "allowed ", allowed, " lies ", lies, " kept, in units of what is allowed: ", share);
    }
  }
  CHECK(worst > 0.5);  // the bound is no waste either
}

TEST_CASE("an adversary that knows the rule and lies anew after every catch, under a hundred names, keeps no more than is allowed") {
  for (const double allowed : {0.001, 0.1, 0.3, 1.0, 2.0, 4.0, 10.0}) {
    const Game game(allowed, 100);
    CHECK_MESSAGE(game.worth() <= 1.0, "allowed ", allowed, " keeps ", game.worth());
    CHECK_MESSAGE(game.worth() >= 0.7, "allowed ", allowed, " keeps ", game.worth());
  }
  CHECK(Game(30, 60).worth() <= 1.0);
}

TEST_CASE("donors on probation keep no more than is set aside for them, however many names they have") {
  Generator generator = Generator::from_seed(8);
  for (const double allowed : {0.1, 1.0, 4.0, 30.0}) {
    const AuditTerms terms{allowed / 10000, 0.2, 10000, 0.01};
    const AuditLevel level = probation_level(terms, {});
    CHECK(odds_missed(detection(level, terms.assumed)) <= allowed / 50 * (1 + 1e-9));
    const CatchTally many{400, 400};
    CHECK(set_aside_for_probation(terms, probation_level(terms, many), many) <= allowed / 2 * (1 + 1e-6));
    const double found = detection(level, terms.assumed);
    for (const int names : {1, 10, 100}) {
      double kept = 0, aside = 0;
      constexpr int runs = 20000;
      for (int i = 0; i < runs; ++i) {
        CatchTally tally;
        for (int name = 0; name < names; ++name) {
          if (generator.chance(found))
            tally.add({found, 0});
          else
            ++kept;
        }
        aside += set_aside_for_probation(terms, level, tally);
      }
      CHECK(kept <= aside);
    }
  }
}

TEST_CASE("what is set aside is not there for the others") {
  AuditTerms terms{0.001, 0.2, 10000, 0.01};
  const AuditLevel before = level_needed(terms, {});
  terms.set_aside = 5;
  const AuditLevel after = level_needed(terms, {});
  CHECK(after.donors > before.donors);
  CHECK(is_final(terms, after, {}));
  CHECK_FALSE(is_final(terms, before, {}));
  CHECK(wrong_expected_most(terms, after, {}) + terms.set_aside <= 10 * (1 + 1e-9));
  terms.set_aside = 50;  // more than there is: nearly everything is recomputed
  CHECK(detection(level_needed(terms, {}), terms.assumed) > 0.99);
}

TEST_CASE("caught saboteurs lessen what is assumed of the rest, down to a quarter") {
  CHECK(assumed_left(0.2, 0.0) == doctest::Approx(0.2));
  CHECK(assumed_left(0.2, 0.1) == doctest::Approx(0.1 / 0.9));
  CHECK(assumed_left(0.2, 0.19) == doctest::Approx(0.05));
  CHECK(assumed_left(0.2, 0.9) == doctest::Approx(0.05));
  CHECK(assumed_left(0.0, 0.5) == 0.0);
}
