// Values: what is small lies in memory, what is large in a store of blobs; how an executor reads its inputs and keeps its outputs.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "coordinatorless/base/result.h"
#include "coordinatorless/base/value.h"
#include "worker/run_attempt.h"

namespace dugnad::worker {

/// Called on the slots' threads. Without them every large input and output is a donor's fault.
struct BlobAccess {
  std::function<std::shared_ptr<const Bytes>(const BlobId&)> read;  // nullptr where it is not here any more
  std::function<Result<BlobId>(ByteView)> keep;                     // pinned until whoever collects the attempt lets go
};

/// The bytes of a value, for as long as this lives.
class Reading {
 public:
  Reading(const Value& value, const BlobAccess& blobs);
  /// nullopt where they are not to be had.
  [[nodiscard]] std::optional<ByteView> bytes() const;

 private:
  const Value& value_;
  std::shared_ptr<const Bytes> large_;
};
[[nodiscard]] Ran not_read();

struct Returned {
  Outcome outcome = Outcome::ok;
  Value output;
};
/// A large output is kept; where it cannot be, that is the donor's fault.
[[nodiscard]] Returned returned(Ran ran, const BlobAccess& blobs);

}  // namespace dugnad::worker
