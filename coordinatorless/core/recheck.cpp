#include "coordinatorless/core/recheck.h"

#include <algorithm>
#include <cstring>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/agreement.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

using Says = Testimony::Says;

/// Whoever wrote a file may have hashed what is brief: it is the same result all the same.
bool is_same(const Claim& a, const Claim& b) {
  if (a == b) return true;
  return a.hashed != b.hashed && a.outcome == b.outcome && a.large == b.large && a.digest() == b.digest();
}

std::uint64_t part_of(const Claim& claim) {
  const std::array<std::uint8_t, 1> head{static_cast<std::uint8_t>(static_cast<unsigned>(claim.outcome) | (claim.large ? 0x80U : 0U))};
  const Hash hash = hash_of(head, claim.digest().view());
  std::uint64_t part = 0;
  std::memcpy(&part, hash.bytes.data(), sizeof part);
  return part;
}

}  // namespace

Recheck::Recheck(const CheckedPapers& papers, const SwarmId& swarm, bool has_confidence, const std::vector<AcceptedClaimOf>& accepted,
                 Crypto& verifier, std::optional<UnitIndex> closely)
    : job_(papers.job),
      submitter_(papers.delegation.peers.empty() ? PeerId{} : papers.delegation.peers.front()),
      swarm_(swarm),
      has_confidence_(has_confidence),
      needed_(has_confidence ? 1 : papers.manifest.copies),
      accepted_(accepted),
      verifier_(verifier),
      closely_(closely) {}

Recheck::DonorPlace Recheck::place_of(const EvidenceBatch& batch) {
  const bool own = !batch.signature;
  const auto [at, fresh] = place_of_.try_emplace(own ? std::nullopt : std::optional(batch.donor), static_cast<DonorPlace>(donors_.size()));
  if (fresh) donors_.push_back({own ? submitter_ : peer_id_of(batch.donor), own});
  return at->second;
}

Recheck::Vote Recheck::vote_of(const EvidenceResult& result, DonorPlace donor) {
  Vote vote{result.unit, 0, donor, Says::open};
  const AcceptedClaimOf* accepted = find_accepted(accepted_, result.unit);
  if (result.claim.outcome != Outcome::ok && result.claim.outcome != Outcome::failed) {
    vote.says = Says::fault;
  } else if (accepted == nullptr) {
    vote.says = Says::open;
  } else if (is_same(result.claim, accepted->claim)) {
    vote.says = Says::agrees;
  } else {
    vote.says = Says::differs;
    vote.other = part_of(result.claim);
    for (const AcceptedClaimOf* earlier = accepted; earlier != accepted_.data() && (--earlier)->unit == result.unit;) {
      if (is_same(result.claim, earlier->claim)) vote.says = Says::earlier_input;
    }
  }
  return vote;
}

void Recheck::add(const EvidenceBatch& batch) {
  const std::uint64_t number = batches_++;
  if (batch.signature && !is_signed(batch, swarm_, job_, verifier_)) {
    ++forged_;
    return;
  }
  const DonorPlace donor = place_of(batch);
  for (const EvidenceResult& result : batch.results) {
    if (result.veiled) continue;
    const Vote vote = vote_of(result, donor);
    DonorRecord& record = donors_[donor];
    ++record.results;
    if (vote.says == Says::agrees) ++record.agreeing;
    if (vote.says == Says::differs) ++record.differing;
    if (vote.says == Says::fault) ++record.faults;
    votes_.push_back(vote);
    if (closely_ == result.unit) testimonies_.push_back({record.peer, record.own, result.lease, result.claim, vote.says, number});
  }
}

void Recheck::judge(const AcceptedClaimOf& accepted, std::span<const Vote> votes, Findings& findings) {
  std::map<DonorPlace, const Vote*> last;  // rule 2
  std::uint64_t faults = 0;
  for (const Vote& vote : votes) {
    if (vote.says == Says::fault) ++faults;
    if (vote.says == Says::agrees || vote.says == Says::differs) last[vote.donor] = &vote;
    if (vote.says == Says::differs) findings.differing.push_back({vote.unit, donors_[vote.donor].peer, donors_[vote.donor].own});
  }
  UnitFinding finding{accepted.unit};
  std::map<std::uint64_t, std::uint32_t> against;
  bool own_differs = false;
  bool own = false;
  for (const auto& [donor, vote] : last) {
    const bool agrees = vote->says == Says::agrees;
    own = own || donors_[donor].own;
    if (donors_[donor].own) (agrees ? finding.own : own_differs) = true;
    else if (agrees) ++finding.donors;
    if (!agrees && !discredited_[donor]) finding.against = std::max(finding.against, ++against[vote->other]);
  }
  ++findings.units;
  findings.own += own;
  findings.audited += last.size() > 1;
  const bool failed = accepted.claim.outcome == Outcome::failed;
  findings.failed += failed;
  const std::uint32_t agreeing = finding.donors + finding.own;
  if (failed && agreeing == 0) {
    // Rule 5. The reason is then the submitter's, in its words.
    const bool split = last.size() >= votes_max(needed_) && finding.against < needed_;
    if (split || faults >= limits::donor_faults_per_unit_max) {
      ++findings.confirmed;
    } else {
      finding.kind = UnitFinding::Kind::gave_up;
      findings.doubtful.push_back(finding);
    }
    return;
  }
  ++findings.signed_by[finding.donors];
  const bool disputed = own_differs || (!finding.own && finding.against > 0 && finding.against >= agreeing);
  if (!disputed && agreeing >= needed_) {
    ++findings.confirmed;
    findings.with_own += finding.donors < needed_;
    return;
  }
  finding.kind = disputed ? UnitFinding::Kind::disputed : UnitFinding::Kind::unsupported;
  findings.doubtful.push_back(finding);
}

void Recheck::find_discredited() {
  discredited_.assign(donors_.size(), false);
  if (!has_confidence_) return;
  for (auto begin = votes_.begin(); begin != votes_.end();) {
    const auto end = std::find_if(begin, votes_.end(), [&](const Vote& vote) { return vote.unit != begin->unit; });
    const bool settled = std::any_of(begin, end, [&](const Vote& vote) { return donors_[vote.donor].own && vote.says == Says::agrees; });
    for (auto vote = begin; settled && vote != end; ++vote) {
      if (vote->says == Says::differs) discredited_[vote->donor] = true;
    }
    begin = end;
  }
}

Findings Recheck::findings() {
  std::stable_sort(votes_.begin(), votes_.end(), [](const Vote& a, const Vote& b) { return a.unit < b.unit; });
  find_discredited();
  Findings findings;
  findings.batches = batches_;
  findings.forged = forged_;
  auto vote = votes_.begin();
  for (const AcceptedClaimOf& accepted : accepted_) {
    if (accepted.superseded) continue;
    const auto begin = std::find_if(vote, votes_.end(), [&](const Vote& each) { return each.unit >= accepted.unit; });
    vote = std::find_if(begin, votes_.end(), [&](const Vote& each) { return each.unit > accepted.unit; });
    judge(accepted, {begin, vote}, findings);
  }
  findings.open_results =
      static_cast<std::uint64_t>(std::count_if(votes_.begin(), votes_.end(), [](const Vote& each) { return each.says == Says::open; }));
  findings.donors = donors_;
  std::sort(findings.donors.begin(), findings.donors.end(), [](const DonorRecord& a, const DonorRecord& b) {
    return a.own != b.own ? a.own < b.own : a.peer < b.peer;
  });
  return findings;
}

}  // namespace dugnad::core
