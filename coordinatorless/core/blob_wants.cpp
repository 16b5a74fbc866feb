#include "coordinatorless/core/blob_wants.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {

namespace {

void put_last(std::vector<PeerId>& holders, const PeerId& holder) {
  const auto last = std::remove(holders.begin(), holders.end(), holder);
  if (last != holders.end()) *last = holder;
}

}  // namespace

void BlobWants::forgive(Want& want) {
  want.failures = 0;
  want.broke.clear();
  want.excused.clear();
}

void BlobWants::add_holder(Want& want, const PeerId& holder, std::size_t place) const {
  if (std::find(want.holders.begin(), want.holders.end(), holder) != want.holders.end()) return;
  if (want.holders.size() == limits::blob_holders_max) {
    const auto gone = std::find_if(want.holders.rbegin(), want.holders.rend(), [this](const PeerId& known) { return !linked_.contains(known); });
    const auto least = gone == want.holders.rend() ? std::prev(want.holders.end()) : std::prev(gone.base());
    want.broke.erase(*least);
    want.excused.erase(*least);
    want.holders.erase(least);
  }
  want.holders.insert(want.holders.begin() + static_cast<std::ptrdiff_t>(std::min(place, want.holders.size())), holder);
}

bool BlobWants::need(const BlobId& blob, std::span<const PeerId> holders, unsigned tries, Now now, Output& out, Sharing sharing) {
  Want& want = wants_[blob];
  want.sharing = want.needs == 0 ? sharing : std::min(want.sharing, sharing);
  ++want.needs;
  want.tries = std::max(want.tries, tries);
  // Whoever brings a need up is likeliest to be there.
  for (std::size_t i = 0; i < std::min(holders.size(), limits::blob_holders_max); ++i) add_holder(want, holders[i], i);
  if (want.needs == 1 || want.state == State::given_up) {
    set(blob, want, State::waiting);
    forgive(want);
  }
  if (want.state == State::waiting && want.due <= now.boot) fetch(blob, want, out);
  seek_later(want, now);
  return want.state == State::here;
}

void BlobWants::also_held(const BlobId& blob, const PeerId& holder, Now now, Output& out) {
  const auto at = wants_.find(blob);
  if (at == wants_.end()) return;
  add_holder(at->second, holder, at->second.holders.size());
  if (at->second.state == State::waiting && at->second.due <= now.boot) fetch(blob, at->second, out);
  else help(blob, at->second, holder, out);
}

void BlobWants::help(const BlobId& blob, const Want& want, const PeerId& holder, Output& out) const {
  if (want.state == State::fetching && holder != want.asked && holder != self_ && linked_.contains(holder)) out.push(HelpFetch{blob, holder});
}

std::vector<PeerId> BlobWants::found(const BlobId& blob, std::span<const PeerId> holders, Now now, Output& out) {
  std::vector<PeerId> useful;
  const auto at = wants_.find(blob);
  if (at == wants_.end() || at->second.sharing == Sharing::alone || at->second.state == State::here) return useful;
  Want& want = at->second;
  for (const PeerId& holder : holders) {
    const bool known = std::find(want.holders.begin(), want.holders.end(), holder) != want.holders.end();
    // They never push out a holder that was promised.
    if (holder == self_ || (!known && want.holders.size() >= limits::blob_holders_max)) continue;
    add_holder(want, holder, want.holders.size());
    useful.push_back(holder);
    if (want.state == State::waiting && want.due <= now.boot) fetch(blob, want, out);
    else help(blob, want, holder, out);
  }
  return useful;
}

bool BlobWants::counts_on(const PeerId& peer) const {
  return std::any_of(wants_.begin(), wants_.end(), [&](const auto& entry) {
    const Want& want = entry.second;
    const bool open = want.sharing != Sharing::alone && (want.state == State::waiting || want.state == State::fetching);
    return open && std::find(want.holders.begin(), want.holders.end(), peer) != want.holders.end();
  });
}

bool BlobWants::may_name(const BlobId& blob, const PeerId& from) const {
  const auto at = wants_.find(blob);
  if (at == wants_.end() || at->second.state == State::here) return false;
  switch (at->second.sharing) {
    case Sharing::alone: return false;
    case Sharing::helped: return at->second.asked == from;
    case Sharing::shared: return true;
  }
  return false;
}

bool BlobWants::may_tell(const BlobId& blob) const {
  const auto at = wants_.find(blob);
  return at != wants_.end() && at->second.sharing == Sharing::shared && at->second.state == State::here;
}

void BlobWants::seek_later(Want& want, Now now) {
  const bool alone = want.sharing == Sharing::shared && want.state == State::waiting && !best(want);
  if (!alone) want.seek_at = never;
  else if (want.seek_at == never) want.seek_at = now.boot + limits::seek_after;
}

void BlobWants::kept(const BlobId& blob) {
  ++wants_[blob].needs;
  fetched(blob);
}

void BlobWants::release(const BlobId& blob, Output& out) {
  const auto at = wants_.find(blob);
  if (at == wants_.end() || --at->second.needs > 0) return;
  out.push(ReleaseBlob{blob});
  waiting_.erase(blob);
  wants_.erase(at);
}

bool BlobWants::in_reach(const BlobId& blob) const {
  const auto at = wants_.find(blob);
  return at != wants_.end() && best(at->second).has_value();
}

bool BlobWants::here(const BlobId& blob) const {
  const auto at = wants_.find(blob);
  return at != wants_.end() && at->second.state == State::here;
}

