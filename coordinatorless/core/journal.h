// Journal: numbers what is to be kept. One per peer, so that `after` means the same everywhere.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "coordinatorless/core/evidence.h"
#include "coordinatorless/core/held_log.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class Journal {
 public:
  /// Rows that belong together; returns what an effect that depends on them waits for.
  PersistSeq write(std::vector<Row> rows, Output& out) {
    ++last_.value;
    add_waiting(rows);
    out.push(Persist{last_, std::move(rows)});
    return last_;
  }

  /// Evidence goes along with the rows that come next, those of the verdicts that it is for among them: it costs no flush, and seldom a row of its
  /// own. `log`: what happened up to this batch, which it names (core/held_log.h).
  void keep(const JobId& job, const EvidenceBatch& batch, HeldLog::Part log, BootTime now, Output& out) {
    Bytes& batches = waiting_[job].evidence;
    const std::size_t before = batches.size();
    put_evidence(batches, batch);
    waiting_bytes_ += batches.size() - before;
    note(job, std::move(log), now);
    if (waiting_bytes_ > limits::evidence_waiting_max) write({}, out);
  }

  /// What happened in a job goes along with them too, and does not wait for long.
  void note(const JobId& job, HeldLog::Part log, BootTime now) {
    if (log.bytes.empty()) return;
    Bytes& held = waiting_[job].held;
    held.insert(held.end(), log.bytes.begin(), log.bytes.end());
    waiting_bytes_ += log.bytes.size();
    if (log.worth) due_ = std::min(due_, now + limits::held_gather);
  }

  void flush(Output& out) {
    if (!waiting_.empty()) write({}, out);
  }
  void tick(BootTime now, Output& out) {
    if (now >= due_) write({}, out);
  }
  [[nodiscard]] BootTime next_deadline() const { return due_; }

 private:
  void add_waiting(std::vector<Row>& rows) {
    for (Row& row : rows) {
      auto* accepted = std::get_if<AcceptedRow>(&row);
      if (accepted == nullptr || waiting_.empty()) continue;
      if (auto of_job = waiting_.extract(accepted->job)) {
        accepted->evidence = std::move(of_job.mapped().evidence);
        accepted->held = std::move(of_job.mapped().held);
      }
    }
    for (auto& [job, row] : waiting_) rows.push_back(AcceptedRow{job, {}, std::move(row.evidence), std::move(row.held)});
    waiting_.clear();
    waiting_bytes_ = 0;
    due_ = never;
  }

  PersistSeq last_{};
  std::map<JobId, HeldRow> waiting_;  // not yet written, together waiting_bytes_
  std::size_t waiting_bytes_ = 0;
  BootTime due_ = never;
};

}  // namespace dugnad::core
