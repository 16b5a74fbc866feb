#include "coordinatorless/core/bulk_transfer.h"

#include <algorithm>

#include "coordinatorless/base/merkle.h"
#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core::bulk {
namespace {

double cost_of(const BlobId& blob, std::uint32_t index) {
  return static_cast<double>(chunk_length(blob.length, index)) + limits::bulk_frame_overhead;
}

}  // namespace

// --- Fetching ---

void Transfer::fetch(const BlobId& blob, const PeerId& from, BootTime now) {
  if (blob.length > limits::blob_bytes_max) {
    actions_.push_back(Failed{blob, from, "it is larger than " + std::to_string(limits::blob_bytes_max) + " bytes"});
    return;
  }
  if (const auto at = fetches_.find(blob); at != fetches_.end()) {
    if (at->second.from == from) return;
    cancel(blob);
  }
  Fetch& fetch = fetches_[blob];
  fetch.from = from;
  fetch.turn = ++turns_;
  start_next(now);
}

void Transfer::cancel(const BlobId& blob) {
  const auto at = fetches_.find(blob);
  if (at == fetches_.end()) return;
  if (at->second.begun) actions_.push_back(BreakOff{blob});
  if (at->second.asked > at->second.next && cancelled_.size() < limits::bulk_cancelled_max) {
    cancelled_[{at->second.from, blob}] = at->second.patience_ends;
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
      busy.insert(fetch.from);
    }
    if (running >= limits::bulk_fetches_max) return;
    auto first = fetches_.end();
    for (auto at = fetches_.begin(); at != fetches_.end(); ++at) {
      if (at->second.running || busy.contains(at->second.from)) continue;
      if (first == fetches_.end() || at->second.turn < first->second.turn) first = at;
    }
    if (first == fetches_.end()) return;
    first->second.running = true;
    first->second.patience_ends = now + limits::bulk_patience;
    first->second.since = now;
    first->second.ends = now + limits::bulk_patience + limits::blob_time_most(first->first.length);
    actions_.push_back(Begin{first->first});
  }
}

bool Transfer::crowded() const {
  std::set<PeerId> busy;
  for (const auto& [blob, fetch] : fetches_) {
    if (fetch.running) busy.insert(fetch.from);
  }
  return busy.size() >= limits::bulk_fetches_max &&
         std::any_of(fetches_.begin(), fetches_.end(), [&](const auto& entry) { return !busy.contains(entry.second.from); });
}

BootTime Transfer::keeps_place_until(const Fetch& fetch) {
  const auto bytes = static_cast<double>((fetch.next - fetch.first) * chunk_bytes);
  return fetch.since + limits::bulk_patience + from_seconds(bytes / limits::blob_bytes_per_second_least);
}

void Transfer::begun(const BlobId& blob, std::uint64_t chunks, BootTime now) {
  const auto at = fetches_.find(blob);
  if (at == fetches_.end() || !at->second.running || at->second.begun) return;
  DUGNAD_ASSERT(chunks < chunk_count(blob.length), "a fetch of nothing");
  at->second.begun = true;
  at->second.next = at->second.asked = at->second.first = chunks;
  at->second.patience_ends = now + limits::bulk_patience;
  ask(blob, at->second);
}

void Transfer::ask(const BlobId& blob, Fetch& fetch) {
  // Half of the credits at a time, so that the line never runs dry and not every chunk needs a question.
  const std::uint64_t end = std::min(fetch.next + limits::bulk_credits, chunk_count(blob.length));
  if (end == fetch.asked || (fetch.asked - fetch.next > limits::bulk_credits / 2 && end < chunk_count(blob.length))) return;
  const Request request{blob, static_cast<std::uint32_t>(fetch.asked), static_cast<std::uint32_t>(end - fetch.asked)};
  fetch.asked = end;
  actions_.push_back(Send{fetch.from, encode(request)});
}

void Transfer::finished(const BlobId& blob, BootTime now) {
  fetches_.erase(blob);
  start_next(now);
}

void Transfer::refuse(const BlobId& blob, const std::string& reason, BootTime now) {
  if (const auto at = fetches_.find(blob); at != fetches_.end()) fail(at, reason, now, FetchFailure::here);
}

void Transfer::fail(Fetches::iterator at, const std::string& reason, BootTime now, FetchFailure cause) {
  const BlobId blob = at->first;
  actions_.push_back(Failed{blob, at->second.from, reason, cause});
  cancel(blob);
  start_next(now);
}

