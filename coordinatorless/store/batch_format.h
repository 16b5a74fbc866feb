// The bytes of one row of accepted units, as the journal holds them. Version 1:
//   u8 version, varint count, then for each unit: varint index, u64 input_tag (little-endian), u8 outcome, varint length, output.
// Version 2, of batches with a large output: 0x80 is added to the outcome of each unit whose output is the 40 bytes of its blob's name.
// A varint is LEB128 in its shortest form. Decoding checks everything: a journal may be damaged, or come from somebody else.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "coordinatorless/base/rows.h"

namespace dugnad::store {

[[nodiscard]] Bytes encode_batch(std::span<const AcceptedUnit> units);

/// nullopt for anything that encode_batch() does not write.
[[nodiscard]] std::optional<std::vector<AcceptedUnit>> decode_batch(ByteView bytes);
/// The same into `units`, whose memory is used again; false for anything else, and then they are no batch's.
[[nodiscard]] bool decode_batch(ByteView bytes, std::vector<AcceptedUnit>& units);

}  // namespace dugnad::store
