#include "coordinatorless/core/announced_job.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/gossip.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// A job with a submitter and two stewards, as each of them announces it.
struct Delegates {
  Identity owner{2}, submitter{3}, first{4}, second{5};
  Now now = start_of_time();

  Posting posting(const Identity& by, std::uint64_t epoch = 5, std::uint64_t sequence = 1, bool closed = false) const {
    Posting made(owner, by, now);
    made.delegation = {made.job(), epoch, {submitter.self.id, first.self.id, second.self.id}};
    made.sequence = sequence;
    made.closed = closed;
    return made;
  }
  AnnouncedJob announced(const Identity& by, std::uint64_t epoch = 5, std::uint64_t sequence = 1, bool closed = false) const {
    return take_apart(posting(by, epoch, sequence, closed).announce().announcement).value();
  }
};

}  // namespace

TEST_CASE("every delegate may announce a job, and none but the first may end it") {
  const Delegates with;
  for (const Identity* by : {&with.submitter, &with.first, &with.second}) {
    CHECK(genuine(with.announced(*by), nullptr, with.owner.self));
    CHECK(genuine(with.announced(*by, 5, 1, true), nullptr, with.owner.self) == (by == &with.submitter));
  }
  const Identity stranger(6);
  CHECK_FALSE(genuine(with.announced(stranger), nullptr, with.owner.self));
}

TEST_CASE("a steward that announces a job yields to who stands before it, and outdoes who stands behind it") {
  for (const bool before : {true, false}) {
    CAPTURE(before);
    const Delegates with;
    const Identity& me = with.first;
    Gossip gossip(me.self);
    Output out;
    const PeerId neighbour{{9}};
    gossip.connected(neighbour, with.now, out);
    const Posting mine = with.posting(me);
    gossip.set_own_record(sign(me, Domain::contact, encode(mine.record)));
    REQUIRE(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out));
    const auto ahead = static_cast<std::uint64_t>(later(with.now, minutes(10)).wall.time_since_epoch().count());
    CHECK_FALSE(gossip.on(neighbour, with.posting(before ? with.submitter : with.second, 5, ahead).announce(), with.now, out));
    const auto news = gossip.take_news();
    CHECK(gossip.known().size() == (before ? 1 : 0));  // of others
    CHECK(news.size() == (before ? 1 : 0));
    out = {};
    const Now soon = later(with.now, minutes(1));
    if (gossip.next_deadline() <= soon.boot) gossip.tick(soon, out);
    const auto again = messages<Announce>(out);
    REQUIRE(again.empty() == before);
    // By its own clock: what stands before the other counts whatever the other's sequence.
    if (!before) CHECK(decode_announcement(again[0].second.announcement.body)->sequence < ahead);
  }
}

TEST_CASE("an announcement that nobody could outdo is none") {
  const Delegates with;
  const auto is_timely = [&](const Identity& by, Duration ahead) {
    const auto sequence = static_cast<std::uint64_t>(later(with.now, ahead).wall.time_since_epoch().count());
    return timely(with.announced(by, 5, sequence), with.now.wall);
  };
  CHECK(is_timely(with.first, limits::clock_skew));
  CHECK_FALSE(is_timely(with.first, std::chrono::hours(1)));
  CHECK_FALSE(is_timely(with.submitter, std::chrono::hours(1)));
  CHECK_FALSE(timely(with.announced(with.second, 5, ~std::uint64_t{0}), with.now.wall));
}

