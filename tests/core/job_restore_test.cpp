// A job whose submitter's process dies again and again: what its journal has is told to the next one, which goes on where the last one stood.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/job.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

PublicKey key_of(std::uint8_t name) {
  PublicKey key;
  key.bytes[0] = name;
  return key;
}

struct Scenario {
  std::uint64_t units = 400;
  unsigned donors = 12;
  unsigned liars = 0;
  unsigned copies = 2;
  std::optional<WantedConfidence> confidence{};
  std::size_t output_bytes = 8;
};

/// The world around one job. Its journal is on disk when it is told to be; a crash loses the rest.
class Bench {
 public:
  explicit Bench(const Scenario& scenario, std::uint64_t seed) : scenario_(scenario), generator_(Generator::from_seed(seed)) {
    start();
    donors_come();
  }

  void run_until(std::size_t results) {
    while (!ended && returned_ < results) step();
  }
  void run() {
    for (int steps = 0; !ended; ++steps) {
      REQUIRE(steps < 200'000);
      step();
    }
  }
  /// Everything that was handed to the journal is on disk.
  void sync() {
    if (!job_->ended()) (void)journal_.write({}, out_);
    collect();
  }
  /// The process dies: what it was doing is gone. Another one takes the job up, and its donors find it.
  void crash() {
    die();
    donors_come();
  }
  void die() {
    lost_ += std::exchange(unsynced_, 0);
    leases_.clear();
    out_ = {};
    journal_ = Journal{};
    job_.reset();
    start();
  }
  void donors_come() {
    for (unsigned i = 0; i < scenario_.donors; ++i) job_->on_want(donor(i), Want{JobId{}, 2, seconds(100)});
    if (scenario_.confidence) job_->on_want(self_.id, Want{JobId{}, 2, seconds(100)});
    settle();
  }
  void change_input(std::uint64_t unit) { changed_.insert(unit); }
  void shorten(std::uint64_t units) { scenario_.units = units; }

  [[nodiscard]] const Job& job() const { return *job_; }
  [[nodiscard]] std::uint64_t returned() const { return returned_; }
  /// Of these, the ones that were not on disk when the process died.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] const std::map<std::uint64_t, AcceptedUnit>& accepted() const { return accepted_; }
  /// Results of this unit that were ever returned.
  [[nodiscard]] unsigned returned_of(std::uint64_t unit) { return results_of_[unit]; }
  [[nodiscard]] Bytes right(std::uint64_t unit) const {
    Bytes output(scenario_.output_bytes, static_cast<std::uint8_t>(unit));
    output[0] = changed_.contains(unit) ? 1 : 0;
    output[1] = static_cast<std::uint8_t>(unit >> 8);
    return output;
  }
  std::vector<HeldRow> rows;
  bool ended = false;
  std::set<PeerId> branded;
  [[nodiscard]] PeerId donor(unsigned index) const { return peer_id_of(key_of(static_cast<std::uint8_t>(index + 1))); }

 private:
  [[nodiscard]] Bytes input(std::uint64_t unit) const {
    return {static_cast<std::uint8_t>(unit), static_cast<std::uint8_t>(unit >> 8), static_cast<std::uint8_t>(changed_.contains(unit))};
  }

  void start() {
    Manifest manifest;
    manifest.task = "test";
    manifest.copies = scenario_.copies;
    manifest.confidence = scenario_.confidence;
    manifest.unit_limit = seconds(60);
    JobSubmitted submitted;
    UnitsAppended appended{JobId{}, {}, true};
    for (const auto& [unit, kept] : accepted_) submitted.accepted.push_back({UnitIndex{unit}, kept.input_tag});
    for (std::uint64_t unit = 0; unit < scenario_.units; ++unit) {
      const auto kept = accepted_.find(unit);
      if (kept != accepted_.end() && kept->second.input_tag == input_tag_of(input(unit))) continue;
      if (kept != accepted_.end()) accepted_.erase(kept);
      appended.units.push_back({UnitIndex{unit}, input(unit)});
    }
    submitted.units_expected = appended.units.size();
    submitted.held = rows;
    job_ = std::make_unique<Job>(self_, commons_, JobId{}, manifest, submitted, now_);
    job_->append(std::move(appended), now_);
  }

  void settle() {
    job_->settle_up(now_, journal_, out_);
    for (Addressed& addressed : std::exchange(out_.messages, {})) {
      if (auto* lease = std::get_if<Lease>(&addressed.message)) leases_.emplace_back(addressed.to, std::move(*lease));
    }
    for (const Effect& effect : out_.effects) {
      if (const auto* convicted = std::get_if<DonorConvicted>(&effect); convicted != nullptr && convicted->branded) branded.insert(convicted->donor);
    }
  }

  /// Takes what the journal was handed as written.
  void collect() {
    for (Effect& effect : std::exchange(out_.effects, {})) {
      if (std::holds_alternative<JobEnded>(effect)) ended = true;
      auto* persist = std::get_if<Persist>(&effect);
      if (persist == nullptr) continue;
      unsynced_ = 0;
      for (Row& row : persist->rows) {
        auto* kept = std::get_if<AcceptedRow>(&row);
        if (kept == nullptr) continue;
        if (!kept->held.empty()) rows.push_back({kept->evidence, kept->held});
        for (AcceptedUnit& unit : kept->units) {
          CHECK(unit.output.bytes == right(unit.unit.value));
          CHECK(accepted_.emplace(unit.unit.value, unit).second);
        }
      }
    }
  }

  void step() {
    now_.boot += milliseconds(100);
    settle();
    collect();
    if (ended || leases_.empty()) return;
    const std::size_t which = generator_.below(leases_.size());
    const auto [from, lease] = leases_[which];
    leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(which));
    Results results{JobId{}, {}, {}, {}};
    for (const LeasedUnit& unit : lease.units) {
      Bytes output = right(unit.unit.value);
      const bool liar = std::any_of(liars_.begin(), liars_.end(), [&](const PeerId& peer) { return peer == from; });
      if (liar && generator_.chance(0.2)) output[2] ^= 0xff;
      results.results.push_back({lease.lease, unit.unit, Outcome::ok, std::move(output)});
      ++returned_;
      ++unsynced_;
      ++results_of_[unit.unit.value];
    }
    const PublicKey* key = key_by_peer_.contains(from) ? &key_by_peer_.at(from) : nullptr;
    REQUIRE(key != nullptr);
    EvidenceBatch evidence = evidence_of(results, *key, from == self_.id);
    CHECK_FALSE(job_->on_results(from, std::move(results), now_, out_));
    if (!job_->counted().empty()) {
      veil_others(evidence, JobId{}, job_->counted());
      journal_.keep(JobId{}, evidence, job_->take_log(), now_.boot, out_);
    }
    settle();
  }

