// The relay's two sides, each alone and together.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "coordinatorless/core/relay_service.h"
#include "coordinatorless/core/relayed_links.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// Two ends and a relay between them; what the relay sends can be looked at, changed, kept, or sent again.
struct Parlour {
  struct End {
    Identity identity;
    std::unique_ptr<RelayedLinks> links;
    std::vector<Event> events;
    explicit End(std::uint64_t number) : identity(number), links(std::make_unique<RelayedLinks>(identity.self)) {}
    [[nodiscard]] PeerId id() const { return identity.self.id; }
  };
  End alice{11};
  End bob{12};
  Identity relay_identity{13};
  RelayService relay;
  Now now = start_of_time();
  std::vector<Addressed> forwarded;                                              // everything that the relay ever sent
  std::function<bool(Addressed&)> on_the_way = [](Addressed&) { return true; };  // false: swallowed
  double charged_by_relay = 0;
  double charged_to_relay = 0;

  Parlour() {
    for (End* end : {&alice, &bob}) enter(*end);
  }
  [[nodiscard]] PeerId relay_id() const { return relay_identity.self.id; }
  [[nodiscard]] ContactRecord record(const End& end) const {
    ContactRecord record = end.identity.record(1, now.wall);
    record.relays = {relay_id()};
    return record;
  }
  void enter(End& end) {
    relay.connected(end.id());
    end.links->connected(relay_id());
    end.links->set_own_record(end.identity.sign(record(end)));
  }
  /// The process dies and comes back with nothing but its keys.
  void restart(End& end) {
    Output out;
    relay.lost(end.id(), out);
    end.links = std::make_unique<RelayedLinks>(end.identity.self);
    enter(end);
    deliver(out);
  }
  End& other(const End& end) { return &end == &alice ? bob : alice; }

  void deliver(Output& out) {
    for (Addressed& addressed : out.messages) {
      if (addressed.to == relay_id()) continue;
      forwarded.push_back(addressed);
      if (on_the_way(addressed)) to_end(addressed);
    }
  }
  void to_end(const Addressed& addressed) {
    End& end = addressed.to == alice.id() ? alice : bob;
    Output out;
    Charge charge;
    if (const auto* knock = std::get_if<Knock>(&addressed.message)) charge = end.links->on(relay_id(), *knock, now, out);
    if (const auto* frame = std::get_if<Relay>(&addressed.message)) charge = end.links->on(relay_id(), *frame, now, out);
    if (const auto* gone = std::get_if<RelayGone>(&addressed.message)) end.links->on(relay_id(), *gone);
    charged_to_relay += charge.score;
    from_end(end, out);
  }
  void from_end(End& end, Output& out) {
    for (Event& event : end.links->take_events()) end.events.push_back(std::move(event));
    for (Addressed& addressed : out.messages) {
      CHECK(addressed.to == relay_id());
      Output further;
      if (const auto* knock = std::get_if<Knock>(&addressed.message)) charged_by_relay += relay.on(end.id(), *knock, now, further).score;
      if (const auto* frame = std::get_if<Relay>(&addressed.message)) charged_by_relay += relay.on(end.id(), *frame, now, further).score;
      if (const auto* gone = std::get_if<RelayGone>(&addressed.message)) relay.on(end.id(), *gone, further);
      deliver(further);
    }
  }
  bool reach(End& end) {
    Output out;
    const bool tried = end.links->reach(record(other(end)), now, out);
    from_end(end, out);
    return tried;
  }
  void say(End& end, std::string_view text) {
    Output out;
    end.links->send(other(end).id(), to_bytes(text), now, out);
    from_end(end, out);
  }
  void pass(Duration by) {
    now = later(now, by);
    for (End* end : {&alice, &bob}) {
      Output out;
      if (end->links->next_deadline() <= now.boot) end->links->tick(now, out);
      from_end(*end, out);
    }
    Output out;
    if (relay.next_deadline() <= now.boot) relay.tick(now, out);
    deliver(out);
  }
  [[nodiscard]] bool up() const { return alice.links->carries(bob.id()) && bob.links->carries(alice.id()); }
};

template <class Kind>
std::vector<Kind> taken(std::vector<Event>& events) {
  std::vector<Kind> found;
  for (Event& event : events) {
    if (auto* match = std::get_if<Kind>(&event)) found.push_back(std::move(*match));
  }
  events.clear();
  return found;
}
std::vector<std::string> heard(Parlour::End& end) {
  std::vector<std::string> texts;
  for (const MessageReceived& message : taken<MessageReceived>(end.events)) texts.push_back(to_text(message.frame));
  return texts;
}
using Texts = std::vector<std::string>;

