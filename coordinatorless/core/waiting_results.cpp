#include "coordinatorless/core/waiting_results.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr auto most = std::chrono::ceil<WallTime::duration>(limits::waiting_most);
constexpr std::size_t result_overhead = 64;  // in memory, beside its output

std::size_t bytes_of(const Results& results) {
  std::size_t bytes = 0;
  for (const UnitResult& result : results.results) bytes += result_overhead + result.output.bytes.size();
  return bytes;
}

}  // namespace

// --- On disk: whose it is, until when, and the message ---

Bytes WaitingResults::encoded(const Batch& batch, WallTime until) {
  Bytes body;
  packed::put(body, batch.whose.submitter.view());
  packed::put(body, batch.whose.owner.view());
  packed::put_u64(body, static_cast<std::uint64_t>(until.time_since_epoch().count()));
  packed::put(body, encode(Message(batch.results)));
  return body;
}

std::optional<WaitingResults::Batch> WaitingResults::decoded(const NoteRow& note, Now now) {
  packed::Reader in(note.body);
  const auto submitter = in.id<PeerId>();
  const auto owner = in.id<PublicKey>();
  const auto until = in.u64();
  const auto frame = in.take(in.left());
  auto message = until && frame ? decode(*frame) : std::nullopt;
  auto* results = message ? std::get_if<Results>(&*message) : nullptr;
  if (!submitter || !owner || results == nullptr || results->job != note.job) return std::nullopt;
  // A clock that was put back must not keep it for ever.
  const WallTime wall = std::clamp(WallTime(WallTime::duration(static_cast<std::int64_t>(*until))), now.wall, now.wall + most);
  return Batch{{*submitter, *owner}, std::move(*results), 0, now.boot + (wall - now.wall), note.key, true};
}

void WaitingResults::restore(const std::vector<NoteRow>& notes, Now now, Output& out) {
  for (const NoteRow& note : notes) {
    last_key_ = std::max(last_key_, note.key);
    if (auto batch = decoded(note, now)) add(*std::move(batch));
    else rows_.push_back(NoteRow{NoteKind::waiting, note.job, note.key, {}});
  }
  tick(now, out);
}

// --- Coming and going ---

void WaitingResults::keep(const For& whose, Results batch, Now now, Output& out) {
  const At at = add({whose, std::move(batch), 0, now.boot + most, std::nullopt, true});
  if (at != batches_.end()) note_down(*at, now);
  write(out);
}

void WaitingResults::sent(const For& whose, Results batch, Now now, Output& out) {
  add({whose, std::move(batch), 0, now.boot + limits::results_in_doubt, std::nullopt, false});
  write(out);
}

void WaitingResults::lost(const PeerId& submitter, Now now, Output& out) {
  for (Batch& batch : batches_) {
    if (batch.waits || batch.whose.submitter != submitter) continue;
    batch.waits = true;
    batch.until = now.boot + most;
    if (!batch.key) note_down(batch, now);
  }
  write(out);
}

void WaitingResults::deliver(const PeerId& submitter, const JobId& job, Now now, Output& out) {
  for (Batch& batch : batches_) {
    if (!batch.waits || batch.results.job != job || batch.whose.submitter != submitter) continue;
    batch.waits = false;
    batch.until = now.boot + limits::results_in_doubt;
    next_ = std::min(next_, batch.until);
    out.send(submitter, batch.results);
  }
}

void WaitingResults::drop(const JobId& job, Output& out) {
  for (At at = batches_.begin(); at != batches_.end();) at = at->results.job == job ? let_go(at) : std::next(at);
  write(out);
}

void WaitingResults::tick(Now now, Output& out) {
  next_ = never;
  for (At at = batches_.begin(); at != batches_.end();) {
    if (at->until <= now.boot) {
      at = let_go(at);
    } else {
      next_ = std::min(next_, at->until);
      ++at;
    }
  }
  write(out);
}

std::size_t WaitingResults::bytes_for(const PeerId& submitter) const {
  std::size_t bytes = 0;
  for (const Batch& batch : batches_) bytes += batch.waits && batch.whose.submitter == submitter ? batch.bytes : 0;
  return bytes;
}

void WaitingResults::note_down(Batch& batch, Now now) {
  batch.key = ++last_key_;
  rows_.push_back(NoteRow{NoteKind::waiting, batch.results.job, *batch.key, encoded(batch, now.wall + most)});
}

WaitingResults::At WaitingResults::add(Batch batch) {
  batch.bytes = bytes_of(batch.results);
  bytes_ += batch.bytes;
  of_owner_[batch.whose.owner] += batch.bytes;
  next_ = std::min(next_, batch.until);
  At added = batches_.insert(batches_.end(), std::move(batch));
  while (bytes_ > limits::waiting_bytes_max || batches_.size() > limits::waiting_batches_max) {
    const auto owner = std::max_element(of_owner_.begin(), of_owner_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const At oldest = std::find_if(batches_.begin(), batches_.end(), [&](const Batch& each) { return each.whose.owner == owner->first; });
    if (oldest == added) added = batches_.end();
    let_go(oldest);
  }
  return added;
}

WaitingResults::At WaitingResults::let_go(At at) {
  if (at->key) rows_.push_back(NoteRow{NoteKind::waiting, at->results.job, *at->key, {}});
  bytes_ -= at->bytes;
  if (const auto owner = of_owner_.find(at->whose.owner); (owner->second -= at->bytes) == 0) of_owner_.erase(owner);
  return batches_.erase(at);
}

void WaitingResults::write(Output& out) {
  if (!rows_.empty()) (void)journal_.write(std::exchange(rows_, {}), out);
}

}  // namespace dugnad::core
