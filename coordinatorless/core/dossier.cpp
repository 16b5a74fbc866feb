#include "coordinatorless/core/dossier.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr std::string_view header = "dugnad evidence 1\n";
constexpr std::size_t accepted_size_min = 2;
constexpr std::size_t batch_size_min = 1 + 32 + 1 + 2;
constexpr std::size_t summary_bytes_max = 64 + limits::stated_blocks_max * 40;

void put_long(Bytes& out, ByteView bytes) {
  packed::put_varint(out, bytes.size());
  packed::put(out, bytes);
}

std::optional<Bytes> read_long(packed::Reader& in, std::size_t most) {
  const auto length = in.varint();
  if (!length || *length > most) return std::nullopt;
  const auto bytes = in.take(*length);
  return bytes ? std::optional(Bytes(bytes->begin(), bytes->end())) : std::nullopt;
}

std::optional<Signature> read_signature(packed::Reader& in) {
  Signature signature{};
  const auto bytes = in.take(signature.size());
  if (!bytes) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), signature.begin());
  return signature;
}

void put_signed(Bytes& out, const Signed& vouched) {
  put_long(out, vouched.body);
  packed::put(out, vouched.signature);
}

std::optional<Signed> read_signed(packed::Reader& in, std::size_t most) {
  auto body = read_long(in, most);
  const auto signature = read_signature(in);
  if (!body || !signature) return std::nullopt;
  return Signed{*std::move(body), *signature};
}

std::optional<Papers> read_papers(packed::Reader& in) {
  const auto swarm = in.id<SwarmId>();
  auto manifest = read_signed(in, limits::manifest_bytes_max);
  auto delegation = read_signed(in, limits::delegation_bytes_max);
  auto recipe = read_long(in, limits::evidence_recipe_max);
  auto summary = read_long(in, summary_bytes_max);
  if (!swarm || !manifest || !delegation || !recipe || !summary) return std::nullopt;
  return Papers{*swarm, *std::move(manifest), *std::move(delegation), *std::move(recipe), *std::move(summary)};
}

/// Ascending; what counts is unmarked, and the last of its unit.
bool is_in_order(const AcceptedClaimOf& before, const AcceptedClaimOf& next) {
  return before.unit == next.unit ? before.superseded : before.unit < next.unit && !before.superseded;
}

std::optional<std::vector<AcceptedClaimOf>> read_accepted(packed::Reader& in) {
  const auto count = in.varint();
  // Checked before anything is reserved: a damaged count must not ask for all memory.
  if (!count || *count > limits::evidence_units_max || *count > in.left() / accepted_size_min) return std::nullopt;
  std::vector<AcceptedClaimOf> accepted;
  accepted.reserve(static_cast<std::size_t>(*count));
  UnitIndex before{};
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto read = read_claim(in, before);
    if (!read) return std::nullopt;
    const AcceptedClaimOf next{read->unit, read->claim, read->marked};
    if (!accepted.empty() && !is_in_order(accepted.back(), next)) return std::nullopt;
    accepted.push_back(next);
  }
  if (!accepted.empty() && accepted.back().superseded) return std::nullopt;
  return accepted;
}

AcceptedClaim lookup_in(const std::vector<AcceptedClaimOf>& accepted) {
  return [&accepted](UnitIndex unit) {
    const AcceptedClaimOf* found = find_accepted(accepted, unit);
    return found == nullptr ? nullptr : &found->claim;
  };
}

std::optional<Dossier> read_body(packed::Reader& in) {
  auto papers = read_papers(in);
  auto accepted = papers ? read_accepted(in) : std::nullopt;
  const auto count = accepted ? in.varint() : std::nullopt;
  if (!count || *count > in.left() / batch_size_min) return std::nullopt;
  Dossier dossier{*std::move(papers), *std::move(accepted), {}};
  const auto rest = in.take(in.left());
  dossier.evidence.emplace_back(rest->begin(), rest->end());
  std::uint64_t batches = 0;
  std::uint64_t results = 0;
  const bool sound = each_batch(dossier, [&](const EvidenceBatch& batch) {
    ++batches;
    results += batch.results.size();
  });
  if (!sound || batches != *count || results > limits::evidence_results_max) return std::nullopt;
  return dossier;
}

}  // namespace

