// CURVE on a bare ZeroMQ socket, keys in Z85.
#pragma once

#include <string>
#include <zmq.hpp>

namespace dugnad::bench {

struct CurveKeys {
  std::string open, secret;
};

[[nodiscard]] inline CurveKeys fresh_curve_keys() {
  char open[41], secret[41];
  if (zmq_curve_keypair(open, secret) != 0) throw zmq::error_t();
  return {open, secret};
}

inline void be_curve_server(zmq::socket_t& socket, const CurveKeys& keys) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret);
  socket.set(zmq::sockopt::linger, 0);
}

inline void be_curve_client(zmq::socket_t& socket, const CurveKeys& keys, const std::string& server) {
  socket.set(zmq::sockopt::curve_publickey, keys.open);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret);
  socket.set(zmq::sockopt::curve_serverkey, server);
  socket.set(zmq::sockopt::linger, 0);
}

}  // namespace dugnad::bench
