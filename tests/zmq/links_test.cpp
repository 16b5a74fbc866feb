#include "coordinatorless/zmq/links.h"

#include <doctest/doctest.h>

#include "coordinatorless/zmq/flood_watch.h"

namespace dugnad::zmq {
namespace {

PeerId peer(std::uint8_t number) {
  PeerId id;
  id.bytes[0] = number;
  return id;
}
core::PeerConnected facts(std::uint8_t number, bool outbound) {
  return {.peer = peer(number), .key = {}, .curve = {}, .seen_at = {}, .outbound = outbound};
}
BootTime at(int seconds) { return BootTime(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("the second link to a peer is silent, and the end of either is a loss and a new beginning") {
  Links links;
  std::vector<core::Event> events;
  const LinkName in{.outbound = false, .serial = 1}, out{.outbound = true, .serial = 1};
  links.up(in, facts(1, false), events);
  links.up(out, facts(1, true), events);
  REQUIRE(events.size() == 1);
  CHECK(*links.best(peer(1)) == in);

  events.clear();
  links.down(in, peer(1), events);
  REQUIRE(events.size() == 2);
  CHECK(std::get<core::PeerLost>(events[0]).peer == peer(1));
  CHECK(std::get<core::PeerConnected>(events[1]).outbound);
  CHECK(*links.best(peer(1)) == out);

  events.clear();
  links.down(in, peer(1), events);
  CHECK(events.empty());
  links.down(out, peer(1), events);
  REQUIRE(events.size() == 1);
  CHECK(std::holds_alternative<core::PeerLost>(events[0]));
  CHECK(links.best(peer(1)) == nullptr);
  CHECK(links.peers() == 0);
}

TEST_CASE("dropping a peer drops all its links and is one loss") {
  Links links;
  std::vector<core::Event> events;
  links.up({.outbound = false, .serial = 1}, facts(1, false), events);
  links.up({.outbound = true, .serial = 1}, facts(1, true), events);
  links.up({.outbound = true, .serial = 2}, facts(2, true), events);
  events.clear();
  CHECK(links.drop(peer(1), events).size() == 2);
  CHECK(events.size() == 1);
  CHECK(links.best(peer(1)) == nullptr);
  CHECK(links.best(peer(2)) != nullptr);
}

TEST_CASE("a ban lasts as long as it says, and their number is bounded") {
  Links links;
  links.ban(peer(1), at(10), at(0));
  CHECK(links.banned(peer(1), at(9)));
  CHECK_FALSE(links.banned(peer(1), at(10)));
  CHECK_FALSE(links.banned(peer(2), at(0)));
  const auto nth = [](std::size_t number) {
    PeerId id = peer(3);
    id.bytes[1] = static_cast<std::uint8_t>(number);
    id.bytes[2] = static_cast<std::uint8_t>(number >> 8);
    return id;
  };
  for (std::size_t i = 0; i <= core::limits::bans_max; ++i) links.ban(nth(i), at(100), at(0));
  std::size_t held = 0;
  for (std::size_t i = 0; i <= core::limits::bans_max; ++i) held += links.banned(nth(i), at(1));
  CHECK(held < core::limits::bans_max);
  // Those that are over make room.
  links.ban(nth(core::limits::bans_max + 5), at(300), at(200));
  CHECK(links.banned(nth(core::limits::bans_max + 5), at(201)));
}

TEST_CASE("only what is held back beyond one frame and the kernel's buffer, with nothing delivered, is a flood") {
  FloodWatch watch(at(0));
  const std::uint64_t much = FloodWatch::undelivered_max + (1 << 20);
  watch.delivered(300);
  CHECK_FALSE(watch.flooding(much, true, at(1)));  // it delivered since the last look
  CHECK(watch.flooding(much, true, at(2)));

  SUBCASE("a steady sender is none, however much it sends") {
    FloodWatch steady(at(0));
    std::uint64_t received = 0;
    for (int second = 1; second < 1000; ++second) {
      for (int frame = 0; frame < 100; ++frame) steady.delivered(1 << 20);
      received += 100 * ((1 << 20) + FloodWatch::frame_overhead);
      REQUIRE_FALSE(steady.flooding(received, true, at(second)));
    }
  }
  SUBCASE("heartbeats alone are none, even after a year") {
    FloodWatch idle(at(0));
    const int year = 365 * 24 * 3600;
    CHECK_FALSE(idle.flooding(year / 15 * 200ULL, true, at(year)));
  }
  SUBCASE("many small frames earn no credit for a later flood") {
    FloodWatch sly(at(0));
    for (int i = 0; i < 1'000'000; ++i) sly.delivered(1);
    CHECK_FALSE(sly.flooding(36'000'000, true, at(1)));
    CHECK_FALSE(sly.flooding(36'000'000, true, at(2)));
    CHECK(sly.flooding(36'000'000 + much, true, at(3)));
  }
  SUBCASE("before the introduction little is allowed") {
    FloodWatch stranger(at(0));
    CHECK_FALSE(stranger.flooding(1000, false, at(1)));
    CHECK(stranger.flooding(FloodWatch::hello_bytes_max + 1, false, at(1)));
  }
}

}  // namespace dugnad::zmq
