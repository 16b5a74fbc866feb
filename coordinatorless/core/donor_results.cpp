// The donor's half that hands results over: in batches to a submitter that is there, and what becomes of them and of its work while it is not.
#include <algorithm>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/donor.h"

namespace dugnad::core {

bool Donor::should_send(const Served& job, BootTime now) const {
  if (job.finished.empty()) return false;
  return job.finished.size() >= job.units.size() || job.finished.size() >= limits::batch_units_max ||
         job.finished_bytes >= limits::batch_bytes_max / 2 || now >= job.finished_first + limits::result_gather ||
         from_seconds(job.unit_seconds) >= limits::result_gather || leaving_;
}

void Donor::send_results(const JobId& id, Served& job, Now now, Output& out) {
  std::vector<UnitResult> all = std::exchange(job.finished, {});
  const Bytes inputs = std::exchange(job.finished_inputs, {});
  auto said = inputs.begin();
  units_held_ -= all.size();
  bytes_held_ -= std::exchange(job.finished_bytes, 0);
  Results batch{id, now.boot - job.came_first, {}, {}};
  std::size_t bytes = 0;
  const auto send = [&] {
    if (batch.results.empty()) return;
    if (job.says_inputs) {
      const auto end = said + static_cast<std::ptrdiff_t>(batch.results.size() * input_digest_bytes);
      batch.inputs = InputDigests{Bytes(said, end)};
      said = end;
    }
    if (job.submitter != self_.id || job.says_inputs) batch.signature = self_.sign(Domain::results, results_root(batch).view());
    hand_on(job, batch, now, out);
    batch.results.clear();
    bytes = 0;
  };
  for (UnitResult& result : all) {
    if (batch.results.size() == limits::batch_units_max || bytes + result.output.bytes.size() > limits::batch_bytes_max) send();
    bytes += result.output.bytes.size();
    batch.results.push_back(std::move(result));
  }
  send();
  // Now that the results are signed and gone it may be known that they were computed: who audits them is sent here for the inputs.
  for (const BlobId& input : std::exchange(job.offered, {})) out.push(OfferBlob{input});
}

/// Sends them, or lets them wait where nobody is there.
void Donor::hand_on(Served& job, const Results& batch, Now now, Output& out) {
  const WaitingResults::For whose{job.submitter, job.owner, job.mandate.is_steward()};
  if (!job.connected) {
    waiting_.keep(whose, batch, now, out);
    job.full = waiting_.bytes_for(job.submitter) >= limits::absent_bytes_max;
    return;
  }
  out.send(job.submitter, batch);
  const Duration took = from_seconds(job.unit_seconds * static_cast<double>(batch.results.size()));
  if (job.submitter != self_.id && took >= limits::results_doubted_least) waiting_.sent(whose, batch, now);
}

void Donor::send_due(Now now, Output& out) {
  for (auto& [id, job] : jobs_) {
    if (should_send(job, now.boot)) send_results(id, job, now, out);
  }
}

// --- The submitter comes and goes ---

void Donor::connected(const PeerId& peer, Now now, Output& out) {
  for (auto& [id, job] : jobs_) {
    if (job.submitter != peer) continue;
    job.connected = true;
    job.lost_at = never;
    job.full = false;
    waiting_.deliver(peer, job.mandate.is_steward(), id, now, out);
    if (!job.finished.empty()) send_results(id, job, now, out);  // before the submitter leases again what it misses
    say_want(id, job, now, out);
  }
  feed(now, out);
}

void Donor::lost(const PeerId& peer, Now now, Output& out) {
  waiting_.lost(peer, now, out);
  for (auto& [id, job] : jobs_) {
    if (job.submitter == peer) lose(job, now.boot);
  }
  keep_what_runs(now.boot);
}

void Donor::lose(Served& job, BootTime now) {
  job.connected = false;
  job.want_at = never;
  job.lost_at = now;
  job.absent_until = now + limits::absent_grace;
}

/// Once, however many jobs a peer has.
void Donor::keep_what_runs(BootTime now) {
  for (const auto& [attempt, running] : running_) {
    if (!running.wanted) continue;
    Served& job = jobs_.at(running.job);
    if (job.lost_at == now) job.absent_until = std::max(job.absent_until, now + (now - running.started));
  }
}

}  // namespace dugnad::core