void BlobWants::fetch(const BlobId& blob, Want& want, Output& out) {
  const auto holder = best(want);
  if (!holder) return;  // until one is linked
  set(blob, want, State::fetching);
  want.asked = *holder;
  want.seek_at = never;
  out.push(FetchBlob{blob, want.asked, want.sharing});
  // What is one chunk comes sooner than an answer would.
  if (want.sharing != Sharing::alone && blob.length > chunk_bytes && want.asked != self_) out.send(want.asked, Seek{blob, 0});
  for (const PeerId& other : want.holders) help(blob, want, other, out);
}

unsigned BlobWants::failed_by(const PeerId& peer) const {
  const auto at = failed_.find(peer);
  return at == failed_.end() ? 0 : at->second;
}

std::optional<PeerId> BlobWants::best(const Want& want) const {
  const PeerId* found = nullptr;
  for (const PeerId& holder : want.holders) {
    if (linked_.contains(holder) && (found == nullptr || failed_by(holder) < failed_by(*found))) found = &holder;
  }
  return found == nullptr ? std::nullopt : std::optional(*found);
}

void BlobWants::fetched(const BlobId& blob) {
  const auto at = wants_.find(blob);
  if (at == wants_.end() || at->second.state == State::here) return;
  if (at->second.state == State::fetching) failed_.erase(at->second.asked);
  set(blob, at->second, State::here);
  forgive(at->second);
  news_.push_back({blob, News::Kind::here, false, {}});
}

void BlobWants::failed(const BlobFailed& failure, Now now, Output& out) {
  const auto at = wants_.find(failure.blob);
  if (at == wants_.end()) return;
  Want& want = at->second;
  switch (want.state) {
    case State::waiting:
    case State::given_up: return;
    case State::here:
      news_.push_back({failure.blob, News::Kind::lost, false, {}});
      set(failure.blob, want, State::waiting);
      want.due = now.boot;
      return fetch(failure.blob, want, out);
    case State::fetching: break;
  }
  if (want.asked != failure.from) return;  // of an earlier holder, whose link broke
  const bool own_fault = failure.cause == FetchFailure::here;
  if (failure.cause == FetchFailure::missing) want.excused.insert(failure.from);
  if (failure.cause == FetchFailure::withheld) want.excused.erase(failure.from);
  if (failure.cause == FetchFailure::withheld && linked_.contains(failure.from)) {
    ++failed_[failure.from];
    for (auto& [other, asked] : wants_) {
      if (other == failure.blob || asked.state != State::fetching || asked.asked != failure.from) continue;
      if (best(asked) != failure.from) fetch(other, asked, out);
    }
  }
  if (++want.failures >= want.tries) {
    if (own_fault) want.due = now.boot + limits::blob_retry_most;
    return give_up(failure.blob, want, own_fault);
  }
  put_last(want.holders, want.asked);
  set(failure.blob, want, State::waiting);
  want.due = now.boot + std::min<Duration>(limits::blob_retry_most, limits::blob_retry_first * (1 << (want.failures - 1)));
}

void BlobWants::give_up(const BlobId& blob, Want& want, bool own_fault) {
  set(blob, want, State::given_up);
  news_.push_back({blob, News::Kind::given_up, own_fault, {want.excused.begin(), want.excused.end()}});
}

void BlobWants::try_again(const BlobId& blob) {
  const auto at = wants_.find(blob);
  if (at == wants_.end() || at->second.state != State::given_up) return;
  forgive(at->second);
  set(blob, at->second, State::waiting);
}

void BlobWants::connected(const PeerId& peer, Now now, Output& out) {
  linked_.insert(peer);
  tick(now, out);
  for (const auto& [blob, want] : wants_) {
    if (want.state != State::fetching || want.asked == peer) continue;
    if (std::find(want.holders.begin(), want.holders.end(), peer) != want.holders.end()) help(blob, want, peer, out);
  }
}

void BlobWants::lost(const PeerId& peer, Now now) {
  linked_.erase(peer);
  failed_.erase(peer);
  for (auto& [blob, want] : wants_) {
    seek_later(want, now);
    if (want.state != State::fetching || want.asked != peer) continue;
    put_last(want.holders, peer);
    set(blob, want, State::waiting);
    if (!want.broke.insert(peer).second && ++want.failures >= want.tries) give_up(blob, want, false);
    seek_later(want, now);
  }
}

std::vector<BlobWants::News> BlobWants::take_news() { return std::exchange(news_, {}); }

void BlobWants::tick(Now now, Output& out) {
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const BlobId blob = *next++;  // fetching it takes it out
    Want& want = wants_.at(blob);
    if (want.due <= now.boot) fetch(blob, want, out);
    seek_later(want, now);
    if (want.seek_at > now.boot) continue;
    want.seek_at = now.boot + limits::seek_again;
    sought_.push_back(blob);
  }
}

BootTime BlobWants::next_deadline() const {
  BootTime next = never;
  for (const BlobId& blob : waiting_) {
    const Want& want = wants_.at(blob);
    if (want.due < next && best(want)) next = want.due;
    next = std::min(next, want.seek_at);
  }
  return next;
}

void BlobWants::set(const BlobId& blob, Want& want, State state) {
  want.state = state;
  if (state == State::waiting) {
    waiting_.insert(blob);
  } else {
    waiting_.erase(blob);
  }
}

}  // namespace dugnad::core
