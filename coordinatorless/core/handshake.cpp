#include "coordinatorless/core/handshake.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "coordinatorless/core/codec_wire.h"

namespace dugnad::core {
namespace {

// The frames, as arrays:
//   [hello, swarm, oldest, newest, key, nonce, signature]   [welcome, version, key, nonce, signature]   [refused, reason]
// They carry no version of their own: they are how one is found, and keep their shape for good.
enum class FrameKind : std::uint8_t { hello = 0, welcome = 1, refused = 2 };

constexpr std::size_t frame_bytes_max = 256;
constexpr auto refusal_last = static_cast<std::uint8_t>(Refusal::other_peer);

struct Hello {
  SwarmId swarm;
  std::uint32_t oldest = 0;
  std::uint32_t newest = 0;
  PublicKey key;
  Nonce nonce{};
  Signature signature{};
};
struct Welcome {
  std::uint32_t version = 0;
  PublicKey key;
  Nonce nonce{};
  Signature signature{};
};

auto frame_fields(Is<Hello> auto& h) { return fields(h.swarm, h.oldest, h.newest, h.key, h.nonce, h.signature); }
auto frame_fields(Is<Welcome> auto& w) { return fields(w.version, w.key, w.nonce, w.signature); }

template <class Fields>
Bytes write_frame(FrameKind kind, const Fields& frame) {
  FieldWriter writer;
  writer.tokens().array(1 + std::tuple_size_v<Fields>);
  writer.tokens().number(static_cast<std::uint8_t>(kind));
  writer.all(frame);
  return writer.tokens().take();
}

template <class Fields>
bool read_frame(const Tape& tape, FrameKind kind, Fields frame) {
  FieldReader reader(tape);
  const auto number = static_cast<std::uint8_t>(kind);
  return reader.array(1 + std::tuple_size_v<Fields>) && reader.number(number, number) && reader.all(frame);
}

/// What is signed: both CURVE keys, dialler's first, and the nonces so far. All of one length, so nothing needs to be kept apart.
Bytes content(const CurveKey& dialler, const CurveKey& listener, std::initializer_list<Nonce> nonces) {
  Bytes bytes(dialler.bytes.begin(), dialler.bytes.end());
  bytes.insert(bytes.end(), listener.bytes.begin(), listener.bytes.end());
  for (const Nonce& nonce : nonces) bytes.insert(bytes.end(), nonce.begin(), nonce.end());
  return bytes;
}

}  // namespace

std::string describe(Refusal refusal) {
  switch (refusal) {
    case Refusal::malformed: return "what answers there is no dugnad peer, or one of a very different version; check the contact's address";
    case Refusal::other_swarm: return "that peer belongs to another swarm; give both the same --swarm and --swarm-secret";
    case Refusal::version: return "that peer speaks another version of the protocol; update the older of the two";
    case Refusal::signature: return "the peer key's signature does not hold; ask for that peer's contact again";
    case Refusal::banned: return "that peer refuses this one for a while because of what it sent; try another contact, or later";
    case Refusal::full: return "that peer has no room for another connection; try another contact, or later";
    case Refusal::self: return "that contact is this peer's own; give another peer's";
    case Refusal::other_peer: return "another peer than the contact names answers there; ask for that peer's contact again";
  }
  return "";
}

Bytes make_hello(Crypto& self, const SwarmId& swarm, const CurveKey& listener, const Nonce& nonce) {
  Hello hello{swarm, oldest_version, limits::version, self.public_key(), nonce, {}};
  hello.signature = self.sign(signed_bytes(Domain::hello, swarm, content(self.curve_key(), listener, {nonce})));
  return write_frame(FrameKind::hello, frame_fields(std::as_const(hello)));
}

std::variant<Introduced, Refusal> read_hello(Crypto& self, const SwarmId& swarm, const CurveKey& dialler, ByteView frame) {
  if (frame.size() > frame_bytes_max) return Refusal::malformed;
  Hello hello;
  if (!read_frame(Tape(frame), FrameKind::hello, frame_fields(hello)) || hello.oldest > hello.newest) return Refusal::malformed;
  if (hello.swarm != swarm) return Refusal::other_swarm;
  if (hello.key == self.public_key()) return Refusal::self;
  const std::uint32_t version = std::min(hello.newest, limits::version);
  if (version < hello.oldest || !is_spoken(version)) return Refusal::version;
  if (!self.verify(hello.key, signed_bytes(Domain::hello, swarm, content(dialler, self.curve_key(), {hello.nonce})), hello.signature)) {
    return Refusal::signature;
  }
  return Introduced{hello.key, peer_id_of(hello.key), hello.nonce, version};
}

Bytes make_welcome(Crypto& self, const SwarmId& swarm, const CurveKey& dialler, const Introduced& hello, const Nonce& nonce) {
  Welcome welcome{hello.version, self.public_key(), nonce, {}};
  welcome.signature = self.sign(signed_bytes(Domain::welcome, swarm, content(dialler, self.curve_key(), {hello.nonce, nonce})));
  return write_frame(FrameKind::welcome, frame_fields(std::as_const(welcome)));
}

Bytes make_refused(Refusal refusal) {
  const auto reason = static_cast<std::uint8_t>(refusal);
  return write_frame(FrameKind::refused, fields(reason));
}

std::variant<Introduced, Refusal> read_welcome(Crypto& self, const SwarmId& swarm, const CurveKey& listener, const Nonce& nonce,
                                               ByteView frame) {
  if (frame.size() > frame_bytes_max) return Refusal::malformed;
  const Tape tape(frame);
  std::uint8_t reason = 0;
  if (read_frame(tape, FrameKind::refused, fields(reason)))
    return reason <= refusal_last ? static_cast<Refusal>(reason) : Refusal::malformed;
  Welcome welcome;
  if (!read_frame(tape, FrameKind::welcome, frame_fields(welcome))) return Refusal::malformed;
  if (welcome.key == self.public_key()) return Refusal::self;
  if (!is_spoken(welcome.version)) return Refusal::version;
  if (!self.verify(welcome.key, signed_bytes(Domain::welcome, swarm, content(self.curve_key(), listener, {nonce, welcome.nonce})),
                   welcome.signature)) {
    return Refusal::signature;
  }
  return Introduced{welcome.key, peer_id_of(welcome.key), welcome.nonce, welcome.version};
}

}  // namespace dugnad::core
