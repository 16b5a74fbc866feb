#include "coordinatorless/zmq/zap.h"

#include <string>
#include <string_view>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/zmq/sockets.h"

namespace dugnad::zmq {
namespace {

// Only our own libzmq can speak on an inproc address, so a malformed request is a bug of it, answered with a refusal.
constexpr std::size_t request_frames = 7;  // version, request id, domain, address, identity, mechanism, credentials

std::string_view text(const ::zmq::message_t& frame) { return {frame.data<char>(), frame.size()}; }

void say(::zmq::socket_t& socket, std::string_view part, bool last = false) {
  (void)socket.send(::zmq::buffer(part), last ? ::zmq::send_flags::none : ::zmq::send_flags::sndmore);
}

}  // namespace

Zap::Zap(::zmq::context_t& context) : socket_(context, ::zmq::socket_type::rep) {
  socket_.set(::zmq::sockopt::linger, 0);
  socket_.bind("inproc://zeromq.zap.01");
  descriptor_ = descriptor_of(socket_);
}

void Zap::answer(bool room) {
  for (;;) {
    std::vector<::zmq::message_t> request;
    do {
      ::zmq::message_t frame;
      if (!socket_.recv(frame, ::zmq::recv_flags::dontwait)) return;
      request.push_back(std::move(frame));
    } while (request.back().more());

    const bool sound = request.size() == request_frames && text(request[0]) == "1.0" && text(request[2]) == zap_domain &&
                       text(request[5]) == "CURVE" && request[6].size() == 32;
    say(socket_, "1.0");
    say(socket_, request.size() > 1 ? text(request[1]) : "");
    say(socket_, !sound ? "400" : room ? "200" : "300");  // 300: try again later
    say(socket_, sound && room ? "welcome" : "no");
    say(socket_, sound && room ? to_hex(bytes_of(request[6])) : "");
    say(socket_, "", true);
  }
}

}  // namespace dugnad::zmq
