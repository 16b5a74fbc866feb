// Codec: messages to msgpack and back.
//
// Every message is one array: [version, type, field...], fields in the order in which messages.h declares them; nested structs are arrays
// of theirs. Signed bodies are [version, field...]. Durations are whole microseconds, rounded down; dates milliseconds; what may be missing
// is nil; a small value is bin, a large one its blob's fields. Rules for decoding, as msgpack-c's limits are 4 billion and it takes trailing bytes:
//   the whole frame is one object and nothing behind it; arrays have exactly their number of fields; integers are in range; ids are bin of
//   32 bytes, signatures of 64; strings and bins keep the limits of limits.h; nesting at most 8; no maps, no ext, no float; every item in its
//   shortest encoding, so that decoding and encoding give the same bytes; no exception leaves.
// codec_fields.h lists fields and limits, codec_wire.h reads and writes them, codec_tokens.cpp is the only file that knows msgpack.
#pragma once

#include <array>
#include <optional>

#include "coordinatorless/core/messages.h"

namespace dugnad::core {

[[nodiscard]] Bytes encode(const Message& message);
/// nullopt for anything that encode() would not have made in this version, within limits.
[[nodiscard]] std::optional<Message> decode(ByteView frame);

// What is signed: its body, as bytes. Decoding checks shape and limits; signatures are the caller's to check.
[[nodiscard]] Bytes encode(const ContactRecord& record);
[[nodiscard]] Bytes encode(const Goodbye& goodbye);
[[nodiscard]] Bytes encode(const Manifest& manifest);
[[nodiscard]] Bytes encode(const Delegation& delegation);
[[nodiscard]] Bytes encode(const Announcement& announcement);
[[nodiscard]] Bytes encode(const OwnerBinding& binding);
[[nodiscard]] Bytes encode(const Receipt& receipt);
[[nodiscard]] Bytes encode(const OwnersWord& word);
[[nodiscard]] std::optional<ContactRecord> decode_contact_record(ByteView body);
[[nodiscard]] std::optional<Goodbye> decode_goodbye(ByteView body);
[[nodiscard]] std::optional<Manifest> decode_manifest(ByteView body);
[[nodiscard]] std::optional<Delegation> decode_delegation(ByteView body);
[[nodiscard]] std::optional<Announcement> decode_announcement(ByteView body);
[[nodiscard]] std::optional<OwnerBinding> decode_owner_binding(ByteView body);
[[nodiscard]] std::optional<Receipt> decode_receipt(ByteView body);
[[nodiscard]] std::optional<OwnersWord> decode_owners_word(ByteView body);

/// One result's leaf of the Merkle root that a Results signature covers, and that root.
[[nodiscard]] Hash results_leaf(const JobId& job, UnitIndex unit, LeaseId lease, Outcome outcome, bool large, const Hash& output);
[[nodiscard]] Hash results_root(const Results& results);
/// What stands for an input where a donor says what it computed from: the beginning of its hash, a large one's name's.
[[nodiscard]] std::array<std::uint8_t, input_digest_bytes> input_digest(const Value& input);
/// What the signature covers where inputs are said too: both roots.
[[nodiscard]] Hash with_inputs(const Hash& results, const Hash& inputs);

}  // namespace dugnad::core
