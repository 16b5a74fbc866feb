#include "coordinatorless/core/relay_service.h"

#include <algorithm>
#include <iterator>

namespace dugnad::core {

RelayService::Ends RelayService::ends_of(const PeerId& one, const PeerId& other) {
  return one < other ? Ends{one, other} : Ends{other, one};
}

void RelayService::lost(const PeerId& peer, Output& out) {
  linked_.erase(peer);
  for (auto next = pairs_.begin(); next != pairs_.end();) {
    const auto at = next++;
    if (at->first.first == peer || at->first.second == peer) end(at, out);
  }
}

Charge RelayService::on(const PeerId& from, const Knock& message, Now now, Output& out) {
  if (message.from != from || message.to == from) return charges::forged;
  if (!linked_.contains(from)) return {};
  auto at = pairs_.find(ends_of(from, message.to));
  if (message.answer) {
    // A late answer to a knock that was given up is nobody's fault.
    if (at == pairs_.end() || at->second.caller == from) return {};
    at->second.answered = true;
    at->second.ends_at = now.boot + limits::relay_idle;
  } else {
    if (!linked_.contains(message.to) || (at == pairs_.end() && !room_for(from, message.to))) {
      out.send(from, RelayGone{message.to});
      return {};
    }
    if (at == pairs_.end()) at = pairs_.try_emplace(ends_of(from, message.to)).first;
    // A knock within a standing pair starts it anew, quotas apart; so does the second of two that cross.
    at->second.caller = from;
    at->second.answered = false;
    at->second.ends_at = now.boot + limits::dial_timeout;
  }
  if (!take(at, from, message.record.body.size(), now.boot)) {
    end(at, out);
    return charges::hasty;
  }
  out.send(message.to, message);
  return {};
}

Charge RelayService::on(const PeerId& from, const Relay& message, Now now, Output& out) {
  if (message.from != from || message.to == from) return charges::forged;
  if (!linked_.contains(from)) return {};
  const auto at = pairs_.find(ends_of(from, message.to));
  if (at == pairs_.end()) {
    out.send(from, RelayGone{message.to});
    return {};
  }
  // Left from before the other end came back and knocked again.
  if (!at->second.answered) return {};
  if (!take(at, from, message.sealed.size(), now.boot)) {
    end(at, out);
    return charges::hasty;
  }
  at->second.ends_at = now.boot + limits::relay_idle;
  out.send(message.to, message);
  return {};
}

void RelayService::on(const PeerId& from, const RelayGone& message, Output& out) {
  const auto at = pairs_.find(ends_of(from, message.peer));
  if (at == pairs_.end()) return;
  out.send(message.peer, RelayGone{from});
  pairs_.erase(at);
}

void RelayService::tick(Now now, Output& out) {
  for (auto next = pairs_.begin(); next != pairs_.end();) {
    const auto at = next++;
    if (at->second.ends_at <= now.boot) end(at, out);
  }
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

/// Tells both ends, as far as they are still here.
void RelayService::end(Pairs::iterator at, Output& out) {
  const auto [first, second] = at->first;
  pairs_.erase(at);
  if (linked_.contains(first)) out.send(first, RelayGone{second});
  if (linked_.contains(second)) out.send(second, RelayGone{first});
}

}  // namespace dugnad::core
