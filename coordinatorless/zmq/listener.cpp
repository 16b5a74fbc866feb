#include "coordinatorless/zmq/listener.h"

#include <array>
#include <cstring>

#include "coordinatorless/zmq/tcp.h"

namespace dugnad::zmq {
namespace {

constexpr int frames_per_receive = 256;  // then the others have their turn; libzmq itself takes peers in turn

/// A routing id as libzmq draws it: a zero and 32 bits. Ids that a peer chose itself are not accepted.
std::optional<std::uint32_t> route_of(const ::zmq::message_t& message) {
  if (message.size() != 5 || message.data<std::uint8_t>()[0] != 0) return std::nullopt;
  std::uint32_t route;
  std::memcpy(&route, message.data<char>() + 1, sizeof route);
  return route;
}

std::array<std::uint8_t, 5> routing_id(std::uint32_t route) {
  std::array<std::uint8_t, 5> id{};
  std::memcpy(id.data() + 1, &route, sizeof route);
  return id;
}

/// Port 0: the port that somebody dials from says nothing.
std::optional<core::Endpoint> address_of(::zmq::message_t& message) {
  const char* address = zmq_msg_gets(message.handle(), "Peer-Address");
  if (!address) return std::nullopt;
  const std::string text = address;
  auto endpoint = core::Endpoint::parse((text.find(':') == std::string::npos ? text : "[" + text + "]") + ":1");
  if (endpoint) endpoint->port = 0;
  return endpoint;
}

}  // namespace

Listener::Listener(Shared& shared)
    : shared_(shared), socket_(shared.context, ::zmq::socket_type::router), monitor_(shared.context, socket_), descriptor_(descriptor_of(socket_)) {
  configure(socket_, shared.keys);
  socket_.set(::zmq::sockopt::curve_server, true);
  socket_.set(::zmq::sockopt::zap_domain, zap_domain);
  socket_.set(::zmq::sockopt::router_mandatory, true);
  socket_.set(::zmq::sockopt::router_handover, false);  // else any key could take another's routing id over
}

Listener::~Listener() = default;

Result<core::Endpoint> Listener::bind(const std::vector<core::Endpoint>& choices) {
  Error error{"nothing to listen on"};
  for (const core::Endpoint& choice : choices) {
    // Endpoint::text() writes port 0 as libzmq reads it: any.
    const std::string address = "tcp://" + choice.text();
    socket_.set(::zmq::sockopt::ipv6, !choice.is_v4());
    if (zmq_bind(socket_.handle(), address.c_str()) == 0) {
      const std::string bound = socket_.get(::zmq::sockopt::last_endpoint);
      const auto endpoint = core::Endpoint::parse(std::string_view(bound).substr(sizeof "tcp://" - 1));
      if (endpoint) return *endpoint;
      return Error{"cannot listen on " + address + ": bound to '" + bound + "'"};
    }
    error.message = "cannot listen on " + address + ": " + zmq_strerror(zmq_errno());
  }
  return error;
}

void Listener::observe(BootTime now) {
  while (const auto happened = monitor_.next()) {
    if (happened->what == Monitor::What::accepted) {
      const int fd = happened->fd;
      if (!shared_.room() || arrived_ >= introductions_max) {
        ++shared_.counters.connections_refused;
        cut(fd);  // its end is reported, too, and finds nothing to end
        continue;
      }
      auto connection = std::make_unique<Connection>(++serial_last_, fd, now);
      by_fd_[fd] = connection.get();
      connections_.emplace(connection->serial, std::move(connection));
      ++arrived_;
      ++shared_.counters.connections;
    } else if (happened->what == Monitor::What::disconnected) {
      const auto found = by_fd_.find(happened->fd);
      if (found == by_fd_.end()) continue;
      Connection& connection = *found->second;
      by_fd_.erase(found);
      connection.fd = -1;
      // What it sent last still waits in its queue, of which each turn of all connections takes one frame at least.
      connection.ends_after = frames_ + (2 * high_water + 1) * (connections_.size() + 1);
      dying_.push_back(&connection);
    }
  }
}

bool Listener::receive(std::vector<core::Event>& events, Now now) {
  Received received;
  bool drained = false;
  for (int i = 0; i < frames_per_receive && !drained; ++i) {
    if (receive_parts(socket_, received)) {
      ++frames_;
      take(received, events, now);
    } else {
      drained = true;
    }
  }
  if (!dying_.empty()) bury(events, drained);
  return !drained;
}

bool Listener::readable() { return (socket_.get(::zmq::sockopt::events) & ZMQ_POLLIN) != 0; }

void Listener::take(Received& received, std::vector<core::Event>& events, Now now) {
  const auto route = route_of(received.first);
  const auto found = route ? by_route_.find(*route) : by_route_.end();
  Connection* connection = found == by_route_.end() ? nullptr : found->second;
  if (!route || received.frames != 2) {
    ++shared_.counters.dropped_malformed;
    if (connection) shun(*connection, events);
    return;
  }
  const char* user = zmq_msg_gets(received.second.handle(), "User-Id");
  if (!user || (connection && connection->user != user)) {
    ++shared_.counters.dropped_malformed;
    return;
  }
  if (!connection) return introduce(received, *route, user, events, now);
  connection->watch.delivered(received.second.size());
  if (connection->state != State::introduced) {
    ++shared_.counters.dropped_unintroduced;
    return;
  }
  ++shared_.counters.frames_in;
  events.push_back(core::MessageReceived{connection->peer, bytes_of(received.second)});
}

void Listener::introduce(Received& received, std::uint32_t route, const char* user, std::vector<core::Event>& events, Now now) {
  observe(now.boot);  // so that the descriptor names this connection, not an earlier one
  const auto found = by_fd_.find(zmq_msg_get(received.second.handle(), ZMQ_SRCFD));
  const auto key = CurveKey::from_hex(user);
  if (found == by_fd_.end() || !key || found->second->state == State::unwelcome) {
    ++shared_.counters.dropped_unintroduced;
    return;
  }
  if (found->second->state == State::introduced) {
    // The connection that we took to be on this descriptor had ended before we bound it.
    ++shared_.counters.dropped_unintroduced;
    return shun(*found->second, events);
  }
  Connection& connection = *found->second;
  connection.route = route;
  connection.user = user;
  by_route_[route] = &connection;
  connection.watch.delivered(received.second.size());

  auto read = core::read_hello(shared_.crypto, shared_.swarm, *key, bytes_of(received.second));
  if (const auto* refusal = std::get_if<core::Refusal>(&read)) return refuse(connection, *refusal);
  const auto& hello = std::get<core::Introduced>(read);
  if (shared_.links.banned(hello.peer, now.boot)) return refuse(connection, core::Refusal::banned);

  const auto id = routing_id(route);
  if (send_parts(socket_, {id, core::make_welcome(shared_.crypto, shared_.swarm, *key, hello, fresh_nonce())}) != Sent::yes) return;
  connection.state = State::introduced;
  connection.peer = hello.peer;
  --arrived_;
  shared_.links.up({.outbound = false, .serial = connection.serial},
                   {.peer = hello.peer, .key = hello.key, .curve = *key, .seen_at = address_of(received.second), .outbound = false}, events);
}

/// Says why; the dialler then closes, or is cut in time.
void Listener::refuse(Connection& connection, core::Refusal why) {
  ++shared_.counters.introductions_refused;
  const auto id = routing_id(*connection.route);
  (void)send_parts(socket_, {id, core::make_refused(why)});
  connection.state = State::unwelcome;
  --arrived_;
}

/// Nothing more is taken from it, and its peer is told of at once; the connection itself ends when libzmq says so.
void Listener::shun(Connection& connection, std::vector<core::Event>& events) {
  if (connection.state == State::arrived) --arrived_;
  const bool known = connection.state == State::introduced;
  connection.state = State::unwelcome;
  if (connection.fd >= 0) cut(connection.fd);
  if (known) shared_.links.down({.outbound = false, .serial = connection.serial}, connection.peer, events);
}

void Listener::forget(Connection& connection, std::vector<core::Event>& events) {
  if (connection.state == State::arrived) --arrived_;
  if (connection.state == State::introduced) shared_.links.down({.outbound = false, .serial = connection.serial}, connection.peer, events);
  if (connection.route) by_route_.erase(*connection.route);
  --shared_.counters.connections;
  connections_.erase(connection.serial);
}

void Listener::bury(std::vector<core::Event>& events, bool drained) {
  std::erase_if(dying_, [&](Connection* connection) {
    if (!drained && frames_ < connection->ends_after) return false;
    forget(*connection, events);
    return true;
  });
}

Sent Listener::send(std::uint64_t serial, ByteView frame) {
  const auto found = connections_.find(serial);
  if (found == connections_.end() || !found->second->route) return Sent::no_such_peer;
  const Sent sent = send_parts(socket_, {routing_id(*found->second->route), frame});
  // libzmq has seen its end, or it never was on the descriptor that we think: either way it is to end here.
  if (sent == Sent::no_such_peer && found->second->fd >= 0) cut(found->second->fd);
  return sent;
}

void Listener::close(std::uint64_t serial, std::vector<core::Event>& events) {
  if (const auto found = connections_.find(serial); found != connections_.end()) shun(*found->second, events);
}

void Listener::look(std::vector<core::Event>& events, BootTime now) {
  observe(now);
  for (const auto& [fd, connection] : by_fd_) {
    const auto received = bytes_received(fd);
    const bool introduced = connection->state == State::introduced;
    const bool late = !introduced && now - connection->since > introduction_time;
    const bool flooding = received && connection->watch.flooding(*received, introduced, now);
    if (!late && !flooding) continue;
    ++shared_.counters.connections_cut;
    shun(*connection, events);
  }
}

void Listener::linger(Duration time) {
  socket_.set(::zmq::sockopt::linger, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
}

}  // namespace dugnad::zmq
