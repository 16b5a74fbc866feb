#include "coordinatorless/core/membership.h"

#include <doctest/doctest.h>

#include "tests/core/small_swarm.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using namespace std::chrono_literals;

namespace {

/// `count` members, the first of which all others join.
void gather(SmallSwarm& swarm, unsigned count, const std::function<Endpoint(unsigned)>& endpoint) {
  for (unsigned i = 0; i < count; ++i) swarm.add(endpoint(i));
  for (unsigned i = 1; i < count; ++i) swarm.join(*swarm.members[i], *swarm.members[0]);
}

Endpoint on_loopback(unsigned n) { return loopback(5000 + n); }

/// One listening peer, and another that has dialled it and says whatever a test wants.
struct Pair {
  SmallSwarm swarm;
  SmallSwarm::Member& victim = swarm.add(far_away(0));
  SmallSwarm::Member& speaker = swarm.add(far_away(1));

  Pair() { swarm.join(speaker, victim); }
  void tell(const Signed& record) { swarm.inject(speaker, victim, Contacts{{record}, false}); }
};

}  // namespace

TEST_CASE("twenty peers that know one contact know each other within seconds") {
  for (const auto& place : {std::function<Endpoint(unsigned)>(on_loopback), std::function<Endpoint(unsigned)>(far_away)}) {
    SmallSwarm swarm;
    gather(swarm, 20, place);
    swarm.run(5s);
    CHECK(swarm.all_know_all());
    for (const auto& member : swarm.members) CHECK(member->score == 0);
  }
}

TEST_CASE("the one contact dies, and the others stay together and take in whom any of them is asked by") {
  SmallSwarm swarm;
  gather(swarm, 20, on_loopback);
  swarm.run(5s);
  swarm.crash(*swarm.members[0]);
  auto& newcomer = swarm.add(on_loopback(40));
  swarm.join(newcomer, *swarm.members[7]);
  swarm.run(5s);
  CHECK(swarm.all_know_all());
  for (const auto& member : swarm.members) {
    if (member->alive) CHECK(member->links.count() >= 8);
  }
  // Hours later the records are still alive, the dead contact's has gone.
  swarm.run(3h);
  CHECK(swarm.all_know_all());
  for (const auto& member : swarm.members) {
    if (member->alive) CHECK_FALSE(swarm.knows(*member, *swarm.members[0]));
  }
}

TEST_CASE("a full view of many who come all at once through one contact grows in seconds and is kept, within the idle budget") {
  SmallSwarm swarm;
  gather(swarm, 120, far_away);
  swarm.run(30s);
  CHECK(swarm.pairs_unknown() <= 120 * 119 / 500);
  swarm.run(10min);
  CHECK(swarm.all_know_all());
  std::size_t before = 0, after = 0;
  for (const auto& member : swarm.members) before += member->bytes_sent;
  const Duration idle = 45min;  // longer than any lease with its tolerance
  swarm.run(idle);
  CHECK(swarm.all_know_all());
  for (const auto& member : swarm.members) after += member->bytes_sent;
  const double sent_per_second = static_cast<double>(after - before) / seconds_of(idle) / static_cast<double>(swarm.members.size());
  INFO("bytes sent per peer and second: ", sent_per_second);
  CHECK(sent_per_second < 400);
}

TEST_CASE("peers behind a NAT are known to all, and name public peers that they have dialled as relays") {
  SmallSwarm swarm;
  gather(swarm, 8, on_loopback);
  auto& hidden = swarm.add({});
  swarm.join(hidden, *swarm.members[3]);
  swarm.run(10s);
  CHECK(swarm.all_know_all());
  for (unsigned i = 0; i < 8; ++i) {
    const auto record = swarm.members[i]->membership.record_of(hidden.id());
    REQUIRE(record != std::nullopt);
    CHECK_FALSE(record->endpoint.has_value());
    CHECK(record->relays.size() == relays_max);
    CHECK_FALSE(swarm.members[i]->membership.route_to(hidden.id()).has_value());
    for (const auto& relay : record->relays) CHECK(hidden.links.find(relay)->outbound);
  }
  // A relay that is gone is replaced, and the others hear of it.
  const PeerId gone = swarm.members[0]->membership.record_of(hidden.id())->relays.front();
  for (auto& member : swarm.members) {
    if (member->id() == gone) swarm.crash(*member);
  }
  swarm.run(2min);
  for (const auto& member : swarm.members) {
    if (!member->alive || member.get() == &hidden) continue;
    const auto relays = member->membership.record_of(hidden.id())->relays;
    CHECK(relays.size() == relays_max);
    CHECK(std::find(relays.begin(), relays.end(), gone) == relays.end());
  }
}