TEST_CASE("two peers that share a relay link up through it and talk, and the relay reads nothing") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  REQUIRE(parlour.up());
  const auto met_by_alice = taken<PeerConnected>(parlour.alice.events);
  const auto met_by_bob = taken<PeerConnected>(parlour.bob.events);
  REQUIRE(met_by_alice.size() == 1);
  REQUIRE(met_by_bob.size() == 1);
  CHECK(met_by_alice[0].peer == parlour.bob.id());
  CHECK(met_by_alice[0].key == parlour.bob.identity.crypto->public_key());
  CHECK(met_by_alice[0].outbound);
  CHECK_FALSE(met_by_bob[0].outbound);

  parlour.say(parlour.alice, "one");
  parlour.say(parlour.alice, "two");
  parlour.say(parlour.bob, "three");
  CHECK(heard(parlour.bob) == Texts{"one", "two"});
  CHECK(heard(parlour.alice) == Texts{"three"});
  for (const Addressed& addressed : parlour.forwarded) {
    if (const auto* frame = std::get_if<Relay>(&addressed.message)) CHECK(to_text(frame->sealed).find("one") == std::string::npos);
  }
  CHECK(parlour.charged_by_relay == 0);
  CHECK(parlour.charged_to_relay == 0);
}

TEST_CASE("knocks that cross end in one link") {
  for (const bool alice_first : {true, false}) {
    Parlour parlour;
    std::vector<Addressed> kept;
    parlour.on_the_way = [&](Addressed& addressed) {
      kept.push_back(addressed);
      return false;
    };
    CHECK(parlour.reach(alice_first ? parlour.alice : parlour.bob));
    CHECK(parlour.reach(alice_first ? parlour.bob : parlour.alice));
    parlour.on_the_way = [](Addressed&) { return true; };
    for (const Addressed& addressed : kept) parlour.to_end(addressed);
    REQUIRE(parlour.up());
    parlour.say(parlour.alice, "hello");
    CHECK(heard(parlour.bob) == Texts{"hello"});
    CHECK(taken<DialFailed>(parlour.alice.events).empty());
  }
}

TEST_CASE("a frame that was tampered with breaks the link and is not delivered") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  parlour.on_the_way = [](Addressed& addressed) {
    if (auto* frame = std::get_if<Relay>(&addressed.message)) frame->sealed.back() ^= 1;
    return true;
  };
  parlour.say(parlour.alice, "one");
  CHECK(heard(parlour.bob).empty());
  CHECK_FALSE(parlour.alice.links->carries(parlour.bob.id()));
  CHECK_FALSE(parlour.bob.links->carries(parlour.alice.id()));
}

TEST_CASE("a frame that is played again is refused, and the link stands") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  parlour.say(parlour.alice, "one");
  const std::vector<Addressed> recorded = parlour.forwarded;
  parlour.say(parlour.alice, "two");
  CHECK(heard(parlour.bob) == Texts{"one", "two"});
  for (const Addressed& addressed : recorded) {
    if (std::holds_alternative<Relay>(addressed.message)) parlour.to_end(addressed);
  }
  CHECK(heard(parlour.bob).empty());
  REQUIRE(parlour.up());
  parlour.say(parlour.alice, "three");
  CHECK(heard(parlour.bob) == Texts{"three"});
}

TEST_CASE("frames that come in another order than they were sent are not delivered") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  std::vector<Addressed> kept;
  parlour.on_the_way = [&](Addressed& addressed) {
    if (addressed.to != parlour.bob.id() || !std::holds_alternative<Relay>(addressed.message)) return true;
    kept.push_back(addressed);
    return false;
  };
  parlour.say(parlour.alice, "one");
  parlour.say(parlour.alice, "two");
  REQUIRE(kept.size() == 2);
  parlour.to_end(kept[1]);
  parlour.to_end(kept[0]);
  CHECK(heard(parlour.bob).empty());
  CHECK_FALSE(parlour.bob.links->carries(parlour.alice.id()));
}

