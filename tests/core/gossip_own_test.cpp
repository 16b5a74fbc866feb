// What a peer announces of its own jobs, and again.
#include <doctest/doctest.h>

#include "tests/core/gossip_listener.h"

namespace dugnad::core::test {
namespace {

using std::chrono::seconds;

TEST_CASE("a job of a peer that nobody can reach is announced as soon as there is a relay, and is pushed at once") {
  Listener listener;
  Posting posting(listener.owner, listener.me, listener.now);
  posting.record.endpoint.reset();
  const auto record = [&] { return sign(listener.me, Domain::contact, encode(posting.record)); };
  listener.gossip.set_own_record(record());
  CHECK(listener.gossip.publish(posting.signed_manifest(), posting.signed_delegation(), listener.now, listener.out));
  listener.pass(seconds(1));
  CHECK(listener.sent().empty());
  posting.record.relays = {listener.neighbours[0]};
  ++posting.record.sequence;
  listener.gossip.set_own_record(record());
  listener.pass({});
  CHECK(listener.sent().size() == listener.neighbours.size());
}

TEST_CASE("a published job goes to all neighbours, is refreshed with a higher sequence, and is closed at once") {
  Listener listener(20);
  const Posting posting(listener.owner, listener.me, listener.now);
  CHECK_FALSE(
      listener.gossip.publish(posting.signed_manifest(), posting.signed_delegation(), listener.now, listener.out));  // no record yet
  listener.gossip.set_own_record(listener.me.sign(posting.record));
  CHECK(listener.gossip.publish(posting.signed_manifest(), posting.signed_delegation(), listener.now, listener.out));
  const auto first = listener.sent();
  CHECK(first.size() == 20);
  CHECK(listener.gossip.take_news().empty());

  listener.pass(limits::announcement_refresh);
  const auto second = listener.sent();
  REQUIRE(second.size() == 20);
  const auto before = decode_announcement(first[0].second.announcement.body);
  const auto after = decode_announcement(second[0].second.announcement.body);
  CHECK(after->sequence > before->sequence);
  CHECK(after->expires > before->expires);

  listener.gossip.close(posting.job(), listener.now, listener.out);
  const auto last = listener.sent();
  REQUIRE(last.size() == 20);
  CHECK(decode_announcement(last[0].second.announcement.body)->closed);
  for (int i = 0; i < 200; ++i) listener.pass(limits::digest_interval);
  CHECK(listener.sent().empty());
  CHECK(listener.gossip.held() == 0);
}

TEST_CASE("a job that others would refuse is not published") {
  Listener listener;
  listener.gossip.set_own_record(listener.me.sign(listener.me.record(1, listener.now.wall)));
  const Identity stranger(9);
  Posting unsigned_manifest(listener.owner, listener.me, listener.now);
  unsigned_manifest.manifest_by = &stranger;
  Posting others_delegation(listener.owner, listener.submitter, listener.now);
  for (const Posting* posting : {&unsigned_manifest, &others_delegation}) {
    CHECK_FALSE(listener.gossip.publish(posting->signed_manifest(), posting->signed_delegation(), listener.now, listener.out));
  }
  CHECK(listener.gossip.held() == 0);
  CHECK(listener.sent().empty());
}

TEST_CASE("a restarted submitter outdoes what an earlier process of its own, whose clock was ahead, left in the swarm") {
  Listener listener;
  Posting left(listener.owner, listener.me, listener.now);
  left.sequence = static_cast<std::uint64_t>(listener.now.wall.time_since_epoch().count()) + 600'000;
  listener.gossip.set_own_record(listener.me.sign(left.record));
  CHECK(listener.gossip.publish(left.signed_manifest(), left.signed_delegation(), listener.now, listener.out));
  listener.sent();
  CHECK_FALSE(listener.hear(left));
  CHECK(listener.gossip.take_news().empty());
  listener.pass(limits::gossip_spacing * 2);
  const auto again = listener.sent();
  REQUIRE(again.size() >= 8);
  CHECK(decode_announcement(again[0].second.announcement.body)->sequence > left.sequence);
  // One that was an hour ahead nobody has listened to, and there is nothing to outdo.
  left.sequence += 3'600'000;
  CHECK_FALSE(listener.hear(left));
  CHECK(listener.gossip.take_news().empty());
  listener.pass(limits::gossip_spacing * 2);
  CHECK(listener.sent().empty());
}

TEST_CASE("where we are reached otherwise than before, our jobs are announced again soon") {
  Listener listener;
  Posting posting(listener.owner, listener.me, listener.now);
  listener.gossip.set_own_record(listener.me.sign(posting.record));
  CHECK(listener.gossip.publish(posting.signed_manifest(), posting.signed_delegation(), listener.now, listener.out));
  listener.sent();
  posting.record.relays = {listener.neighbours[3]};
  posting.record.sequence = 2;
  listener.gossip.set_own_record(listener.me.sign(posting.record));
  listener.pass(limits::gossip_spacing * 2);
  const auto again = listener.sent();
  REQUIRE(again.size() >= 8);
  const auto announcement = decode_announcement(again[0].second.announcement.body);
  CHECK(decode_contact_record(announcement->submitter.body)->relays == posting.record.relays);
}

}  // namespace
}  // namespace dugnad::core::test
