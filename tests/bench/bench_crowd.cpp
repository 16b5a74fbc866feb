// Peers that only connect: each with keys of its own, one socket each in one process, introduced as the handshake wants it and then silent.
//
//   bench_crowd peers CONTACT SWARM COUNT     prints `up` when the peer at CONTACT has welcomed them all, and stays
//   bench_crowd bare ENDPOINT KEY COUNT       the same without a handshake, at a bench_bare listener
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>
#include <zmq.hpp>

#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/handshake.h"
#include "coordinatorless/core/swarm_name.h"
#include "tests/bench/curve.h"
#include "tests/bench/process.h"

namespace {

using namespace dugnad;
using namespace dugnad::bench;

constexpr std::size_t connecting_most = 64;  // well below what a peer takes in at once
constexpr int patience_milliseconds = 60'000;

struct Member {
  explicit Member(zmq::context_t& context) : socket(context, zmq::socket_type::dealer) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
  }
  zmq::socket_t socket;
  std::unique_ptr<Crypto> crypto;
  core::Nonce nonce{};
};
using Members = std::vector<std::unique_ptr<Member>>;

/// Reads what is there, up to one message of each; true where the member has got something.
void drop_one(Member& member) {
  zmq::message_t ignored;
  while (member.socket.recv(ignored, zmq::recv_flags::dontwait)) {}
}

/// How one begins, and whether its first answer is a welcome.
struct Manner {
  std::function<void(Member&)> greet;
  std::function<bool(Member&, ByteView)> welcomed;
};

Manner as_peers(const core::Contact& contact, const SwarmId& swarm) {
  const auto greet = [=](Member& member) {
    const SecretKeys keys = fresh_keys();
    const CurveKey curve = curve_key_of(keys);
    member.crypto = make_sodium(keys);
    member.nonce = fresh_seed();
    member.socket.set(zmq::sockopt::curve_publickey, zmq::const_buffer(curve.bytes.data(), curve.bytes.size()));
    member.socket.set(zmq::sockopt::curve_secretkey, zmq::const_buffer(keys.curve.data(), keys.curve.size()));
    member.socket.set(zmq::sockopt::curve_serverkey, zmq::const_buffer(contact.curve.bytes.data(), contact.curve.bytes.size()));
    member.socket.connect("tcp://" + contact.host_port);
    const Bytes hello = core::make_hello(*member.crypto, swarm, contact.curve, member.nonce);
    member.socket.send(zmq::buffer(hello));
  };
  const auto welcomed = [=](Member& member, ByteView frame) {
    return std::holds_alternative<core::Introduced>(core::read_welcome(*member.crypto, swarm, contact.curve, member.nonce, frame));
  };
  return {greet, welcomed};
}

Manner bare(const std::string& endpoint, const std::string& server) {
  const auto greet = [=](Member& member) {
    be_curve_client(member.socket, fresh_curve_keys(), server);
    member.socket.connect(endpoint);
    member.socket.send(zmq::str_buffer("here"));
  };
  return {greet, [](Member&, ByteView) { return true; }};
}

/// Those of `among` that have something to read; empty where `patience` runs out.
std::vector<std::size_t> readable(Members& among, std::size_t first, std::chrono::milliseconds patience) {
  std::vector<zmq::pollitem_t> items;
  for (std::size_t i = first; i < among.size(); ++i) items.push_back({among[i]->socket.handle(), 0, ZMQ_POLLIN, 0});
  (void)zmq::poll(items, patience);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].revents != 0) found.push_back(first + i);
  }
  return found;
}

void assemble(Members& up, zmq::context_t& context, const Manner& manner, std::size_t count) {
  Members connecting;
  while (up.size() < count) {
    while (connecting.size() < connecting_most && up.size() + connecting.size() < count) {
      connecting.push_back(std::make_unique<Member>(context));
      manner.greet(*connecting.back());
    }
    auto heard = readable(connecting, 0, std::chrono::milliseconds(patience_milliseconds));
    if (heard.empty()) give_up("bench_crowd: nobody answers");
    for (auto i = heard.rbegin(); i != heard.rend(); ++i) {
      zmq::message_t answer;
      (void)connecting[*i]->socket.recv(answer);
      if (!manner.welcomed(*connecting[*i], {answer.data<std::uint8_t>(), answer.size()})) give_up("bench_crowd: not welcome");
      up.push_back(std::move(connecting[*i]));
      connecting.erase(connecting.begin() + static_cast<std::ptrdiff_t>(*i));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 5 ? argv[1] : "";
  Manner manner;
  if (what == "peers" && sodium_ready()) {
    const auto contact = core::Contact::parse(argv[2]);
    if (!contact) give_up(contact.error().message);
    manner = as_peers(*contact, core::SwarmName::parse(argv[3]).value().id());
  } else if (what == "bare") {
    manner = bare(argv[2], argv[3]);
  } else {
    give_up("bench_crowd: see its source for what it takes");
  }
  zmq::context_t context;
  context.set(zmq::ctxopt::max_sockets, 8192);
  Members crowd;
  assemble(crowd, context, manner, static_cast<std::size_t>(std::atoi(argv[4])));
  std::printf("up\n");
  std::fflush(stdout);
  while (true) {
    for (const std::size_t i : readable(crowd, 0, std::chrono::milliseconds(-1))) drop_one(*crowd[i]);
  }
}