TEST_CASE("a swarm that was cut in two for an hour and a half finds together again") {
  SmallSwarm swarm;
  gather(swarm, 24, far_away);
  swarm.run(1min);
  std::map<const SmallSwarm::Member*, bool> left;
  for (std::size_t i = 0; i < swarm.members.size(); ++i) left[swarm.members[i].get()] = i % 2 == 0;
  swarm.reachable = [&](const auto& a, const auto& b) { return left.at(&a) == left.at(&b); };
  for (auto& a : swarm.members) {
    for (auto& b : swarm.members) {
      if (left.at(a.get()) && !left.at(b.get())) swarm.cut(*a, *b);
    }
  }
  swarm.run(90min);
  CHECK_FALSE(swarm.all_know_all());
  swarm.reachable = [](const auto&, const auto&) { return true; };
  swarm.run(30min);
  CHECK(swarm.all_know_all());
}

TEST_CASE("a peer that lost its network comes back by itself") {
  SmallSwarm swarm;
  gather(swarm, 12, far_away);
  auto& lonely = *swarm.members[0];  // the only one that has no contact given by its user to go back to
  swarm.run(1min);
  swarm.reachable = [&](const auto& a, const auto& b) { return &a != &lonely && &b != &lonely; };
  for (auto& other : swarm.members) swarm.cut(lonely, *other);
  swarm.run(8min);
  CHECK(lonely.links.count() == 0);
  CHECK(lonely.membership.count() == 0);  // all look dead to it, and their records have not run out
  swarm.reachable = [&](const auto&, const auto& dialled) { return &dialled != &lonely; };
  swarm.run(10min);
  CHECK(lonely.links.count() >= 8);
}

TEST_CASE("whoever ends a link that we dialled is left alone in a large swarm, and dialled again at once in a small one") {
  for (const unsigned count : {60U, 6U}) {
    SmallSwarm swarm;
    gather(swarm, count, far_away);
    swarm.run(1min);
    auto& first = *swarm.members[1];
    std::vector<SmallSwarm::Member*> left;
    for (auto& other : swarm.members) {
      const Link* link = first.links.find(other->id());
      if (link == nullptr || !link->outbound || first.links.purposes_of(other->id()).has(Purpose::user)) continue;
      left.push_back(other.get());
    }
    REQUIRE_FALSE(left.empty());
    const BootTime cut_at = swarm.now.boot;
    for (auto* other : left) swarm.cut(first, *other);
    swarm.run(1min);
    std::size_t again = 0;
    for (auto* other : left) {
      const Link* link = first.links.find(other->id());
      if (link != nullptr && link->since >= cut_at) again += count == 6 || link->outbound;
    }
    CHECK(again == (count == 6 ? left.size() : 0));
    CHECK(first.links.count() >= std::min<std::size_t>(count - 1, limits::overlay_outbound));
  }
}

TEST_CASE("after a restart a peer finds the swarm by memory alone, the last seen first") {
  SmallSwarm swarm;
  gather(swarm, 12, on_loopback);
  swarm.run(30min);
  std::map<PeerId, ContactRow> kept;
  for (const Row& row : swarm.members[5]->rows) {
    if (const auto* contact = std::get_if<ContactRow>(&row)) kept[contact->peer] = *contact;
    if (const auto* gone = std::get_if<ContactGone>(&row)) kept.erase(gone->peer);
  }
  REQUIRE(kept.size() >= 8);
  ContactsRestored memory;
  for (const auto& [peer, row] : kept) memory.contacts.push_back(row);
  swarm.run(24h);  // every record of then has run out

  Identity fresh(77, loopback(7000));
  Links links(fresh.self);
  Membership membership(fresh.self, links);
  Output out;
  membership.restored(memory, swarm.now, out);
  const auto anchors = all<Dial>(out);
  REQUIRE(anchors.size() == limits::anchors);
  membership.tick(swarm.now, out);
  CHECK(all<Dial>(out).size() == limits::overlay_outbound);
  CHECK(membership.count() == 0);
  for (const auto& [peer, row] : kept) CHECK(kept.at(anchors.front().peer).seen >= row.seen);
}

