#include "coordinatorless/store/queued_rows.h"

#include <span>
#include <utility>

#include "coordinatorless/store/batch_format.h"

namespace dugnad::store {
namespace {

constexpr std::size_t batch_bytes_max = 16u << 20;  // outputs in one row; SQLite's own limit is 1 GB

}  // namespace

std::vector<PackedBatch> pack(AcceptedRow row) {
  std::vector<PackedBatch> packed;
  std::span<const AcceptedUnit> rest(row.units);
  while (!rest.empty() || !row.evidence.empty() || !row.held.empty()) {
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < rest.size() && (count == 0 || bytes + rest[count].output.bytes.size() <= batch_bytes_max);
         ++count) {
      bytes += rest[count].output.bytes.size();
    }
    packed.push_back({row.job, static_cast<std::int64_t>(count), encode_batch(rest.first(count)), std::exchange(row.evidence, {}),
                      std::exchange(row.held, {})});
    rest = rest.subspan(count);
  }
  return packed;
}

QueuedRows queued(PersistSeq seq, std::vector<Row> rows) {
  QueuedRows queued{seq, {}};
  queued.rows.reserve(rows.size());
  for (Row& row : rows) {
    if (auto* accepted = std::get_if<AcceptedRow>(&row)) {
      for (PackedBatch& batch : pack(std::move(*accepted))) queued.rows.emplace_back(std::move(batch));
    } else {
      queued.rows.emplace_back(std::move(row));
    }
  }
  return queued;
}

}  // namespace dugnad::store
