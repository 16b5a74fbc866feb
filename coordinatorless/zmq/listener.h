// Listener: those who dial us. One bound ROUTER; libzmq names a peer there by a routing id, its monitor by a descriptor, and CURVE by a key.
//
//   monitor: accepted(fd) -> a Connection, unnamed -> its first frame (routing id, key, fd) must be HELLO -> a link -> disconnected(fd)
//
// The key counts: it stands in each frame's User-Id. A routing id can be chosen by the sender and a descriptor can be used again, so both are
// only ways to find a connection, and each frame's key is compared with the connection's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "coordinatorless/zmq/flood_watch.h"
#include "coordinatorless/zmq/monitor.h"
#include "coordinatorless/zmq/shared.h"
#include "coordinatorless/zmq/sockets.h"

namespace dugnad::zmq {

class Listener {
 public:
  explicit Listener(Shared& shared);
  ~Listener();

  /// Binds the first of `choices` that is free.
  [[nodiscard]] Result<core::Endpoint> bind(const std::vector<core::Endpoint>& choices);

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] int monitor_descriptor() const { return monitor_.descriptor(); }

  /// Takes in what the monitor says.
  void observe(BootTime now);
  /// Takes frames in, up to a bound. True where more may wait.
  bool receive(std::vector<core::Event>& events, Now now);
  /// Something waits. To be asked after each send before sleeping: sending may swallow the socket's signal.
  [[nodiscard]] bool readable();

  [[nodiscard]] Sent send(std::uint64_t serial, ByteView frame);
  void close(std::uint64_t serial, std::vector<core::Event>& events);
  /// Cuts those that flood and those that were not introduced in time.
  void look(std::vector<core::Event>& events, BootTime now);
  void linger(Duration time);

 private:
  enum class State : std::uint8_t { arrived, introduced, unwelcome };
  struct Connection {
    Connection(std::uint64_t number, int descriptor, BootTime now) : serial(number), fd(descriptor), since(now), watch(now) {}
    std::uint64_t serial;
    int fd;
    BootTime since;
    FloodWatch watch;
    State state = State::arrived;
    std::optional<std::uint32_t> route;  // the routing id that libzmq drew
    std::string user;                    // the CURVE key, in hex, as ZAP said
    PeerId peer;                         // once introduced
    std::uint64_t ends_after = 0;        // disconnected: kept until that many frames of all were taken in, or none is left
  };

  void take(Received& received, std::vector<core::Event>& events, Now now);
  void introduce(Received& received, std::uint32_t route, const char* user, std::vector<core::Event>& events, Now now);
  void refuse(Connection& connection, core::Refusal why);
  void bury(std::vector<core::Event>& events, bool drained);
  void forget(Connection& connection, std::vector<core::Event>& events);
  void shun(Connection& connection, std::vector<core::Event>& events);

  Shared& shared_;
  ::zmq::socket_t socket_;
  Monitor monitor_;
  int descriptor_;

  std::uint64_t serial_last_ = 0;
  std::uint64_t frames_ = 0;
  std::size_t arrived_ = 0;  // connections in that state
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<int, Connection*> by_fd_;               // those not disconnected
  std::unordered_map<std::uint32_t, Connection*> by_route_;
  std::vector<Connection*> dying_;
};

}  // namespace dugnad::zmq