TEST_CASE("rows that are not genuine are forgotten") {
  const Now now = start_of_time();
  Identity me(1, far_away(0)), other(2, far_away(1));
  Links links(me.self);
  Membership membership(me.self, links);
  const Signed raw = other.sign(other.record(1, now.wall));
  Bytes row(raw.signature.begin(), raw.signature.end());
  row.insert(row.end(), raw.body.begin(), raw.body.end());
  Bytes forged = row;
  forged[3] ^= 1;
  Output out;
  membership.restored({{{other.self.id, forged, now.wall}, {PeerId{{5}}, row, now.wall}, {PeerId{{6}}, {1, 2, 3}, now.wall}}}, now, out);
  CHECK(out.effects.empty());
  const auto rows = membership.take_rows(now, true);
  REQUIRE(rows.size() == 3);
  for (const auto& gone : rows) CHECK(std::holds_alternative<ContactGone>(gone));
  membership.restored({{{other.self.id, row, now.wall}}}, now, out);
  CHECK(all<Dial>(out).size() == 1);
}

TEST_CASE("a forged record is not stored, and its teller is charged a ban") {
  Pair pair;
  const Identity stranger(50, far_away(9));
  Signed forged = stranger.sign(stranger.record(1, pair.swarm.now.wall));
  forged.signature[0] ^= 1;
  pair.tell(forged);
  CHECK(pair.victim.membership.record_of(stranger.self.id) == std::nullopt);
  CHECK(pair.victim.score >= limits::score_ban);
}

TEST_CASE("expired and far-off leases, garbage and replays are dropped without a charge") {
  Pair pair;
  const Identity stranger(50, far_away(9));
  auto record = stranger.record(1, pair.swarm.now.wall);
  record.expires = pair.swarm.now.wall - 11min;
  pair.tell(stranger.sign(record));
  record.expires = pair.swarm.now.wall + 2h;
  pair.tell(stranger.sign(record));
  pair.tell(Signed{{1, 2, 3}, {}});
  CHECK(pair.victim.membership.record_of(stranger.self.id) == std::nullopt);

  const auto later_record = stranger.record(9, pair.swarm.now.wall);
  pair.tell(stranger.sign(later_record));
  auto replayed = stranger.record(8, pair.swarm.now.wall);
  replayed.endpoint = far_away(33);
  pair.tell(stranger.sign(replayed));
  REQUIRE(pair.victim.membership.record_of(stranger.self.id) != std::nullopt);
  CHECK(*pair.victim.membership.record_of(stranger.self.id) == later_record);
  CHECK(pair.victim.score == 0);
}

TEST_CASE("more records than a message may hold, and too large ones, are charged") {
  Pair pair;
  const Identity stranger(50, far_away(9));
  const Signed raw = stranger.sign(stranger.record(1, pair.swarm.now.wall));
  pair.swarm.inject(pair.speaker, pair.victim, Contacts{std::vector<Signed>(limits::welcome_records + 1, raw), false});
  CHECK(pair.victim.score > 0);
  CHECK(pair.victim.membership.record_of(stranger.self.id) == std::nullopt);
  const double before = pair.victim.score;
  pair.tell(Signed{Bytes(limits::record_bytes_max + 1), {}});
  CHECK(pair.victim.score > before);
}

TEST_CASE("our own record from before a restart makes us sign a later one") {
  Pair pair;
  auto& victim = pair.victim;
  const auto old_sequence = victim.membership.own_record(pair.swarm.now);
  auto ahead = victim.identity.record(decode_contact_record(old_sequence.body)->sequence + 1'000'000, pair.swarm.now.wall);
  pair.tell(victim.identity.sign(ahead));
  pair.swarm.run(1s);
  const auto record = decode_contact_record(victim.membership.own_record(pair.swarm.now).body);
  CHECK(record->sequence > ahead.sequence);
  CHECK(pair.speaker.membership.record_of(victim.id())->sequence == record->sequence);
  CHECK(victim.membership.record_of(victim.id()) == std::nullopt);
}

