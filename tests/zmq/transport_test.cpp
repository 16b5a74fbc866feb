#include "tests/zmq/swarm.h"

namespace dugnad::zmq {

TEST_CASE("two peers introduce each other, and frames go both ways") {
  End listener, dialler(false);
  dialler.dial(listener);
  REQUIRE(until({&listener, &dialler}, [&] { return listener.count<core::PeerConnected>() == 1 && dialler.count<core::PeerConnected>() == 1; }));

  const auto seen = listener.all<core::PeerConnected>().front();
  CHECK(seen.peer == dialler.id());
  CHECK(seen.key == dialler.crypto->public_key());
  CHECK(seen.curve == dialler.crypto->curve_key());
  CHECK_FALSE(seen.outbound);
  REQUIRE(seen.seen_at.has_value());
  CHECK(seen.seen_at->ip == loopback().ip);
  const auto dialled = dialler.all<core::PeerConnected>().front();
  CHECK(dialled.peer == listener.id());
  CHECK(dialled.key == listener.crypto->public_key());
  CHECK(dialled.outbound);
  CHECK(dialled.seen_at == listener.transport->bound());

  CHECK(dialler.transport->send(listener.id(), numbered(1)));
  CHECK(listener.transport->send(dialler.id(), numbered(2, core::limits::message_bytes_max)));
  REQUIRE(until({&listener, &dialler}, [&] { return listener.count<core::MessageReceived>() == 1 && dialler.count<core::MessageReceived>() == 1; }));
  CHECK(listener.all<core::MessageReceived>().front().from == dialler.id());
  CHECK(listener.all<core::MessageReceived>().front().frame == numbered(1));
  CHECK(dialler.all<core::MessageReceived>().front().frame == numbered(2, core::limits::message_bytes_max));
}

TEST_CASE("a peer of another swarm is refused, with the reason") {
  End listener, stranger(false, "another");
  stranger.dial(listener);
  REQUIRE(until({&listener, &stranger}, [&] { return stranger.count<core::DialFailed>() == 1; }));
  CHECK(stranger.failure() == listener.transport->bound()->text() + ": " + core::describe(core::Refusal::other_swarm));
  CHECK(listener.count<core::PeerConnected>() == 0);
  CHECK(listener.transport->counters().introductions_refused == 1);
}

TEST_CASE("a contact with another's peer id leads to no link") {
  End listener, dialler(false);
  auto contact = listener.contact();
  contact.peer = End(false).id();
  dialler.dial(contact);
  REQUIRE(until({&listener, &dialler}, [&] { return dialler.count<core::DialFailed>() == 1; }));
  CHECK(dialler.all<core::DialFailed>().front().peer == contact.peer);
  CHECK(dialler.failure() == listener.transport->bound()->text() + ": " + core::describe(core::Refusal::other_peer));
  CHECK(dialler.count<core::PeerConnected>() == 0);
  // The listener saw an honest HELLO; the dialler hung up.
  CHECK(until({&listener, &dialler}, [&] { return listener.count<core::PeerLost>() == listener.count<core::PeerConnected>(); }));
}

TEST_CASE("a contact with another's CURVE key leads to no link, soon") {
  End listener, dialler(false);
  auto contact = listener.contact();
  contact.curve = dialler.crypto->curve_key();
  dialler.dial(contact);
  REQUIRE(until({&listener, &dialler}, [&] { return dialler.count<core::DialFailed>() == 1; }));
  CHECK(dialler.failure() == contact.endpoint.text() + " is not the peer that the contact names, or no peer at all");
  CHECK(listener.count<core::PeerConnected>() == 0);
}

TEST_CASE("who dials itself is told so") {
  End self;
  self.dial(self);
  REQUIRE(until({&self}, [&] { return self.count<core::DialFailed>() == 1; }));
  CHECK(self.failure() == self.transport->bound()->text() + ": " + core::describe(core::Refusal::self));
}

TEST_CASE("nobody at the port is noticed soon") {
  End dialler(false);
  core::Dial contact;
  {
    End gone;
    contact = gone.contact();
  }
  dialler.dial(contact);
  REQUIRE(until({&dialler}, [&] { return dialler.count<core::DialFailed>() == 1; }, std::chrono::seconds(2)));
  CHECK(dialler.failure() == "cannot reach " + contact.endpoint.text());
  CHECK(dialler.transport->counters().dials == 0);

  SUBCASE("and it can be dialled again") {
    dialler.dial(contact);
    CHECK(until({&dialler}, [&] { return dialler.count<core::DialFailed>() == 2; }, std::chrono::seconds(2)));
  }
}

TEST_CASE("a port in use is one clear line, unless there is another choice") {
  End first;
  const SecretKeys keys = fresh_keys();
  const auto crypto = make_sodium(keys);
  const auto taken = *first.transport->bound();
  const auto refused = Transport::open({.swarm = {}, .keys = keys, .listen = {taken}}, *crypto);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "cannot listen on tcp://" + taken.text() + ": Address already in use");

