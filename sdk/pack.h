// Pack: a module as it travels, one zstd frame that says how large it is.
#pragma once

#include "coordinatorless/base/bytes.h"

namespace dugnad::sdk {

/// The same bytes give the same frame, with the same version of zstd.
[[nodiscard]] Bytes pack(ByteView raw);

}  // namespace dugnad::sdk
