// A Job with its donors played by the test: what is leased, to whom, and what comes of it.
#include "coordinatorless/core/job.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}

Bytes right_answer(ByteView input) {
  Bytes output(input.begin(), input.end());
  output.push_back('!');
  return output;
}

struct Bench {
  std::unique_ptr<Crypto> crypto = make_sodium({});
  Generator generator = Generator::from_seed(5);
  Self self{.id = peer(0), .swarm = {}, .endpoint = {}, .donates = false, .crypto = crypto.get(), .generator = &generator};
  Journal journal;
  Now now{BootTime{} + seconds(1000), WallTime{}};
  BlobWants blobs{self.id};
  JobCommons commons{blobs, {}, 1};
  Job job;
  Output out;

  struct Leased {
    PeerId donor;
    LeaseId lease;
    LeasedUnit unit;
  };
  std::vector<Leased> leased;                    // not answered yet, in order
  std::map<std::uint64_t, Bytes> delivered;
  std::vector<DonorOutvoted> outvoted;
  std::set<std::pair<PeerId, std::uint64_t>> revoked;
  std::optional<JobState> ended;
  int alone = 0, back = 0;
  Duration longest_lease{};

  explicit Bench(unsigned copies) : job(self, commons, JobId{}, manifest(copies), JobSubmitted{}, now) {}

  static Manifest manifest(unsigned copies) {
    Manifest manifest;
    manifest.task = "test";
    manifest.copies = copies;
    manifest.unit_limit = seconds(60);
    return manifest;
  }

  void units(std::uint64_t first, std::uint64_t count, bool last = true) {
    UnitsAppended appended{JobId{}, {}, last};
    for (std::uint64_t i = first; i < first + count; ++i) {
      appended.units.push_back({{i}, Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)}});
    }
    job.append(std::move(appended), now);
    settle();
  }

  void want(const PeerId& donor, unsigned slots = 1) {
    job.on_want(donor, Want{JobId{}, slots, seconds(100)});
    settle();
  }

  std::optional<Charge> answer(const Leased& lease, bool lie = false) {
    Results results{JobId{}, milliseconds(1), {}, {}};
    results.results.push_back({lease.lease, lease.unit.unit, Outcome::ok, lie ? to_bytes("lie") : right_answer(lease.unit.input.bytes)});
    const auto charge = job.on_results(lease.donor, std::move(results), now, out);
    settle();
    return charge;
  }

  /// Takes what is leased to `donor` out of the list.
  std::vector<Leased> take(const PeerId& donor) {
    std::vector<Leased> taken;
    std::erase_if(leased, [&](const Leased& lease) {
      if (lease.donor != donor) return false;
      taken.push_back(lease);
      return true;
    });
    return taken;
  }

  void pass(Duration time) {
    const BootTime end = now.boot + time;
    while (job.next_deadline() <= end) {
      now.boot = std::max(now.boot, job.next_deadline());
      settle();
      if (job.next_deadline() <= now.boot) now.boot += milliseconds(1);
    }
    now.boot = end;
  }

  void settle() {
    job.settle_up(now, journal, out);
    for (Addressed& addressed : std::exchange(out.messages, {})) {
      if (auto* lease = std::get_if<Lease>(&addressed.message)) {
        longest_lease = std::max(longest_lease, lease->valid);
        for (LeasedUnit& unit : lease->units) leased.push_back({addressed.to, lease->lease, std::move(unit)});
      } else if (auto* revoke = std::get_if<Revoke>(&addressed.message)) {
        for (const UnitIndex unit : revoke->units) revoked.insert({addressed.to, unit.value});
      }
    }
    for (Effect& effect : std::exchange(out.effects, {})) {
      if (auto* deliver = std::get_if<DeliverResults>(&effect)) {
        for (AcceptedUnit& unit : deliver->units) REQUIRE(delivered.emplace(unit.unit.value, std::move(unit.output.bytes)).second);
      } else if (auto* out_voted = std::get_if<DonorOutvoted>(&effect)) {
        outvoted.push_back(*out_voted);
      } else if (auto* end = std::get_if<JobEnded>(&effect)) {
        ended = end->state;
      } else if (std::holds_alternative<NobodyToCompute>(effect)) {
        ++alone;
      } else if (std::holds_alternative<DonorsBack>(effect)) {
        ++back;
      }
    }
  }
};

}  // namespace