  const auto opened = Transport::open({.swarm = {}, .keys = keys, .listen = {taken, loopback()}}, *crypto);
  REQUIRE(opened.ok());
  CHECK((*opened)->bound()->port != taken.port);
}

TEST_CASE("a peer that goes is reported lost on the other side, after its last words") {
  End listener;
  auto other = std::make_unique<End>();
  SUBCASE("where it had dialled") {
    other->dial(listener);
  }
  SUBCASE("where it was dialled") {
    listener.dial(*other);
  }
  REQUIRE(until({&listener, other.get()}, [&] { return listener.count<core::PeerConnected>() == 1 && other->count<core::PeerConnected>() == 1; }));
  listener.events.clear();

  for (std::uint32_t i = 0; i < 50; ++i) REQUIRE(other->transport->send(listener.id(), numbered(i)));
  other->transport->linger(std::chrono::seconds(2));
  const PeerId id = other->id();
  other.reset();
  REQUIRE(until({&listener}, [&] { return listener.count<core::PeerLost>() == 1; }));
  CHECK(listener.count<core::MessageReceived>() == 50);
  CHECK(std::get<core::PeerLost>(listener.events.back()).peer == id);
  CHECK_FALSE(listener.transport->send(id, numbered(0)));
  CHECK(listener.transport->counters().peers == 0);
  CHECK(listener.transport->counters().connections == 0);
  CHECK(listener.transport->counters().dials == 0);
}

TEST_CASE("a link can be dropped, and a banned peer is refused until its time is over") {
  End listener, dialler(false);
  dialler.dial(listener);
  REQUIRE(until({&listener, &dialler}, [&] { return listener.count<core::PeerConnected>() == 1 && dialler.count<core::PeerConnected>() == 1; }));

  SUBCASE("the dialler drops it") {
    dialler.transport->disconnect({.peer = listener.id()}, read_clocks());
    CHECK(until({&listener, &dialler}, [&] { return listener.count<core::PeerLost>() == 1 && dialler.count<core::PeerLost>() == 1; }));
    dialler.dial(listener);
    CHECK(until({&listener, &dialler}, [&] { return listener.count<core::PeerConnected>() == 2 && dialler.count<core::PeerConnected>() == 2; }));
  }
  SUBCASE("the listener bans") {
    const Now now = read_clocks();
    listener.transport->disconnect({.peer = dialler.id(), .ban_until = now.boot + std::chrono::minutes(1)}, now);
    CHECK(until({&listener, &dialler}, [&] { return listener.count<core::PeerLost>() == 1 && dialler.count<core::PeerLost>() == 1; }));
    dialler.dial(listener);
    REQUIRE(until({&listener, &dialler}, [&] { return dialler.count<core::DialFailed>() == 1; }));
    CHECK(dialler.failure() == listener.transport->bound()->text() + ": " + core::describe(core::Refusal::banned));
    CHECK(listener.count<core::PeerConnected>() == 1);
  }
}

