#include "coordinatorless/core/blob_wants.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {

bool BlobWants::need(const BlobId& blob, const PeerId& holder, Now now, Output& out) {
  Want& want = wants_[blob];
  ++want.needs;
  if (std::find(want.holders.begin(), want.holders.end(), holder) == want.holders.end()) {
    if (want.holders.size() == limits::blob_holders_max) want.holders.pop_back();
    want.holders.insert(want.holders.begin(), holder);  // whoever brings a need up is likeliest to be there
  }
  if (want.state == State::given_up) {
    want.state = State::waiting;
    want.failures = 0;
  }
  if (want.state == State::waiting && want.due <= now.boot) fetch(blob, want, out);
  return want.state == State::here;
}

void BlobWants::release(const BlobId& blob, Output& out) {
  const auto at = wants_.find(blob);
  if (at == wants_.end() || --at->second.needs > 0) return;
  out.push(ReleaseBlob{blob});
  wants_.erase(at);
}

bool BlobWants::here(const BlobId& blob) const {
  const auto at = wants_.find(blob);
  return at != wants_.end() && at->second.state == State::here;
}

void BlobWants::fetch(const BlobId& blob, Want& want, Output& out) {
  const auto linked = std::find_if(want.holders.begin(), want.holders.end(), [&](const PeerId& holder) { return linked_.contains(holder); });
  if (linked == want.holders.end()) return;  // until one is
  want.state = State::fetching;
  want.asked = *linked;
  out.push(FetchBlob{blob, want.asked});
}

void BlobWants::fetched(const BlobId& blob) {
  const auto at = wants_.find(blob);
  if (at == wants_.end() || at->second.state == State::here) return;
  at->second.state = State::here;
  at->second.failures = 0;
  news_.push_back({blob, News::Kind::here});
}

void BlobWants::failed(const BlobFailed& failure, Now now, Output& out) {
  const auto at = wants_.find(failure.blob);
  if (at == wants_.end()) return;
  Want& want = at->second;
  switch (want.state) {
    case State::waiting:
    case State::given_up: return;
    case State::here:
      news_.push_back({failure.blob, News::Kind::lost});
      want.state = State::waiting;
      want.due = now.boot;
      return fetch(failure.blob, want, out);
    case State::fetching: break;
  }
  if (want.asked != failure.from) return;  // of an earlier holder, whose link broke
  if (++want.failures >= limits::blob_tries_max) {
    want.state = State::given_up;
    news_.push_back({failure.blob, News::Kind::given_up});
    return;
  }
  const auto last = std::remove(want.holders.begin(), want.holders.end(), want.asked);
  if (last != want.holders.end()) *last = want.asked;  // behind the others
  want.state = State::waiting;
  want.due = now.boot + std::min<Duration>(limits::blob_retry_most, limits::blob_retry_first * (1 << (want.failures - 1)));
}

void BlobWants::connected(const PeerId& peer, Now now, Output& out) {
  linked_.insert(peer);
  for (auto& [blob, want] : wants_) {
    if (want.state == State::waiting && want.due <= now.boot) fetch(blob, want, out);
  }
}

void BlobWants::lost(const PeerId& peer) {
  linked_.erase(peer);
  for (auto& [blob, want] : wants_) {
    if (want.state == State::fetching && want.asked == peer) want.state = State::waiting;
  }
}

std::vector<BlobWants::News> BlobWants::take_news() { return std::exchange(news_, {}); }

void BlobWants::tick(Now now, Output& out) {
  for (auto& [blob, want] : wants_) {
    if (want.state == State::waiting && want.due <= now.boot) fetch(blob, want, out);
  }
}

BootTime BlobWants::next_deadline() const {
  BootTime next = never;
  for (const auto& [blob, want] : wants_) {
    if (want.state != State::waiting) continue;
    const bool any = std::any_of(want.holders.begin(), want.holders.end(), [&](const PeerId& holder) { return linked_.contains(holder); });
    if (any) next = std::min(next, want.due);
  }
  return next;
}

}  // namespace dugnad::core
