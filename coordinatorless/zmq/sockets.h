// What all our ZeroMQ sockets have in common; the reason for each setting stands beside it.
#pragma once

#include <zmq.hpp>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/core/endpoint.h"

namespace dugnad::zmq {

/// The ZAP domain of every listening socket; without one CURVE encrypts but tells nobody who is there.
inline constexpr const char* zap_domain = "dugnad";

/// A message is one frame, of message_bytes_max at most; so one link's queue is at most this many times as much, and usually far less:
/// a batch of a lease's size is a few KiB. More would hide a slow peer from the core, which keeps its own order of what matters.
inline constexpr int high_water = 64;

/// Seeds the C library's generator, starts the context with one I/O thread. ROUTER draws the ids of its connections from rand(); left
/// unseeded, a stranger who claims the next id makes an assertion end the process.
[[nodiscard]] Result<::zmq::context_t> make_context();

/// Limits, time-outs, heartbeats and our CURVE keys. The caller makes it server or client.
void configure(::zmq::socket_t& socket, const SecretKeys& keys);

enum class Sent { yes, queue_full, no_such_peer };
/// One message of the given parts (a routing id first, where it is a ROUTER), all of it or nothing; never blocks.
[[nodiscard]] Sent send_parts(::zmq::socket_t& socket, std::initializer_list<ByteView> parts);

/// The next whole message's frames, beyond the second only counted: libzmq delivers multipart messages whole.
struct Received {
  ::zmq::message_t first, second;
  int frames = 0;
};
[[nodiscard]] bool receive_parts(::zmq::socket_t& socket, Received& received);

/// A copy of a message's bytes.
[[nodiscard]] Bytes bytes_of(const ::zmq::message_t& message);

/// The descriptor that tells when a socket has something to say. It is level-triggered for commands, not for messages: after any send or
/// receive the socket must be read until empty before its owner may sleep.
[[nodiscard]] int descriptor_of(::zmq::socket_t& socket);

}  // namespace dugnad::zmq