TEST_CASE("a frame is not taken for one of the other direction") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  parlour.on_the_way = [&](Addressed& addressed) {
    if (auto* frame = std::get_if<Relay>(&addressed.message)) {
      std::swap(frame->from, frame->to);
      addressed.to = frame->to;
    }
    return true;
  };
  parlour.say(parlour.alice, "to bob");
  CHECK(heard(parlour.alice).empty());
  CHECK_FALSE(parlour.alice.links->carries(parlour.bob.id()));
}

TEST_CASE("a whole link that was recorded cannot be played to either end again, restarted or not") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  parlour.say(parlour.alice, "pay");
  const std::vector<Addressed> recorded = parlour.forwarded;
  CHECK(heard(parlour.bob) == Texts{"pay"});

  SUBCASE("a standing link is not replaced by a knock that proves nothing") {
    for (const Addressed& addressed : recorded) parlour.to_end(addressed);
    CHECK(heard(parlour.bob).empty());
    CHECK(parlour.up());
    parlour.say(parlour.alice, "more");
    CHECK(heard(parlour.bob) == Texts{"more"});
  }
  SUBCASE("a restarted end draws a new session") {
    parlour.restart(parlour.bob);
    for (const Addressed& addressed : recorded) {
      if (addressed.to == parlour.bob.id()) parlour.to_end(addressed);
    }
    CHECK(heard(parlour.bob).empty());
    CHECK_FALSE(parlour.bob.links->carries(parlour.alice.id()));
  }
}

TEST_CASE("no nonce is used twice by a pair of keys, over links and restarts") {
  Parlour parlour;
  std::set<std::pair<std::uint64_t, std::uint64_t>> sessions;
  std::map<PeerId, std::uint64_t> drawn;
  std::size_t links = 0;
  for (int round = 0; round < 20; ++round) {
    parlour.forwarded.clear();
    CHECK(parlour.reach(round % 2 ? parlour.alice : parlour.bob));
    REQUIRE(parlour.up());
    for (const Addressed& addressed : parlour.forwarded) {
      if (const auto* knock = std::get_if<Knock>(&addressed.message)) drawn[knock->from] = knock->session;
    }
    sessions.insert({drawn[parlour.alice.id()], drawn[parlour.bob.id()]});
    ++links;
    parlour.restart(parlour.alice);
    parlour.pass(minutes(1));
  }
  CHECK(sessions.size() == links);
}

TEST_CASE("a knock with a record that does not hold is not answered, nor charged to the relay") {
  Parlour parlour;
  const auto knock_of = [&](const ContactRecord& record, const Identity& signer) {
    return Knock{parlour.alice.id(), parlour.bob.id(), signer.sign(record), 7, false};
  };
  ContactRecord expired = parlour.record(parlour.alice);
  expired.expires = parlour.now.wall - minutes(11);
  const std::vector<Knock> knocks{
      knock_of(parlour.record(parlour.alice), parlour.bob.identity),  // signed by another
      knock_of(parlour.record(parlour.bob), parlour.bob.identity),    // another's record
      knock_of(expired, parlour.alice.identity),
      {parlour.alice.id(), parlour.bob.id(), {Bytes{1, 2, 3}, {}}, 7, false},
  };
  for (const Knock& knock : knocks) {
    Output out;
    CHECK_FALSE(parlour.bob.links->on(parlour.relay_id(), knock, parlour.now, out));
    CHECK(out.messages.empty());
  }
}

TEST_CASE("when the relay, the other end or its word is gone, the link is lost and may be reached again") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  REQUIRE(parlour.up());
  SUBCASE("the other end restarts") {
    parlour.restart(parlour.bob);
    CHECK(taken<PeerLost>(parlour.alice.events).size() == 1);
    CHECK(parlour.reach(parlour.bob));
    CHECK(parlour.up());
  }
  SUBCASE("the other end hangs up") {
    Output out;
    parlour.bob.links->drop(parlour.alice.id(), out);
    parlour.from_end(parlour.bob, out);
    CHECK(taken<PeerLost>(parlour.alice.events).size() == 1);
    CHECK(taken<PeerLost>(parlour.bob.events).size() == 1);
    CHECK(parlour.reach(parlour.alice));
    CHECK(parlour.up());
  }
  SUBCASE("the link to the relay breaks") {
    parlour.alice.links->lost(parlour.relay_id(), parlour.now);
    Output out;
    parlour.from_end(parlour.alice, out);
    parlour.relay.lost(parlour.alice.id(), out);
    parlour.deliver(out);
    CHECK(taken<PeerLost>(parlour.alice.events).size() == 1);
    CHECK(taken<PeerLost>(parlour.bob.events).size() == 1);
    CHECK_FALSE(parlour.reach(parlour.alice));
  }
}

