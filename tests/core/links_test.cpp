#include "coordinatorless/core/links.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using namespace std::chrono_literals;

namespace {

struct Bench {
  Identity me;
  Links links;
  Now now = start_of_time();
  Output out;

  explicit Bench(std::optional<Endpoint> endpoint = {}) : me(1, endpoint), links(me.self) {}

  void connect(const Identity& peer, bool outbound, std::optional<Endpoint> seen_at) {
    links.connected({peer.self.id, peer.crypto->public_key(), peer.crypto->curve_key(), seen_at, outbound}, now, out);
  }
  bool want(const Identity& peer, Purpose purpose) {
    return links.want({peer.self.id, peer.crypto->curve_key(), *peer.self.endpoint}, purpose, now, out);
  }
  void advance(Duration by) {
    now = later(now, by);
    links.tick(now, out);
  }
  /// Forgets and gives what came out.
  Output take() { return std::exchange(out, {}); }
  std::optional<Route> route(std::string_view endpoint, const PeerId& told_by) {
    auto record = Identity(99, at(endpoint)).record(1, now.wall);
    return links.route(record, told_by);
  }
};

Contact contact_of(const Identity& peer) { return {peer.self.endpoint->text(), peer.self.id, peer.crypto->curve_key()}; }

}  // namespace

TEST_CASE("a joined contact is dialled for ever, ever more seldom, and at any address") {
  Bench bench;
  const Identity peer(2, loopback(4210));
  bench.links.join(contact_of(peer), bench.now, bench.out);
  std::vector<Duration> gaps;
  BootTime last = bench.now.boot;
  REQUIRE(all<Dial>(bench.take()).size() == 1);
  for (int dial = 0; dial < 15; ++dial) {
    bench.links.dial_failed(peer.self.id, bench.now);
    while (all<Dial>(bench.out).empty()) {
      REQUIRE(bench.links.next_deadline() != never);
      bench.advance(std::max<Duration>(bench.links.next_deadline() - bench.now.boot, 1ms));
    }
    gaps.push_back(bench.now.boot - last);
    last = bench.now.boot;
    CHECK(all<Dial>(bench.take()).front().endpoint == *peer.self.endpoint);
  }
  CHECK(gaps.front() <= 1.5 * limits::dial_retry_first);
  CHECK(gaps.front() >= 0.5 * limits::dial_retry_first);
  for (const Duration gap : gaps) CHECK(gap <= 1.5 * limits::dial_retry_most);
  CHECK(gaps.back() >= 0.5 * limits::dial_retry_most);
}

TEST_CASE("our own contact, and one that is no address, are not dialled") {
  Bench bench(loopback(1));
  bench.links.join(contact_of(bench.me), bench.now, bench.out);
  bench.links.join({"host.example:4210", PeerId{{7}}, {}}, bench.now, bench.out);
  CHECK(bench.out.effects.empty());
}

TEST_CASE("two dials that cross are one link") {
  Bench bench;
  const Identity peer(2, far_away(1));
  REQUIRE(bench.want(peer, Purpose::overlay));
  bench.connect(peer, false, far_away(1));
  CHECK(bench.links.is_up(peer.self.id));
  bench.connect(peer, true, far_away(1));
  CHECK(bench.links.count() == 1);
  CHECK(bench.links.find(peer.self.id)->outbound);
  bench.links.dial_failed(peer.self.id, bench.now);
  CHECK(bench.links.is_up(peer.self.id));
  CHECK(bench.links.purposes_of(peer.self.id).has(Purpose::overlay));
  CHECK(bench.links.lost(peer.self.id, bench.now).has_value());
  CHECK_FALSE(bench.links.lost(peer.self.id, bench.now).has_value());
  CHECK(bench.links.count() == 0);
}

