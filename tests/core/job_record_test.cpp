#include "coordinatorless/core/job_record.h"

#include <doctest/doctest.h>

#include "tests/core/announcements.h"

namespace dugnad::core::test {
namespace {

const JobId job{{7}};
PeerId peer(std::uint8_t name) { return PeerId{{name}}; }
using std::chrono::seconds;
const PeerId leader = peer(1), follower = peer(2), other = peer(3);

RecordEntry entry(std::uint8_t name, std::size_t size = 10) { return {PublicKey{{9}}, Bytes(size, name), std::nullopt}; }

/// Two records, of a leader and of one that follows it, and what they say to each other.
struct Pair {
  std::optional<JobRecord> leads{std::in_place, job, 70};
  JobRecord follows{job, 80};
  Now now = start_of_time();
  std::vector<RecordEntry> got;
  unsigned messages = 0;

  void follow(bool all = false) {
    Output out;
    follows.follow(leader, {}, all, out);
    carry(std::move(out), Output{});
  }
  void tell() {
    Output out;
    leads->tick(now.boot, out);
    carry(Output{}, std::move(out));
  }
  void pass(Duration by) {
    now = later(now, by);
    tell();
  }

  /// Until nobody says anything more.
  void carry(Output from_follower, Output from_leader) {
    while (!from_follower.messages.empty() || !from_leader.messages.empty()) {
      REQUIRE(++messages < 10'000);
      Output next_follower, next_leader;
      for (const Addressed& each : from_follower.messages) leads->on_follow(follower, std::get<Follow>(each.message), next_leader);
      for (const Addressed& each : from_leader.messages) {
        auto entries = follows.on_record(leader, std::get<Record>(each.message));
        REQUIRE(entries);
        follows.ask_for_more(leader, next_follower);
        for (RecordEntry& came : *entries) {
          if (follows.add(came, leader, now.boot)) got.push_back(std::move(came));
        }
      }
      from_follower = std::move(next_follower);
      from_leader = std::move(next_leader);
    }
  }
};

/// What a record that follows answers to what it is sent, having asked from the beginning.
struct Asking {
  JobRecord record{job, 80};
  Output out;
  Asking() {
    record.follow(leader, {}, false, out);
    out = {};
  }
  std::optional<std::vector<RecordEntry>> hear(Record answer) {
    auto entries = record.on_record(leader, std::move(answer));
    record.ask_for_more(leader, out);
    return entries;
  }
};

}  // namespace

TEST_CASE("a follower has all that there was, in order, and what comes later within a second") {
  Pair pair;
  for (std::uint8_t i = 0; i < 5; ++i) (void)pair.leads->add(entry(i), leader, pair.now.boot);
  pair.follow();
  REQUIRE(pair.got.size() == 5);
  for (std::uint8_t i = 0; i < 5; ++i) CHECK(pair.got[i] == entry(i));
  CHECK(pair.follows.is_read(leader));

  (void)pair.leads->add(entry(5), leader, pair.now.boot);
  (void)pair.leads->add(entry(6), leader, pair.now.boot);
  const unsigned before = pair.messages;
  CHECK(pair.leads->next_deadline() == pair.now.boot + limits::entries_gather);
  pair.tell();
  CHECK(pair.got.size() == 5);
  pair.pass(limits::entries_gather);
  CHECK(pair.got.size() == 7);
  CHECK(pair.messages == before + 2);  // one answer, and one question
  CHECK(pair.leads->next_deadline() == never);
}

TEST_CASE("entries that fill many messages arrive, each answer within its limits") {
  Pair pair;
  for (std::uint8_t i = 0; i < 40; ++i) (void)pair.leads->add(entry(i, 200 << 10), leader, pair.now.boot);
  for (std::size_t i = 0; i < 3 * limits::record_entries_max; ++i) {
    (void)pair.leads->add({PublicKey{{9}}, Bytes{1, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)}, std::nullopt}, leader,
                          pair.now.boot);
  }
  Output out;
  pair.leads->on_follow(follower, Follow{job, 70, 0, false, false, {}}, out);
  REQUIRE(out.messages.size() == 1);
  CHECK(encode(out.messages[0].message).size() <= limits::message_bytes_max);
  CHECK(std::get<Record>(out.messages[0].message).more);
  pair.follow();
  CHECK(pair.got.size() == 40 + 3 * limits::record_entries_max);
}

TEST_CASE("nobody is sent what it has given itself, unless it asks for that") {
  Pair pair;
  (void)pair.leads->add(entry(1), follower, pair.now.boot);
  (void)pair.leads->add(entry(2), other, pair.now.boot);
  pair.follow();
  REQUIRE(pair.got.size() == 1);
  CHECK(pair.got[0] == entry(2));

  Pair again;
  (void)again.leads->add(entry(1), follower, again.now.boot);
  (void)again.leads->add(entry(2), other, again.now.boot);
  again.follow(true);
  CHECK(again.got.size() == 2);
}

TEST_CASE("an entry is added once, also when it was let go of") {
  JobRecord record(job, 70);
  CHECK(record.add(entry(1), leader, {}));
  CHECK_FALSE(record.add(entry(1), other, {}));
  CHECK(record.has(entry(1)));
  record.trim(0);
  CHECK(record.bytes() == 0);
  CHECK_FALSE(record.add(entry(1), leader, {}));
}

TEST_CASE("who is behind what was let go of has what is left") {
  Pair pair;
  for (std::uint8_t i = 0; i < 10; ++i) (void)pair.leads->add(entry(i, 1000), leader, pair.now.boot);
  pair.leads->trim(5000);
  CHECK(pair.leads->bytes() <= 5000);
  pair.follow();
  REQUIRE_FALSE(pair.got.empty());
  CHECK(pair.got.size() < 6);
  CHECK(pair.got.back() == entry(9, 1000));
  (void)pair.leads->add(entry(99), leader, pair.now.boot);
  pair.pass(limits::entries_gather);
  CHECK(pair.got.back() == entry(99));
}

TEST_CASE("a leader's next process is followed from its beginning, and who was lost goes on where it was") {
  Pair pair;
  for (std::uint8_t i = 0; i < 5; ++i) (void)pair.leads->add(entry(i), leader, pair.now.boot);
  pair.follow();
  pair.leads->lost(follower);
  pair.follows.lost(leader);
  (void)pair.leads->add(entry(5), leader, pair.now.boot);
  pair.pass(seconds(5));
  CHECK(pair.got.size() == 5);
  pair.follow();
  CHECK(pair.got.size() == 6);

  pair.leads.emplace(job, 71);
  for (std::uint8_t i = 3; i < 8; ++i) (void)pair.leads->add(entry(i), leader, pair.now.boot);
  pair.follows.lost(leader);
  pair.follow();
  CHECK(pair.got.size() == 8);
}

TEST_CASE("asked twice, a leader answers twice, and no harm comes of it") {
  Pair pair;
  for (std::uint8_t i = 0; i < 5; ++i) (void)pair.leads->add(entry(i), leader, pair.now.boot);
  Output out;
  pair.follows.follow(leader, {}, false, out);
  pair.follows.follow(leader, {}, false, out);
  pair.carry(std::move(out), Output{});
  CHECK(pair.got.size() == 5);
  CHECK(pair.messages < 8);
}

TEST_CASE("whoever was not asked is not listened to") {
  Asking asking;
  CHECK_FALSE(asking.record.on_record(other, Record{job, 70, 0, 1, false, {entry(1)}}));
  asking.record.ask_for_more(other, asking.out);
  asking.record.lost(leader);
  CHECK_FALSE(asking.hear(Record{job, 70, 0, 1, false, {entry(1)}}));
  CHECK(asking.out.messages.empty());
}

TEST_CASE("an answer that brings nothing and promises more is none, and one to who waits is not answered again") {
  Asking asking;
  CHECK_FALSE(asking.hear(Record{job, 70, 0, 0, true, {}}));
  CHECK_FALSE(asking.hear(Record{job, 70, 0, 7, true, {}}));
  CHECK_FALSE(asking.hear(Record{job, 70, 5, 4, false, {entry(1)}}));
  CHECK(asking.out.messages.empty());

  REQUIRE(asking.hear(Record{job, 70, 0, 0, false, {}}));  // nothing is there: from now on it waits
  CHECK(take<Follow>(asking.out).size() == 1);
  for (int i = 0; i < 3; ++i) {
    const auto entries = asking.hear(Record{job, 70, 0, 0, false, {}});
    REQUIRE(entries);
    CHECK(entries->empty());
    CHECK(asking.out.messages.empty());
  }
  CHECK(asking.hear(Record{job, 70, 0, 1, false, {entry(1)}})->size() == 1);
  CHECK(take<Follow>(asking.out).size() == 1);
}

TEST_CASE("places that no record has are asked for in vain") {
  JobRecord record(job, 70);
  (void)record.add(entry(1), leader, {});
  Output out;
  record.on_follow(follower, Follow{job, 70, ~std::uint64_t{0}, false, false, {}}, out);
  REQUIRE(out.messages.size() == 1);
  CHECK(std::get<Record>(out.messages[0].message).next == 1);
  CHECK(std::get<Record>(out.messages[0].message).entries.empty());
}

TEST_CASE("those that were followed once are not remembered without end") {
  JobRecord record(job, 70);
  Output out;
  for (unsigned i = 0; i < 4 * limits::followed_max; ++i) {
    const PeerId whom = peer(static_cast<std::uint8_t>(i));
    record.follow(whom, {}, false, out);
    (void)record.on_record(whom, Record{job, i, 0, 1, false, {entry(static_cast<std::uint8_t>(i))}});
    record.lost(whom);
  }
  CHECK_FALSE(record.is_read(peer(0)));
  CHECK(record.is_read(peer(static_cast<std::uint8_t>(4 * limits::followed_max - 1))));
}

}  // namespace dugnad::core::test