  Scenario scenario_;
  Generator generator_;
  std::map<PeerId, PublicKey> key_by_peer_ = [this] {
    std::map<PeerId, PublicKey> keys;
    for (unsigned i = 0; i <= scenario_.donors; ++i) keys[peer_id_of(key_of(static_cast<std::uint8_t>(i)))] = key_of(static_cast<std::uint8_t>(i));
    return keys;
  }();
  std::set<PeerId> liars_ = [this] {
    std::set<PeerId> liars;
    for (unsigned i = 0; i < scenario_.liars; ++i) liars.insert(donor(i));
    return liars;
  }();
  std::unique_ptr<Crypto> crypto_ = make_sodium({});
  Self self_{.id = peer_id_of(key_of(0)), .swarm = {}, .endpoint = {}, .donates = false, .crypto = crypto_.get(), .generator = &generator_};
  Journal journal_;
  Now now_{BootTime{} + seconds(1000), WallTime{}};
  BlobWants blobs_{self_.id};
  JobCommons commons_{blobs_, {}, 1};
  std::unique_ptr<Job> job_;
  Output out_;
  std::vector<std::pair<PeerId, Lease>> leases_;
  std::map<std::uint64_t, AcceptedUnit> accepted_;
  std::map<std::uint64_t, unsigned> results_of_;
  std::set<std::uint64_t> changed_;
  std::uint64_t returned_ = 0, unsynced_ = 0, lost_ = 0;
};

WantedConfidence wanted(double error, bool stream = false) { return {static_cast<std::uint32_t>(error * 1e9), false, 200'000, stream}; }

/// All that a ledger says.
struct Snapshot {
  std::vector<std::array<std::uint64_t, 7>> units;
  std::vector<std::array<std::uint64_t, 9>> donors;
  std::uint64_t final_units = 0, own = 0, cost = 0;
  double detection = 0, confidence = 0;
  bool operator==(const Snapshot&) const = default;
};

Snapshot snapshot(const Bench& bench, unsigned donors) {
  const TrustLedger& ledger = bench.job().ledger()->ledger();
  Snapshot shot;
  for (UnitNumber unit = 0; unit < ledger.units(); ++unit) {
    const auto state = ledger.state(unit);
    shot.units.push_back(
        {state.returned, state.decided, state.own_wanted, state.holder, state.digest, state.audits_out, ledger.results_wanted(unit)});
  }
  for (DonorIndex donor = 0; donor < donors; ++donor) {
    const auto& s = ledger.standing(donor);
    shot.donors.push_back({s.newcomer, s.probation, s.branded, s.checked, s.disputes, s.final_results, s.record.verified, s.record.errors,
                           s.record.colluded});
  }
  shot.final_units = ledger.final_units();
  shot.own = ledger.own();
  shot.cost = ledger.cost_of_newcomers();
  shot.detection = ledger.detection();
  shot.confidence = ledger.confidence();
  return shot;
}

}  // namespace

TEST_CASE("a job by confidence that is taken up again has the very ledger that it had, wherever it was") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const Scenario scenario{.liars = static_cast<unsigned>(seed % 4), .confidence = wanted(0.01, seed % 2 == 0)};
    Bench bench(scenario, seed);
    unsigned crashes = 0;
    while (!bench.ended) {
      bench.run_until(bench.returned() + 37 + 5 * seed);
      bench.sync();
      if (bench.ended) break;
      const Snapshot before = snapshot(bench, scenario.donors);
      bench.die();
      CHECK(snapshot(bench, scenario.donors) == before);
      bench.donors_come();
      ++crashes;
    }
    CHECK(crashes > 4);
    CHECK(bench.accepted().size() == scenario.units);
    for (unsigned honest = scenario.liars; honest < scenario.donors; ++honest) CHECK_FALSE(bench.branded.contains(bench.donor(honest)));
  }
}

