// QueuedRows: rows on their way to the store's thread. Accepted units wait in the bytes of the file. Rationale: a batch has thousands of small
// outputs, which whoever hands it in has just allocated; let go of there they cost little, and on another thread a fifth of what keeping them does.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "coordinatorless/base/rows.h"

namespace dugnad::store {

/// What becomes one row of accepted.
struct PackedBatch {
  JobId job;
  std::int64_t units = 0;
  Bytes batch;  // batch_format.h
  Bytes evidence = {};
  Bytes held = {};
};

/// One, or more where there are too many bytes for one row; evidence and what is held go with the first.
[[nodiscard]] std::vector<PackedBatch> pack(AcceptedRow row);

/// What one Store::write() queued.
struct QueuedRows {
  PersistSeq seq;
  std::vector<std::variant<PackedBatch, Row>> rows;  // no AcceptedRow
};
[[nodiscard]] QueuedRows queued(PersistSeq seq, std::vector<Row> rows);

}  // namespace dugnad::store