TEST_CASE("a unit goes to a donor with standing credit as soon as it is appended") {
  Bench bench(1);
  bench.want(peer(1));
  CHECK(bench.leased.empty());
  bench.units(0, 1);
  const auto leased = bench.take(peer(1));
  REQUIRE(leased.size() == 1);
  CHECK_FALSE(bench.answer(leased[0]));
  CHECK(bench.delivered.at(0) == right_answer(leased[0].unit.input.bytes));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("two copies go to two donors, never twice to one") {
  Bench bench(2);
  bench.want(peer(1), 8);
  bench.units(0, 4);
  CHECK(bench.take(peer(1)).size() == 4);
  bench.pass(seconds(1));
  CHECK(bench.leased.empty());
  bench.want(peer(2), 8);
  CHECK(bench.take(peer(2)).size() == 4);
}

TEST_CASE("a liar is outvoted by a third donor, named, and left out once it was caught often enough") {
  Bench bench(2);
  for (std::uint8_t donor = 1; donor <= 3; ++donor) bench.want(peer(donor));
  bench.units(0, 200);
  for (int step = 0; step < 5000 && !bench.ended; ++step) {
    for (std::uint8_t donor = 1; donor <= 3; ++donor) {
      for (const auto& lease : bench.take(peer(donor))) {
        bench.pass(milliseconds(20));
        (void)bench.answer(lease, donor == 2);
      }
    }
  }
  CHECK(bench.ended == JobState::done);
  CHECK(bench.delivered.size() == 200);
  for (const auto& [unit, output] : bench.delivered) CHECK(output != to_bytes("lie"));
  REQUIRE(bench.outvoted.size() >= limits::outvoted_max);
  for (const DonorOutvoted& outvoted : bench.outvoted) CHECK(outvoted.donor == peer(2));
  CHECK(bench.job.progress().attempts < 420);  // 400 honest ones, and what the liar did before it was left out
}

TEST_CASE("a donor that vanishes loses its units after a grace, and others take them") {
  Bench bench(1);
  bench.want(peer(1), 4);
  bench.units(0, 4);
  CHECK(bench.take(peer(1)).size() == 4);
  bench.job.lost(peer(1), bench.now);
  bench.want(peer(2), 4);
  CHECK(bench.leased.empty());
  bench.pass(limits::lost_grace + milliseconds(1));
  CHECK(bench.take(peer(2)).size() == 4);
}

TEST_CASE("a silent donor's lease lapses, and the donor is left out for a while") {
  Bench bench(1);
  bench.want(peer(1), 2);
  bench.units(0, 2);
  CHECK(bench.take(peer(1)).size() == 2);
  bench.pass(limits::lease_unknown + milliseconds(1));
  CHECK(bench.leased.empty());  // shunned
  bench.want(peer(2), 2);
  CHECK(bench.take(peer(2)).size() == 2);
}

TEST_CASE("a late result counts as long as the unit is open, and ends the need for the second lease") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(0, 1);
  const auto late = bench.take(peer(1));
  bench.pass(limits::lease_unknown + milliseconds(1));
  bench.want(peer(2));
  const auto second = bench.take(peer(2));
  REQUIRE(second.size() == 1);
  CHECK_FALSE(bench.answer(late[0]));
  CHECK(bench.delivered.size() == 1);
  CHECK(bench.revoked.contains({peer(2), 0}));
  CHECK_FALSE(bench.answer(second[0]));  // too late, and no offence
}

TEST_CASE("a straggler is raced by a donor that would idle") {
  Bench bench(1);
  bench.want(peer(1));
  bench.want(peer(2));
  bench.units(0, 40);
  // The second donor takes its last unit and sleeps; the first does everything else.
  std::vector<Bench::Leased> slept;
  for (int step = 0; step < 2000 && !bench.ended; ++step) {
    for (const auto& lease : bench.take(peer(2))) slept.push_back(lease);
    for (const auto& lease : bench.take(peer(1))) (void)bench.answer(lease);
    bench.pass(milliseconds(5));
    if (step > 200 && bench.delivered.size() < 40 && bench.now.boot > BootTime{} + seconds(1009)) break;
  }
  CHECK(bench.ended == JobState::done);  // well before the sleeper's lease lapses
  CHECK(bench.delivered.size() == 40);
  CHECK(bench.now.boot < BootTime{} + seconds(1009));
}

TEST_CASE("a result without a lease is refused and charged") {
  Bench bench(1);
  bench.want(peer(1));
  bench.want(peer(2));
  bench.units(0, 1);
  REQUIRE(bench.leased.size() == 1);
  auto forged = bench.leased[0];
  forged.donor = forged.donor == peer(1) ? peer(2) : peer(1);
  CHECK(bench.answer(forged));
  forged.donor = peer(9);
  CHECK(bench.answer(forged));
  forged = bench.leased[0];
  forged.unit.unit = {77};
  CHECK(bench.answer(forged));
  CHECK(bench.delivered.empty());
}

