// What a peer does with others' announcements, digests and pulls.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/core/gossip_listener.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;

TEST_CASE("a genuine announcement is news once, and goes on to six neighbours other than the one it came from") {
  Listener listener;
  const Posting posting(listener.owner, listener.submitter, listener.now);
  CHECK_FALSE(listener.hear(posting, 3));

  const auto sent = listener.sent();
  CHECK(sent.size() == limits::gossip_fanout);
  std::set<PeerId> receivers;
  for (const auto& [peer, announce] : sent) {
    CHECK(announce.announcement == posting.announce().announcement);
    CHECK(announce.hops == 4);
    receivers.insert(peer);
  }
  CHECK(receivers.size() == limits::gossip_fanout);
  CHECK_FALSE(receivers.contains(listener.neighbours[0]));

  const auto news = listener.gossip.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].job == posting.job());
  CHECK(news[0].manifest == posting.manifest);
  CHECK(news[0].manifest_body == posting.signed_manifest().body);
  CHECK(news[0].submitter == listener.submitter.self.id);
  CHECK(news[0].contact == posting.record);
  CHECK(news[0].told_by == listener.neighbours[0]);
  CHECK_FALSE(news[0].closed);

  CHECK_FALSE(listener.hear(posting));
  CHECK(listener.gossip.take_news().empty());
  CHECK(listener.sent().empty());
}

TEST_CASE("every kind of forged announcement is dropped, passed on to nobody, and charged to whoever brought it") {
  using Spoil = std::function<void(Posting&, const Identity&)>;
  const std::vector<std::pair<const char*, Spoil>> spoilers{
      {"a manifest that its owner did not sign", [](Posting& p, const Identity& forger) { p.manifest_by = &forger; }},
      {"a delegation that the owner did not sign", [](Posting& p, const Identity& forger) { p.delegation_by = &forger; }},
      {"a contact record that the submitter did not sign", [](Posting& p, const Identity& forger) { p.record_by = &forger; }},
      {"an announcement that the submitter did not sign", [](Posting& p, const Identity& forger) { p.announced_by = &forger; }},
      {"a delegation for another job", [](Posting& p, const Identity&) { p.delegation.job.bytes[5] ^= 1; }},
      {"a delegation that names others", [](Posting& p, const Identity& forger) { p.delegation.peers = {forger.self.id}; }},
      {"a submitter that was never delegated",
       [](Posting& p, const Identity& forger) {
         p.record = forger.record(1, p.manifest.created);
         p.record_by = p.announced_by = &forger;
       }},
  };
  const Identity forger(9);
  for (const auto& [what, spoil] : spoilers) {
    CAPTURE(what);
    Listener listener;
    Posting posting(listener.owner, listener.submitter, listener.now);
    spoil(posting, forger);
    CHECK(listener.hear(posting).score == charges::forged.score);
    CHECK(listener.sent().empty());
    CHECK(listener.gossip.take_news().empty());
    CHECK(listener.gossip.held() == 0);
  }
}

TEST_CASE("a signature made for another purpose or another swarm does not pass") {
  Listener listener;
  const Posting posting(listener.owner, listener.submitter, listener.now);
  Announce other_purpose = posting.announce();
  other_purpose.announcement = sign(listener.submitter, Domain::contact, other_purpose.announcement.body);
  CHECK(listener.gossip.on(listener.neighbours[0], other_purpose, listener.now, listener.out).score == charges::forged.score);

  Identity elsewhere(3);
  elsewhere.self.swarm = swarm_id("elsewhere");
  Posting other_swarm(listener.owner, elsewhere, listener.now);
  CHECK(listener.hear(other_swarm).score == charges::forged.score);
  CHECK(listener.gossip.held() == 0);
}

TEST_CASE("random bytes in place of an announcement are charged") {
  Listener listener;
  const Announce junk{{Bytes{0x93, 1, 2, 3}, {}}, 0};
  CHECK(listener.gossip.on(listener.neighbours[0], junk, listener.now, listener.out).score == charges::malformed.score);
}

TEST_CASE("announcements that are over, or dated too far ahead, are dropped without a charge") {
  Listener listener;
  Posting over(listener.owner, listener.submitter, listener.now, 1);
  over.expires = listener.now.wall - minutes(11);
  Posting ahead(listener.owner, listener.submitter, listener.now, 2);
  ahead.expires = listener.now.wall + minutes(16);
  Posting stale_record(listener.owner, listener.submitter, listener.now, 3);
  stale_record.record.expires = listener.now.wall - minutes(11);
  for (const Posting* posting : {&over, &ahead, &stale_record}) CHECK_FALSE(listener.hear(*posting));
  CHECK(listener.gossip.held() == 0);
  CHECK(listener.sent().empty());
}

