// Journal: numbers what is to be kept. One per peer, so that `after` means the same everywhere.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "coordinatorless/core/evidence.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class Journal {
 public:
  /// Rows that belong together; returns what an effect that depends on them waits for.
  PersistSeq write(std::vector<Row> rows, Output& out) {
    ++last_.value;
    add_evidence(rows);
    out.push(Persist{last_, std::move(rows)});
    return last_;
  }

  /// Evidence goes along with the rows that come next, those of the verdicts that it is for among them: it costs no flush, and seldom a row of its
  /// own. What a crash takes before that were votes on units that are open again then.
  void keep(const JobId& job, const EvidenceBatch& batch, Output& out) {
    Bytes& batches = evidence_[job];
    const std::size_t before = batches.size();
    put_evidence(batches, batch);
    evidence_bytes_ += batches.size() - before;
    if (evidence_bytes_ > limits::evidence_waiting_max) write({}, out);
  }

 private:
  void add_evidence(std::vector<Row>& rows) {
    for (Row& row : rows) {
      auto* accepted = std::get_if<AcceptedRow>(&row);
      if (accepted == nullptr || evidence_.empty()) continue;
      if (auto of_job = evidence_.extract(accepted->job)) accepted->evidence = std::move(of_job.mapped());
    }
    for (auto& [job, batches] : evidence_) rows.push_back(AcceptedRow{job, {}, std::move(batches)});
    evidence_.clear();
    evidence_bytes_ = 0;
  }

  PersistSeq last_{};
  std::map<JobId, Bytes> evidence_;  // not yet written, together evidence_bytes_
  std::size_t evidence_bytes_ = 0;
};

}  // namespace dugnad::core