TEST_CASE("returned units go to somebody else at once") {
  Bench bench(1);
  bench.want(peer(1), 3);
  bench.units(0, 3);
  Return returned{JobId{}, {}};
  for (const auto& lease : bench.take(peer(1))) returned.units.push_back(lease.unit.unit);
  bench.job.on_want(peer(1), Want{JobId{}, 0, {}});
  bench.job.on_return(peer(1), returned, bench.now);
  bench.settle();
  bench.want(peer(2), 3);
  CHECK(bench.take(peer(2)).size() == 3);
}

TEST_CASE("with nobody there the job says so once, and says when somebody comes") {
  Bench bench(1);
  bench.units(0, 1);
  bench.pass(seconds(60));
  CHECK(bench.alone == 1);
  CHECK(bench.back == 0);
  bench.want(peer(1));
  CHECK(bench.back == 1);
  bench.job.lost(peer(1), bench.now);
  bench.pass(seconds(60));
  CHECK(bench.alone == 2);
}

TEST_CASE("a lone worker that was restarted gets its lost units again") {
  Bench bench(1);
  bench.want(peer(1), 2);
  bench.units(0, 2);
  CHECK(bench.take(peer(1)).size() == 2);
  bench.job.lost(peer(1), bench.now);
  bench.pass(limits::lost_grace + seconds(1));
  bench.want(peer(1), 2);
  bench.pass(seconds(1));
  CHECK(bench.take(peer(1)).size() == 2);
}

TEST_CASE("a donor that answers ever later is never given a lease of more than a day") {
  Bench bench(1);
  bench.want(peer(1), limits::slots_max);
  bench.units(0, 4000, false);
  for (int i = 0; i < 4; ++i) {
    auto leased = bench.take(peer(1));
    bench.now.boot += std::chrono::hours(20);
    if (!leased.empty()) (void)bench.answer(leased.front());
    bench.want(peer(1), limits::slots_max);
  }
  CHECK(bench.longest_lease > limits::lease_least);
  CHECK(bench.longest_lease <= limits::lease_most);
}

TEST_CASE("units of a later wave keep a job open") {
  Bench bench(1);
  bench.want(peer(1), 4);
  bench.units(0, 2, false);
  for (const auto& lease : bench.take(peer(1))) (void)bench.answer(lease);
  CHECK(bench.delivered.size() == 2);
  CHECK_FALSE(bench.ended);
  bench.units(2, 1, true);
  for (const auto& lease : bench.take(peer(1))) (void)bench.answer(lease);
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("whatever donors do, every unit is settled once, by enough of them") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const unsigned copies = 1 + seed % 3;
    Bench bench(copies);
    Generator chaos = Generator::from_seed(1000 + seed);
    constexpr std::uint8_t donors = 6;
    for (std::uint8_t donor = 1; donor <= donors; ++donor) bench.want(peer(donor), 1 + donor % 3);
    bench.units(0, 120);
    for (int step = 0; step < 20000 && !bench.ended; ++step) {
      const PeerId donor = peer(static_cast<std::uint8_t>(1 + chaos.below(donors)));
      switch (chaos.below(10)) {
        case 0: bench.job.lost(donor, bench.now); bench.settle(); bench.take(donor); break;
        case 1: {
          Return returned{JobId{}, {}};
          for (const auto& lease : bench.take(donor)) returned.units.push_back(lease.unit.unit);
          if (returned.units.empty()) break;
          bench.job.on_return(donor, returned, bench.now);
          bench.settle();
          break;
        }
        case 2: bench.pass(seconds(chaos.below(20))); break;
        default:
          bench.want(donor, 1 + chaos.below(3));
          for (const auto& lease : bench.take(donor)) {
            if (chaos.chance(0.9)) (void)bench.answer(lease, copies > 1 && donor == peer(1) && chaos.chance(0.3));
          }
          bench.pass(milliseconds(20));
      }
    }
    INFO("seed ", seed);
    REQUIRE(bench.ended == JobState::done);
    REQUIRE(bench.delivered.size() == 120);
    for (const auto& [unit, output] : bench.delivered) {
      REQUIRE(output == right_answer(Bytes{static_cast<std::uint8_t>(unit), static_cast<std::uint8_t>(unit >> 8)}));
    }
    REQUIRE(bench.job.progress().attempts_running == 0);
  }
}

