#include "coordinatorless/core/evidence.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "tests/core/cases.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;

namespace {

Bytes bytes_of(const EvidenceBatch& batch) {
  Bytes bytes;
  put_evidence(bytes, batch);
  return bytes;
}

std::optional<EvidenceBatch> read_all(ByteView bytes) {
  packed::Reader in(bytes);
  auto batch = read_evidence(in);
  return batch && in.left() == 0 ? batch : std::nullopt;
}

/// Every form of a result, units and leases in and out of order.
std::vector<UnitResult> all_forms() {
  std::vector<UnitResult> all{Case::result(0, ""), Case::result(1, "brief"), Case::result(2, std::string(32, 'x')),
                              Case::result(3, std::string(33, 'x')), Case::result(1'000'000, "no", Outcome::failed)};
  all.push_back({LeaseId{~std::uint64_t{0}}, {~std::uint64_t{0}}, Outcome::donor_fault, to_bytes("no memory")});
  all.push_back({LeaseId{5}, {2}, Outcome::ok, Value(BlobId{70'000, hash_of(Bytes{1})})});
  all.push_back({LeaseId{5}, {1}, Outcome::cancelled, {}});
  return all;
}

}  // namespace

TEST_CASE("a batch of evidence has the root of the message that it was made from, and its signature holds") {
  const Case one;
  Results results{one.job(), {}, all_forms(), {}};
  CHECK(root_of(evidence_of(results, {}, false), one.job()) == results_root(results));
  const EvidenceBatch batch = one.batch(0, all_forms());
  CHECK(is_signed(batch, swarm, one.job(), one.verifier()));
  CHECK_FALSE(is_signed(one.own(all_forms()), swarm, one.job(), one.verifier()));
}

TEST_CASE("a batch of evidence comes back as it was written, with few bytes a result") {
  const Case one;
  for (const EvidenceBatch& batch : {one.batch(0, all_forms()), one.own(all_forms())}) {
    const auto read = read_all(bytes_of(batch));
    REQUIRE(read);
    CHECK(*read == batch);
  }
  std::vector<UnitResult> many;
  for (std::uint64_t unit = 0; unit < 1024; ++unit) many.push_back({LeaseId{77}, {unit}, Outcome::ok, Bytes{1, 2, 3, 4}});
  const std::size_t size = bytes_of(one.batch(0, many)).size();
  CHECK(size < 100 + 1024 * 6 + 10);
}

TEST_CASE("evidence of results that say their inputs has their root, comes back as it was, and holds with no other inputs") {
  const Case one;
  Results results{one.job(), {}, all_forms(), {}};
  results.inputs = InputDigests{Bytes(results.results.size() * input_digest_bytes, 7)};
  EvidenceBatch batch = evidence_of(results, PublicKey{{1}}, false);
  REQUIRE(batch.inputs);
  CHECK(root_of(batch, one.job()) == results_root(results));
  const auto read = read_all(bytes_of(batch));
  REQUIRE(read);
  CHECK(*read == batch);
  CHECK(bytes_of(batch).front() == 3);
  CHECK_FALSE(evidence_of(results, PublicKey{{1}}, true).inputs);  // one's own are not signed

  Bytes cut = bytes_of(batch);
  cut.resize(1 + 32 + 64 + 31);
  CHECK_FALSE(read_all(cut));
  batch.inputs->bytes[0] ^= 1;
  CHECK(root_of(batch, one.job()) != results_root(results));
  batch.inputs.reset();
  CHECK(root_of(batch, one.job()) != results_root(results));
}

TEST_CASE("the bytes of evidence stay as they are") {
  EvidenceBatch batch{PublicKey{{0xaa}}, {}, {}};
  batch.results = {{{5}, {300}, claim_of(Outcome::ok, Bytes{1, 2}), false},
                   {{6}, {300}, claim_of(Outcome::failed, Bytes{3}), false},
                   {{4}, {299}, claim_of(Outcome::ok, Bytes{}), false},
                   {{}, {}, {Outcome::ok, false, false, 0, {0xbb}}, true}};
  const std::string zeros(62, '0');
  CHECK(to_hex(bytes_of(batch)) == "02aa" + zeros + "04" "00d8040a020102" "61" "0103" "00" "01" "03" "00" "10bb" + zeros);
}

TEST_CASE("a result that says what was accepted takes no more than its head where the reader knows it") {
  const Case one;
  std::vector<UnitResult> all;
  for (std::uint64_t unit = 1; unit <= 100; ++unit) all.push_back({LeaseId{7}, {unit}, Outcome::ok, Bytes(200, 9)});
  const EvidenceBatch batch = one.batch(0, all);
  const Claim accepted = claim_of(Outcome::ok, Bytes(200, 9));
  const AcceptedClaim known = [&](UnitIndex unit) { return unit.value == 50 ? nullptr : &accepted; };
  Bytes bytes;
  put_evidence(bytes, batch, known);
  CHECK(bytes.size() == 1 + 32 + 64 + 1 + 1 + 100 + 32);
  packed::Reader in(bytes);
  const auto read = read_evidence(in, known);
  REQUIRE(read);
  CHECK(*read == batch);
  packed::Reader without(bytes);
  CHECK_FALSE(read_evidence(without));
}

TEST_CASE("whatever stands in a signed batch is what was signed: unit, lease, outcome, output, donor, swarm and job") {
  const Case one;
  const EvidenceBatch batch = one.batch(0, all_forms());
  const auto holds = [&](const EvidenceBatch& changed) { return is_signed(changed, swarm, one.job(), one.verifier()); };
  REQUIRE(holds(batch));
  for (std::size_t i = 0; i < batch.results.size(); ++i) {
    EvidenceBatch moved = batch;
    ++moved.results[i].unit.value;
    CHECK_FALSE(holds(moved));
    EvidenceBatch released = batch;
    ++released.results[i].lease.value;
    CHECK_FALSE(holds(released));
    EvidenceBatch other = batch;
    other.results[i].claim = claim_of(Outcome::ok, to_bytes("another"));
    CHECK_FALSE(holds(other));
    EvidenceBatch shorter = batch;
    shorter.results.erase(shorter.results.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(holds(shorter));
  }
  EvidenceBatch stolen = batch;
  stolen.donor = one.donors[1]->crypto->public_key();
  CHECK_FALSE(holds(stolen));
  CHECK_FALSE(is_signed(batch, swarm_id("another"), one.job(), one.verifier()));
  CHECK_FALSE(is_signed(batch, swarm, JobId{{1}}, one.verifier()));
}

TEST_CASE("what was not counted is veiled: the signature holds, and nothing is said of any unit") {
  const Case one;
  const EvidenceBatch batch = one.batch(0, all_forms());
  EvidenceBatch veiled = batch;
  veil_others(veiled, one.job(), {1, 3});
  CHECK(is_signed(veiled, swarm, one.job(), one.verifier()));
  for (std::size_t i = 0; i < veiled.results.size(); ++i) CHECK(veiled.results[i].veiled == (i != 1 && i != 3));
  CHECK(veiled.results[3] == batch.results[3]);
  const auto read = read_all(bytes_of(veiled));
  REQUIRE(read);
  CHECK(*read == veiled);
  EvidenceBatch open = batch;
  veil_others(open, one.job(), {0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(open == batch);
}

TEST_CASE("evidence that was cut, or has another byte, is refused or is no longer signed") {
  const Case one;
  EvidenceBatch batch = one.batch(0, all_forms());
  veil_others(batch, one.job(), {0, 1, 2, 3, 4, 5, 6});
  const Bytes bytes = bytes_of(batch);
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(read_all(ByteView(bytes).first(size)));
  std::size_t read = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const std::uint8_t flip : {0x01, 0x20, 0x80}) {
      Bytes changed = bytes;
      changed[at] ^= flip;
      const auto other = read_all(changed);
      if (!other) continue;
      ++read;
      CHECK_FALSE(is_signed(*other, swarm, one.job(), one.verifier()));
      CHECK(bytes_of(*other) == changed);  // one encoding
    }
  }
  CHECK(read > 100);
}

TEST_CASE("evidence beyond its limits is refused before anything is taken for it") {
  const std::string zeros(64, '0');
  const auto refused = [&](const std::string& behind_key) { return !read_all(*from_hex("02" + zeros + behind_key)); };
  CHECK_FALSE(refused("01" "00" "01" "00" "00"));  // unit 0, lease ~0... as it may be written
  CHECK(refused("00"));                            // no result
  CHECK(refused("8108" + std::string(1025 * 8, '0')));
  CHECK(refused("ffffffffffffffff7f"));
  CHECK(refused("01" "20" "00" "00"));             // the same lease as nobody
  CHECK(refused("01" "00" "01" "02" "00"));        // unit 1, which is the next one
  CHECK(refused("01" "00" "01" "00" "21" + std::string(66, '0')));  // 33 bytes are no brief output
  CHECK(refused("01" "04" "01" "00" "00"));        // a large output that is brief
  CHECK(refused("01" "0d" "01" "00" + zeros));     // a reason that is large
  CHECK(refused("01" "18" "01" "00"));             // as accepted, where nothing is known as accepted
  CHECK(refused("01" "80" "01" "00" "00"));
  CHECK(refused("01" "30" + zeros));               // veiled, and yet under a lease
  CHECK_FALSE(read_all(*from_hex("03" + zeros + "0100010000")));
}
