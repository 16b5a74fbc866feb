#include "coordinatorless/core/relayed_links.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/expiry.h"

namespace dugnad::core {
namespace {

constexpr std::uint64_t from_higher = std::uint64_t{1} << 63;
constexpr Duration sign_after = limits::relay_idle / 4;
constexpr Duration silent_most = limits::relay_idle * 5 / 4;  // the relay's own end, relay_idle, comes first

struct Sessions {
  std::uint64_t of_sender;
  std::uint64_t of_receiver;
};

/// The same at both ends. Never twice for a pair of keys: each side has drawn its session for one link alone, and counts.
std::array<std::uint8_t, 24> nonce_of(const PeerId& sender, const PeerId& receiver, Sessions sessions, std::uint64_t counter) {
  const bool higher = receiver < sender;
  const std::array<std::uint64_t, 3> words{higher ? sessions.of_receiver : sessions.of_sender, higher ? sessions.of_sender : sessions.of_receiver,
                                           counter | (higher ? from_higher : 0)};
  std::array<std::uint8_t, 24> nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(words[i / 8] >> (8 * (i % 8)));
  return nonce;
}

double cost_of(const Bytes& frame) { return static_cast<double>(frame.size() + limits::relay_overhead_bytes); }

}  // namespace

void RelayedLinks::lost(const PeerId& relay, Now) {
  relays_.erase(relay);
  for (auto next = up_.begin(); next != up_.end();) {
    const auto at = next++;
    if (at->second.relay == relay) fall(at);
  }
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto at = next++;
    if (at->second.relay == relay) give_up(at, "the relay is gone");
  }
}

// --- Knocking ---

bool RelayedLinks::reach(const ContactRecord& target, Now now, Output& out) {
  const PeerId peer = target.peer();
  if (!own_record_ || peer == self_.id || up_.contains(peer) || pending_.contains(peer) || !room()) return false;
  std::vector<PeerId> common;
  for (const PeerId& relay : target.relays) {
    if (relays_.contains(relay)) common.push_back(relay);
  }
  if (common.empty()) return false;
  Link& link = pending_[peer];
  link.relay = common[self_.generator->below(common.size())];
  link.session_own = self_.generator->next();
  link.asked = link.caller = true;
  link.gives_up_at = now.boot + limits::dial_timeout;
  out.send(link.relay, Knock{self_.id, peer, *own_record_, link.session_own, false});
  return true;
}

Charge RelayedLinks::on(const PeerId& from, const Knock& message, Now now, Output& out) {
  const auto relaying = relays_.find(from);
  if (relaying == relays_.end() || message.to != self_.id) return {};
  if (message.from == self_.id || message.from == from) return charges::forged;
  if (message.answer) answered(from, message, now, out);
  else called(relaying->second, from, message, now, out);
  return {};
}

void RelayedLinks::answered(const PeerId& relay, const Knock& message, Now now, Output& out) {
  const auto pending = pending_.find(message.from);
  if (pending == pending_.end()) return;
  Link& link = pending->second;
  if (!link.caller || link.answered || link.relay != relay) return;
  const auto record = check_record(message, now);
  if (!record) return;
  link.key = record->key;
  link.curve = record->curve;
  link.session_other = message.session;
  link.answered = true;
  seal_frame(message.from, link, {}, now, out);
}

void RelayedLinks::called(Relaying& relaying, const PeerId& relay, const Knock& message, Now now, Output& out) {
  const PeerId& peer = message.from;
  const auto crossing = pending_.find(peer);
  const bool asked = crossing != pending_.end() && crossing->second.asked;
  if (asked && crossing->second.caller && self_.id < peer) return;  // it will answer ours
  if (!own_record_ || (crossing == pending_.end() && !room()) || !relaying.knocks.take(1, now.boot)) return;
  const auto record = check_record(message, now);
  if (!record) return;
  Link link;
  link.relay = relay;
  link.key = record->key;
  link.curve = record->curve;
  link.session_own = self_.generator->next();
  link.session_other = message.session;
  link.asked = asked;
  link.answered = true;
  link.gives_up_at = now.boot + limits::dial_timeout;
  Link& kept = pending_.insert_or_assign(peer, std::move(link)).first->second;
  out.send(relay, Knock{self_.id, peer, *own_record_, kept.session_own, true});
  seal_frame(peer, kept, {}, now, out);
}

std::optional<ContactRecord> RelayedLinks::check_record(const Knock& message, Now now) const {
  auto record = decode_contact_record(message.record.body);
  if (!record || record->peer() != message.from || !is_current(record->expires, limits::record_lease, now.wall)) return std::nullopt;
  if (!self_.verify(Domain::contact, record->key, message.record.body, message.record.signature)) return std::nullopt;
  return record;
}

bool RelayedLinks::room() const {
  return pending_.size() < limits::relayed_pending_max && up_.size() + pending_.size() < limits::relayed_links_max;
}

// --- Frames ---

void RelayedLinks::send(const PeerId& peer, Bytes frame, Now now, Output& out) {
  const auto up = up_.find(peer);
  if (up == up_.end()) return;
  Link& link = up->second;
  DUGNAD_ASSERT(!frame.empty(), "an empty frame is a sign of life, not a message");
  if (frame.size() + limits::relay_overhead_bytes > limits::message_bytes_max || link.waiting_bytes + frame.size() > limits::outbox_bytes_max) {
    return drop(peer, out);
  }
  link.waiting_bytes += frame.size();
  link.waiting.push_back(std::move(frame));
  flush(peer, link, now, out);
}

