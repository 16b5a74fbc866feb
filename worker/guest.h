// Guest: a stranger's program, as an executor is given it. Nothing outside a cage looks into its bytes.
#pragma once

#include <cstdint>
#include <memory>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/bytes.h"

namespace dugnad::worker {

struct Guest {
  BlobId id;                            // of the packed bytes
  std::shared_ptr<const Bytes> packed;  // a zstd frame of a WebAssembly module
  std::uint64_t memory_bytes = 0;       // what its units may have; 0: the default
  std::uint64_t fuel = 0;               // what each unit may spend; 0: not counted
};

}  // namespace dugnad::worker
