#include "coordinatorless/core/evidence.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/merkle.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr std::uint8_t kind_signed = 1;
constexpr std::uint8_t kind_own = 2;
constexpr std::uint8_t kind_with_inputs = 3;

constexpr std::uint8_t outcome_bits = 0x03;
constexpr std::uint8_t large_bit = 0x04;
constexpr std::uint8_t form_bits = 0x18;
constexpr std::uint8_t form_brief = 0x00;
constexpr std::uint8_t form_hashed = 0x08;
constexpr std::uint8_t form_veiled = 0x10;
constexpr std::uint8_t form_accepted = 0x18;
constexpr std::uint8_t same_lease_bit = 0x20;
constexpr std::uint8_t next_unit_bit = 0x40;
constexpr std::uint8_t unused_bit = 0x80;
static_assert(outcome_last <= outcome_bits);

/// Where the result before stood. The first result's unit and lease are steps from 0.
struct Place {
  std::uint64_t unit = 0;
  std::uint64_t lease = 0;
  bool first = true;
};

std::uint8_t head_of(const Claim& claim) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(claim.outcome) | (claim.large ? large_bit : 0U) |
                                   (claim.hashed ? form_hashed : form_brief));
}

void put_output(Bytes& out, const Claim& claim) {
  if (claim.hashed) return packed::put(out, claim.bytes);
  out.push_back(claim.length);
  packed::put(out, ByteView(claim.bytes).first(claim.length));
}

/// The claim whose head has been read, from its output on.
std::optional<Claim> read_output(packed::Reader& in, std::uint8_t head) {
  Claim claim{static_cast<Outcome>(head & outcome_bits), (head & large_bit) != 0, (head & form_bits) == form_hashed, 0, {}};
  // A name is longer than its hash, and only of an output.
  if (claim.large && (!claim.hashed || claim.outcome != Outcome::ok)) return std::nullopt;
  if (!claim.hashed) {
    const auto length = in.byte();
    if (!length || *length > Claim::brief_most) return std::nullopt;
    claim.length = *length;
  }
  const auto bytes = in.take(claim.hashed ? claim.bytes.size() : claim.length);
  if (!bytes) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), claim.bytes.begin());
  return claim;
}

void put_unit(Bytes& out, std::uint64_t before, std::uint64_t unit, bool is_next) {
  if (!is_next) packed::put_varint(out, packed::step(before, unit));
}

/// nullopt too where a shorter form was to be had.
std::optional<std::uint64_t> read_unit(packed::Reader& in, std::uint64_t before, bool is_next) {
  if (is_next) return before + 1;
  const auto step = in.varint();
  if (!step || packed::stepped(before, *step) == before + 1) return std::nullopt;
  return packed::stepped(before, *step);
}

void put_result(Bytes& out, Place& place, const EvidenceResult& result, const AcceptedClaim& accepted) {
  if (result.veiled) {
    out.push_back(form_veiled);
    return packed::put(out, result.claim.bytes);
  }
  const Claim* known = accepted ? accepted(result.unit) : nullptr;
  const bool as_accepted = known != nullptr && *known == result.claim;
  const bool same_lease = !place.first && result.lease.value == place.lease;
  const bool next_unit = result.unit.value == place.unit + 1;
  out.push_back(static_cast<std::uint8_t>((as_accepted ? form_accepted : head_of(result.claim)) | (same_lease ? same_lease_bit : 0U) |
                                          (next_unit ? next_unit_bit : 0U)));
  if (!same_lease) packed::put_varint(out, packed::step(place.lease, result.lease.value));
  put_unit(out, place.unit, result.unit.value, next_unit);
  if (!as_accepted) put_output(out, result.claim);
  place = {result.unit.value, result.lease.value, false};
}

std::optional<EvidenceResult> read_result(packed::Reader& in, Place& place, const AcceptedClaim& accepted) {
  const auto head = in.byte();
  if (!head || (*head & unused_bit) != 0) return std::nullopt;
  EvidenceResult result;
  const std::uint8_t form = *head & form_bits;
  if (form == form_veiled) {
    const auto leaf = in.take(result.claim.bytes.size());
    if (*head != form_veiled || !leaf) return std::nullopt;
    std::copy(leaf->begin(), leaf->end(), result.claim.bytes.begin());
    result.veiled = true;
    return result;
  }
  result.lease.value = place.lease;
  if ((*head & same_lease_bit) == 0) {
    const auto step = in.varint();
    if (!step || (!place.first && *step == 0)) return std::nullopt;
    result.lease.value = packed::stepped(place.lease, *step);
  } else if (place.first) {
    return std::nullopt;
  }
  const auto unit = read_unit(in, place.unit, (*head & next_unit_bit) != 0);
  if (!unit) return std::nullopt;
  result.unit.value = *unit;
  if (form == form_accepted) {
    const Claim* known = accepted ? accepted(result.unit) : nullptr;
    if (known == nullptr || (*head & (outcome_bits | large_bit)) != 0) return std::nullopt;
    result.claim = *known;
  } else {
    const auto claim = read_output(in, *head);
    if (!claim) return std::nullopt;
    result.claim = *claim;
  }
  place = {result.unit.value, result.lease.value, false};
  return result;
}

Hash leaf_of(const EvidenceResult& result, const JobId& job) {
  if (result.veiled) return {result.claim.bytes};
  return results_leaf(job, result.unit, result.lease, result.claim.outcome, result.claim.large, result.claim.digest());
}

}  // namespace