void Transfer::lost(const PeerId& peer) {
  direct_.erase(peer);
  services_.erase(peer);
  std::vector<BlobId> broken;
  for (const auto& [blob, fetch] : fetches_) {
    if (fetch.from == peer) broken.push_back(blob);
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
  if (at == fetches_.end() || at->second.from != from || !at->second.begun) {
    if (!cancelled_.contains({from, chunk.blob})) misbehaved(from, charges::unasked);
    return;
  }
  Fetch& fetch = at->second;
  if (chunk.index != fetch.next || fetch.next == fetch.asked) {
    if (!cancelled_.contains({from, chunk.blob})) misbehaved(from, charges::unasked);  // else of an earlier try
    return;
  }
  if (!merkle_verify(merkle_leaf(chunk.bytes), chunk.index, chunk_count(chunk.blob.length), chunk.path, chunk.blob.root)) {
    misbehaved(from, charges::forged);
    return fail(at, "its holder sent something else", now);
  }
  ++fetch.next;
  fetch.patience_ends = now + limits::bulk_patience;
  const bool last = fetch.next == chunk_count(chunk.blob.length);
  if (last) fetch.patience_ends = fetch.ends = never;  // the store's affair now
  else ask(chunk.blob, fetch);
  actions_.push_back(Keep{chunk.blob, std::move(chunk.bytes), last});
}

void Transfer::on(const PeerId& from, Missing&& missing, BootTime now) {
  const auto at = fetches_.find(missing.blob);
  if (at == fetches_.end() || at->second.from != from || !at->second.begun) return;  // it crossed our letting go
  fail(at, "its holder has it no more", now, FetchFailure::missing);
}

// --- Serving ---

void Transfer::on(const PeerId& from, Request&& request, BootTime now) {
  if (!services_.contains(from) && services_.size() >= limits::bulk_services_max) {
    const auto idle = std::find_if(services_.begin(), services_.end(), [](const auto& entry) { return entry.second.chunks.empty(); });
    if (idle == services_.end()) return;  // it will ask again
    services_.erase(idle);
  }
  const TokenBucket bucket = direct_.contains(from) ? TokenBucket(limits::bulk_bytes_per_second, limits::bulk_burst_bytes)
                                                    : TokenBucket(limits::bulk_relayed_bytes_per_second, limits::bulk_relayed_burst_bytes);
  Service& service = services_.try_emplace(from, Service{bucket}).first->second;
  if (service.chunks.size() + request.count > limits::bulk_credits) return misbehaved(from, charges::unasked);
  for (std::uint32_t i = 0; i < request.count; ++i) service.chunks.emplace_back(request.blob, request.first + i);
  serve(now);
}

void Transfer::serve(BootTime now) {
  for (auto& [peer, service] : services_) {
    while (!service.chunks.empty()) {
      const auto [blob, index] = service.chunks.front();
      if (!service.bytes.take(cost_of(blob, index), now)) break;
      service.chunks.pop_front();
      actions_.push_back(Serve{peer, blob, index});
    }
  }
}

// --- Time ---

void Transfer::tick(BootTime now) {
  std::vector<BlobId> late;
  std::vector<BlobId> slow;
  const bool crowd = crowded();
  for (const auto& [blob, fetch] : fetches_) {
    if (!fetch.running || fetch.patience_ends == never) continue;  // the store has it
    if (fetch.due() <= now) late.push_back(blob);
    else if (crowd && keeps_place_until(fetch) <= now) slow.push_back(blob);
  }
  for (const BlobId& blob : slow) {
    if (const auto at = fetches_.find(blob); at != fetches_.end()) fail(at, "its holder sends it too slowly while others wait", now);
  }
  for (const BlobId& blob : late) {
    if (const auto at = fetches_.find(blob); at != fetches_.end()) fail(at, "its holder did not send it in time", now);
  }
  std::erase_if(cancelled_, [&](const auto& entry) { return entry.second <= now; });
  serve(now);
  start_next(now);
}

BootTime Transfer::next_deadline() const {
  BootTime next = never;
  const bool crowd = crowded();
  for (const auto& [blob, fetch] : fetches_) {
    if (!fetch.running || fetch.patience_ends == never) continue;
    next = std::min(next, fetch.due());
    if (crowd) next = std::min(next, keeps_place_until(fetch));
  }
  for (const auto& [key, until] : cancelled_) next = std::min(next, until);
  for (const auto& [peer, service] : services_) {
    if (service.chunks.empty()) continue;
    const auto& [blob, index] = service.chunks.front();
    next = std::min(next, service.bytes.ready_at(cost_of(blob, index)));
  }
  return next;
}

}  // namespace dugnad::core::bulk
