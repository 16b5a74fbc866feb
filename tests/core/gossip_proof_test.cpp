// Whose jobs gossip passes on, in a swarm where an identity costs a proof of work.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "coordinatorless/core/gossip.h"
#include "tests/core/announcements.h"
#include "tests/core/proofs.h"

namespace dugnad::core::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t strangers = 4;

/// A gossip whose neighbours are the submitter and some others, which are only names.
struct Guarded {
  Identity me{1};
  Identity owner{2};
  Identity submitter{3};
  CountingCrypto crypto{*me.crypto};
  Gossip gossip{me.self};
  Output out;
  Now now = start_of_time();
  std::uint32_t month = month_of(now.wall);
  std::vector<PeerId> others;

  Guarded() {
    me.self.difficulty = few_bits;
    me.self.crypto = &crypto;
    connect(submitter.self.id);
    for (std::size_t i = 0; i < strangers; ++i) others.push_back(stranger(i));
    for (const PeerId& peer : others) connect(peer);
  }
  static PeerId stranger(std::size_t number) {
    PeerId peer;
    peer.bytes[0] = static_cast<std::uint8_t>(number + 1);
    peer.bytes[1] = static_cast<std::uint8_t>(number >> 8);
    return peer;
  }
  void connect(const PeerId& peer) { gossip.connected(peer, now, out); }
  Posting posting(std::optional<IdentityTicket> proof, std::uint8_t number = 0) const {
    Posting posting(owner, submitter, now, number);
    posting.record.proof = proof;
    return posting;
  }
  Charge hear(const Posting& posting, const PeerId& from) { return gossip.on(from, posting.announce(), now, out); }
  /// Announcements and digests' entries sent since the last call.
  std::size_t told() {
    std::size_t count = messages<Announce>(out).size();
    for (const auto& [peer, digest] : messages<Digest>(out)) count += digest.entries.size();
    out = {};
    return count;
  }
  void pass(Duration by) {
    now = later(now, by);
    while (gossip.next_deadline() <= now.boot) gossip.tick(now, out);
  }
};

}  // namespace

TEST_CASE("a job whose submitter has proved its work goes on, and the proof is checked once however often it is announced") {
  Guarded here;
  Posting posting = here.posting(ticket_of(here.submitter, here.month));
  CHECK_FALSE(here.hear(posting, here.others[0]));
  CHECK(here.told() == strangers);  // the submitter among them, and not who brought it
  CHECK(here.crypto.dear_hashes == 1);
  CHECK(here.gossip.take_news().size() == 1);
  for (int i = 0; i < 5; ++i) {
    here.pass(30s);
    ++posting.sequence;
    posting.expires += 30s;
    CHECK_FALSE(here.hear(posting, here.others[1]));
    CHECK(here.gossip.take_news().size() == 1);
  }
  CHECK(here.crypto.dear_hashes == 1);
}

TEST_CASE("a submitter that has proved its work is not asked for its jobs as it links: a digest tells it of them") {
  Guarded here;
  const Posting posting = here.posting(ticket_of(here.submitter, here.month));
  CHECK_FALSE(here.hear(posting, here.submitter.self.id));
  here.out = {};
  here.gossip.lost(here.submitter.self.id);
  here.connect(here.submitter.self.id);
  CHECK(messages<Pull>(here.out).empty());
  CHECK(here.told() == 1);
}

TEST_CASE("a job without a proof is taken from its submitter, and told to nobody until there is one") {
  Guarded here;
  Posting posting = here.posting(std::nullopt);
  CHECK_FALSE(here.hear(posting, here.submitter.self.id));
  CHECK(here.gossip.take_news().size() == 1);  // ours to compute
  here.pass(1min);
  here.connect(Guarded::stranger(100));
  CHECK_FALSE(here.gossip.on(here.others[0], Pull{{posting.job()}}, here.now, here.out));
  CHECK_FALSE(here.gossip.on(here.others[0], Digest{{{posting.job(), 0}}}, here.now, here.out));
  CHECK(here.told() == 0);
  CHECK(here.crypto.dear_hashes == 0);

  posting.record.proof = ticket_of(here.submitter, here.month);
  ++posting.record.sequence;
  ++posting.sequence;
  CHECK_FALSE(here.hear(posting, here.submitter.self.id));
  CHECK(here.told() == strangers + 1);  // pushed, although it changes within the spacing
}

TEST_CASE("a submitter is asked, as it links, for what is held of its jobs without a proof: another process of its may say later things of them") {
  Guarded here;
  Posting first = here.posting(std::nullopt);
  first.sequence = 9;
  first.closed = true;
  CHECK_FALSE(here.hear(first, here.submitter.self.id));
  CHECK(here.gossip.take_news().size() == 1);
  here.connect(Guarded::stranger(100));
  CHECK(messages<Pull>(here.out).empty());
  here.gossip.lost(here.submitter.self.id);
  here.connect(here.submitter.self.id);
  const auto pulls = messages<Pull>(here.out);
  REQUIRE(pulls.size() == 1);
  CHECK(pulls.front().first == here.submitter.self.id);
  CHECK(pulls.front().second.jobs == std::vector<JobId>{first.job()});
  CHECK(here.told() == 0);

  Posting second = here.posting(std::nullopt);
  second.delegation.epoch = 2;
  second.sequence = 5;
  CHECK_FALSE(here.hear(second, here.submitter.self.id));
  const auto news = here.gossip.take_news();
  REQUIRE(news.size() == 1);
  CHECK_FALSE(news.front().closed);
}