TEST_CASE("a unit that outlasts every lease is finished all the same by a lone donor") {
  Bench bench(1);
  bench.want(peer(1), 1);
  bench.units(0, 200);
  std::vector<std::pair<BootTime, Bench::Leased>> computing;  // until when; the donor computes side by side, and renews nothing
  for (int step = 0; step < 100000 && !bench.ended && bench.now.boot < BootTime{} + std::chrono::hours(2); ++step) {
    for (const auto& lease : bench.take(peer(1))) {
      const bool is_long = lease.unit.unit.value == 150;
      computing.emplace_back(bench.now.boot + (is_long ? seconds(600) : milliseconds(5)), lease);
    }
    bench.pass(milliseconds(bench.delivered.size() < 199 ? 5 : 500));
    for (std::size_t i = 0; i < computing.size();) {
      if (computing[i].first > bench.now.boot) {
        ++i;
        continue;
      }
      const auto lease = computing[i].second;
      computing.erase(computing.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK_FALSE(bench.answer(lease));
    }
  }
  CHECK(bench.ended == JobState::done);
  CHECK(bench.now.boot < BootTime{} + seconds(1000 + 700));
  CHECK(bench.job.progress().attempts_running == 0);
}

TEST_CASE("a donor that fails at once at all it gets does not fail the units of the others") {
  Bench bench(1);
  bench.want(peer(1), 4);
  bench.want(peer(2), 1);
  bench.units(0, 8);
  std::vector<Bench::Leased> honest;
  for (int step = 0; step < 400 && !bench.ended; ++step) {
    for (const auto& lease : bench.take(peer(2))) honest.push_back(lease);
    for (const auto& lease : bench.take(peer(1))) {
      Results results{JobId{}, {}, {}, {}};
      results.results.push_back({lease.lease, lease.unit.unit, Outcome::donor_fault, to_bytes("no")});
      (void)bench.job.on_results(peer(1), std::move(results), bench.now, bench.out);
      bench.settle();
    }
    bench.pass(seconds(1));
    if (step % 20 != 19) continue;
    for (const auto& lease : std::exchange(honest, {})) (void)bench.answer(lease);
  }
  CHECK(bench.ended == JobState::done);
  CHECK(bench.job.progress().units_failed == 0);
}

TEST_CASE("what a donor returns is not leased to it again at once, not even where it is alone") {
  Bench bench(1);
  bench.want(peer(1), 4);
  bench.units(0, 4);
  Return returned{JobId{}, {}};
  for (const auto& lease : bench.take(peer(1))) returned.units.push_back(lease.unit.unit);
  bench.job.on_return(peer(1), returned, bench.now);
  bench.settle();
  CHECK(bench.leased.empty());
  bench.pass(limits::shun_first);
  bench.settle();
  CHECK(bench.take(peer(1)).size() == 4);
}

TEST_CASE("results under leases of the job's earlier life cost little, and results that were not asked for more") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(0, 1);
  auto leased = bench.take(peer(1))[0];
  leased.unit.unit = {77};
  CHECK(bench.answer(leased)->score == charges::unasked.score);
  leased.lease.value -= 1000;
  CHECK(bench.answer(leased)->score == charges::hasty.score);
}

TEST_CASE("donors that came, did nothing and went leave room for others") {
  Bench bench(1);
  const auto many = [](std::size_t number) {
    PeerId id = peer(static_cast<std::uint8_t>(number));
    id.bytes[1] = static_cast<std::uint8_t>(number >> 8);
    id.bytes[2] = 1;
    return id;
  };
  for (std::size_t i = 0; i < limits::donors_per_job_max; ++i) {
    bench.job.on_want(many(i), Want{JobId{}, 1, seconds(1)});
    bench.job.lost(many(i), bench.now);
  }
  bench.want(peer(1));
  bench.units(0, 1);
  CHECK(bench.take(peer(1)).size() == 1);
  CHECK(bench.job.donors().size() == limits::donors_per_job_max);
  CHECK_FALSE(bench.job.knows(many(0)));
}

TEST_CASE("stragglers are raced although units wait that the idle donor has had") {
  Bench bench(2);
  bench.want(peer(1), 2);
  bench.units(0, 2, false);
  for (const auto& lease : bench.take(peer(1))) (void)bench.answer(lease);  // both wait for a second donor, in vain
  bench.want(peer(2), 2);
  for (const auto& lease : bench.take(peer(2))) (void)bench.answer(lease);
  bench.units(2, 1, false);
  bench.pass(milliseconds(20));
  bench.take(peer(2));                                                    // it sleeps over this one
  for (const auto& lease : bench.take(peer(1))) (void)bench.answer(lease);
  bench.want(peer(3), 2);
  bench.pass(seconds(1));
  for (const auto& lease : bench.take(peer(3))) (void)bench.answer(lease);
  CHECK(bench.delivered.contains(2));
}

