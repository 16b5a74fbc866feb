#include "coordinatorless/core/handshake.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

std::unique_ptr<Crypto> identity(std::uint8_t seed) {
  REQUIRE(sodium_ready());
  SecretKeys keys;
  keys.sign_seed.fill(seed);
  keys.curve.fill(static_cast<std::uint8_t>(seed + 100));
  return make_sodium(keys);
}

struct Meeting {
  std::unique_ptr<Crypto> dialler = identity(1);
  std::unique_ptr<Crypto> listener = identity(2);
  SwarmId swarm = swarm_id("test");
  Nonce ours{1};
  Nonce theirs{2};

  Bytes hello() const { return make_hello(*dialler, swarm, listener->curve_key(), ours); }
  std::variant<Introduced, Refusal> hear(ByteView frame) const { return read_hello(*listener, swarm, dialler->curve_key(), frame); }
  Bytes welcome() const { return make_welcome(*listener, swarm, dialler->curve_key(), std::get<Introduced>(hear(hello())), theirs); }
  std::variant<Introduced, Refusal> be_welcomed(ByteView frame) const {
    return read_welcome(*dialler, swarm, listener->curve_key(), ours, frame);
  }
};

bool is(const std::variant<Introduced, Refusal>& answer, Refusal refusal) {
  return std::holds_alternative<Refusal>(answer) && std::get<Refusal>(answer) == refusal;
}

constexpr std::size_t oldest_at = 2 + 34;  // in a HELLO, behind array, kind and swarm
constexpr std::size_t newest_at = oldest_at + 1;

}  // namespace

TEST_CASE("two peers introduce themselves to each other") {
  const Meeting meeting;
  const auto heard = meeting.hear(meeting.hello());
  REQUIRE(std::holds_alternative<Introduced>(heard));
  const auto& dialler = std::get<Introduced>(heard);
  CHECK(dialler.key == meeting.dialler->public_key());
  CHECK(dialler.peer == peer_id_of(meeting.dialler->public_key()));
  CHECK(dialler.nonce == meeting.ours);
  CHECK(dialler.version == limits::version);

  const auto answered = meeting.be_welcomed(meeting.welcome());
  REQUIRE(std::holds_alternative<Introduced>(answered));
  const auto& listener = std::get<Introduced>(answered);
  CHECK(listener.key == meeting.listener->public_key());
  CHECK(listener.peer == peer_id_of(meeting.listener->public_key()));
  CHECK(listener.nonce == meeting.theirs);
  CHECK(listener.version == limits::version);
}

TEST_CASE("a peer of another swarm is refused as such") {
  Meeting meeting;
  const Bytes hello = meeting.hello();
  meeting.swarm = swarm_id("test", 0, "secret");
  CHECK(is(meeting.hear(hello), Refusal::other_swarm));
}

TEST_CASE("a HELLO that was shown to one peer cannot be shown to another") {
  const Meeting meeting;
  const auto other = identity(3);
  CHECK(is(read_hello(*other, meeting.swarm, meeting.dialler->curve_key(), meeting.hello()), Refusal::signature));
}

TEST_CASE("a HELLO over another peer's CURVE key is refused") {
  const Meeting meeting;
  CHECK(is(read_hello(*meeting.listener, meeting.swarm, identity(3)->curve_key(), meeting.hello()), Refusal::signature));
}

TEST_CASE("an old WELCOME answers no new HELLO") {
  Meeting meeting;
  const Bytes welcome = meeting.welcome();
  meeting.ours[31] ^= 1;
  CHECK(is(meeting.be_welcomed(welcome), Refusal::signature));
}

TEST_CASE("a WELCOME counts for the two connected peers alone") {
  const Meeting meeting;
  const Bytes welcome = meeting.welcome();
  const auto other = identity(3);
  CHECK(is(read_welcome(*other, meeting.swarm, meeting.listener->curve_key(), meeting.ours, welcome), Refusal::signature));
  CHECK(is(read_welcome(*meeting.dialler, meeting.swarm, other->curve_key(), meeting.ours, welcome), Refusal::signature));
  CHECK(is(read_welcome(*meeting.dialler, swarm_id("else"), meeting.listener->curve_key(), meeting.ours, welcome), Refusal::signature));
}

