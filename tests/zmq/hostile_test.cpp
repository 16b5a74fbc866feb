// Strangers on the port: whatever they send, the listener goes on, and counts it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <zmq.hpp>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/zmq/flood_watch.h"
#include "tests/zmq/swarm.h"

namespace dugnad::zmq {
namespace {

class RawTcp {
 public:
  explicit RawTcp(const core::Endpoint& endpoint, int flags = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EINPROGRESS;
    REQUIRE(connected);
  }
  ~RawTcp() { close(fd_); }
  RawTcp(RawTcp&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  [[nodiscard]] int descriptor() const { return fd_; }
  void send(ByteView bytes) { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); }

 private:
  int fd_;
};

/// A stranger who has CURVE right, and then says what it likes.
class RawDealer {
 public:
  explicit RawDealer(const core::Dial& target, std::string_view routing_id = {})
      : context_(1), socket_(context_, ::zmq::socket_type::dealer), target_(target) {
    const CurveKey own = curve_key_of(keys_);
    socket_.set(::zmq::sockopt::linger, 0);
    socket_.set(::zmq::sockopt::curve_publickey, ::zmq::const_buffer(own.bytes.data(), 32));
    socket_.set(::zmq::sockopt::curve_secretkey, ::zmq::const_buffer(keys_.curve.data(), 32));
    socket_.set(::zmq::sockopt::curve_serverkey, ::zmq::const_buffer(target.curve.bytes.data(), 32));
    if (!routing_id.empty()) socket_.set(::zmq::sockopt::routing_id, ::zmq::buffer(routing_id));
    socket_.connect("tcp://" + target.endpoint.text());
  }
  bool send(ByteView bytes, bool more = false) {
    const auto flags = more ? ::zmq::send_flags::sndmore | ::zmq::send_flags::dontwait : ::zmq::send_flags::dontwait;
    return socket_.send(::zmq::buffer(bytes.data(), bytes.size()), flags).has_value();
  }
  void say_hello() { REQUIRE(send(core::make_hello(*crypto_, core::swarm_id("test"), target_.curve, core::Nonce{}))); }
  std::optional<Bytes> receive() {
    ::zmq::message_t message;
    if (!socket_.recv(message, ::zmq::recv_flags::dontwait)) return std::nullopt;
    return Bytes(message.data<std::uint8_t>(), message.data<std::uint8_t>() + message.size());
  }