TEST_CASE("while nothing was timed, a silent donor's units are raced long before a long lease runs out") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(0, 1);
  CHECK(bench.take(peer(1)).size() == 1);
  bench.want(peer(2));
  bench.pass(limits::lease_unknown + limits::race_least);
  CHECK(bench.take(peer(2)).size() == 1);
}

TEST_CASE("a donor whose link comes back in time gets again what may have been lost, and no more time for it") {
  Bench bench(1);
  bench.want(peer(1), 3);
  bench.units(0, 3);
  const auto before = bench.take(peer(1));
  REQUIRE(before.size() == 3);
  bench.job.lost(peer(1), bench.now);
  bench.pass(seconds(1));
  bench.job.connected(peer(1));
  bench.settle();
  CHECK_FALSE(bench.answer(before[0]));  // this one had been finished meanwhile
  bench.want(peer(1), 3);
  const auto after = bench.take(peer(1));
  REQUIRE(after.size() == 2);
  CHECK(after[0].lease != before[1].lease);
  CHECK(bench.job.progress().attempts_running == 2);
  CHECK_FALSE(bench.answer(before[1]));  // was still on its way: counts under the older lease
  CHECK(bench.job.progress().attempts_running == 1);
  bench.pass(limits::lease_unknown);
  CHECK(bench.job.progress().attempts_running == 0);
}

TEST_CASE("a silent donor does not get rid of its silence by reconnecting") {
  Bench bench(1);
  bench.want(peer(1), 2);
  bench.units(0, 2);
  bench.take(peer(1));
  bench.pass(limits::lease_unknown + milliseconds(1));
  bench.job.lost(peer(1), bench.now);
  bench.job.connected(peer(1));
  bench.want(peer(1), 2);
  CHECK(bench.leased.empty());
}

TEST_CASE("whoever still computes a unit whose lease has lapsed is told when it is settled") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(0, 1);
  bench.take(peer(1));
  bench.pass(limits::lease_unknown + milliseconds(1));
  bench.want(peer(2));
  const auto second = bench.take(peer(2));
  REQUIRE(second.size() == 1);
  CHECK_FALSE(bench.answer(second[0]));
  CHECK(bench.revoked.contains({peer(1), 0}));
}

TEST_CASE("a submitter that leaves says so to its donors and leases nothing more") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(0, 4);
  const auto leased = bench.take(peer(1));
  bench.job.leave(bench.out);
  REQUIRE(bench.out.messages.size() == 1);
  CHECK(std::holds_alternative<Closed>(bench.out.messages[0].message));
  CHECK_FALSE(bench.answer(leased[0]));  // what was on its way counts
  CHECK(bench.delivered.size() == 1);
  CHECK(bench.leased.empty());
  CHECK_FALSE(bench.ended);
}

TEST_CASE("where all who are there have computed a unit and disagree, its copies are out of reach until somebody else comes") {
  Bench bench(2);
  CHECK(bench.job.progress().copies_in_reach == 0);
  bench.want(peer(1));
  CHECK(bench.job.progress().copies_in_reach == 1);
  bench.units(0, 3);
  CHECK(bench.job.progress().copies_in_reach == 1);
  bench.want(peer(2), 3);
  CHECK(bench.job.progress().copies_in_reach == 2);
  const auto work = [&](std::uint8_t donor, bool lie) {
    for (std::size_t left = 0; left < 3; ++left) {
      for (const auto& lease : bench.take(peer(donor))) CHECK_FALSE(bench.answer(lease, lie));
    }
  };
  work(2, true);
  CHECK(bench.job.progress().copies_in_reach == 2);  // the other may agree
  work(1, false);
  CHECK(bench.delivered.empty());
  CHECK(bench.leased.empty());
  CHECK(bench.job.progress().donors == 2);
  CHECK(bench.job.progress().copies_in_reach == 1);
  bench.want(peer(3), 3);
  CHECK(bench.job.progress().copies_in_reach == 2);
  work(3, false);
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("a donor whose lease lapsed may have the unit again, so that its copies stay in reach") {
  Bench bench(2);
  bench.want(peer(1));
  bench.want(peer(2));
  bench.units(0, 1);
  const auto first = bench.take(peer(1));
  REQUIRE(first.size() == 1);
  CHECK_FALSE(bench.answer(first[0]));
  bench.pass(seconds(600));
  CHECK(bench.job.progress().copies_in_reach == 2);
  bench.job.lost(peer(2), bench.now);
  bench.settle();
  bench.pass(seconds(600));
  CHECK(bench.job.progress().copies_in_reach == 1);
}
