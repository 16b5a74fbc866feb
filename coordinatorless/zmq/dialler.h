// Dialler: those whom we dial. One DEALER each, so that the end of one touches no other; closing the socket is the end. libzmq never
// reconnects here: another process may have the port by then, and when to dial again is the core's decision.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "coordinatorless/zmq/flood_watch.h"
#include "coordinatorless/zmq/monitor.h"
#include "coordinatorless/zmq/shared.h"
#include "coordinatorless/zmq/sockets.h"

namespace dugnad::zmq {

class Dialler {
 public:
  explicit Dialler(Shared& shared) : shared_(shared) {}

  /// The serial of the new attempt; 0 where there is none, since one to this peer exists or the dial has failed, as `events` then says.
  std::uint64_t dial(const core::Dial& dial, std::vector<core::Event>& events, BootTime now);

  [[nodiscard]] bool exists(std::uint64_t serial) const { return dialled_.contains(serial); }
  [[nodiscard]] int descriptor(std::uint64_t serial) const { return dialled_.at(serial)->descriptor; }
  [[nodiscard]] int monitor_descriptor(std::uint64_t serial) const { return dialled_.at(serial)->monitor.descriptor(); }

  /// Takes in what one connection and its monitor have, up to a bound. True where more may wait.
  bool receive(std::uint64_t serial, std::vector<core::Event>& events, BootTime now);
  [[nodiscard]] bool readable(std::uint64_t serial);

  [[nodiscard]] Sent send(std::uint64_t serial, ByteView frame);
  void close(std::uint64_t serial, std::vector<core::Event>& events);
  /// Gives up a dial of this peer that has not led to a link yet.
  void give_up(const PeerId& peer, std::vector<core::Event>& events);
  void look(std::vector<core::Event>& events, BootTime now);
  void linger(Duration time);

  /// Serials that have ended, their sockets still open: the owner stops polling them, then drops them.
  [[nodiscard]] std::vector<std::uint64_t> ended() const { return ended_; }
  void drop_ended();

 private:
  enum class State : std::uint8_t { connecting, introducing, introduced, over };
  struct Dialled {
    Dialled(Shared& shared, std::uint64_t number, const core::Dial& dial, BootTime now);
    std::uint64_t serial;
    core::Dial target;
    ::zmq::socket_t socket;
    Monitor monitor;
    int descriptor;
    BootTime deadline;      // of the dial
    FloodWatch watch;
    core::Nonce nonce;
    int fd = -1;            // TCP's, while connected
    bool reached = false;   // somebody accepted
    bool ending = false;    // disconnected; what came before is still taken in
    State state = State::connecting;
  };

  void observe(Dialled& link);
  void take(Dialled& link, const Received& received, std::vector<core::Event>& events);
  void end(Dialled& link, const std::string& reason, std::vector<core::Event>& events);

  Shared& shared_;
  std::uint64_t serial_last_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Dialled>> dialled_;
  std::unordered_map<PeerId, std::uint64_t> by_peer_;
  std::vector<std::uint64_t> ended_;
};

}  // namespace dugnad::zmq