TEST_CASE("what a steward says is heard in its shift, however far ahead another dates what it goes on saying; and no word twice") {
  Delegates with;
  with.now.wall = shift_begins(shift_at(with.now.wall) / 2 * 2);  // of two the first's
  Gossip gossip(with.owner.self);
  Output out;
  const PeerId neighbour{{9}}, other{{10}};
  for (const PeerId& each : {neighbour, other}) gossip.connected(each, with.now, out);
  const auto at = [&](Duration ahead) { return static_cast<std::uint64_t>(later(with.now, ahead).wall.time_since_epoch().count()); };
  const auto hears = [&](const Identity& by, std::uint64_t sequence) {
    CHECK(gossip.on(neighbour, with.posting(by, 5, sequence).announce(), with.now, out).score == 0);
    const auto news = gossip.take_news();
    return news.size() == 1 && news[0].submitter == by.self.id;
  };
  const auto passed_on = [&] {
    std::size_t told = 0;
    for (const auto& [to, announce] : messages<Announce>(out)) told += to == other ? 1 : 0;
    out = {};
    return told;
  };
  CHECK(hears(with.second, at(minutes(14))));
  out = {};
  CHECK(hears(with.first, at({})));
  CHECK(passed_on() == 1);  // though the other's had just been
  CHECK(hears(with.second, at(minutes(14)) + 1));  // the first may be gone
  CHECK_FALSE(hears(with.first, at({})));  // an old word
  CHECK(hears(with.first, at({}) + 1));
  CHECK_FALSE(hears(with.first, at({}) + 1));
  CHECK(passed_on() == 0);
  with.now = later(with.now, limits::steward_shift);
  CHECK(hears(with.second, at(minutes(1))));
  CHECK_FALSE(hears(with.first, at({})));  // it has no more right than the other now
  CHECK(hears(with.submitter, at({})));
  CHECK_FALSE(hears(with.submitter, at({})));
}

TEST_CASE("a steward whose shift it is takes a job over from one that has dated its word as far ahead as is heard") {
  for (const bool my_shift : {true, false}) {
    CAPTURE(my_shift);
    Delegates with;
    with.now.wall = shift_begins(shift_at(with.now.wall) / 2 * 2 + (my_shift ? 0 : 1));  // of two the first's, or the second's
    Gossip gossip(with.first.self);
    Output out;
    gossip.connected(PeerId{{9}}, with.now, out);
    const auto latest =
        static_cast<std::uint64_t>(later(with.now, limits::clock_skew + limits::announcement_lease).wall.time_since_epoch().count());
    CHECK(gossip.on(PeerId{{9}}, with.posting(with.second, 5, latest).announce(), with.now, out).score == 0);
    const Posting mine = with.posting(with.first);
    gossip.set_own_record(sign(with.first, Domain::contact, encode(mine.record)));
    CHECK(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out) == my_shift);
  }
}

TEST_CASE("of an owner that delegates one job to ever more, by one number, so many are heard and no more") {
  const Delegates with;
  Now now = with.now;
  Gossip gossip(with.submitter.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  std::size_t heard = 0;
  for (std::uint64_t i = 0; i < 2 * limits::followed_max; ++i) {
    const Identity by(100 + i);
    Posting said = with.posting(by, 5, static_cast<std::uint64_t>(now.wall.time_since_epoch().count()));
    said.delegation.peers = {with.submitter.self.id, by.self.id};
    CHECK(gossip.on(PeerId{{9}}, said.announce(), now, out).score == 0);
    heard += gossip.take_news().size();
    now = later(now, seconds(1));
  }
  CHECK(gossip.held() == 1);
  CHECK(heard == limits::followed_max);
}

TEST_CASE("a job that its submitter has ended is not brought back by a steward") {
  const Delegates with;
  Gossip gossip(with.owner.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  const auto clock = static_cast<std::uint64_t>(with.now.wall.time_since_epoch().count());
  CHECK(gossip.on(PeerId{{9}}, with.posting(with.submitter, 5, clock, true).announce(), with.now, out).score == 0);
  out = {};
  CHECK(gossip.on(PeerId{{9}}, with.posting(with.first, 5, clock + 1).announce(), with.now, out).score == 0);
  const auto told = messages<Announce>(out);  // it had not heard of that
  REQUIRE(told.size() == 1);
  CHECK(decode_announcement(told[0].second.announcement.body)->closed);
  const auto known = gossip.known(with.posting(with.first).job());
  REQUIRE(known);
  CHECK(known->closed);
}

TEST_CASE("a steward that leads on hears that the job has ended, though its own word is the later one") {
  const Delegates with;
  Gossip gossip(with.first.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  const Posting mine = with.posting(with.first);
  gossip.set_own_record(sign(with.first, Domain::contact, encode(mine.record)));
  REQUIRE(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out));
  const auto earlier = static_cast<std::uint64_t>(with.now.wall.time_since_epoch().count()) - 1000;
  CHECK(gossip.on(PeerId{{9}}, with.posting(with.submitter, 5, earlier, true).announce(), with.now, out).score == 0);
  const auto news = gossip.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].closed);
}