TEST_CASE("a stranger's record of a private address is neither kept, nor dialled, nor passed on") {
  Pair pair;
  const Identity stranger(50, at("192.168.1.1:80"));
  pair.tell(stranger.sign(stranger.record(1, pair.swarm.now.wall)));
  pair.swarm.run(10s);
  CHECK(pair.victim.membership.record_of(stranger.self.id) == std::nullopt);
  CHECK_FALSE(pair.victim.links.is_dialling(stranger.self.id));
}

TEST_CASE("a record that came with something else may be used at once, and its address by the rules") {
  Pair pair;
  Output out;
  const Identity stranger(50, far_away(9));
  const Signed raw = stranger.sign(stranger.record(1, pair.swarm.now.wall));
  const auto learnt = pair.victim.membership.learn(raw, pair.speaker.id(), pair.swarm.now, out);
  REQUIRE(learnt.record.has_value());
  CHECK(learnt.record->peer() == stranger.self.id);
  CHECK(pair.victim.membership.route_to(stranger.self.id)->endpoint == far_away(9));
  Signed forged = stranger.sign(stranger.record(2, pair.swarm.now.wall));
  forged.signature[5] ^= 4;
  const auto refused = pair.victim.membership.learn(forged, pair.speaker.id(), pair.swarm.now, out);
  CHECK_FALSE(refused.record.has_value());
  CHECK(refused.charge.score >= limits::score_ban);
}

TEST_CASE("a neighbour that asks without end is not answered without end") {
  Pair pair;
  const std::size_t before = pair.victim.bytes_sent;
  for (int i = 0; i < 1000; ++i) pair.swarm.inject(pair.speaker, pair.victim, Contacts{{}, true});
  CHECK(pair.victim.bytes_sent - before < 5000);
}

