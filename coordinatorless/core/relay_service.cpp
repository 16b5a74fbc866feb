#include "coordinatorless/core/relay_service.h"

#include <algorithm>

namespace dugnad::core {

RelayService::Ends RelayService::ends_of(const PeerId& one, const PeerId& other) {
  return one < other ? Ends{one, other} : Ends{other, one};
}

void RelayService::lost(const PeerId& peer, Output& out) {
  linked_.erase(peer);
  for (auto& [ends, pair] : pairs_) {
    if (ends.first == peer || ends.second == peer) end(pair, ends, out);
  }
}

Charge RelayService::on(const PeerId& from, const Knock& message, Now now, Output& out) {
  if (message.from != from || message.to == from) return charges::forged;
  const auto sender = linked_.find(from);
  if (sender == linked_.end()) return {};
  auto at = pairs_.find(ends_of(from, message.to));
  const bool is_first = from < message.to;

  if (message.answer) {
    // A late answer, to a knock that was given up, is nobody's fault.
    if (at == pairs_.end() || at->second.state != State::knocked) return {};
    if (!(is_first ? at->second.second_knocked : at->second.first_knocked)) return charges::unasked;
    at->second.state = State::answered;
    at->second.ends_at = now.boot + limits::relay_idle;
  } else {
    const bool allowed = sender->second.knocks.take(1, now.boot);
    if (!allowed || !linked_.contains(message.to) || (at == pairs_.end() && !room_for(from, message.to))) {
      out.send(from, RelayGone{message.to});
      return allowed ? Charge{} : charges::hasty;
    }
    if (at == pairs_.end()) at = pairs_.try_emplace(ends_of(from, message.to)).first;
    Pair& pair = at->second;
    // Within a standing pair a knock starts anew, quotas apart.
    if (pair.state != State::knocked) pair.first_knocked = pair.second_knocked = false;
    (is_first ? pair.first_knocked : pair.second_knocked) = true;
    pair.state = State::knocked;
    pair.ends_at = now.boot + limits::dial_timeout;
  }
  if (!take(at, from, message.record.body.size(), now.boot)) {
    end(at->second, at->first, out);
    return charges::hasty;
  }
  out.send(message.to, message);
  return {};
}

Charge RelayService::on(const PeerId& from, const Relay& message, Now now, Output& out) {
  if (message.from != from || message.to == from) return charges::forged;
  if (!linked_.contains(from)) return {};
  const auto at = pairs_.find(ends_of(from, message.to));
  if (at == pairs_.end() || at->second.state == State::ended) {
    out.send(from, RelayGone{message.to});
    return {};
  }
  // Left from before the other end came back and knocked again.
  if (at->second.state == State::knocked) return {};
  if (!take(at, from, message.sealed.size(), now.boot)) {
    end(at->second, at->first, out);
    return charges::hasty;
  }
  at->second.ends_at = now.boot + limits::relay_idle;
  out.send(message.to, message);
  return {};
}

void RelayService::on(const PeerId& from, const RelayGone& message, Output& out) {
  const auto at = pairs_.find(ends_of(from, message.peer));
  if (at != pairs_.end()) end(at->second, at->first, out);
}

void RelayService::tick(Now now, Output& out) {
  for (auto& [ends, pair] : pairs_) {
    if (pair.ends_at <= now.boot) end(pair, ends, out);
  }
  std::erase_if(pairs_, [now](const auto& entry) { return entry.second.state == State::ended && entry.second.ends_at <= now.boot; });
}

BootTime RelayService::next_deadline() const {
  BootTime next = never;
  for (const auto& [ends, pair] : pairs_) next = std::min(next, pair.ends_at);
  return next;
}

bool RelayService::take(Pairs::iterator at, const PeerId& from, std::size_t bytes, BootTime now) {
  TokenBucket& quota = from == at->first.first ? at->second.from_first : at->second.from_second;
  return quota.take(static_cast<double>(bytes + limits::relay_overhead_bytes), now);
}

bool RelayService::room_for(const PeerId& one, const PeerId& other) const {
  const auto held = [this](const PeerId& peer) {
    return static_cast<std::size_t>(
        std::count_if(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first.first == peer || pair.first.second == peer; }));
  };
  return pairs_.size() < limits::relay_pairs_max && held(one) < limits::relay_pairs_per_peer && held(other) < limits::relay_pairs_per_peer;
}

/// Tells both ends, as far as they are still here. The pair is forgotten once its quota is whole.
void RelayService::end(Pair& pair, const Ends& ends, Output& out) {
  if (pair.state == State::ended) return;
  pair.state = State::ended;
  pair.ends_at = std::max(pair.from_first.full_at(), pair.from_second.full_at());
  if (linked_.contains(ends.first)) out.send(ends.first, RelayGone{ends.second});
  if (linked_.contains(ends.second)) out.send(ends.second, RelayGone{ends.first});
}

}  // namespace dugnad::core