TEST_CASE("what somebody that stands behind us has said makes us say ours again once, however often it is repeated") {
  Delegates with;
  with.now.wall = shift_begins(shift_at(with.now.wall) / 2 * 2);  // of two the first's
  Gossip gossip(with.first.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  const Posting mine = with.posting(with.first);
  gossip.set_own_record(sign(with.first, Domain::contact, encode(mine.record)));
  REQUIRE(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out));
  const auto ahead = static_cast<std::uint64_t>(later(with.now, minutes(10)).wall.time_since_epoch().count());
  out = {};
  for (int i = 0; i < 10; ++i) {
    CHECK(gossip.on(PeerId{{9}}, with.posting(with.second, 5, ahead).announce(), with.now, out).score == 0);
    with.now = later(with.now, seconds(11));
    if (gossip.next_deadline() <= with.now.boot) gossip.tick(with.now, out);
  }
  CHECK(messages<Announce>(out).size() == 1);
}

TEST_CASE("an own job goes on being announced where this clock was set an hour ahead") {
  Delegates with;
  Gossip gossip(with.first.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  Posting mine = with.posting(with.first);
  gossip.set_own_record(sign(with.first, Domain::contact, encode(mine.record)));
  REQUIRE(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out));
  with.now = later(with.now, seconds(100));
  with.now.wall += std::chrono::hours(1);
  gossip.tick(with.now, out);
  CHECK(gossip.held() == 1);
  out = {};
  with.now = later(with.now, limits::announcement_refresh);
  gossip.tick(with.now, out);
  CHECK(messages<Announce>(out).size() == 1);
}

TEST_CASE("a steward whose clock was a day ahead is listened to again once it is set right") {
  Delegates with;
  Gossip gossip(with.first.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  const WallTime right_time = with.now.wall;
  with.now = later(with.now, std::chrono::hours(24));
  const Posting mine = with.posting(with.first);
  gossip.set_own_record(sign(with.first, Domain::contact, encode(mine.record)));
  REQUIRE(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out));
  out = {};
  const Now right{later(with.now, limits::announcement_refresh).boot, right_time};
  gossip.tick(right, out);
  const auto again = messages<Announce>(out);
  REQUIRE(again.size() == 1);
  const auto announced = take_apart(again[0].second.announcement).value();
  CHECK_FALSE(dated_ahead(announced, right.wall));
  CHECK(announced.announcement.sequence == static_cast<std::uint64_t>(right.wall.time_since_epoch().count()));
}

TEST_CASE("a job that is withdrawn stays known, and is not announced again") {
  const Delegates with;
  Gossip gossip(with.first.self);
  Output out;
  gossip.connected(PeerId{{9}}, with.now, out);
  const Posting mine = with.posting(with.first);
  gossip.set_own_record(sign(with.first, Domain::contact, encode(mine.record)));
  REQUIRE(gossip.publish(mine.signed_manifest(), mine.signed_delegation(), with.now, out));
  CHECK(gossip.epoch_of(mine.job()) == 5);
  CHECK(gossip.epoch_of(JobId{}) == 0);
  gossip.withdraw(mine.job());
  out = {};
  for (int i = 0; i < 4; ++i) gossip.tick(later(with.now, minutes(i)), out);
  CHECK(messages<Announce>(out).empty());
}

}  // namespace dugnad::core::test
