#include "coordinatorless/core/trust_ledger.h"

#include <doctest/doctest.h>

#include <deque>
#include <set>

#include "coordinatorless/core/confidence.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

constexpr ShortDigest right = 7;

struct Bench {
  explicit Bench(std::uint64_t units, std::uint64_t donors = 10, double confidence = 0.99) : ledger({confidence, false, 0.2, Finality::end}) {
    for (DonorIndex donor = 0; donor < donors; ++donor) ledger.joined(donor);
    if (units > 0) open(units, 1 - confidence);
  }
  void open(std::uint64_t units, double error) { ledger.open_block({error, 0.2, units, 0.01}); }
  void returned(UnitNumber unit, DonorIndex donor, ShortDigest digest = right) { CHECK(ledger.returned(unit, donor, digest, generator)); }
  /// The submitter recomputes whatever is wished for; all wishes together.
  TrustLedger::Wishes settle() {
    TrustLedger::Wishes all;
    for (auto wishes = ledger.take_wishes(); !wishes.empty(); wishes = ledger.take_wishes()) {
      for (const UnitNumber unit : wishes.own) ledger.recomputed(unit, right);
      const auto add = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
      add(all.own, wishes.own), add(all.reopened, wishes.reopened), add(all.convicted, wishes.convicted), add(all.more, wishes.more);
      add(all.void_audits, wishes.void_audits);
    }
    return all;
  }
  Generator generator = Generator::from_seed(1);
  TrustLedger ledger;
};

}  // namespace

TEST_CASE("a result stands provisionally, and audits of it are drawn only then") {
  Bench bench(100, 10, 0.9);
  CHECK(bench.ledger.results_wanted(0) == 1);
  CHECK(bench.ledger.held() == 0);
  bench.returned(0, 3);
  const auto state = bench.ledger.state(0);
  CHECK(state.returned);
  CHECK(state.holder == 3);
  CHECK(state.digest == right);
  CHECK(bench.ledger.held() == 1);
  CHECK(bench.ledger.final_units() == 0);
}

TEST_CASE("a donor's first result is recomputed where that was asked for, its second one is not for that reason") {
  Bench bench(10000, 3, 0.9);
  bench.ledger.check_first(true);
  bench.returned(0, 0);
  CHECK(bench.ledger.state(0).own_wanted);
  CHECK(bench.settle().own == std::vector<UnitNumber>{0});
  CHECK(bench.ledger.state(0).decided);
  for (UnitNumber unit = 1; unit < 20; ++unit) bench.returned(unit, 0);
  CHECK(bench.settle().own.size() <= 3);  // by their draws alone
}

TEST_CASE("whoever is proven wrong loses what is not decided, in every block that is not final, and begins anew or is branded") {
  Bench bench(50, 5, 0.9);
  bench.open(50, 0.1);
  bench.ledger.check_first(true);
  bench.returned(0, 0);
  (void)bench.settle();
  bench.returned(1, 0, 13);
  bench.returned(2, 0);
  bench.returned(60, 0);
  (void)bench.settle();
  bench.returned(3, 1);
  (void)bench.settle();  // its first
  bench.ledger.nobody_computes(1);
  const auto wishes = bench.settle();
  REQUIRE(wishes.convicted.size() == 1);
  CHECK(wishes.convicted[0].donor == 0);
  CHECK(wishes.convicted[0].unit == 1);
  CHECK(wishes.convicted[0].sentence == Sentence::forgiven);
  for (const UnitNumber unit : {2, 60}) CHECK((!bench.ledger.state(unit).returned || bench.ledger.state(unit).decided));
  CHECK(bench.ledger.state(3).holder == 1);
  CHECK(bench.ledger.standing(0).newcomer);
  CHECK(bench.ledger.anyone_caught());
  // A newcomer's results are all recomputed, while others are established.
  bench.returned(4, 0, 13);
  CHECK(bench.settle().convicted.at(0).sentence == Sentence::forgiven);
  bench.returned(5, 0, 13);
  CHECK(bench.settle().convicted.at(0).sentence == Sentence::branded);
  CHECK_FALSE(bench.ledger.returned(6, 0, right, bench.generator));
}

TEST_CASE("two donors that return the same wrong result are colluders, and branded at once") {
  Bench bench(20, 5, 0.9);
  bench.returned(0, 0, 13);
  (void)bench.ledger.take_wishes();
  bench.returned(0, 1, 13);
  bench.returned(0, 2);
  const auto wishes = bench.settle();
  REQUIRE(wishes.convicted.size() == 2);
  for (const auto& convicted : wishes.convicted) CHECK(convicted.sentence == Sentence::branded);
  CHECK_FALSE(bench.ledger.standing(2).branded);
  CHECK(bench.ledger.state(0).digest == right);
}

TEST_CASE("who accuses an honest donor falsely is convicted itself") {
  Bench bench(20, 5, 0.9);
  bench.returned(0, 0);
  bench.returned(0, 1, 13);
  const auto wishes = bench.settle();
  REQUIRE(wishes.convicted.size() == 1);
  CHECK(wishes.convicted[0].donor == 1);
  CHECK(bench.ledger.standing(0).record.verified == 1);
}

