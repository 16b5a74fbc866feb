#include "worker/values.h"

#include <string_view>
#include <utility>

namespace dugnad::worker {

Reading::Reading(const Value& value, const BlobAccess& blobs) : value_(value) {
  if (value.large && blobs.read) large_ = blobs.read(value.blob());
}

std::optional<ByteView> Reading::bytes() const {
  if (!value_.large) return ByteView(value_.bytes);
  return large_ ? std::optional(ByteView(*large_)) : std::nullopt;
}

Ran not_read() { return {Outcome::donor_fault, to_bytes("its input is not here any more")}; }

Returned returned(Ran ran, const BlobAccess& blobs) {
  if (ran.output.size() <= small_bytes_max) return {ran.outcome, std::move(ran.output)};
  const auto kept = blobs.keep ? blobs.keep(ran.output) : Result<BlobId>(Error{"this program keeps no blobs"});
  if (kept) return {ran.outcome, Value(*kept)};
  const std::string reason = "its output cannot be kept: " + kept.error().message;
  return {Outcome::donor_fault, to_bytes(std::string_view(reason).substr(0, reason_max))};
}

}  // namespace dugnad::worker
