#include "coordinatorless/zmq/monitor.h"

#include <cstring>

#include "coordinatorless/zmq/sockets.h"

namespace dugnad::zmq {
namespace {

constexpr int rejections = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
constexpr int wanted = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                       rejections;

}  // namespace

Monitor::Monitor(::zmq::context_t& context, ::zmq::socket_t& socket) : watched_(socket), events_(context, ::zmq::socket_type::pair) {
  // An address of its own for each socket; the socket's own address in memory is as good a name as any.
  const std::string address = "inproc://monitor-" + std::to_string(reinterpret_cast<std::uintptr_t>(socket.handle()));
  if (zmq_socket_monitor(socket.handle(), address.c_str(), wanted) != 0) throw ::zmq::error_t();
  events_.set(::zmq::sockopt::linger, 0);
  events_.set(::zmq::sockopt::rcvhwm, 0);  // losing one would leave a connection that never ends
  events_.connect(address);
  descriptor_ = descriptor_of(events_);
}

Monitor::~Monitor() { zmq_socket_monitor(watched_.handle(), nullptr, 0); }

std::optional<Monitor::Happened> Monitor::next() {
  Received received;
  while (receive_parts(events_, received)) {
    if (received.first.size() < 6) continue;
    std::uint16_t event;
    std::int32_t value;
    std::memcpy(&event, received.first.data(), sizeof event);
    std::memcpy(&value, received.first.data<char>() + sizeof event, sizeof value);
    if (event == ZMQ_EVENT_ACCEPTED) return Happened{What::accepted, value};
    if (event == ZMQ_EVENT_CONNECTED) return Happened{What::connected, value};
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return Happened{What::ready};
    if (event == ZMQ_EVENT_DISCONNECTED) return Happened{What::disconnected, value};
    if (event == ZMQ_EVENT_CLOSED) return Happened{What::given_up};
    if ((event & rejections) != 0) return Happened{What::rejected};
  }
  return std::nullopt;
}

}  // namespace dugnad::zmq
