#include "coordinatorless/core/bulk_transfer.h"

#include <algorithm>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core::bulk {
namespace {

constexpr double chunk_cost = static_cast<double>(chunk_bytes) + limits::bulk_frame_overhead;

}  // namespace

void Transfer::limit(double up, double down) {
  serving_.limit(up);
  if (down > 0) down_.emplace(down, std::max(down, 2 * limits::bulk_credits * chunk_cost));
}

// --- Fetching ---

void Transfer::fetch(const BlobId& blob, const PeerId& from, Sharing sharing, BootTime now) {
  if (blob.length > limits::blob_bytes_max) {
    actions_.push_back(Failed{blob, from, "it is larger than " + std::to_string(limits::blob_bytes_max) + " bytes"});
    return;
  }
  if (const auto at = fetches_.find(blob); at != fetches_.end()) {
    if (at->second.fetch.main() == from && at->second.fetch.sharing() == sharing) return;
    cancel(blob);
  }
  fetches_.emplace(blob, Running{.fetch = Fetch(blob, from, sharing), .turn = ++turns_});
  start_next(now);
}

void Transfer::help(const BlobId& blob, const PeerId& peer, BootTime now) {
  const auto at = fetches_.find(blob);
  if (at == fetches_.end() || !at->second.fetch.help(peer) || !at->second.fetch.begun()) return;
  const Fetch& fetch = at->second.fetch;
  actions_.push_back(Send{peer, encode(Have{blob, true, fetch.shared(), fetch.shared() ? fetch.here() : ChunkSet(fetch.here().size())})});
  ask(at->second, now);
}

void Transfer::cancel(const BlobId& blob) {
  const auto at = fetches_.find(blob);
  if (at == fetches_.end()) return;
  if (at->second.fetch.begun()) actions_.push_back(BreakOff{blob});
  forget(at);
}

void Transfer::forget(Fetches::iterator at) {
  for (const PeerId& peer : at->second.fetch.sources()) {
    if (at->second.fetch.underway(peer) == 0 || cancelled_.size() >= limits::bulk_cancelled_max) continue;
    // For as long as a fetch waits for a chunk: later than that it may be charged.
    cancelled_[{peer, at->first}] = at->second.since + limits::bulk_patience + limits::blob_time_most(at->first.length);
  }
  fetches_.erase(at);
}

void Transfer::start_next(BootTime now) {
  while (true) {
    std::size_t running = 0;
    std::set<PeerId> busy;
    for (const auto& [blob, fetch] : fetches_) {
      if (!fetch.running) continue;
      ++running;
      busy.insert(fetch.fetch.main());
    }
    if (running >= limits::bulk_fetches_max) return;
    auto first = fetches_.end();
    for (auto at = fetches_.begin(); at != fetches_.end(); ++at) {
      if (at->second.running || busy.contains(at->second.fetch.main())) continue;
      if (first == fetches_.end() || at->second.turn < first->second.turn) first = at;
    }
    if (first == fetches_.end()) return;
    Running& starts = first->second;
    starts.running = true;
    starts.since = now;
    starts.begin_by = now + limits::bulk_patience;
    starts.ends = now + limits::bulk_patience + limits::blob_time_most(first->first.length);
    actions_.push_back(Begin{first->first});
  }
}

bool Transfer::crowded() const {
  std::set<PeerId> busy;
  for (const auto& [blob, running] : fetches_) {
    if (running.running) busy.insert(running.fetch.main());
  }
  return busy.size() >= limits::bulk_fetches_max &&
         std::any_of(fetches_.begin(), fetches_.end(), [&](const auto& entry) { return !busy.contains(entry.second.fetch.main()); });
}

BootTime Transfer::keeps_place_until(const Running& running) {
  const auto bytes = static_cast<double>(running.fetch.came() * chunk_bytes);
  return running.since + limits::bulk_patience + from_seconds(bytes / limits::blob_bytes_per_second_least);
}

void Transfer::begun(const BlobId& blob, ChunkSet here, BootTime now) {
  const auto at = fetches_.find(blob);
  if (at == fetches_.end() || !at->second.running || at->second.fetch.begun()) return;
  Running& running = at->second;
  running.begin_by = never;
  running.fetch.begin(std::move(here), now);
  if (running.fetch.whole()) {
    running.stored = true;
    actions_.push_back(Finish{blob});
    return;
  }
  for (const PeerId& peer : running.fetch.helpers()) {
    const bool shared = running.fetch.shared();
    actions_.push_back(Send{peer, encode(Have{blob, true, shared, shared ? running.fetch.here() : ChunkSet(running.fetch.here().size())})});
  }
  ask(running, now);
}