TEST_CASE("a gossiped loopback or private address needs a teller from there, or an endpoint of ours of that kind") {
  const Identity near(2), lan(3), far(4);
  Bench hidden;
  hidden.connect(near, true, loopback(4210));
  hidden.connect(lan, false, at("192.168.1.7:1"));
  hidden.connect(far, true, far_away(1));
  CHECK(hidden.route("127.0.0.1:22", near.self.id));
  CHECK_FALSE(hidden.route("127.0.0.1:22", lan.self.id));
  CHECK_FALSE(hidden.route("127.0.0.1:22", far.self.id));
  CHECK_FALSE(hidden.route("127.0.0.1:22", PeerId{{9}}));
  CHECK(hidden.route("192.168.1.9:80", lan.self.id));
  CHECK(hidden.route("192.168.1.9:80", near.self.id));
  CHECK_FALSE(hidden.route("10.0.0.1:80", far.self.id));
  CHECK(hidden.route("8.8.8.8:4210", far.self.id));
  for (const char* never_dialled : {"224.0.0.1:4210", "255.255.255.255:4210", "0.0.0.0:4210", "[ff02::1]:4210", "[::]:4210"}) {
    CHECK_FALSE(hidden.route(never_dialled, near.self.id));
  }
  Bench local(at("10.1.1.1:4210"));
  CHECK(local.route("10.1.1.2:4210", far.self.id));
  CHECK_FALSE(local.route("127.0.0.1:4210", far.self.id));
}

TEST_CASE("records that name a stranger's address bring the stranger a bounded number of dials") {
  Bench bench;
  std::size_t dials = 0;
  std::vector<std::unique_ptr<Identity>> invented;
  for (unsigned i = 0; i < 400; ++i) {
    invented.push_back(std::make_unique<Identity>(1000 + i, at("203.0.113." + std::to_string(1 + i % 250) + ":443")));
  }
  const int minutes = 5;
  for (int second = 0; second < 60 * minutes; ++second) {
    for (int i = 0; i < 4; ++i) (void)bench.want(*invented[static_cast<std::size_t>(second * 4 + i) % invented.size()], Purpose::job);
    for (const auto& dial : all<Dial>(bench.out)) {
      ++dials;
      bench.links.dial_failed(dial.peer, bench.now);
    }
    bench.take();
    bench.advance(1s);
  }
  CHECK(dials > 0);
  CHECK(dials <= limits::dials_per_group_per_minute * (minutes + 1));
}

TEST_CASE("no more dials are under way at once than the limit, and every wanted peer is dialled in the end") {
  Bench bench;
  std::vector<std::unique_ptr<Identity>> peers;
  for (unsigned i = 0; i < 100; ++i) {
    peers.push_back(std::make_unique<Identity>(100 + i, far_away(i)));
    REQUIRE(bench.want(*peers.back(), Purpose::job));
  }
  std::set<PeerId> dialled, pending;
  for (int round = 0; round < 100 && dialled.size() < peers.size(); ++round) {
    for (const auto& dial : all<Dial>(bench.take())) {
      dialled.insert(dial.peer);
      pending.insert(dial.peer);
    }
    REQUIRE(pending.size() <= limits::dials_pending_max);
    for (const auto& peer : peers) {
      if (pending.erase(peer->self.id) != 0) bench.connect(*peer, true, peer->self.endpoint);
    }
    bench.advance(1ms);
  }
  CHECK(dialled.size() == peers.size());
  CHECK(bench.links.count(Purpose::job) == peers.size());
}

TEST_CASE("a dial of which the driver says nothing is given up") {
  Bench bench;
  const Identity peer(2, far_away(1));
  REQUIRE(bench.want(peer, Purpose::overlay));
  bench.advance(limits::dial_timeout);
  CHECK(bench.links.is_dialling(peer.self.id));
  bench.advance(limits::dial_timeout + 1s);
  CHECK_FALSE(bench.links.is_dialling(peer.self.id));
  CHECK(bench.links.count(Purpose::overlay) == 0);
}

TEST_CASE("a link that we dialled and need no more is dropped after a while, unless somebody needs it again") {
  Bench bench;
  const Identity peer(2, far_away(1));
  REQUIRE(bench.want(peer, Purpose::feeler));
  bench.connect(peer, true, far_away(1));
  bench.links.drop(peer.self.id, Purpose::feeler, bench.now);
  bench.advance(1s);
  REQUIRE(bench.links.hold(peer.self.id, Purpose::job));
  bench.advance(1h);
  CHECK(all<Disconnect>(bench.out).empty());
  bench.links.drop(peer.self.id, Purpose::job, bench.now);
  bench.advance(limits::unneeded_linger + 1ms);
  REQUIRE(all<Disconnect>(bench.out).size() == 1);
  CHECK_FALSE(bench.links.is_up(peer.self.id));
  CHECK(bench.links.lost(peer.self.id, bench.now).has_value());
}

