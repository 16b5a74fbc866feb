// Guest: a stranger's program, as an executor is given it. Nothing outside a cage looks into its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/bytes.h"

namespace dugnad::worker {

struct Guest {
  BlobId id;                       // of the packed bytes
  std::uint64_t memory_bytes = 0;  // what its units may have; 0: the default
  std::uint64_t fuel = 0;          // what each unit may spend; 0: not counted

  /// The packed bytes, a zstd frame of a WebAssembly module; nullptr where they are not to be had any more. Asked by a slot's thread whenever a
  /// cage is to be loaded, since reading them takes a while.
  std::function<std::shared_ptr<const Bytes>()> packed;
};

/// A guest whose packed bytes are in memory already.
[[nodiscard]] inline Guest guest_at_hand(Bytes packed, std::uint64_t memory_bytes, std::uint64_t fuel = 0) {
  const BlobId id = blob_id_of(packed);
  const auto held = std::make_shared<const Bytes>(std::move(packed));
  return {id, memory_bytes, fuel, [held] { return held; }};
}

}  // namespace dugnad::worker
