#include "coordinatorless/core/dossier.h"

#include <doctest/doctest.h>

#include <limits>

#include "coordinatorless/core/stated_confidence.h"
#include "tests/core/cases.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;

namespace {

/// Two donors agree on three units, one of which had another input before; the submitter computed one too.
struct SoundCase : Case {
  SoundCase() {
    const std::vector<UnitResult> all{result(1, "one"), result(2, std::string(40, '2')), result(900, "x", Outcome::failed)};
    std::vector<UnitResult> accepted = all;
    accepted.insert(accepted.begin(), result(2, "of an earlier input"));
    accept(accepted);
    dossier.papers.recipe = to_bytes("recipe");
    dossier.papers.summary = encode(StatedConfidence{0.99, true, 0.1, 0.995, {{3, 1.5, 2, 0}}});
    keep(batch(0, all));
    keep(batch(1, all));
    keep(own({all[0]}));
  }
};

std::string refusal(ByteView file, Crypto& verifier) {
  const auto read = decode_dossier(file, verifier);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message.find('\n') == std::string::npos);
  return read.error().message;
}

}  // namespace

TEST_CASE("an exported file has all that the journal had, and stands alone") {
  const SoundCase one;
  const auto file = encode(one.dossier, *one.owner.crypto);
  REQUIRE(file.ok());
  const Identity stranger(55);
  const auto read = decode_dossier(*file, *stranger.crypto);
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message));
  CHECK(read->papers.manifest == one.dossier.papers.manifest);
  CHECK(read->papers.recipe == to_bytes("recipe"));
  const auto stated = decode_stated_confidence(read->papers.summary);
  REQUIRE(stated);
  CHECK(stated->blocks.size() == 1);
  CHECK(stated->reached == 0.995);
  const auto papers = check(read->papers, *stranger.crypto);
  REQUIRE(papers.ok());
  Recheck recheck(*papers, read->papers.swarm, false, read->accepted, *stranger.crypto);
  CHECK(each_batch(*read, [&](const EvidenceBatch& batch) { recheck.add(batch); }));
  const Findings findings = recheck.findings();
  CHECK(findings.holds());
  CHECK(findings.units == 3);
  CHECK(findings.batches == 3);
  CHECK(findings.own == 1);
}

TEST_CASE("a file of evidence is small: a byte or two a result that agrees, and what was accepted once") {
  Case one;
  std::vector<UnitResult> all;
  for (std::uint64_t unit = 0; unit < 1000; ++unit) all.push_back({LeaseId{9}, {unit}, Outcome::ok, Bytes(8, 1)});
  one.accept(all);
  for (std::size_t donor = 0; donor < 3; ++donor) one.keep(one.batch(donor, all));
  const auto file = encode(one.dossier, *one.owner.crypto);
  REQUIRE(file.ok());
  CHECK(file->size() < 1000 * 10 + 3 * (1000 + 110) + 1000);
}

TEST_CASE("a file that was cut, or has any bit flipped, is refused in one line") {
  const SoundCase one;
  const auto file = encode(one.dossier, *one.owner.crypto);
  REQUIRE(file.ok());
  for (std::size_t size = 0; size < file->size(); ++size) (void)refusal(ByteView(*file).first(size), one.verifier());
  for (std::size_t at = 0; at < file->size(); ++at) {
    Bytes changed = *file;
    changed[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    (void)refusal(changed, one.verifier());
  }
  Bytes longer = *file;
  longer.push_back(0);
  (void)refusal(longer, one.verifier());
  CHECK(refusal(to_bytes("a shopping list"), one.verifier()) == "it is no file of evidence");
  CHECK(refusal(to_bytes("dugnad evidence 2\n..."), one.verifier()) == "it was written by another version of dugnad");
}

TEST_CASE("a file that another than the owner signed, or papers of another job, are refused") {
  const SoundCase one;
  const auto forged = encode(one.dossier, *one.submitter.crypto);
  REQUIRE(forged.ok());
  CHECK(refusal(*forged, one.verifier()).find("changed since the job's owner signed it") != std::string::npos);
  const Case other(3);
  Dossier mixed = one.dossier;
  mixed.papers.delegation = other.dossier.papers.delegation;
  CHECK_FALSE(check(mixed.papers, one.verifier()).ok());
  mixed = one.dossier;
  mixed.papers.manifest.signature = other.dossier.papers.manifest.signature;
  CHECK_FALSE(check(mixed.papers, one.verifier()).ok());
  mixed = one.dossier;
  mixed.papers.swarm = swarm_id("another");
  CHECK_FALSE(check(mixed.papers, one.verifier()).ok());
}

TEST_CASE("an owner who lies in its file is caught by what the donors signed") {
  SoundCase one;
  for (AcceptedClaimOf& each : one.dossier.accepted) {
    if (each.unit.value == 1) each.claim = claim_of(Outcome::ok, to_bytes("a lie"));
  }
  const auto file = encode(one.dossier, *one.owner.crypto);
  REQUIRE(file.ok());
  const auto read = decode_dossier(*file, one.verifier());
  REQUIRE(read.ok());
  Recheck recheck(one.papers, swarm, false, read->accepted, one.verifier());
  CHECK(each_batch(*read, [&](const EvidenceBatch& batch) { recheck.add(batch); }));
  const Findings findings = recheck.findings();
  REQUIRE(findings.doubtful.size() == 1);
  CHECK(findings.doubtful[0].unit.value == 1);
}

TEST_CASE("random damage to the body that its owner signed again is refused, or read as something") {
  const SoundCase one;
  const auto file = encode(one.dossier, *one.owner.crypto);
  REQUIRE(file.ok());
  constexpr std::size_t header = 18;
  Generator generator = Generator::from_seed(5);
  std::size_t read = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes body(file->begin() + header, file->end() - 64);
    for (std::uint64_t flips = 1 + generator.below(3); flips > 0; --flips) {
      body[generator.below(body.size())] ^= static_cast<std::uint8_t>(1 + generator.below(255));
    }
    const Signature signature = one.owner.self.sign(Domain::evidence, body);
    Bytes changed(file->begin(), file->begin() + header);
    packed::put(changed, body);
    packed::put(changed, signature);
    const auto dossier = decode_dossier(changed, one.verifier());
    if (!dossier) continue;
    ++read;
    Recheck recheck(one.papers, swarm, false, dossier->accepted, one.verifier());
    CHECK(each_batch(*dossier, [&](const EvidenceBatch& batch) { recheck.add(batch); }));
    (void)recheck.findings();
  }
  CHECK(read > 0);
}

TEST_CASE("a submitter's account comes back as it was written, and nothing else is read") {
  const StatedConfidence stated{0.999, false, 0.2, 0.9991, {{1000, 1.25, 40, 2}, {500, 0, 0, 0}}};
  const Bytes bytes = encode(stated);
  CHECK(decode_stated_confidence(bytes) == stated);
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_stated_confidence(ByteView(bytes).first(size)));
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_stated_confidence(longer));
  for (const double bad : {1.5, -0.1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    StatedConfidence other = stated;
    other.reached = bad;
    CHECK_FALSE(decode_stated_confidence(encode(other)));
  }
}
