// Reading a stranger's module: libwabt decides whether it is valid, in one walk that keeps nothing of the code, and what the pass needs to
// know is noted on the way. Refused on the spot is what no later step should see: instructions of proposals that differ between machines or
// that the ABI has no place for, and counts that would cost memory.
#pragma once

#include "coordinatorless/base/result.h"
#include "tasks/wasm/module.h"

namespace dugnad::tasks::wasm {

/// `plain`: the module without its custom sections, which nothing needs: see without_custom_sections. It must outlive the result.
[[nodiscard]] Result<Module> read_module(ByteView plain);

/// Debug information, names and linking hints are gone before libwabt sees them: less of its code meets hostile bytes.
[[nodiscard]] Result<Bytes> without_custom_sections(ByteView raw);

/// As people write types: "(i32, i32) -> i64".
[[nodiscard]] std::string to_text(const Signature& signature);

}  // namespace dugnad::tasks::wasm