void RelayedLinks::flush(const PeerId& peer, Link& link, Now now, Output& out) {
  while (!link.waiting.empty() && link.pace.take(cost_of(link.waiting.front()), now.boot)) {
    const Bytes frame = std::move(link.waiting.front());
    link.waiting.pop_front();
    link.waiting_bytes -= frame.size();
    seal_frame(peer, link, frame, now, out);
  }
}

void RelayedLinks::seal_frame(const PeerId& peer, Link& link, ByteView frame, Now now, Output& out) {
  const auto nonce = nonce_of(self_.id, peer, {link.session_own, link.session_other}, link.sent);
  out.send(link.relay, Relay{self_.id, peer, link.sent, self_.crypto->seal(link.curve, nonce, frame)});
  ++link.sent;
  link.sent_at = now.boot;
  link.owes_sign = false;
}

Charge RelayedLinks::on(const PeerId& from, const Relay& message, Now now, Output& out) {
  if (!relays_.contains(from) || message.to != self_.id) return {};
  if (message.from == self_.id || message.from == from) return charges::forged;
  const PeerId peer = message.from;

  const auto pending = pending_.find(peer);
  if (pending != pending_.end() && pending->second.answered && pending->second.relay == from) {
    if (auto frame = open_frame(peer, pending->second, message)) {
      received(peer, rise(pending), std::move(*frame), now);
      return {};
    }
  }
  const auto up = up_.find(peer);
  if (up == up_.end() || up->second.relay != from || message.counter < up->second.received) return {};
  if (auto frame = open_frame(peer, up->second, message)) received(peer, up->second, std::move(*frame), now);
  else drop(peer, out);
  return {};
}

/// nullopt for anything but the next frame of this link, untouched.
std::optional<Bytes> RelayedLinks::open_frame(const PeerId& peer, const Link& link, const Relay& message) {
  if (message.counter != link.received) return std::nullopt;
  return self_.crypto->open(link.curve, nonce_of(peer, self_.id, {link.session_other, link.session_own}, message.counter), message.sealed);
}

void RelayedLinks::received(const PeerId& peer, Link& link, Bytes frame, Now now) {
  ++link.received;
  link.received_at = now.boot;
  if (frame.empty()) return;
  link.owes_sign = true;
  events_.push_back(MessageReceived{peer, std::move(frame)});
}

// --- Up and down ---

RelayedLinks::Link& RelayedLinks::rise(Links::iterator pending) {
  const PeerId peer = pending->first;
  Link link = std::move(pending->second);
  pending_.erase(pending);
  if (const auto old = up_.find(peer); old != up_.end()) fall(old);
  events_.push_back(PeerConnected{peer, link.key, link.curve, std::nullopt, link.caller});
  return up_.insert_or_assign(peer, std::move(link)).first->second;
}

void RelayedLinks::fall(Links::iterator up) {
  events_.push_back(PeerLost{up->first});
  up_.erase(up);
}

void RelayedLinks::give_up(Links::iterator pending, const char* reason) {
  if (pending->second.asked) events_.push_back(DialFailed{pending->first, reason});
  pending_.erase(pending);
}

void RelayedLinks::hang_up(const PeerId& peer, const Link& link, Output& out) { out.send(link.relay, RelayGone{peer}); }

void RelayedLinks::drop(const PeerId& peer, Output& out) {
  if (const auto up = up_.find(peer); up != up_.end()) {
    hang_up(peer, up->second, out);
    fall(up);
  }
  if (const auto pending = pending_.find(peer); pending != pending_.end()) {
    hang_up(peer, pending->second, out);
    give_up(pending, "no longer wanted");
  }
}

void RelayedLinks::on(const PeerId& from, const RelayGone& message) {
  if (const auto up = up_.find(message.peer); up != up_.end() && up->second.relay == from) fall(up);
  if (const auto pending = pending_.find(message.peer); pending != pending_.end() && pending->second.relay == from) {
    give_up(pending, "not at the relay");
  }
}

// --- Time ---

void RelayedLinks::tick(Now now, Output& out) {
  for (auto next = pending_.begin(); next != pending_.end();) {
    const auto at = next++;
    if (at->second.gives_up_at <= now.boot) give_up(at, "no answer through the relay");
  }
  for (auto next = up_.begin(); next != up_.end();) {
    const auto at = next++;
    Link& link = at->second;
    if (link.received_at + silent_most <= now.boot) {
      hang_up(at->first, link, out);
      fall(at);
      continue;
    }
    flush(at->first, link, now, out);
    if (link.owes_sign && link.sent_at + sign_after <= now.boot) seal_frame(at->first, link, {}, now, out);
  }
}

BootTime RelayedLinks::next_deadline() const {
  BootTime next = never;
  for (const auto& [peer, link] : pending_) next = std::min(next, link.gives_up_at);
  for (const auto& [peer, link] : up_) {
    next = std::min(next, link.received_at + silent_most);
    if (link.owes_sign) next = std::min(next, link.sent_at + sign_after);
    if (!link.waiting.empty()) next = std::min(next, link.pace.ready_at(cost_of(link.waiting.front())));
  }
  return next;
}

std::vector<Event> RelayedLinks::take_events() { return std::exchange(events_, {}); }

}  // namespace dugnad::core