 private:
  SecretKeys keys_ = fresh_keys();
  std::unique_ptr<Crypto> crypto_ = make_sodium(keys_);
  ::zmq::context_t context_;
  ::zmq::socket_t socket_;
  core::Dial target_;
};

/// A wire between a stranger and the listener that stops carrying towards the listener after `limit` bytes.
class Wire {
 public:
  explicit Wire(const core::Endpoint& listener) : accepting_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), inner_(listener) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(accepting_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(listen(accepting_, 1) == 0);
    REQUIRE(getsockname(accepting_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    outer_end_ = loopback(ntohs(address.sin_port));
  }
  ~Wire() {
    close(accepting_);
    if (outer_ >= 0) close(outer_);
  }
  [[nodiscard]] core::Endpoint outer_end() const { return outer_end_; }
  [[nodiscard]] std::size_t carried() const { return carried_; }
  void pump(std::size_t limit) {
    if (outer_ < 0) outer_ = accept4(accepting_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (outer_ < 0) return;
    Bytes buffer(256 << 10);
    const auto move = [&](int from, int to, std::size_t most) -> std::size_t {
      const auto got = recv(from, buffer.data(), std::min(most, buffer.size()), MSG_PEEK | MSG_DONTWAIT);
      if (got <= 0) return 0;
      const auto put = ::send(to, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put <= 0) return 0;
      return static_cast<std::size_t>(recv(from, buffer.data(), static_cast<std::size_t>(put), MSG_DONTWAIT));
    };
    carried_ += move(outer_, inner_.descriptor(), limit - carried_);
    move(inner_.descriptor(), outer_, buffer.size());
  }

 private:
  int accepting_;
  int outer_ = -1;
  RawTcp inner_;
  core::Endpoint outer_end_;
  std::size_t carried_ = 0;
};

/// An honest peer still gets in.
bool healthy(End& listener) {
  End dialler(false);
  dialler.dial(listener);
  const bool connected = until({&listener, &dialler}, [&] { return dialler.count<core::PeerConnected>() == 1; });
  return connected && dialler.transport->send(listener.id(), numbered(99)) && until({&listener, &dialler}, [&] {
           const auto frames = listener.all<core::MessageReceived>();
           return !frames.empty() && frames.back().from == dialler.id();
         });
}

}  // namespace

TEST_CASE("random bytes on the port leave it healthy") {
  End listener;
  Generator generator = Generator::from_seed(1);
  std::vector<RawTcp> strangers;
  for (int i = 0; i < 50; ++i) {
    strangers.emplace_back(*listener.transport->bound());
    Bytes noise(1 + generator.below(4096));
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(generator.next());
    if (i % 2 == 0) {  // some get past the greeting
      const Bytes greeting = *from_hex("ff00000000000000017f0300" "4355525645000000000000000000000000000000");
      noise.insert(noise.begin(), greeting.begin(), greeting.end());
    }
    strangers.back().send(noise);
    listener.turn();
  }
  strangers.clear();
  CHECK(healthy(listener));
  CHECK(until({&listener}, [&] { return listener.transport->counters().connections == 0; }));
  CHECK(listener.count<core::PeerConnected>() == 1);
}

TEST_CASE("whoever starts with anything but HELLO is refused, and the rest of what it says is dropped") {
  End listener;
  RawDealer stranger(listener.contact());
  REQUIRE(stranger.send(to_bytes("let me in")));
  for (std::uint32_t i = 0; i < 10; ++i) REQUIRE(stranger.send(numbered(i)));
  std::optional<Bytes> answer;
  REQUIRE(until({&listener}, [&] { return (answer = stranger.receive()) && listener.transport->counters().dropped_unintroduced == 10; }));
  CHECK(*answer == core::make_refused(core::Refusal::malformed));
  CHECK(listener.transport->counters().introductions_refused == 1);
  CHECK(listener.events.empty());
  CHECK(healthy(listener));
}

TEST_CASE("a routing id of the sender's own choice is not accepted") {
  End listener;
  RawDealer stranger(listener.contact(), "mine!");
  stranger.say_hello();
  REQUIRE(until({&listener}, [&] { return listener.transport->counters().dropped_malformed == 1; }));
  CHECK(listener.events.empty());
  CHECK(healthy(listener));
}

TEST_CASE("a message of several frames ends the link") {
  End listener;
  RawDealer stranger(listener.contact());
  stranger.say_hello();
  REQUIRE(until({&listener}, [&] { return listener.count<core::PeerConnected>() == 1; }));
  for (int i = 0; i < 5; ++i) REQUIRE(stranger.send(numbered(1), i < 4));
  CHECK(until({&listener}, [&] { return listener.count<core::PeerLost>() == 1; }));
  CHECK(listener.count<core::MessageReceived>() == 0);
  CHECK(healthy(listener));
}

TEST_CASE("a frame over the limit ends the link") {
  End listener;
  RawDealer stranger(listener.contact());
  stranger.say_hello();
  REQUIRE(until({&listener}, [&] { return listener.count<core::PeerConnected>() == 1; }));
  REQUIRE(stranger.send(Bytes(core::limits::message_bytes_max + 1)));
  CHECK(until({&listener}, [&] { return listener.count<core::PeerLost>() == 1; }));
  CHECK(listener.count<core::MessageReceived>() == 0);
  CHECK(healthy(listener));
}

TEST_CASE("a message that never ends is cut off") {
  // libzmq sends a message once it is whole, so that this one ends on the wire instead: 64 MiB of frames, of which 20 MiB come through.
  constexpr std::size_t limit = 20 << 20;
  End listener;
  Wire wire(*listener.transport->bound());
  auto contact = listener.contact();
  contact.endpoint = wire.outer_end();
  RawDealer stranger(contact);
  stranger.say_hello();
  REQUIRE(until({&listener}, [&] {
    wire.pump(limit);
    return listener.count<core::PeerConnected>() == 1;
  }));
  const Bytes piece(512 << 10);
  for (int i = 0; i < 128; ++i) REQUIRE(stranger.send(piece, i < 127));
  REQUIRE(until({&listener}, [&] {
    wire.pump(limit);
    return listener.count<core::PeerLost>() == 1;
  }));
  CHECK(wire.carried() > FloodWatch::undelivered_max);
  CHECK(listener.transport->counters().connections_cut == 1);
  CHECK(listener.count<core::MessageReceived>() == 0);
  CHECK(until({&listener}, [&] { return listener.transport->counters().connections == 0; }));
  CHECK(healthy(listener));
}

TEST_CASE("whoever never introduces itself is cut off in time") {
  End listener;
  RawTcp silent(*listener.transport->bound());
  RawDealer nameless(listener.contact());
  REQUIRE(until({&listener}, [&] { return listener.transport->counters().connections == 2; }));
  CHECK(until({&listener}, [&] { return listener.transport->counters().connections == 0; }));
  CHECK(listener.transport->counters().connections_cut == 1);  // libzmq itself gives up on the silent one
  CHECK(healthy(listener));
}

TEST_CASE("a crowd of strangers has its limit, and leaves no trace") {
  End listener;
  {
    std::vector<RawTcp> crowd;
    REQUIRE(until({&listener}, [&] {
      for (int i = 0; i < 20 && crowd.size() < 5000; ++i) crowd.emplace_back(*listener.transport->bound(), SOCK_NONBLOCK);
      return listener.transport->counters().connections_refused > 0;
    }));
    CHECK(crowd.size() > 512);
    CHECK(listener.transport->counters().connections <= 512);
  }
  REQUIRE(until({&listener}, [&] { return listener.transport->counters().connections == 0; }));
  CHECK(healthy(listener));
}

}  // namespace dugnad::zmq
