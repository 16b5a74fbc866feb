#include "coordinatorless/zmq/sockets.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

#ifdef __SANITIZE_THREAD__
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
#endif

namespace dugnad::zmq {
namespace {

/// Debian's libzmq is not built with TSan, which therefore does not see how its I/O thread hands a message over, and takes each read of it for
/// a race.
struct ReadsOfLibzmq {
  ReadsOfLibzmq() {
#ifdef __SANITIZE_THREAD__
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
#endif
  }
  ~ReadsOfLibzmq() {
#ifdef __SANITIZE_THREAD__
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
  }
};

constexpr std::size_t curve_overhead = 33;  // what CURVE's MESSAGE command adds to a frame; libzmq counts it

// Commands such as "the queue has room again" are taken in now and then only; asking for the events takes them all in.
bool writable(::zmq::socket_t& socket) { return (socket.get(::zmq::sockopt::events) & ZMQ_POLLOUT) != 0; }

int send_one(void* socket, ByteView bytes, int flags) {
  zmq_msg_t message;
  if (zmq_msg_init_size(&message, bytes.size()) != 0) return -1;
  if (!bytes.empty()) std::memcpy(zmq_msg_data(&message), bytes.data(), bytes.size());
  int sent;
  do sent = zmq_msg_send(&message, socket, flags | ZMQ_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    const int error = errno;
    zmq_msg_close(&message);
    errno = error;
  }
  return sent;
}

bool receive_one(::zmq::socket_t& socket, ::zmq::message_t& message) {
  int received;
  do received = zmq_msg_recv(message.handle(), socket.handle(), ZMQ_DONTWAIT);
  while (received < 0 && errno == EINTR);
  return received >= 0;
}

}  // namespace

Result<::zmq::context_t> make_context() {
  unsigned seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) return Error{"the machine gives no random numbers"};
  std::srand(seed);
  try {
    ::zmq::context_t context(1);
    context.set(::zmq::ctxopt::blocky, 0);
    context.set(::zmq::ctxopt::max_sockets, 16 << 10);  // three for each peer that we dial
    return context;
  } catch (const ::zmq::error_t& error) {
    return Error{std::string("cannot start ZeroMQ: ") + error.what()};
  }
}

void configure(::zmq::socket_t& socket, const SecretKeys& keys) {
  using namespace ::zmq::sockopt;
  const CurveKey own = curve_key_of(keys);
  socket.set(curve_publickey, ::zmq::const_buffer(own.bytes.data(), own.bytes.size()));
  socket.set(curve_secretkey, ::zmq::const_buffer(keys.curve.data(), keys.curve.size()));
  socket.set(::zmq::sockopt::linger, 0);             // the default keeps the process from ending
  socket.set(maxmsgsize, static_cast<std::int64_t>(core::limits::message_bytes_max + curve_overhead));
  socket.set(sndhwm, high_water);
  socket.set(rcvhwm, high_water);
  socket.set(handshake_ivl, 5'000);
  socket.set(heartbeat_ivl, 15'000);                 // a dead machine is noticed within a minute
  socket.set(heartbeat_timeout, 45'000);
  socket.set(heartbeat_ttl, 60'000);
}

Sent send_parts(::zmq::socket_t& socket, std::initializer_list<ByteView> parts) {
  std::size_t left = parts.size();
  for (const ByteView part : parts) {
    const bool first = left == parts.size();
    const int flags = --left > 0 ? ZMQ_SNDMORE : 0;
    if (send_one(socket.handle(), part, flags) >= 0) continue;
    if (first && errno == EAGAIN && writable(socket) && send_one(socket.handle(), part, flags) >= 0) continue;
    if (errno == EAGAIN) {
      DUGNAD_ASSERT(first, "a message is accepted or refused at its first frame");
      return Sent::queue_full;
    }
    DUGNAD_ASSERT(errno == EHOSTUNREACH, std::strerror(errno));
    return Sent::no_such_peer;
  }
  return Sent::yes;
}

Bytes bytes_of(const ::zmq::message_t& message) {
  ReadsOfLibzmq reads;
  const auto* data = message.data<std::uint8_t>();
  return Bytes(data, data + message.size());
}

bool receive_parts(::zmq::socket_t& socket, Received& received) {
  if (!receive_one(socket, received.first)) return false;
  received.frames = 1;
  ::zmq::message_t* last = &received.first;
  ::zmq::message_t rest;
  while (last->more()) {
    ::zmq::message_t* next = received.frames == 1 ? &received.second : &rest;
    DUGNAD_ASSERT(receive_one(socket, *next), "the frames of a message come together");
    last = next;
    ++received.frames;
  }
  return true;
}

int descriptor_of(::zmq::socket_t& socket) { return socket.get(::zmq::sockopt::fd); }

}  // namespace dugnad::zmq