std::uint32_t Transfer::underway(const PeerId& peer) const {
  std::uint32_t count = 0;
  for (const auto& [blob, running] : fetches_) {
    if (running.running) count += running.fetch.underway(peer);
  }
  return count;
}

void Transfer::ask(Running& running, BootTime now) {
  if (running.stored) return;
  for (const PeerId& peer : running.fetch.sources()) {
    const std::uint32_t taken = underway(peer);
    if (taken >= limits::bulk_credits) continue;
    auto request = running.fetch.to_ask(peer, limits::bulk_credits - taken, now);
    if (!request) continue;
    const double cost = chunk_cost * request->count;
    if (down_ && !down_->take(cost, now)) {
      down_at_ = std::min(down_at_, down_->ready_at(cost));
      return;
    }
    running.fetch.asked(peer, *request, now);
    actions_.push_back(Send{peer, encode(*std::move(request))});
  }
}

void Transfer::ask_all(BootTime now) {
  for (auto& [blob, running] : fetches_) {
    if (running.running && running.fetch.begun()) ask(running, now);
  }
}

void Transfer::tell(const BlobId& blob, Running& running) {
  running.tell_at = never;
  for (const PeerId& peer : running.fetch.informed()) {
    actions_.push_back(Send{peer, encode(Have{blob, false, true, running.fetch.here()})});
  }
}

void Transfer::finished(const BlobId& blob, BootTime now) {
  if (const auto at = fetches_.find(blob); at != fetches_.end()) {
    if (at->second.fetch.shared()) tell(blob, at->second);
    forget(at);
  }
  ask_all(now);
  start_next(now);
}

void Transfer::refuse(const BlobId& blob, const std::string& reason, BootTime now) {
  if (const auto at = fetches_.find(blob); at != fetches_.end()) fail(at, reason, now, FetchFailure::here);
}

void Transfer::fail(Fetches::iterator at, const std::string& reason, BootTime now, FetchFailure cause) {
  const BlobId blob = at->first;
  actions_.push_back(Failed{blob, at->second.fetch.main(), reason, cause});
  cancel(blob);
  start_next(now);
}

void Transfer::drop(Fetches::iterator at, const PeerId& peer, const std::string& reason, BootTime now, FetchFailure cause) {
  Fetch& fetch = at->second.fetch;
  if (fetch.underway(peer) > 0 && cancelled_.size() < limits::bulk_cancelled_max) {
    cancelled_[{peer, at->first}] = now + limits::bulk_patience;
  }
  fetch.drop(peer, reason, cause);
  if (const auto fault = fetch.failed(now)) return fail(at, fault->reason, now, fault->cause);
  ask(at->second, now);
}

void Transfer::lost(const PeerId& peer) {
  serving_.lost(peer);
  haves_.erase(peer);
  std::vector<BlobId> broken;
  for (auto& [blob, running] : fetches_) {
    if (running.fetch.main() == peer) {
      broken.push_back(blob);
    } else {
      running.fetch.drop(peer);
    }
  }
  for (const BlobId& blob : broken) {
    actions_.push_back(Failed{blob, peer, "the link to its holder broke"});
    cancel(blob);
  }
  std::erase_if(cancelled_, [&](const auto& entry) { return entry.first.first == peer; });
}

// --- Frames ---

void Transfer::received(const PeerId& from, ByteView frame, BootTime now) {
  auto decoded = decode(frame);
  if (!decoded) return misbehaved(from, charges::malformed);
  std::visit([&](auto&& content) { on(from, std::move(content), now); }, std::move(*decoded));
}

void Transfer::on(const PeerId& from, Chunk&& chunk, BootTime now) {
  const auto at = fetches_.find(chunk.blob);
  const auto taken = at == fetches_.end() ? Fetch::Taken::unasked : at->second.fetch.take(from, chunk, now);
  switch (taken) {
    case Fetch::Taken::unasked:
      if (!cancelled_.contains({from, chunk.blob})) misbehaved(from, charges::unasked);  // else of an earlier try
      return;
    case Fetch::Taken::forged:
      misbehaved(from, charges::forged);
      return drop(at, from, "its holder sent something else", now);
    case Fetch::Taken::twice: return ask(at->second, now);
    case Fetch::Taken::kept: break;
  }
  Running& running = at->second;
  actions_.push_back(Keep{chunk.blob, chunk.index, std::move(chunk.path), std::move(chunk.bytes)});
  if (running.tell_at == never && running.fetch.shared() && !running.fetch.informed().empty()) running.tell_at = now + limits::bulk_have_interval;
  if (!running.fetch.whole()) return ask(running, now);
  running.stored = true;
  actions_.push_back(Finish{chunk.blob});
}