TEST_CASE("what a crash takes that was not on disk is computed again, and nothing else is") {
  for (const std::size_t output_bytes : {std::size_t{8}, std::size_t{500}}) {
    CAPTURE(output_bytes);
    const Scenario scenario{.confidence = wanted(0.01), .output_bytes = output_bytes};
    Bench undisturbed(scenario, 3), disturbed(scenario, 3);
    undisturbed.run();
    unsigned crashes = 0;
    while (!disturbed.ended) {
      disturbed.run_until(disturbed.returned() + 90);
      if (crashes % 2 == 0) disturbed.sync();
      if (!disturbed.ended) disturbed.crash(), ++crashes;
    }
    CHECK(crashes > 3);
    CHECK(disturbed.accepted().size() == scenario.units);
    CHECK(disturbed.lost() > 0);
    CHECK(static_cast<double>(disturbed.returned() - disturbed.lost()) < 1.05 * static_cast<double>(undisturbed.returned()));
  }
}

TEST_CASE("of a job by copies, first results survive: a unit is computed as often as it has copies, and no more") {
  for (const std::size_t output_bytes : {std::size_t{8}, std::size_t{500}}) {
    CAPTURE(output_bytes);
    const Scenario scenario{.copies = 2, .output_bytes = output_bytes};
    Bench bench(scenario, 9);
    unsigned crashes = 0;
    while (!bench.ended) {
      bench.run_until(bench.returned() + 50);
      bench.sync();
      if (!bench.ended) bench.crash(), ++crashes;
    }
    CHECK(crashes > 8);
    CHECK(bench.accepted().size() == scenario.units);
    CHECK(static_cast<double>(bench.returned()) < 2.05 * static_cast<double>(scenario.units));  // some are raced near the end
  }
}

TEST_CASE("a unit that comes back with another input is computed anew, and one that does not come back is wanted no more") {
  for (const bool confidence : {true, false}) {
    CAPTURE(confidence);
    Scenario scenario{.units = 100, .copies = 2};
    if (confidence) scenario.confidence = wanted(0.05);
    Bench bench(scenario, 4);
    bench.run_until(90);
    bench.sync();
    REQUIRE_FALSE(bench.ended);
    for (std::uint64_t unit = 0; unit < 20; ++unit) bench.change_input(unit);
    bench.shorten(80);
    bench.crash();
    bench.run_until(130);
    bench.sync();
    if (!bench.ended) bench.crash();  // what was withdrawn stays so
    bench.run();
    std::size_t within = 0;
    for (const auto& [unit, accepted] : bench.accepted()) {
      if (unit >= 80) continue;
      CHECK(accepted.output.bytes == bench.right(unit));
      ++within;
    }
    CHECK(within == 80);
  }
}

TEST_CASE("a log that cannot be read costs what was held, and the next run begins another") {
  const Scenario scenario{.units = 200, .confidence = wanted(0.02)};
  Bench bench(scenario, 6);
  bench.run_until(120);
  bench.sync();
  REQUIRE_FALSE(bench.rows.empty());
  bench.rows[bench.rows.size() / 2].held.back() ^= 0x55;
  bench.rows[bench.rows.size() / 2].held.push_back(0xff);
  bench.crash();
  CHECK(bench.job().progress().units_held == 0);
  bench.run_until(200);
  bench.sync();
  const Snapshot before = snapshot(bench, scenario.donors);
  bench.die();
  CHECK(snapshot(bench, scenario.donors) == before);
  bench.donors_come();
  bench.run();
  CHECK(bench.accepted().size() == scenario.units);
}