TEST_CASE("two peers that dial each other at once are each reported once") {
  End left, right;
  left.dial(right);
  right.dial(left);
  REQUIRE(until({&left, &right}, [&] {
    const auto a = left.transport->counters(), b = right.transport->counters();
    return left.count<core::PeerConnected>() > 0 && right.count<core::PeerConnected>() > 0 && a.connections == 1 && b.connections == 1;
  }));
  for (std::uint32_t i = 0; i < 20; ++i) {
    CHECK(left.transport->send(right.id(), numbered(i)));
    CHECK(right.transport->send(left.id(), numbered(i)));
  }
  REQUIRE(until({&left, &right}, [&] { return left.count<core::MessageReceived>() == 20 && right.count<core::MessageReceived>() == 20; }));
  CHECK(left.count<core::PeerConnected>() == 1);
  CHECK(right.count<core::PeerConnected>() == 1);
  CHECK(left.count<core::PeerLost>() == 0);

  // One of the dials may still be under way: so that it leads to no new link, the peer is banned.
  const Now now = read_clocks();
  left.transport->disconnect({.peer = right.id(), .ban_until = now.boot + std::chrono::minutes(1)}, now);
  REQUIRE(until({&left, &right}, [&] { return left.transport->counters().peers == 0 && right.transport->counters().peers == 0; }));
  CHECK(left.count<core::PeerLost>() == 1);
  CHECK(right.count<core::PeerLost>() == right.count<core::PeerConnected>());
}

TEST_CASE("a full queue refuses without blocking, and what was taken arrives in order") {
  End listener, dialler(false);
  dialler.dial(listener);
  REQUIRE(until({&listener, &dialler}, [&] { return listener.count<core::PeerConnected>() == 1 && dialler.count<core::PeerConnected>() == 1; }));
  End* from = nullptr;
  End* to = nullptr;
  SUBCASE("towards the listener") {
    from = &dialler;
    to = &listener;
  }
  SUBCASE("towards the dialler") {
    from = &listener;
    to = &dialler;
  }
  // Nobody receives: the queues and TCP's buffers fill.
  std::uint32_t sent = 0;
  while (sent < 10'000 && from->transport->send(to->id(), numbered(sent, 64 << 10))) ++sent;
  REQUIRE(sent < 1'000);
  CHECK(from->transport->counters().sends_refused == 1);
  const bool arrived = until({to, from}, [&] { return to->count<core::MessageReceived>() == sent; });
  INFO(to->count<core::MessageReceived>(), " of ", sent, ", lost ", to->count<core::PeerLost>(), ", cut ", to->transport->counters().connections_cut);
  REQUIRE(arrived);
  // There is room again.
  REQUIRE(until({to, from}, [&] { return from->transport->send(to->id(), numbered(sent)); }));
  REQUIRE(until({to, from}, [&] { return to->count<core::MessageReceived>() == sent + 1; }));
  const auto received = to->all<core::MessageReceived>();
  bool in_order = true;
  for (std::uint32_t i = 0; i <= sent; ++i) in_order = in_order && number_of(received[i].frame) == i;
  CHECK(in_order);
  CHECK(to->count<core::PeerLost>() == 0);
}

TEST_CASE("one process holds 200 links that it dialled") {
  End dialler(false);
  std::vector<std::unique_ptr<End>> listeners;
  std::vector<End*> ends{&dialler};
  for (int i = 0; i < 200; ++i) {
    listeners.push_back(std::make_unique<End>());
    ends.push_back(listeners.back().get());
  }
  for (const auto& listener : listeners) dialler.dial(*listener);
  REQUIRE(until(ends, [&] { return dialler.count<core::PeerConnected>() == 200; }, std::chrono::seconds(60)));
  CHECK(dialler.count<core::DialFailed>() == 0);
  for (const auto& listener : listeners) CHECK(dialler.transport->send(listener->id(), numbered(7)));
  const auto each_has_one = [&] {
    return std::all_of(listeners.begin(), listeners.end(), [](const auto& end) { return end->template count<core::MessageReceived>() == 1; });
  };
  REQUIRE(until(ends, each_has_one));
  for (const auto& listener : listeners) CHECK(listener->transport->send(dialler.id(), numbered(8)));
  REQUIRE(until(ends, [&] { return dialler.count<core::MessageReceived>() == 200; }));
}

}  // namespace dugnad::zmq
