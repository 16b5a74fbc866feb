#include "coordinatorless/core/announced_job.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/gossip.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;

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
  Mandate mandate(const Identity& by, std::uint64_t epoch = 5, std::uint64_t sequence = 1) const {
    return mandate_of(announced(by, epoch, sequence));
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

TEST_CASE("whoever stands before another outranks it, whatever the sequence, and a newer delegation outranks all") {
  const Delegates with;
  CHECK(outranks(with.mandate(with.submitter), with.mandate(with.first, 5, 900)));
  CHECK(outranks(with.mandate(with.first), with.mandate(with.second, 5, 900)));
  CHECK_FALSE(outranks(with.mandate(with.second, 5, 900), with.mandate(with.first)));
  CHECK_FALSE(outranks(with.mandate(with.first, 5, 900), with.mandate(with.first)));
  CHECK(outranks(with.mandate(with.second, 6), with.mandate(with.submitter, 5)));
  CHECK_FALSE(outranks(with.mandate(with.submitter, 4), with.mandate(with.second, 5)));
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
    if (!before) CHECK(decode_announcement(again[0].second.announcement.body)->sequence > ahead);
  }
}

TEST_CASE("a steward's announcement that nobody could outdo is none") {
  const Delegates with;
  const auto is_timely = [&](const Identity& by, Duration ahead) {
    const auto sequence = static_cast<std::uint64_t>(later(with.now, ahead).wall.time_since_epoch().count());
    return timely(with.announced(by, 5, sequence), with.now.wall);
  };
  CHECK(is_timely(with.first, limits::clock_skew));
  CHECK_FALSE(is_timely(with.first, std::chrono::hours(1)));
  CHECK(is_timely(with.submitter, std::chrono::hours(1)));
  CHECK_FALSE(timely(with.announced(with.second, 5, ~std::uint64_t{0}), with.now.wall));
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
