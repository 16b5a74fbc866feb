#include "coordinatorless/zmq/dialler.h"

#include <algorithm>

#include "coordinatorless/zmq/tcp.h"

namespace dugnad::zmq {
namespace {

constexpr int frames_per_receive = 64;  // then the other connections have their turn

/// An hour in milliseconds; the socket is closed long before, as soon as its connection has ended. Neither -1, which forbids to connect again,
/// nor ZMQ_IMMEDIATE: with either, libzmq throws away what has arrived and was not yet read when the connection ends, a leaving peer's results
/// among it.
constexpr int reconnect_never = 3'600'000;

}  // namespace

Dialler::Dialled::Dialled(Shared& shared, std::uint64_t number, const core::Dial& dial, BootTime now)
    : serial(number),
      target(dial),
      socket(shared.context, ::zmq::socket_type::dealer),
      monitor(shared.context, socket),
      descriptor(descriptor_of(socket)),
      deadline(now + core::limits::dial_timeout),
      watch(now),
      nonce(fresh_nonce()) {
  configure(socket, shared.keys);
  socket.set(::zmq::sockopt::reconnect_ivl, reconnect_never);
  socket.set(::zmq::sockopt::curve_serverkey, ::zmq::const_buffer(dial.curve.bytes.data(), dial.curve.bytes.size()));
  socket.set(::zmq::sockopt::ipv6, !dial.endpoint.is_v4());
  socket.connect("tcp://" + dial.endpoint.text());
}

std::uint64_t Dialler::dial(const core::Dial& dial, std::vector<core::Event>& events, BootTime now) {
  if (by_peer_.contains(dial.peer)) return 0;
  if (!shared_.room()) {
    events.push_back(core::DialFailed{dial.peer, "no room for another connection: the limit on open files is reached"});
    return 0;
  }
  const std::uint64_t serial = ++serial_last_;
  try {
    dialled_.emplace(serial, std::make_unique<Dialled>(shared_, serial, dial, now));
  } catch (const ::zmq::error_t& error) {
    events.push_back(core::DialFailed{dial.peer, "cannot dial " + dial.endpoint.text() + ": " + error.what()});
    return 0;
  }
  by_peer_[dial.peer] = serial;
  ++shared_.counters.dials;
  return serial;
}

void Dialler::observe(Dialled& link) {
  while (const auto happened = link.monitor.next()) {
    switch (happened->what) {
      case Monitor::What::connected:
        link.fd = happened->fd;
        link.reached = true;
        break;
      case Monitor::What::ready:
        if (link.state != State::connecting) break;
        (void)send_parts(link.socket, {core::make_hello(shared_.crypto, shared_.swarm, link.target.curve, link.nonce)});
        link.state = State::introducing;
        break;
      case Monitor::What::disconnected:
      case Monitor::What::given_up:
        link.fd = -1;
        link.ending = true;
        break;
      case Monitor::What::accepted:
      case Monitor::What::rejected:  // disconnected follows
        break;
    }
  }
}

bool Dialler::receive(std::uint64_t serial, std::vector<core::Event>& events, BootTime now) {
  const auto found = dialled_.find(serial);
  if (found == dialled_.end()) return false;
  Dialled& link = *found->second;
  observe(link);
  Received received;
  for (int i = 0; i < frames_per_receive; ++i) {
    if (link.state == State::over) return false;
    if (!receive_parts(link.socket, received)) {
      const std::string where = link.target.endpoint.text();
      if (link.ending && link.state == State::connecting) {
        end(link, link.reached ? where + " is not the peer that the contact names, or no peer at all" : "cannot reach " + where, events);
      } else if (link.ending) {
        end(link, where + " closed the connection", events);
      } else if (link.state != State::introduced && now >= link.deadline) {
        end(link, "no answer from " + where, events);
      }
      return false;
    }
    take(link, received, events);
  }
  return true;
}

void Dialler::take(Dialled& link, const Received& received, std::vector<core::Event>& events) {
  const std::string where = link.target.endpoint.text();
  if (received.frames != 1) {
    ++shared_.counters.dropped_malformed;
    return end(link, where + " does not speak our protocol", events);
  }
  Bytes frame = bytes_of(received.first);
  link.watch.delivered(frame.size());
  if (link.state == State::introduced) {
    ++shared_.counters.frames_in;
    events.push_back(core::MessageReceived{link.target.peer, std::move(frame)});
    return;
  }
  if (link.state != State::introducing) {  // it cannot answer a HELLO that was not sent
    ++shared_.counters.dropped_unintroduced;
    return;
  }
  auto read = core::read_welcome(shared_.crypto, shared_.swarm, link.target.curve, link.nonce, frame);
  if (const auto* refusal = std::get_if<core::Refusal>(&read)) {
    ++shared_.counters.introductions_refused;
    return end(link, where + ": " + core::describe(*refusal), events);
  }
  const auto& welcome = std::get<core::Introduced>(read);
  if (welcome.peer != link.target.peer) {
    ++shared_.counters.introductions_refused;
    return end(link, where + ": " + core::describe(core::Refusal::other_peer), events);
  }
  link.state = State::introduced;
  shared_.links.up({.outbound = true, .serial = link.serial},
                   {.peer = welcome.peer, .key = welcome.key, .curve = link.target.curve, .seen_at = link.target.endpoint, .outbound = true},
                   events);
}

void Dialler::end(Dialled& link, const std::string& reason, std::vector<core::Event>& events) {
  if (link.state == State::over) return;
  const PeerId peer = link.target.peer;
  if (link.state == State::introduced) {
    shared_.links.down({.outbound = true, .serial = link.serial}, peer, events);
  } else if (!shared_.links.best(peer)) {  // it may have dialled us meanwhile
    events.push_back(core::DialFailed{peer, reason});
  }
  link.state = State::over;
  by_peer_.erase(peer);
  ended_.push_back(link.serial);
}

void Dialler::drop_ended() {
  for (const std::uint64_t serial : ended_) {
    dialled_.erase(serial);
    --shared_.counters.dials;
  }
  ended_.clear();
}

bool Dialler::readable(std::uint64_t serial) {
  const auto found = dialled_.find(serial);
  return found != dialled_.end() && (found->second->socket.get(::zmq::sockopt::events) & ZMQ_POLLIN) != 0;
}

Sent Dialler::send(std::uint64_t serial, ByteView frame) {
  const auto found = dialled_.find(serial);
  if (found == dialled_.end() || found->second->state != State::introduced || found->second->ending) return Sent::no_such_peer;
  return send_parts(found->second->socket, {frame});
}

void Dialler::close(std::uint64_t serial, std::vector<core::Event>& events) {
  if (const auto found = dialled_.find(serial); found != dialled_.end()) end(*found->second, "given up", events);
}

void Dialler::give_up(const PeerId& peer, std::vector<core::Event>& events) {
  if (const auto found = by_peer_.find(peer); found != by_peer_.end()) close(found->second, events);
}

void Dialler::look(std::vector<core::Event>& events, BootTime now) {
  for (const auto& [serial, link] : dialled_) {
    const bool introduced = link->state == State::introduced;
    const auto received = link->fd >= 0 ? bytes_received(link->fd) : std::nullopt;
    if (received && link->watch.flooding(*received, introduced, now)) {
      ++shared_.counters.connections_cut;
      end(*link, link->target.endpoint.text() + " floods us", events);
    } else if (!introduced && now >= link->deadline) {
      end(*link, "no answer from " + link->target.endpoint.text(), events);
    }
  }
}

void Dialler::linger(Duration time) {
  const auto milliseconds = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  for (const auto& [serial, link] : dialled_) link->socket.set(::zmq::sockopt::linger, milliseconds);
}

}  // namespace dugnad::zmq
