#include "coordinatorless/core/record_check.h"

#include <doctest/doctest.h>

#include "tests/core/stewarded_job.h"

namespace dugnad::core::test {
namespace {

struct Bench {
  StewardedJob job;
  Identity steward{50};
  [[nodiscard]] bool proves(const RecordEntry& entry) const {
    return proven(entry, job.id(), job.manifest.owner, steward.self).has_value();
  }
  [[nodiscard]] RecordEntry forged(const OwnersWord& word, const Identity& by) const {
    Bytes body = encode(word);
    const Signature signature = by.self.sign(Domain::word, body);
    return {std::nullopt, std::move(body), signature};
  }
};

}  // namespace

TEST_CASE("what an owner says of its job, and what a donor has signed, prove themselves") {
  const Bench bench;
  const auto word = proven(bench.job.entry(bench.job.units(0, 3)), bench.job.id(), bench.job.manifest.owner, bench.steward.self);
  REQUIRE(word);
  CHECK(std::get<OwnersWord>(*word) == bench.job.units(0, 3));
  const Results results = bench.job.results(bench.job.donors[0], {1, 2});
  const auto signed_results =
      proven(bench.job.entry(bench.job.donors[0], results), bench.job.id(), bench.job.manifest.owner, bench.steward.self);
  REQUIRE(signed_results);
  CHECK(std::get<SignedResults>(*signed_results).results == results);
  CHECK(std::get<SignedResults>(*signed_results).donor == bench.job.donors[0].crypto->public_key());
}

TEST_CASE("an owner's word is nobody else's, of no other job or swarm, and signed as nothing else") {
  const Bench bench;
  CHECK_FALSE(bench.proves(bench.forged(bench.job.units(0, 1), bench.steward)));
  OwnersWord other = bench.job.units(0, 1);
  other.job.bytes[0] ^= 1;
  CHECK_FALSE(bench.proves(bench.job.entry(other)));

  RecordEntry spoilt = bench.job.entry(bench.job.units(0, 1));
  spoilt.body.back() ^= 1;
  CHECK_FALSE(bench.proves(spoilt));
  RecordEntry as_manifest = bench.job.entry(bench.job.units(0, 1));
  as_manifest.signature = bench.job.owner.self.sign(Domain::manifest, as_manifest.body);
  CHECK_FALSE(bench.proves(as_manifest));
  Self elsewhere = bench.job.submitter.self;
  elsewhere.swarm = swarm_id("another");
  CHECK_FALSE(bench.proves(entry_of(bench.job.units(0, 1), elsewhere)));
  CHECK_FALSE(bench.proves({std::nullopt, encode(bench.job.units(0, 1)), std::nullopt}));
}

TEST_CASE("results are their donor's, as it signed them, of this job and swarm") {
  const Bench bench;
  const Identity& donor = bench.job.donors[0];
  const Results right = bench.job.results(donor, {1, 2});
  CHECK(bench.proves(bench.job.entry(donor, right)));
  CHECK_FALSE(bench.proves(bench.job.entry(bench.job.donors[1], right)));
  const auto holds = [&](auto spoil) {
    Results other = right;
    spoil(other);
    return bench.proves(bench.job.entry(donor, other));
  };
  CHECK_FALSE(holds([](Results& r) { r.results[0].output.bytes[0] ^= 1; }));
  CHECK_FALSE(holds([](Results& r) { r.results[0].unit.value = 9; }));
  CHECK_FALSE(holds([](Results& r) { r.results[0].lease.value = 9; }));
  CHECK_FALSE(holds([](Results& r) { r.results[0].outcome = Outcome::failed; }));
  CHECK_FALSE(holds([](Results& r) { r.inputs->digests[0] ^= 1; }));
  CHECK_FALSE(holds([](Results& r) { r.inputs.reset(); }));
  CHECK_FALSE(holds([](Results& r) { std::swap(r.results[0], r.results[1]); }));
  CHECK_FALSE(holds([&](Results& r) {  // another job's, whatever says so
    r.job.bytes[0] ^= 1;
    StewardedJob::sign(r, donor);
  }));
  CHECK_FALSE(holds([&](Results& r) {
    Self elsewhere = donor.self;
    elsewhere.swarm = swarm_id("another");
    r.signature = elsewhere.sign(Domain::results, results_root(r).view());
  }));
  CHECK_FALSE(holds([&](Results& r) {
    r.results.clear();
    r.inputs->digests.clear();
    StewardedJob::sign(r, donor);
  }));
  CHECK_FALSE(bench.proves({donor.crypto->public_key(), encode(Message(Closed{bench.job.id()})), std::nullopt}));
  CHECK_FALSE(bench.proves({donor.crypto->public_key(), Bytes{1, 2, 3}, std::nullopt}));
}

TEST_CASE("what an owner says it collected is checked as if the donor had sent it") {
  const Bench bench;
  const Identity& donor = bench.job.donors[0];
  CollectedResults collected{donor.crypto->public_key(), encode(Message(bench.job.results(donor, {1})))};
  CHECK(proven(collected, bench.job.id(), bench.steward.self));
  collected.donor = bench.job.donors[1].crypto->public_key();
  CHECK_FALSE(proven(collected, bench.job.id(), bench.steward.self));
}

}  // namespace dugnad::core::test