TEST_CASE("an end that forgot a link and knocks again replaces it, and the other hears of both") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  parlour.alice.events.clear();
  parlour.bob.links = std::make_unique<RelayedLinks>(parlour.bob.identity.self);  // before the relay noticed anything
  parlour.bob.links->connected(parlour.relay_id());
  parlour.bob.links->set_own_record(parlour.bob.identity.sign(parlour.record(parlour.bob)));
  CHECK(parlour.reach(parlour.bob));
  REQUIRE(parlour.up());
  REQUIRE(parlour.alice.events.size() == 2);
  CHECK(std::holds_alternative<PeerLost>(parlour.alice.events[0]));
  CHECK(std::holds_alternative<PeerConnected>(parlour.alice.events[1]));
  parlour.say(parlour.alice, "again");
  CHECK(heard(parlour.bob) == Texts{"again"});
}

TEST_CASE("a call that nobody answers fails: at once where the relay knows better, else after a time") {
  Parlour parlour;
  SUBCASE("not there") {
    Output out;
    parlour.relay.lost(parlour.bob.id(), out);
    CHECK(parlour.reach(parlour.alice));
    CHECK(taken<DialFailed>(parlour.alice.events).size() == 1);
  }
  SUBCASE("silent") {
    parlour.on_the_way = [&](Addressed& addressed) { return addressed.to != parlour.bob.id(); };
    CHECK(parlour.reach(parlour.alice));
    CHECK_FALSE(parlour.reach(parlour.alice));
    parlour.pass(limits::dial_timeout);
    CHECK(taken<DialFailed>(parlour.alice.events).size() == 1);
    CHECK(parlour.relay.pairs() <= 1);
  }
}

TEST_CASE("a link that one side uses stays up; one that nobody uses ends") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  for (int i = 0; i < 40; ++i) {
    if (i % 2 == 0) parlour.say(parlour.alice, "still here");
    parlour.pass(seconds(15));
  }
  CHECK(parlour.up());
  CHECK(heard(parlour.bob).size() == 20);
  for (int i = 0; i < 14; ++i) parlour.pass(seconds(15));
  CHECK_FALSE(parlour.alice.links->carries(parlour.bob.id()));
  CHECK_FALSE(parlour.bob.links->carries(parlour.alice.id()));
  CHECK(parlour.relay.pairs() == 0);
  CHECK(parlour.alice.links->next_deadline() == never);
}

TEST_CASE("an honest end that sends far more than the quota is slowed down, and everything arrives in order") {
  Parlour parlour;
  CHECK(parlour.reach(parlour.alice));
  Texts sent;
  for (int i = 0; i < 30; ++i) {
    sent.push_back(std::to_string(i) + std::string(100 << 10, 'x'));
    parlour.say(parlour.alice, sent.back());
  }
  Texts arrived;
  int waits = 0;
  for (; arrived.size() < sent.size() && waits < 1000; ++waits) {
    for (std::string& text : heard(parlour.bob)) arrived.push_back(std::move(text));
    parlour.pass(std::chrono::milliseconds(100));
  }
  CHECK(arrived == sent);
  CHECK(waits > 80);  // 2 MB beyond the burst, at 192 KiB a second
  CHECK(parlour.up());
  CHECK(parlour.charged_by_relay == 0);

  SUBCASE("beyond what may wait, the link breaks") {
    for (int i = 0; i < 60; ++i) parlour.say(parlour.alice, sent[0]);
    CHECK_FALSE(parlour.up());
    CHECK(taken<PeerLost>(parlour.alice.events).size() == 1);
  }
}

// --- The relay alone ---

struct Exchange {
  RelayService relay;
  Output out;
  Now now = start_of_time();
  static PeerId peer(std::uint8_t number) {
    PeerId id;
    id.bytes[0] = number;
    return id;
  }
  explicit Exchange(int count) {
    for (int i = 1; i <= count; ++i) relay.connected(peer(static_cast<std::uint8_t>(i)));
  }
  Charge knock(std::uint8_t from, std::uint8_t to, bool answer = false) {
    return relay.on(peer(from), Knock{peer(from), peer(to), {Bytes(200), {}}, 1, answer}, now, out);
  }
  Charge frame(std::uint8_t from, std::uint8_t to, std::size_t bytes) {
    return relay.on(peer(from), Relay{peer(from), peer(to), 0, Bytes(bytes)}, now, out);
  }
  template <class Kind>
  std::size_t count() {
    const std::size_t found = messages<Kind>(out).size();
    out = {};
    return found;
  }
};

