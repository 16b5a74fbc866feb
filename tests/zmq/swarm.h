// What the transport's tests share: ends, each a Transport with keys of its own, driven in turn on one thread until something is so.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coordinatorless/core/handshake.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/zmq/clocks.h"
#include "coordinatorless/zmq/transport.h"

namespace dugnad::zmq {

inline core::Endpoint loopback(std::uint16_t port = 0) {
  core::Endpoint endpoint{.port = port};
  endpoint.ip[10] = endpoint.ip[11] = 0xff;
  endpoint.ip[12] = 127;
  endpoint.ip[15] = 1;
  return endpoint;
}

/// One end of links, with all that was ever reported to it.
struct End {
  explicit End(bool listens = true, std::string_view swarm = "test") {
    REQUIRE(sodium_ready());
    TransportOptions options{.swarm = core::swarm_id(swarm), .keys = keys, .listen = {}};
    if (listens) options.listen = {loopback()};
    auto opened = Transport::open(options, *crypto);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().message));
    transport = std::move(*opened);
  }

  [[nodiscard]] PeerId id() const { return peer_id_of(crypto->public_key()); }
  [[nodiscard]] core::Dial contact() const { return {.peer = id(), .curve = crypto->curve_key(), .endpoint = *transport->bound()}; }
  void dial(const core::Dial& dial) { transport->dial(dial, read_clocks()); }
  void dial(const End& other) { dial(other.contact()); }
  void turn() {
    transport->wait(BootTime{});
    transport->receive(events, read_clocks());
  }

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> found;
    for (const core::Event& event : events) {
      if (const auto* one = std::get_if<Event>(&event)) found.push_back(*one);
    }
    return found;
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    std::size_t found = 0;
    for (const core::Event& event : events) found += std::holds_alternative<Event>(event);
    return found;
  }
  [[nodiscard]] std::string failure() const {
    const auto failures = all<core::DialFailed>();
    return failures.empty() ? "" : failures.back().reason;
  }

  SecretKeys keys = fresh_keys();
  std::unique_ptr<Crypto> crypto = make_sodium(keys);
  std::unique_ptr<Transport> transport;
  std::vector<core::Event> events;
};

/// Drives all ends until `done`, for 20 s at most; sleeps on the first end between turns, a millisecond at a time.
inline bool until(const std::vector<End*>& ends, const std::function<bool()>& done, Duration patience = std::chrono::seconds(20)) {
  const BootTime deadline = read_clocks().boot + patience;
  for (;;) {
    for (End* end : ends) end->turn();
    if (done()) return true;
    const BootTime now = read_clocks().boot;
    if (now > deadline) return false;
    ends.front()->transport->wait(now + std::chrono::milliseconds(1));
  }
}

inline Bytes numbered(std::uint32_t number, std::size_t size = 64) {
  Bytes bytes(std::max<std::size_t>(size, 4));
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> 8 * i);
  return bytes;
}
inline std::uint32_t number_of(const Bytes& bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

}  // namespace dugnad::zmq
