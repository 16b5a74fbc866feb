#include "coordinatorless/core/outbox.h"

#include <doctest/doctest.h>

#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;

namespace {

/// A driver with one queue of bounded length; it refuses as the contract says.
struct Wire {
  Outbox outbox;
  Now now = start_of_time();
  std::size_t room = 0;
  std::vector<Bytes> sent;
  bool disconnected = false;

  void settle(Output out) {
    while (!out.effects.empty()) {
      std::vector<SendMessage> refused;
      for (auto& effect : out.effects) {
        if (std::holds_alternative<Disconnect>(effect)) disconnected = true;
        auto* send = std::get_if<SendMessage>(&effect);
        if (send == nullptr) continue;
        if (room == 0 || !refused.empty()) {
          refused.push_back(std::move(*send));
        } else {
          --room;
          sent.push_back(std::move(send->frame));
        }
      }
      out.effects.clear();
      for (auto& frame : refused) outbox.refused(frame.to, std::move(frame.frame), now, out);
    }
  }
  void send(const PeerId& to, Bytes frame) {
    Output out;
    outbox.send(to, std::move(frame), out);
    settle(std::move(out));
  }
  void advance(Duration by) {
    now = later(now, by);
    Output out;
    outbox.tick(now, out);
    settle(std::move(out));
  }
};

const PeerId somebody{{1}};
const PeerId other{{2}};

Bytes numbered(std::uint32_t n) { return {static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n >> 16)}; }

}  // namespace

TEST_CASE("frames pass straight through while nothing is refused") {
  Wire wire;
  wire.room = 3;
  for (std::uint32_t i = 0; i < 3; ++i) wire.send(somebody, numbered(i));
  CHECK(wire.sent == std::vector<Bytes>{numbered(0), numbered(1), numbered(2)});
  CHECK(wire.outbox.next_deadline() == never);
}

TEST_CASE("what is refused, and what is sent meanwhile, arrives in order under any sequence of refusals") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto generator = Generator::from_seed(seed);
    Wire wire;
    std::uint32_t next = 0;
    for (int step = 0; step < 200; ++step) {
      wire.room = generator.below(4);
      if (generator.chance(0.6)) wire.send(somebody, numbered(next++));
      else wire.advance(std::chrono::milliseconds(generator.below(20)));
    }
    wire.room = 1000;
    wire.advance(std::chrono::seconds(1));
    wire.advance(std::chrono::seconds(1));
    wire.advance(std::chrono::seconds(1));
    REQUIRE(wire.sent.size() == next);
    for (std::uint32_t i = 0; i < next; ++i) REQUIRE(wire.sent[i] == numbered(i));
    CHECK_FALSE(wire.outbox.is_blocked(somebody));
    CHECK(wire.outbox.next_deadline() == never);
  }
}

TEST_CASE("a peer that takes nothing is tried ever more seldom, up to a tenth of a second") {
  Wire wire;
  wire.send(somebody, numbered(1));
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    const Duration wait = wire.outbox.next_deadline() - wire.now.boot;
    waits.push_back(wait);
    wire.advance(wait);
  }
  CHECK(waits.front() == limits::outbox_retry);
  CHECK(waits.back() == limits::outbox_retry_most);
  CHECK(std::is_sorted(waits.begin(), waits.end()));
}

TEST_CASE("one peer's full queue holds up nobody else") {
  Wire wire;
  wire.send(somebody, numbered(1));
  wire.room = 1;
  wire.send(other, numbered(2));
  CHECK(wire.sent == std::vector<Bytes>{numbered(2)});
  CHECK(wire.outbox.is_blocked(somebody));
}

TEST_CASE("more waiting than the limit breaks the link, and frees what waited") {
  Wire wire;
  const Bytes large(limits::message_bytes_max);
  for (int i = 0; i < 4; ++i) wire.send(somebody, large);
  CHECK_FALSE(wire.disconnected);
  CHECK(wire.outbox.bytes_waiting(somebody) == 4 * large.size());
  wire.send(somebody, large);
  CHECK(wire.disconnected);
  CHECK(wire.outbox.bytes_waiting(somebody) == 0);
  wire.room = 10;
  wire.send(somebody, large);
  CHECK(wire.sent.empty());
  wire.outbox.lost(somebody);
  wire.send(somebody, numbered(7));
  CHECK(wire.sent == std::vector<Bytes>{numbered(7)});
}