Result<CheckedPapers> check(const Papers& papers, Crypto& verifier) {
  const auto manifest = decode_manifest(papers.manifest.body);
  if (!manifest) return Error{"the job's manifest is damaged, or from another version of dugnad"};
  const auto holds = [&](Domain domain, const Signed& vouched) {
    return verifier.verify(manifest->owner, signed_bytes(domain, papers.swarm, vouched.body), vouched.signature);
  };
  if (!holds(Domain::manifest, papers.manifest)) return Error{"the owner's signature under the job's manifest does not hold"};
  const JobId job{hash_of(papers.manifest.body).bytes};
  const auto delegation = decode_delegation(papers.delegation.body);
  if (!delegation || delegation->job != job) return Error{"the delegation, which says who leases out the job, is none of this job"};
  if (!holds(Domain::delegation, papers.delegation)) return Error{"the owner's signature under the delegation does not hold"};
  return CheckedPapers{job, *manifest, *delegation};
}

std::vector<AcceptedClaimOf> accepted_claims(std::span<const AcceptedUnit> units) {
  std::vector<std::size_t> order(units.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return units[a].unit < units[b].unit; });
  std::vector<AcceptedClaimOf> claims;
  claims.reserve(units.size());
  for (const std::size_t place : order) {
    const AcceptedUnit& unit = units[place];
    if (!claims.empty() && claims.back().unit == unit.unit) claims.back().superseded = true;
    claims.push_back({unit.unit, claim_of(unit.outcome, unit.output), false});
  }
  return claims;
}

const AcceptedClaimOf* find_accepted(const std::vector<AcceptedClaimOf>& accepted, UnitIndex unit) {
  const auto behind =
      std::upper_bound(accepted.begin(), accepted.end(), unit, [](UnitIndex wanted, const AcceptedClaimOf& each) { return wanted < each.unit; });
  return behind == accepted.begin() || std::prev(behind)->unit != unit ? nullptr : &*std::prev(behind);
}

bool each_batch(const Dossier& dossier, const std::function<void(const EvidenceBatch&)>& each) {
  for (const Bytes& batches : dossier.evidence) {
    packed::Reader in(batches);
    while (in.left() > 0) {
      const auto batch = read_evidence(in, lookup_in(dossier.accepted));
      if (!batch) return false;
      each(*batch);
    }
  }
  return true;
}

Result<Bytes> encode(const Dossier& dossier, Crypto& owner) {
  Bytes batches;
  std::uint64_t count = 0;
  std::uint64_t results = 0;
  const bool sound = each_batch(dossier, [&](const EvidenceBatch& batch) {
    put_evidence(batches, batch, lookup_in(dossier.accepted));
    ++count;
    results += batch.results.size();
  });
  if (!sound) return Error{"the evidence is damaged"};
  Bytes body;
  packed::put(body, dossier.papers.swarm.view());
  put_signed(body, dossier.papers.manifest);
  put_signed(body, dossier.papers.delegation);
  put_long(body, dossier.papers.recipe);
  put_long(body, dossier.papers.summary);
  packed::put_varint(body, dossier.accepted.size());
  UnitIndex before{};
  for (const AcceptedClaimOf& each : dossier.accepted) put_claim(body, before, each.unit, each.claim, each.superseded);
  packed::put_varint(body, count);
  packed::put(body, batches);
  const Signature signature = owner.sign(signed_bytes(Domain::evidence, dossier.papers.swarm, body));
  Bytes file = to_bytes(header);
  packed::put(file, body);
  packed::put(file, signature);
  if (dossier.accepted.size() > limits::evidence_units_max || results > limits::evidence_results_max || file.size() > limits::evidence_file_max) {
    return Error{"there is more evidence than a file may hold, " + std::to_string(dossier.accepted.size()) + " units and " +
                 std::to_string(results) + " results"};
  }
  return file;
}

Result<Dossier> decode_dossier(ByteView file, Crypto& verifier) {
  const auto begins_with = [&](std::string_view text) {
    return file.size() >= text.size() && std::equal(text.begin(), text.end(), file.begin(), [](char c, std::uint8_t byte) {
             return static_cast<std::uint8_t>(c) == byte;
           });
  };
  if (!begins_with(dossier_magic)) return Error{"it is no file of evidence"};
  if (!begins_with(header)) return Error{"it was written by another version of dugnad"};
  const ByteView rest = file.subspan(header.size());
  if (rest.size() < Signature{}.size()) return Error{"it is damaged, or cut off"};
  const ByteView body = rest.first(rest.size() - Signature{}.size());
  packed::Reader in(body);
  auto dossier = read_body(in);
  if (!dossier || in.left() != 0) return Error{"it is damaged, or cut off"};
  const auto checked = check(dossier->papers, verifier);
  if (!checked) return checked.error();
  packed::Reader behind(rest.subspan(body.size()));
  const auto signature = read_signature(behind);
  if (!verifier.verify(checked->manifest.owner, signed_bytes(Domain::evidence, dossier->papers.swarm, body), *signature)) {
    return Error{"it was changed since the job's owner signed it"};
  }
  return *std::move(dossier);
}

}  // namespace dugnad::core