TEST_CASE("a flood of inbound links cannot push out those that serve a job nor the ones that were there first") {
  Bench bench;
  std::vector<std::unique_ptr<Identity>> old, donors, flood;
  for (unsigned i = 0; i < 10; ++i) {
    old.push_back(std::make_unique<Identity>(100 + i));
    bench.connect(*old.back(), false, far_away(i));
  }
  for (unsigned i = 0; i < 10; ++i) {
    donors.push_back(std::make_unique<Identity>(200 + i));
    bench.connect(*donors.back(), false, at("198.51.100.1:1"));
    REQUIRE(bench.links.hold(donors.back()->self.id, Purpose::job));
  }
  bench.advance(1min);
  std::size_t most = 0;
  for (unsigned i = 0; i < 300; ++i) {
    flood.push_back(std::make_unique<Identity>(1000 + i));
    bench.connect(*flood.back(), false, at("198.51.100.1:1"));
    bench.advance(500ms);
    for (const auto& gone : all<Disconnect>(bench.take())) bench.links.lost(gone.peer, bench.now);
    most = std::max(most, bench.links.count());
  }
  bench.advance(limits::inbound_settle);
  for (const auto& peer : old) CHECK(bench.links.is_up(peer->self.id));
  for (const auto& peer : donors) CHECK(bench.links.is_up(peer->self.id));
  CHECK(bench.links.count() <= donors.size() + limits::overlay_inbound_max);
  CHECK(most <= donors.size() + limits::overlay_inbound_max + 21);  // and those of the last ten seconds
}

TEST_CASE("the budget of job links is kept, and the total is bounded at once") {
  Bench bench;
  std::vector<std::unique_ptr<Identity>> peers;
  for (unsigned i = 0; i < 1100; ++i) {
    peers.push_back(std::make_unique<Identity>(1000 + i));
    bench.connect(*peers.back(), false, far_away(i));
    (void)bench.links.hold(peers.back()->self.id, Purpose::job);
  }
  CHECK(bench.links.count(Purpose::job) == limits::job_links_max);
  CHECK(bench.links.count() <= limits::job_links_max + limits::overlay_inbound_max + limits::overlay_outbound);
}

TEST_CASE("a banned peer is disconnected and not dialled until the ban is over") {
  Bench bench;
  const Identity peer(2, loopback(4210));
  bench.links.join(contact_of(peer), bench.now, bench.out);
  bench.connect(peer, true, peer.self.endpoint);
  bench.take();
  bench.links.ban(peer.self.id, bench.now.boot + limits::ban_time, bench.out);
  REQUIRE(all<Disconnect>(bench.out).size() == 1);
  CHECK(all<Disconnect>(bench.take()).front().ban_until == bench.now.boot + limits::ban_time);
  CHECK(bench.links.is_banned(peer.self.id, bench.now));
  bench.links.lost(peer.self.id, bench.now);
  bench.advance(limits::ban_time - 1s);
  CHECK(all<Dial>(bench.out).empty());
  bench.advance(1h);
  CHECK(all<Dial>(bench.out).size() == 1);
}

TEST_CASE("a link over which work went is dialled again soon, however often it breaks") {
  Bench bench;
  const Identity peer(2, far_away(1));
  REQUIRE(bench.want(peer, Purpose::job));
  for (int i = 0; i < 10; ++i) {
    bench.connect(peer, true, peer.self.endpoint);
    bench.advance(1s);
    bench.links.useful(peer.self.id, bench.now);
    REQUIRE(bench.links.lost(peer.self.id, bench.now).has_value());
    (void)bench.take();
    bench.advance(limits::dial_retry_first * 3 / 2);
    REQUIRE(all<Dial>(bench.take()).size() == 1);
  }
}