void Transfer::on(const PeerId& from, Missing&& missing, BootTime now) {
  const auto at = fetches_.find(missing.blob);
  if (at == fetches_.end() || at->second.stored || !at->second.fetch.begun() || !at->second.fetch.knows(from)) return;  // it crossed our letting go
  drop(at, from, "its holder has it no more", now, FetchFailure::missing);
}

void Transfer::on(const PeerId& from, Have&& have, BootTime now) {
  if (haves_.size() >= limits::bulk_services_max && !haves_.contains(from)) haves_.erase(haves_.begin());
  auto& budget = haves_.try_emplace(from, limits::bulk_haves_per_second, limits::bulk_haves_burst).first->second;
  if (!budget.take(1, now)) return misbehaved(from, charges::hasty);
  const auto at = fetches_.find(have.blob);
  if (at == fetches_.end() || (have.asks && at->second.stored)) {
    if (have.asks) actions_.push_back(Tell{from, have.blob});
    return;
  }
  Running& running = at->second;
  if (!running.fetch.shared()) {
    // Who asks for it is told nothing; the answer to our own question counts.
    if (have.asks) actions_.push_back(Send{from, encode(Missing{have.blob})});
    if (!have.asks) running.fetch.told(from, have.chunks, false);
  } else {
    if (have.asks) (void)running.fetch.help(from);
    running.fetch.told(from, have.chunks, have.fetching);
    if (have.asks) {
      const ChunkSet here = running.fetch.begun() ? running.fetch.here() : ChunkSet(have.chunks.size());
      actions_.push_back(Send{from, encode(Have{have.blob, false, true, here})});
    }
  }
  if (running.fetch.begun()) ask(running, now);
}

void Transfer::on(const PeerId& from, Spread&& spread, BootTime now) {
  const auto at = fetches_.find(spread.blob);
  if (at == fetches_.end() || !at->second.fetch.begun()) return;
  at->second.fetch.spread(from, spread.count, now);
  ask(at->second, now);
}

void Transfer::on(const PeerId& from, Request&& request, BootTime now) {
  auto answer = serving_.on(from, request);
  if (answer.greedy) return misbehaved(from, charges::unasked);
  if (answer.spread) actions_.push_back(Send{from, encode(*answer.spread)});
  serve(now);
}

void Transfer::serve(BootTime now) {
  for (const Serving::Due& due : serving_.take(now)) actions_.push_back(Serve{due.to, due.blob, due.index});
}

// --- Time ---

void Transfer::tick(BootTime now) {
  std::vector<std::pair<BlobId, std::string>> failing;
  std::vector<BlobId> mute;
  const bool crowd = crowded();
  for (auto& [blob, running] : fetches_) {
    if (!running.running || running.stored) continue;
    running.fetch.tick(now);
    if (running.tell_at <= now) tell(blob, running);
    if (running.ends <= now || running.begin_by <= now) failing.emplace_back(blob, "its holder did not send it in time");
    else if (crowd && keeps_place_until(running) <= now) failing.emplace_back(blob, "its holder sends it too slowly while others wait");
    else if (running.fetch.main_is_late(now)) mute.push_back(blob);
    else if (running.fetch.failed(now)) failing.emplace_back(blob, running.fetch.failed(now)->reason);
  }
  for (const BlobId& blob : mute) {
    if (const auto at = fetches_.find(blob); at != fetches_.end()) drop(at, at->second.fetch.main(), "its holder did not send it in time", now);
  }
  for (const auto& [blob, reason] : failing) {
    if (const auto at = fetches_.find(blob); at != fetches_.end()) {
      const auto fault = at->second.fetch.failed(now);
      fail(at, reason, now, fault ? fault->cause : FetchFailure::withheld);
    }
  }
  std::erase_if(cancelled_, [&](const auto& entry) { return entry.second <= now; });
  down_at_ = never;
  ask_all(now);
  serve(now);
  start_next(now);
}

BootTime Transfer::next_deadline() const {
  BootTime next = std::min(serving_.next_deadline(), down_at_);
  const bool crowd = crowded();
  for (const auto& [blob, running] : fetches_) {
    if (!running.running || running.stored) continue;
    next = std::min({next, running.ends, running.begin_by, running.tell_at, running.fetch.next_deadline()});
    if (crowd) next = std::min(next, keeps_place_until(running));
  }
  for (const auto& [key, until] : cancelled_) next = std::min(next, until);
  return next;
}

}  // namespace dugnad::core::bulk