TEST_CASE("whoever passes on a job without a proof is charged, before any signature is looked at") {
  Guarded here;
  CHECK(here.hear(here.posting(std::nullopt), here.others[0]).score == charges::unproven.score);
  CHECK(here.gossip.held() == 0);
  CHECK(here.told() == 0);
}

TEST_CASE("a false proof is charged at once, even to the submitter itself; one of last year costs nobody a hash") {
  Guarded here;
  const IdentityTicket bad = ticket_of(here.submitter, here.month, false);
  CHECK(here.hear(here.posting(bad), here.others[0]).score >= limits::score_ban);
  CHECK(here.hear(here.posting(bad), here.submitter.self.id).score >= limits::score_ban);
  CHECK(here.crypto.dear_hashes == 2);

  const IdentityTicket old = ticket_of(here.submitter, here.month - 12);
  CHECK(here.hear(here.posting(old), here.others[0]).score == charges::unproven.score);
  CHECK(here.hear(here.posting(old), here.submitter.self.id).score == charges::unproven.score);
  CHECK(here.crypto.dear_hashes == 2);
  CHECK(here.gossip.held() == 0);
  CHECK(here.told() == 0);
}

TEST_CASE("a forged record costs no hash: its signature is looked at first") {
  Guarded here;
  const Identity forger(9);
  Posting posting = here.posting(ticket_of(here.submitter, here.month));
  posting.record_by = &forger;
  CHECK(here.hear(posting, here.others[0]).score == charges::forged.score);
  CHECK(here.crypto.dear_hashes == 0);
}

TEST_CASE("a flood of false proofs, each teller's first and last, stays within the allowance") {
  Guarded here;
  std::vector<Announce> flood;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Identity liar(100 + i);
    Posting posting(here.owner, liar, here.now, static_cast<std::uint8_t>(i));
    posting.record.proof = IdentityTicket{here.month, ticket_of(liar, here.month, false).nonce};
    flood.push_back(posting.announce());
  }
  for (int second = 0; second < 10; ++second) {
    for (std::size_t i = 0; i < flood.size(); ++i) {
      const PeerId teller = Guarded::stranger(1000 + static_cast<std::size_t>(second) * flood.size() + i);
      here.connect(teller);
      (void)here.gossip.on(teller, flood[i], here.now, here.out);
    }
    here.now = later(here.now, 1s);
  }
  CHECK(here.crypto.dear_hashes <= limits::proof_checks_burst + 10 * limits::proof_checks_per_second);
  CHECK(here.crypto.dear_hashes >= limits::proof_checks_burst);
  CHECK(here.gossip.held() == 0);
}

TEST_CASE("what there was no time to check comes again and is then passed on; from the submitter itself it is used meanwhile") {
  Guarded here;
  const IdentityTicket good = ticket_of(here.submitter, here.month);
  here.crypto.starved = true;
  CHECK_FALSE(here.hear(here.posting(good, 1), here.others[0]));
  CHECK(here.gossip.held() == 0);
  CHECK_FALSE(here.hear(here.posting(good, 2), here.submitter.self.id));
  CHECK(here.gossip.held() == 1);
  CHECK(here.told() == 0);
  here.crypto.starved = false;
  CHECK_FALSE(here.hear(here.posting(good, 1), here.others[0]));
  CHECK(here.gossip.held() == 2);
  CHECK(here.told() >= strangers);
}

TEST_CASE("jobs without a proof take a part of the places alone") {
  Guarded here;
  std::vector<std::unique_ptr<Identity>> submitters;
  std::size_t sent = 0;
  for (std::uint64_t i = 0; i < limits::unproven_jobs_max / 32 + 2; ++i) {
    const Identity& free_name = *submitters.emplace_back(std::make_unique<Identity>(500 + i));
    here.connect(free_name.self.id);
    for (std::uint8_t job = 0; job < 32; ++job, ++sent) {
      CHECK_FALSE(here.gossip.on(free_name.self.id, Posting(free_name, free_name, here.now, job).announce(), here.now, here.out));
    }
  }
  CHECK(sent > limits::unproven_jobs_max);
  CHECK(here.gossip.held() == limits::unproven_jobs_max);
  CHECK_FALSE(here.hear(here.posting(ticket_of(here.submitter, here.month)), here.others[0]));
  CHECK(here.gossip.held() == limits::unproven_jobs_max + 1);
}

TEST_CASE("our own job goes to all neighbours without a proof, and again, at once, when the proof is there") {
  Guarded here;
  Posting own(here.owner, here.me, here.now);
  const auto record = [&] { return sign(here.me, Domain::contact, encode(own.record)); };
  here.gossip.set_own_record(record());
  CHECK(here.gossip.publish(own.signed_manifest(), own.signed_delegation(), here.now, here.out));
  CHECK(messages<Announce>(here.out).size() == strangers + 1);
  here.out = {};
  here.pass(1s);
  here.out = {};
  own.record.proof = ticket_of(here.me, here.month);
  ++own.record.sequence;
  here.gossip.set_own_record(record());
  here.pass({});
  const auto again = messages<Announce>(here.out);
  CHECK(again.size() == strangers + 1);
  for (const auto& [peer, announce] : again) {
    const auto announcement = decode_announcement(announce.announcement.body);
    REQUIRE(announcement);
    CHECK(announcement->submitter == record());
  }
}

}  // namespace dugnad::core::test