TEST_CASE("a flood of invented peers soon stops travelling") {
  SmallSwarm swarm;
  gather(swarm, 6, far_away);
  swarm.run(10s);
  auto& flooder = *swarm.members[1];
  std::size_t before = 0;
  for (const auto& member : swarm.members) before += member->bytes_sent;
  for (unsigned i = 0; i < 1000; ++i) {
    const Identity invented(10'000 + i, far_away(i % 300));
    swarm.inject(flooder, *swarm.members[0], Contacts{{invented.sign(invented.record(1, swarm.now.wall))}, false});
  }
  std::size_t after = 0;
  for (const auto& member : swarm.members) after += member->bytes_sent;
  // Each member passes on at most its budget, to six others, and then nothing more.
  CHECK(after - before < 6 * 6 * (limits::newcomers_burst + 60) * 250);
  for (const auto& member : swarm.members) CHECK(member->membership.count() <= limits::full_view_max + 4 * limits::book_bucket_max);
}

// --- Goodbyes ---

TEST_CASE(
    "whoever leaves in order is forgotten by all within seconds, whoever crashes is not, and both are known again when they are back") {
  SmallSwarm swarm;
  gather(swarm, 30, far_away);
  swarm.run(2min);
  REQUIRE(swarm.all_know_all());
  auto& leaver = *swarm.members[7];
  auto& crasher = *swarm.members[8];
  const Signed before = leaver.membership.own_record(swarm.now);
  swarm.leave(leaver);
  swarm.crash(crasher);
  swarm.run(2s);
  const auto who_knows = [&](const SmallSwarm::Member& member) {
    return std::count_if(swarm.members.begin(), swarm.members.end(),
                         [&](const auto& other) { return other->alive && swarm.knows(*other, member); });
  };
  CHECK(who_knows(leaver) == 0);
  CHECK(who_knows(crasher) == 28);
  for (const auto& member : swarm.members) {
    if (!member->alive) continue;
    CHECK(member->score == 0);
    CHECK_FALSE(member->membership.route_to(leaver.id()).has_value());
    CHECK(member->membership.signed_record_of(leaver.id()) == nullptr);
  }

  // A copy that was under way does not bring it back, neither now nor later, and nobody dials it or tells a newcomer of it.
  swarm.inject(*swarm.members[1], *swarm.members[0], Contacts{{before}, false});
  auto& newcomer = swarm.add(far_away(60));
  swarm.join(newcomer, *swarm.members[3]);
  swarm.run(10min);
  CHECK(who_knows(leaver) == 0);

  auto& back = swarm.restart(leaver);
  swarm.join(back, *swarm.members[0]);
  swarm.run(5s);
  CHECK(who_knows(back) == 29);
}

TEST_CASE("a peer that has left and is back with its clock set back is shown its goodbye, and signs a later record") {
  SmallSwarm swarm;
  gather(swarm, 6, far_away);
  swarm.run(10s);
  auto& leaver = *swarm.members[2];
  auto ahead =
      leaver.identity.goodbye(decode_contact_record(leaver.membership.own_record(swarm.now).body)->sequence + 300'000, swarm.now.wall);
  swarm.inject(leaver, *swarm.members[0], Contacts{{leaver.identity.sign(ahead)}, false});
  swarm.crash(leaver);
  swarm.run(2s);
  for (const auto& member : swarm.members) {
    if (member->alive) CHECK_FALSE(swarm.knows(*member, leaver));
  }
  auto& back = swarm.restart(leaver);
  swarm.join(back, *swarm.members[4]);
  swarm.run(5s);
  CHECK(swarm.all_know_all());
  CHECK(swarm.members[0]->membership.record_of(back.id())->sequence > ahead.sequence);
}

TEST_CASE("a goodbye counts only under its peer's key, in its own domain, above its records, and of a peer that is known") {
  Pair pair;
  const Identity stranger(50, far_away(9));
  const auto wall = pair.swarm.now.wall;
  const auto known = [&] { return pair.victim.membership.record_of(stranger.self.id).has_value(); };
  const std::size_t silent = pair.victim.bytes_sent;
  pair.tell(stranger.sign(stranger.goodbye(4, wall)));  // of somebody unknown: not kept, so that the record which follows is taken
  CHECK(pair.victim.bytes_sent == silent);
  pair.tell(stranger.sign(stranger.record(3, wall)));
  CHECK(known());

  pair.tell(stranger.sign(stranger.goodbye(2, wall)));
  pair.tell(stranger.sign(stranger.goodbye(3, wall)));
  auto over = stranger.goodbye(9, wall);
  over.expires = wall - 11min;
  pair.tell(stranger.sign(over));
  over.expires = wall + 2h;
  pair.tell(stranger.sign(over));
  CHECK(known());
  CHECK(pair.victim.score == 0);

  const Signed genuine = stranger.sign(stranger.goodbye(9, wall));
  pair.tell(genuine);
  CHECK_FALSE(known());
  pair.tell(stranger.sign(stranger.record(9, wall)));
  CHECK_FALSE(known());
  pair.tell(stranger.sign(stranger.record(10, wall)));
  CHECK(known());
  pair.tell(genuine);  // replayed
  CHECK(known());
  CHECK(pair.victim.score == 0);

  pair.tell(stranger.sign(Domain::contact, encode(stranger.goodbye(11, wall))));
  CHECK(known());
  CHECK(pair.victim.score >= limits::score_ban);
}

TEST_CASE("a flood of peers that come and go is passed on within the budget of newcomers") {
  SmallSwarm swarm;
  gather(swarm, 6, far_away);
  swarm.run(10s);
  auto& flooder = *swarm.members[1];
  const auto sent = [&] {
    std::size_t bytes = 0;
    for (const auto& member : swarm.members) bytes += member->bytes_sent;
    return bytes;
  };
  const std::size_t before = sent();
  const Identity restless(10'000, far_away(50));
  for (unsigned i = 1; i <= 1000; ++i) {
    const bool comes = i % 2 == 1;
    swarm.inject(
        flooder, *swarm.members[0],
        Contacts{{comes ? restless.sign(restless.record(i, swarm.now.wall)) : restless.sign(restless.goodbye(i, swarm.now.wall))}, false});
  }
  CHECK(sent() - before < 6 * (limits::newcomers_burst + 60) * 250);
}