TEST_CASE("the relay forwards only what comes from its sender's own link, between peers that have knocked and answered") {
  Exchange exchange(3);
  CHECK(exchange.relay.on(exchange.peer(1), Knock{exchange.peer(2), exchange.peer(3), {}, 1, false}, exchange.now, exchange.out).score ==
        charges::forged.score);
  CHECK(exchange.relay.on(exchange.peer(1), Relay{exchange.peer(2), exchange.peer(3), 0, {}}, exchange.now, exchange.out).score ==
        charges::forged.score);
  CHECK(exchange.out.messages.empty());

  CHECK_FALSE(exchange.frame(1, 2, 10));
  CHECK(messages<Relay>(exchange.out).empty());
  CHECK(exchange.count<RelayGone>() == 1);

  CHECK_FALSE(exchange.knock(1, 2));
  CHECK(exchange.count<Knock>() == 1);
  CHECK_FALSE(exchange.frame(1, 2, 10));
  CHECK(exchange.knock(1, 2, true).score == charges::unasked.score);  // nobody answers its own knock
  CHECK(exchange.out.messages.empty());
  CHECK_FALSE(exchange.knock(2, 1, true));
  CHECK_FALSE(exchange.frame(1, 2, 10));
  CHECK_FALSE(exchange.frame(2, 1, 10));
  CHECK(exchange.count<Relay>() == 2);

  CHECK_FALSE(exchange.knock(1, 9));  // not linked
  CHECK(exchange.count<RelayGone>() == 1);
  CHECK_FALSE(exchange.frame(9, 1, 10));
  CHECK(exchange.out.messages.empty());
}

TEST_CASE("beyond its quota a pair ends, and knocking anew does not refill it") {
  Exchange exchange(2);
  const auto pair_up = [&] {
    CHECK_FALSE(exchange.knock(1, 2));
    CHECK_FALSE(exchange.knock(2, 1, true));
  };
  pair_up();
  std::size_t passed = 0;
  while (!exchange.frame(1, 2, 100'000)) ++passed;
  CHECK(passed == 20);
  CHECK(exchange.count<RelayGone>() == 2);
  exchange.relay.on(exchange.peer(2), RelayGone{exchange.peer(1)}, exchange.out);  // said already
  CHECK(exchange.out.messages.empty());
  // Hardly anything is left of the quota: 2 MiB less 20 frames and the knock.
  pair_up();
  CHECK(exchange.frame(1, 2, 100'000).score == charges::hasty.score);
  exchange.now = later(exchange.now, seconds(4));
  pair_up();
  passed = 0;
  while (!exchange.frame(1, 2, 100'000)) ++passed;
  CHECK(passed == 11);  // four seconds' worth, and what was left
  exchange.now = later(exchange.now, seconds(10));
  exchange.relay.tick(exchange.now, exchange.out);
  CHECK(exchange.relay.pairs() == 0);
  CHECK(exchange.relay.next_deadline() == never);
}

TEST_CASE("pairs are bounded, in all and by peer, and unanswered ones make room") {
  Exchange exchange(200);
  for (std::uint8_t to = 2; to < 40; ++to) {
    exchange.now = later(exchange.now, std::chrono::milliseconds(200));
    (void)exchange.knock(1, to);
  }
  CHECK(exchange.relay.pairs() == limits::relay_pairs_per_peer);
  for (std::uint8_t from = 50; from < 190; from += 2) (void)exchange.knock(from, static_cast<std::uint8_t>(from + 1));
  CHECK(exchange.relay.pairs() == limits::relay_pairs_max);
  exchange.now = later(exchange.now, limits::dial_timeout);
  exchange.relay.tick(exchange.now, exchange.out);
  CHECK(exchange.relay.pairs() == 0);
}

TEST_CASE("one peer's knocks are bounded, however many it names") {
  Exchange exchange(4);
  double charged = 0;
  for (int i = 0; i < 40; ++i) charged += exchange.knock(1, static_cast<std::uint8_t>(2 + i % 3)).score;
  CHECK(exchange.count<Knock>() == static_cast<std::size_t>(limits::knocks_sent_burst));
  CHECK(charged == 8 * charges::hasty.score);
}

}  // namespace
}  // namespace dugnad::core::test
