// Cases for the tests of evidence: a job that its owner signed, and donors who signed results of it.
#pragma once

#include <memory>
#include <vector>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/dossier.h"
#include "coordinatorless/core/recheck.h"
#include "tests/core/identities.h"

namespace dugnad::core::test {

struct Case {
  Identity owner{100};
  Identity submitter{101};
  std::vector<std::unique_ptr<Identity>> donors;
  Dossier dossier;
  CheckedPapers papers;

  explicit Case(std::uint32_t copies = 2, std::size_t donor_count = 4) {
    for (std::size_t i = 0; i < donor_count; ++i) donors.push_back(std::make_unique<Identity>(i));
    Manifest manifest;
    manifest.owner = owner.crypto->public_key();
    manifest.task = "primes";
    manifest.copies = copies;
    dossier.papers.swarm = swarm;
    dossier.papers.manifest = owner.sign(Domain::manifest, encode(manifest));
    const JobId job{hash_of(dossier.papers.manifest.body).bytes};
    dossier.papers.delegation = owner.sign(Domain::delegation, encode(Delegation{job, 1, {submitter.self.id}}));
    papers = check(dossier.papers, verifier()).value();
  }

  [[nodiscard]] Crypto& verifier() const { return *owner.crypto; }
  [[nodiscard]] const JobId& job() const { return papers.job; }

  static UnitResult result(std::uint64_t unit, const std::string& output, Outcome outcome = Outcome::ok) {
    return {LeaseId{1000 + unit}, {unit}, outcome, to_bytes(output)};
  }
  /// What a donor signs.
  [[nodiscard]] EvidenceBatch batch(std::size_t donor, std::vector<UnitResult> all) const {
    Results results{papers.job, {}, std::move(all), {}};
    results.signature = donors[donor]->self.sign(Domain::results, results_root(results).view());
    return evidence_of(results, donors[donor]->crypto->public_key(), false);
  }
  [[nodiscard]] EvidenceBatch own(std::vector<UnitResult> all) const {
    return evidence_of(Results{papers.job, {}, std::move(all), {}}, submitter.crypto->public_key(), true);
  }
  void accept(std::vector<UnitResult> all) {
    std::vector<AcceptedUnit> units;
    for (UnitResult& result : all) units.push_back({result.unit, 0, result.outcome, std::move(result.output)});
    dossier.accepted = accepted_claims(units);
  }
  void keep(const EvidenceBatch& batch) {
    dossier.evidence.emplace_back();
    put_evidence(dossier.evidence.back(), batch);
  }
  [[nodiscard]] Findings findings(bool has_confidence = false) const {
    Recheck recheck(papers, dossier.papers.swarm, has_confidence, dossier.accepted, verifier());
    const bool sound = each_batch(dossier, [&](const EvidenceBatch& batch) { recheck.add(batch); });
    DUGNAD_ASSERT(sound, "a test's own evidence is sound");
    return recheck.findings();
  }
};

}  // namespace dugnad::core::test
