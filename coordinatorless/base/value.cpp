#include "coordinatorless/base/value.h"

#include "coordinatorless/base/panic.h"

namespace dugnad {

BlobId Value::blob() const {
  const auto id = large ? blob_id_from(bytes) : std::nullopt;
  DUGNAD_ASSERT(id, "a small value is no blob");
  return *id;
}

Value value_of(ByteView bytes) {
  if (bytes.size() > small_bytes_max) return Value(blob_id_of(bytes));
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace dugnad
