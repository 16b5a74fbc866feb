// Monitor: what libzmq says about one socket's connections, which it names by their descriptors.
#pragma once

#include <optional>
#include <string>
#include <zmq.hpp>

namespace dugnad::zmq {

class Monitor {
 public:
  enum class What : std::uint8_t {
    accepted,      // fd
    connected,     // fd; TCP alone
    ready,         // CURVE is done; no fd
    rejected,      // CURVE failed; no fd; disconnected or closed follows
    disconnected,  // fd, which may already name another connection
    given_up,      // connecting failed
  };
  struct Happened {
    What what;
    int fd = -1;
  };

  /// `socket` outlives the monitor.
  Monitor(::zmq::context_t& context, ::zmq::socket_t& socket);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::optional<Happened> next();

 private:
  ::zmq::socket_t& watched_;
  ::zmq::socket_t events_;
  int descriptor_;
};

}  // namespace dugnad::zmq