TEST_CASE("the higher epoch wins whatever the sequence, then the higher sequence; who brings an older one is told the later") {
  Listener listener;
  Identity second(4);
  Posting posting(listener.owner, listener.submitter, listener.now);
  posting.sequence = ~std::uint64_t{0};
  CHECK_FALSE(listener.hear(posting));

  Posting handed_over(listener.owner, second, listener.now);
  handed_over.delegation.epoch = 2;
  CHECK_FALSE(listener.hear(handed_over));
  REQUIRE(listener.gossip.known().size() == 1);
  CHECK(listener.gossip.known()[0].submitter == second.self.id);

  listener.sent();
  CHECK_FALSE(listener.hear(posting));
  CHECK(listener.gossip.known()[0].submitter == second.self.id);
  const auto told = listener.sent();
  REQUIRE(told.size() == 1);
  CHECK(told[0].first == listener.neighbours[0]);
  CHECK(told[0].second.announcement == handed_over.announce().announcement);
}

TEST_CASE("a closed job is not brought back by an earlier announcement, until that has expired too") {
  Listener listener;
  Posting posting(listener.owner, listener.submitter, listener.now);
  Posting closing = posting;
  closing.sequence = 2;
  closing.closed = true;
  CHECK_FALSE(listener.hear(posting));
  CHECK_FALSE(listener.hear(closing));
  const auto news = listener.gossip.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].closed);

  for (int i = 0; i < 14; ++i) {
    CHECK_FALSE(listener.hear(posting));
    CHECK(listener.gossip.take_news().empty());
    listener.pass(minutes(1));
  }
  REQUIRE(listener.gossip.known().size() == 1);
  CHECK(listener.gossip.known()[0].closed);

  listener.pass(minutes(2));
  CHECK(listener.gossip.held() == 0);
  CHECK_FALSE(listener.hear(posting));
  CHECK(listener.gossip.held() == 0);
  CHECK(listener.gossip.next_deadline() == never);
}

TEST_CASE("a job that is announced again within seconds is kept and not pushed, its end excepted") {
  Listener listener;
  Posting posting(listener.owner, listener.submitter, listener.now);
  CHECK_FALSE(listener.hear(posting));
  CHECK(listener.sent().size() == limits::gossip_fanout);
  posting.sequence = 2;
  CHECK_FALSE(listener.hear(posting));
  CHECK(listener.sent().empty());
  CHECK(listener.gossip.take_news().size() == 1);
  posting.sequence = 3;
  posting.closed = true;
  CHECK_FALSE(listener.hear(posting));
  CHECK(listener.sent().size() == limits::gossip_fanout);
  for (int i = 4; i < 8; ++i) {
    posting.sequence = static_cast<std::uint64_t>(i);
    posting.closed = i % 2 == 1;
    CHECK_FALSE(listener.hear(posting));
  }
  CHECK(listener.sent().empty());
}

TEST_CASE("an owner has a quota of jobs; its own oldest closed one makes room, and a refused one is not pulled") {
  Listener listener;
  const auto posting = [&](std::size_t number) {
    return Posting(listener.owner, listener.submitter, listener.now, static_cast<std::uint8_t>(number));
  };
  for (std::size_t i = 0; i < limits::announcements_per_owner; ++i) CHECK_FALSE(listener.hear(posting(i)));
  CHECK(listener.gossip.held() == limits::announcements_per_owner);

  const Posting one_more = posting(200);
  CHECK_FALSE(listener.hear(one_more));
  CHECK(listener.gossip.held() == limits::announcements_per_owner);
  listener.out = {};
  CHECK_FALSE(listener.gossip.on(listener.neighbours[1], Digest{{{one_more.job(), 1}}}, listener.now, listener.out));
  CHECK(listener.out.messages.empty());

  Posting other_owner(listener.submitter, listener.submitter, listener.now);
  CHECK_FALSE(listener.hear(other_owner));
  CHECK(listener.gossip.held() == limits::announcements_per_owner + 1);

  Posting closing = posting(7);
  closing.sequence = 2;
  closing.closed = true;
  CHECK_FALSE(listener.hear(closing));
  const Posting next = posting(201);
  CHECK_FALSE(listener.hear(next));
  CHECK(listener.gossip.held() == limits::announcements_per_owner + 1);
  std::set<JobId> known;
  for (const KnownJob& job : listener.gossip.known()) known.insert(job.job);
  CHECK(known.contains(next.job()));
  CHECK_FALSE(known.contains(closing.job()));
}