std::optional<ByteView> Claim::output() const { return hashed ? std::nullopt : std::optional(ByteView(bytes).first(length)); }

Hash Claim::digest() const { return hashed ? Hash{bytes} : hash_of(ByteView(bytes).first(length)); }

Claim claim_of(Outcome outcome, const Value& output) {
  Claim claim{outcome, output.large, output.bytes.size() > Claim::brief_most, 0, {}};
  if (claim.hashed) {
    claim.bytes = hash_of(output.bytes).bytes;
  } else {
    claim.length = static_cast<std::uint8_t>(output.bytes.size());
    std::copy(output.bytes.begin(), output.bytes.end(), claim.bytes.begin());
  }
  return claim;
}

EvidenceBatch evidence_of(const Results& results, const PublicKey& donor, bool own) {
  EvidenceBatch batch{donor, own ? std::nullopt : std::optional(results.signature), {}};
  if (!own && results.inputs) batch.inputs = hash_of(results.inputs->digests);
  batch.results.reserve(results.results.size());
  for (const UnitResult& result : results.results) {
    batch.results.push_back({result.unit, result.lease, claim_of(result.outcome, result.output), false});
  }
  return batch;
}

void veil_others(EvidenceBatch& batch, const JobId& job, const std::vector<std::uint32_t>& counted) {
  if (counted.size() == batch.results.size()) return;
  auto open = counted.begin();
  for (std::uint32_t place = 0; place < batch.results.size(); ++place) {
    if (open != counted.end() && *open == place) {
      ++open;
      continue;
    }
    EvidenceResult& result = batch.results[place];
    result = {{}, {}, {Outcome::ok, false, false, 0, leaf_of(result, job).bytes}, true};
  }
}

Hash root_of(const EvidenceBatch& batch, const JobId& job) {
  std::vector<Hash> leaves;
  leaves.reserve(batch.results.size());
  for (const EvidenceResult& result : batch.results) leaves.push_back(leaf_of(result, job));
  const Hash root = merkle_root(std::move(leaves));
  return batch.inputs ? with_inputs(root, *batch.inputs) : root;
}

bool is_signed(const EvidenceBatch& batch, const SwarmId& swarm, const JobId& job, Crypto& verifier) {
  if (!batch.signature) return false;
  return verifier.verify(batch.donor, signed_bytes(Domain::results, swarm, root_of(batch, job).view()), *batch.signature);
}

void put_evidence(Bytes& out, const EvidenceBatch& batch, const AcceptedClaim& accepted) {
  out.push_back(!batch.signature ? kind_own : batch.inputs ? kind_with_inputs : kind_signed);
  packed::put(out, batch.donor.view());
  if (batch.signature) packed::put(out, *batch.signature);
  if (batch.signature && batch.inputs) packed::put(out, batch.inputs->view());
  packed::put_varint(out, batch.results.size());
  // Room by doubling: several batches gather in one string of bytes, each of which would otherwise move all before it.
  constexpr std::size_t usual_bytes = 16;
  if (const std::size_t needed = out.size() + batch.results.size() * usual_bytes; needed > out.capacity()) {
    out.reserve(std::max(needed, 2 * out.capacity()));
  }
  Place place;
  for (const EvidenceResult& result : batch.results) put_result(out, place, result, accepted);
}

std::optional<EvidenceBatch> read_evidence(packed::Reader& in, const AcceptedClaim& accepted) {
  const auto kind = in.byte();
  const auto donor = in.id<PublicKey>();
  if (!donor || (*kind != kind_signed && *kind != kind_own && *kind != kind_with_inputs)) return std::nullopt;
  EvidenceBatch batch{*donor, {}, {}};
  if (*kind != kind_own) {
    const auto signature = in.take(Signature{}.size());
    if (!signature) return std::nullopt;
    std::copy(signature->begin(), signature->end(), batch.signature.emplace().begin());
  }
  if (*kind == kind_with_inputs && !(batch.inputs = in.id<Hash>())) return std::nullopt;
  const auto count = in.varint();
  if (!count || *count == 0 || *count > limits::batch_units_max || *count > in.left()) return std::nullopt;
  batch.results.reserve(static_cast<std::size_t>(*count));
  Place place;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto result = read_result(in, place, accepted);
    if (!result) return std::nullopt;
    batch.results.push_back(*result);
  }
  return batch;
}

void put_claim(Bytes& out, UnitIndex& before, UnitIndex unit, const Claim& claim, bool marked) {
  const bool is_next = unit.value == before.value + 1;
  out.push_back(static_cast<std::uint8_t>(head_of(claim) | (marked ? same_lease_bit : 0U) | (is_next ? next_unit_bit : 0U)));
  put_unit(out, before.value, unit.value, is_next);
  put_output(out, claim);
  before = unit;
}

std::optional<ReadClaim> read_claim(packed::Reader& in, UnitIndex& before) {
  const auto head = in.byte();
  if (!head || (*head & unused_bit) != 0 || (*head & form_bits) > form_hashed) return std::nullopt;
  const auto unit = read_unit(in, before.value, (*head & next_unit_bit) != 0);
  const auto claim = unit ? read_output(in, *head) : std::nullopt;
  if (!claim) return std::nullopt;
  before.value = *unit;
  return ReadClaim{before, *claim, (*head & same_lease_bit) != 0};
}

}  // namespace dugnad::core
