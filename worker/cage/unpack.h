// Unpack: a module as it travels, one zstd frame, back to its raw bytes. Runs inside the cage: what it reads is hostile.
#pragma once

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"

namespace dugnad::worker::cage {

/// The error is the same on every machine. Exactly one frame, which says how large its content is, at most `raw_max` bytes: so nothing grows
/// beyond what was promised, however well the bytes were compressed.
[[nodiscard]] Result<Bytes> unpack(ByteView packed, std::size_t raw_max);

}  // namespace dugnad::worker::cage
