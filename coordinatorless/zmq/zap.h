// Zap: answers libzmq's question whether a CURVE key may in (ZAP, RFC 27). Any key may: who somebody is, the handshake above settles. What
// counts is the answer's User-Id, which libzmq attaches to every frame of the connection, so that a frame names the key that encrypted it.
#pragma once

#include <zmq.hpp>

namespace dugnad::zmq {

class Zap {
 public:
  /// Before the first listening socket of the context.
  explicit Zap(::zmq::context_t& context);

  [[nodiscard]] int descriptor() { return descriptor_; }
  /// Answers all that wait. `room`: false turns newcomers away before they cost more.
  void answer(bool room);

 private:
  ::zmq::socket_t socket_;
  int descriptor_;
};

}  // namespace dugnad::zmq
