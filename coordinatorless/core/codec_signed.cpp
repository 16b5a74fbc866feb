// The bodies of what is signed and passed on: [version, field...]. What a body may lack stands last. The domain of the signature says which kind
// it is.
#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/merkle.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/codec_wire.h"

namespace dugnad::core {
namespace {

template <class T>
Bytes encode_body(const T& value, std::size_t most) {
  DUGNAD_ASSERT(is_sound(value), "a signed body over its limits");
  FieldWriter writer;
  writer.tokens().reserve(512);
  writer.tokens().array(1 + field_count<T> - tail_missing(value));
  writer.tokens().number(limits::version);
  writer.all(fields_of(value));
  Bytes body = writer.tokens().take();
  DUGNAD_ASSERT(body.size() <= most, "a signed body over its limit");
  return body;
}

template <class T>
std::optional<T> decode_body(ByteView body, std::size_t most) {
  if (body.size() > most) return std::nullopt;
  const Tape tape(body);
  FieldReader reader(tape);
  T value;
  if (!reader.body(field_count<T>, tail_most<T>) || !reader.spoken_version()) return std::nullopt;
  if (!reader.all(fields_of(value)) || !is_sound(value)) return std::nullopt;
  return value;
}

}  // namespace

Bytes encode(const ContactRecord& record) { return encode_body(record, limits::record_bytes_max); }
Bytes encode(const Goodbye& goodbye) { return encode_body(goodbye, limits::record_bytes_max); }
Bytes encode(const Manifest& manifest) { return encode_body(manifest, limits::manifest_bytes_max); }
Bytes encode(const Delegation& delegation) { return encode_body(delegation, limits::delegation_bytes_max); }
Bytes encode(const Announcement& announcement) { return encode_body(announcement, limits::announcement_bytes_max); }
Bytes encode(const OwnerBinding& binding) { return encode_body(binding, limits::receipt_bytes_max); }
Bytes encode(const Receipt& receipt) { return encode_body(receipt, limits::receipt_bytes_max); }

Bytes encode(const OwnersWord& word) { return encode_body(word, limits::word_bytes_max); }

std::optional<ContactRecord> decode_contact_record(ByteView body) { return decode_body<ContactRecord>(body, limits::record_bytes_max); }
std::optional<Goodbye> decode_goodbye(ByteView body) { return decode_body<Goodbye>(body, limits::record_bytes_max); }
std::optional<Manifest> decode_manifest(ByteView body) { return decode_body<Manifest>(body, limits::manifest_bytes_max); }
std::optional<Delegation> decode_delegation(ByteView body) { return decode_body<Delegation>(body, limits::delegation_bytes_max); }
std::optional<Announcement> decode_announcement(ByteView body) { return decode_body<Announcement>(body, limits::announcement_bytes_max); }

std::optional<OwnerBinding> decode_owner_binding(ByteView body) { return decode_body<OwnerBinding>(body, limits::receipt_bytes_max); }
std::optional<Receipt> decode_receipt(ByteView body) { return decode_body<Receipt>(body, limits::receipt_bytes_max); }
std::optional<OwnersWord> decode_owners_word(ByteView body) { return decode_body<OwnersWord>(body, limits::word_bytes_max); }

Hash results_leaf(const JobId& job, UnitIndex unit, LeaseId lease, Outcome outcome, bool large, const Hash& output) {
  // The job's id, unit and lease as 8 bytes each (little-endian), the outcome as one (with 0x80 where the output is large: then it is the name
  // that is hashed), the output's hash.
  std::array<std::uint8_t, 32 + 8 + 8 + 1 + 32> leaf;
  const auto put_number = [&](std::size_t at, std::uint64_t number) {
    for (std::size_t i = 0; i < 8; ++i) leaf[at + i] = static_cast<std::uint8_t>(number >> (8 * i));
  };
  std::copy(job.bytes.begin(), job.bytes.end(), leaf.begin());
  put_number(32, unit.value);
  put_number(40, lease.value);
  leaf[48] = static_cast<std::uint8_t>(static_cast<unsigned>(outcome) | (large ? 0x80U : 0U));
  std::copy(output.bytes.begin(), output.bytes.end(), leaf.begin() + 49);
  return merkle_leaf(leaf);
}

Hash results_root(const Results& results) {
  std::vector<Hash> leaves;
  leaves.reserve(results.results.size());
  for (const UnitResult& result : results.results) {
    leaves.push_back(results_leaf(results.job, result.unit, result.lease, result.outcome, result.output.large, hash_of(result.output.bytes)));
  }
  const Hash root = merkle_root(std::move(leaves));
  return results.inputs ? with_inputs(root, hash_of(results.inputs->digests)) : root;
}

std::array<std::uint8_t, input_digest_bytes> input_digest(const Value& input) {
  const std::array<std::uint8_t, 1> head{input.large ? std::uint8_t{0xff} : std::uint8_t{0}};
  const Hash hash = hash_of(head, input.bytes);
  std::array<std::uint8_t, input_digest_bytes> digest{};
  std::copy_n(hash.bytes.begin(), digest.size(), digest.begin());
  return digest;
}

Hash with_inputs(const Hash& results, const Hash& inputs) { return hash_of(results.view(), inputs.view()); }

}  // namespace dugnad::core