TEST_CASE("where all places are taken, the owners with most jobs make room, and those with few lose none") {
  Listener listener;
  std::vector<std::unique_ptr<Identity>> owners;
  constexpr std::size_t half = limits::announcements_per_owner / 2;
  constexpr std::size_t heavy = limits::announcements_max / limits::announcements_per_owner - 4;
  for (std::size_t i = 0; i < heavy + 8; ++i) owners.push_back(std::make_unique<Identity>(1000 + i));
  std::sort(owners.begin(), owners.end(),
            [](const auto& one, const auto& other) { return one->crypto->public_key() < other->crypto->public_key(); });
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const Identity& owner = *owners[i];
    for (std::size_t job = 0; job < (i < heavy ? 2 * half : half); ++job) {
      const Posting posting(owner, listener.submitter, listener.now, static_cast<std::uint8_t>(job));
      CHECK_FALSE(listener.gossip.on(listener.neighbours[i % 8], posting.announce(), listener.now, listener.out));
      listener.now.boot += std::chrono::milliseconds(10);
      listener.out = {};
    }
  }
  CHECK(listener.gossip.held() == limits::announcements_max);
  (void)listener.gossip.take_news();

  const Posting modest(listener.owner, listener.submitter, listener.now);
  CHECK_FALSE(listener.hear(modest));
  CHECK(listener.gossip.held() == limits::announcements_max);
  REQUIRE(listener.gossip.take_news().size() == 1);
  for (std::uint8_t i = 0; i < 40; ++i) {
    CHECK_FALSE(listener.gossip.on(listener.neighbours[i % 8], Posting(*owners[i], listener.submitter, listener.now, 222).announce(),
                                   listener.now, listener.out));
  }
  CHECK(listener.gossip.held() == limits::announcements_max);
  std::map<PublicKey, std::size_t> held;
  for (const KnownJob& job : listener.gossip.known()) ++held[job.manifest.owner];
  CHECK(held[modest.manifest.owner] == 1);
  for (std::size_t i = heavy; i < heavy + 8; ++i) CHECK(held[owners[i]->crypto->public_key()] == half);
}

TEST_CASE("one neighbour's new announcements are checked at a bounded rate") {
  Listener listener;
  std::vector<std::unique_ptr<Identity>> owners;
  for (std::size_t i = 0; i < 600; ++i) {
    if (i % 60 == 0) owners.push_back(std::make_unique<Identity>(1000 + i));
    CHECK_FALSE(listener.hear(Posting(*owners.back(), listener.submitter, listener.now, static_cast<std::uint8_t>(i % 60))));
  }
  CHECK(listener.gossip.held() == static_cast<std::size_t>(limits::gossip_checks_burst));
}

TEST_CASE("a pull is answered from what is held, within an allowance; digests that come too often are charged") {
  Listener listener;
  const Posting posting(listener.owner, listener.submitter, listener.now);
  CHECK_FALSE(listener.hear(posting));
  listener.sent();
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(listener.gossip.on(listener.neighbours[1], Pull{std::vector<JobId>(limits::digest_entries_max, posting.job())},
                                   listener.now, listener.out));
  }
  CHECK(listener.sent().size() == static_cast<std::size_t>(limits::gossip_answers_burst));

  Charge total;
  for (int i = 0; i < 20; ++i) total.add(listener.gossip.on(listener.neighbours[1], Digest{}, listener.now, listener.out));
  CHECK(total.score == (20 - limits::gossip_digests_burst) * charges::hasty.score);
  CHECK_FALSE(listener.gossip.on(PeerId{}, posting.announce(), listener.now, listener.out));
}

TEST_CASE("neighbours that a rumour was not sent to, and did not send it, get a digest of it a second later, and then not for ten") {
  Listener listener(20);
  const auto whispered = [&](Duration after) {
    listener.out = {};
    listener.pass(after);
    return messages<Digest>(listener.out);
  };
  const Posting posting(listener.owner, listener.submitter, listener.now);
  CHECK_FALSE(listener.hear(posting));
  std::set<PeerId> has{listener.neighbours[0]};
  for (const auto& [peer, announce] : listener.sent()) has.insert(peer);
  const auto returned =
      std::find_if(listener.neighbours.begin(), listener.neighbours.end(), [&](const PeerId& peer) { return !has.contains(peer); });
  REQUIRE(returned != listener.neighbours.end());
  CHECK_FALSE(listener.gossip.on(*returned, posting.announce(3), listener.now, listener.out));
  has.insert(*returned);
  const auto first = whispered(limits::whisper_delay);
  CHECK(first.size() == listener.neighbours.size() - has.size());
  for (const auto& [peer, digest] : first) {
    CHECK(has.insert(peer).second);
    REQUIRE(digest.entries.size() == 1);
    CHECK(digest.entries[0].job == posting.job());
  }

  // What comes in the next ten seconds is whispered together.
  for (std::uint8_t i = 1; i <= 2; ++i) CHECK_FALSE(listener.hear(Posting(listener.owner, listener.submitter, listener.now, i)));
  CHECK(whispered(limits::gossip_spacing / 4).empty());
  const auto second = whispered(limits::gossip_spacing);
  CHECK(second.size() >= 9);
  CHECK(std::any_of(second.begin(), second.end(), [](const auto& sent) { return sent.second.entries.size() == 2; }));
}

}  // namespace
}  // namespace dugnad::core::test