TEST_CASE("a peer that meets itself notices") {
  const Meeting meeting;
  const Bytes hello = make_hello(*meeting.dialler, meeting.swarm, meeting.dialler->curve_key(), meeting.ours);
  CHECK(is(read_hello(*meeting.dialler, meeting.swarm, meeting.dialler->curve_key(), hello), Refusal::self));
  const Bytes welcome = make_welcome(*meeting.dialler, meeting.swarm, meeting.dialler->curve_key(),
                                     Introduced{.key = {}, .peer = {}, .nonce = meeting.ours}, meeting.theirs);
  CHECK(is(read_welcome(*meeting.dialler, meeting.swarm, meeting.dialler->curve_key(), meeting.ours, welcome), Refusal::self));
}

TEST_CASE("peers whose versions do not meet part") {
  const Meeting meeting;
  Bytes hello = meeting.hello();
  REQUIRE(hello[oldest_at] == limits::version);
  REQUIRE(hello[newest_at] == limits::version);
  hello[newest_at] = limits::version + 1;
  CHECK(std::holds_alternative<Introduced>(meeting.hear(hello)));  // a newer peer that still speaks ours
  hello[oldest_at] = limits::version + 1;
  CHECK(is(meeting.hear(hello), Refusal::version));
  hello[oldest_at] = hello[newest_at] = 0;
  CHECK(is(meeting.hear(hello), Refusal::version));
  hello[oldest_at] = 2;
  hello[newest_at] = 1;
  CHECK(is(meeting.hear(hello), Refusal::malformed));

  Bytes welcome = meeting.welcome();
  REQUIRE(welcome[2] == limits::version);
  welcome[2] = limits::version + 1;
  CHECK(is(meeting.be_welcomed(welcome), Refusal::version));
}

TEST_CASE("a refusal arrives with its reason") {
  const Meeting meeting;
  for (std::uint8_t reason = 0; reason <= static_cast<std::uint8_t>(Refusal::other_peer); ++reason) {
    CHECK(is(meeting.be_welcomed(make_refused(static_cast<Refusal>(reason))), static_cast<Refusal>(reason)));
  }
  CHECK(is(meeting.be_welcomed(Bytes{0x92, 2, 99}), Refusal::malformed));
  CHECK(is(meeting.be_welcomed(Bytes{0x92, 2, 0xcd, 1, 1}), Refusal::malformed));
  CHECK(is(meeting.hear(make_refused(Refusal::full)), Refusal::malformed));
}

TEST_CASE("every refusal is one clear line") {
  for (std::uint8_t reason = 0; reason <= static_cast<std::uint8_t>(Refusal::other_peer); ++reason) {
    const std::string line = describe(static_cast<Refusal>(reason));
    CHECK(line.size() > 20);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.find(';') != std::string::npos);  // what is wrong; what to do
    for (std::uint8_t other = 0; other < reason; ++other) CHECK(line != describe(static_cast<Refusal>(other)));
  }
}

TEST_CASE("a handshake frame that is cut short, goes on or has a flipped bit introduces nobody") {
  const Meeting meeting;
  const Bytes hello = meeting.hello();
  const Bytes welcome = meeting.welcome();
  for (std::size_t length = 0; length < hello.size(); ++length) CHECK(is(meeting.hear(ByteView(hello).first(length)), Refusal::malformed));
  for (std::size_t length = 0; length < welcome.size(); ++length)
    CHECK(is(meeting.be_welcomed(ByteView(welcome).first(length)), Refusal::malformed));
  for (Bytes frame : {hello, welcome}) {
    frame.push_back(0);
    CHECK(is(meeting.hear(frame), Refusal::malformed));
    CHECK(is(meeting.be_welcomed(frame), Refusal::malformed));
  }
  CHECK(is(meeting.hear(welcome), Refusal::malformed));
  CHECK(is(meeting.be_welcomed(hello), Refusal::malformed));
  for (std::size_t bit = 0; bit < hello.size() * 8; ++bit) {
    if (bit / 8 == newest_at) continue;  // a newer peer is welcome
    Bytes frame = hello;
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const auto heard = meeting.hear(frame);
    CHECK((std::holds_alternative<Refusal>(heard) || bit / 8 == oldest_at));  // nor does an older one matter
  }
  for (std::size_t bit = 0; bit < welcome.size() * 8; ++bit) {
    Bytes frame = welcome;
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CHECK(std::holds_alternative<Refusal>(meeting.be_welcomed(frame)));
  }
}