TEST_CASE("an auditor's audits are void with its name, and wanted anew") {
  Bench bench(1000, 5, 0.999);  // nearly everything is audited
  UnitNumber audited = 0;
  while (bench.ledger.state(audited).audits_out == 0) {
    if (bench.ledger.state(audited).returned) ++audited;
    bench.returned(audited, 0);
    (void)bench.settle();
  }
  const unsigned wanted = bench.ledger.state(audited).audits_out;
  bench.returned(audited, 1);
  CHECK(bench.ledger.state(audited).audits_out == wanted - 1);
  bench.returned(999, 1, 13);
  bench.ledger.nobody_computes(999);
  const auto wishes = bench.settle();
  CHECK(wishes.void_audits == std::vector<std::pair<UnitNumber, DonorIndex>>{{audited, 1}});
  CHECK(bench.ledger.state(audited).audits_out == wanted);
}

TEST_CASE("a unit that not even the submitter can compute is final, and nobody's fault") {
  Bench bench(1, 3);
  bench.ledger.nobody_computes(0);
  CHECK(bench.ledger.take_wishes().own == std::vector<UnitNumber>{0});
  bench.ledger.given_up(0);
  bench.ledger.end_turn();
  CHECK(bench.ledger.final_units() == 1);
  CHECK(bench.ledger.take_wishes().convicted.empty());
}

TEST_CASE("a block may end before its units are all there") {
  Bench bench(10, 3, 0.5);
  for (UnitNumber unit = 0; unit < 4; ++unit) bench.returned(unit, 0);
  (void)bench.settle();
  bench.ledger.end_turn();
  CHECK(bench.ledger.final_units() == 0);
  bench.ledger.end_block(4);
  CHECK(bench.ledger.units() == 4);
  for (int turns = 0; turns < 100 && bench.ledger.final_units() < 4; ++turns) {
    bench.ledger.end_turn();
    for (UnitNumber unit = 0; unit < 4; ++unit) bench.ledger.nobody_audits(unit);
    (void)bench.settle();
  }
  CHECK(bench.ledger.final_units() == 4);
  CHECK(bench.ledger.final_digest(3) == right);
  CHECK(bench.ledger.confidence() >= 0.5);
}

TEST_CASE("whatever order results, audits and recomputations come in, every block becomes final, with nothing wrong that was recomputed") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Generator dice = Generator::from_seed(seed);
    constexpr DonorIndex donors = 6;
    const std::uint64_t units = 30 + dice.below(40);
    Bench bench(0, donors, 0.95);
    bench.ledger.check_first(dice.chance(0.5));
    bench.open(units / 2, 0.05);
    bench.open(units - units / 2, 0.05);
    std::vector<std::set<DonorIndex>> voters(units);
    std::deque<UnitNumber> own;
    std::set<UnitNumber> recomputed;
    std::uint64_t steps = 0;
    for (; bench.ledger.final_units() < units && steps < 100000; ++steps) {
      const UnitNumber unit = dice.below(units);
      const auto state = bench.ledger.state(unit);
      const bool open = unit >= bench.ledger.final_units() && bench.ledger.results_wanted(unit) > voters[unit].size();
      if (!own.empty() && dice.chance(0.3)) {
        const auto at = own.begin() + static_cast<std::ptrdiff_t>(dice.below(own.size()));
        const UnitNumber looked_at = *at;
        own.erase(at);
        recomputed.insert(looked_at);
        bench.ledger.recomputed(looked_at, right);
      } else if (open && dice.chance(0.05) && !state.decided) {  // of its own accord
        recomputed.insert(unit);
        bench.ledger.recomputed(unit, right);
      } else if (open) {
        const auto donor = static_cast<DonorIndex>(dice.below(donors));
        const bool lies = donor < 2 && dice.chance(0.4);
        if (voters[unit].contains(donor) || bench.ledger.standing(donor).branded) {
          if (voters[unit].size() == donors) bench.ledger.nobody_audits(unit);
        } else if (bench.ledger.returned(unit, donor, lies ? 13 + dice.below(2) : right, bench.generator)) {
          voters[unit].insert(donor);
        }
      } else if (dice.chance(0.02)) {
        bench.ledger.nobody_audits(unit);  // the rest have gone
      }
      bench.ledger.end_turn();
      const auto wishes = bench.ledger.take_wishes();
      own.insert(own.end(), wishes.own.begin(), wishes.own.end());
      for (const UnitNumber reopened : wishes.reopened) voters[reopened].clear();
      for (const auto& [audited, donor] : wishes.void_audits) voters[audited].erase(donor);
      std::uint64_t held = 0;
      for (UnitNumber each = bench.ledger.final_units(); each < units; ++each) held += bench.ledger.state(each).returned;
      CHECK(bench.ledger.held() >= held);  // and those of a block that is final behind one that is not
    }
    CHECK(bench.ledger.final_units() == units);
    for (const UnitNumber unit : recomputed) CHECK(bench.ledger.final_digest(unit) == right);
    CHECK(bench.ledger.held() == 0);
    for (DonorIndex donor = 2; donor < donors; ++donor) CHECK_FALSE(bench.ledger.standing(donor).branded);
  }
}
