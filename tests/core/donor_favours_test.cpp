// Whose units a Donor starts first, and what becomes of the others' meanwhile.
#include <doctest/doctest.h>

#include <algorithm>

#include "coordinatorless/core/donor.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

template <class Tag>
Id<Tag> named(std::uint8_t name) {
  Id<Tag> id;
  id.bytes[0] = name;
  return id;
}

constexpr std::uint8_t us = 50, friendly = 1, strange = 2;

/// A donor with one slot, and a job of each owner: the job, its owner and its submitter have one name.
struct Bench {
  std::unique_ptr<Crypto> crypto = make_sodium({});
  Generator generator = Generator::from_seed(5);
  Self self{.id = named<PeerTag>(99), .swarm = {}, .endpoint = {}, .donates = true, .crypto = crypto.get(), .generator = &generator};
  Now now{BootTime{} + seconds(1000), WallTime{}};
  BlobWants blobs{self.id};
  FavourAccounts accounts{{}, named<PublicKeyTag>(us)};
  Journal journal;
  Donor donor{self, blobs, accounts, journal, {{"test", 1}}, {}, 1, 1 << 20};
  Output out;
  std::vector<AttemptToStart> running;
  std::map<std::uint8_t, std::vector<Message>> said;

  explicit Bench(Duration favour) {
    accounts.credit({named<PublicKeyTag>(us), self.id, 1, named<PublicKeyTag>(friendly), 1, favour, {}});
    for (const std::uint8_t name : {us, friendly, strange}) {
      Manifest manifest;
      manifest.owner = named<PublicKeyTag>(name);
      manifest.task = "test";
      manifest.unit_limit = seconds(60);
      REQUIRE(donor.learn(named<JobTag>(name), manifest, named<PeerTag>(name), now, out));
      donor.connected(named<PeerTag>(name), now, out);
    }
    settle();
  }
  void lease(std::uint8_t name, std::uint64_t count) {
    Lease lease{named<JobTag>(name), LeaseId{1}, seconds(100), {}};
    for (std::uint64_t i = 0; i < count; ++i) lease.units.push_back({{i}, Bytes(8)});
    donor.on_lease(named<PeerTag>(name), std::move(lease), now, out);
    settle();
  }
  /// Whose the unit is that finishes next.
  std::uint8_t finish(Duration cpu) {
    if (running.empty()) wait();  // for the next unit of somebody who comes first
    REQUIRE_FALSE(running.empty());
    const AttemptToStart attempt = running.front();
    running.erase(running.begin());
    now.boot += cpu;
    donor.on_finished({{attempt.attempt, Outcome::ok, Bytes(1), cpu}}, now, out);
    donor.tick(now, out);
    settle();
    return attempt.job.bytes[0];
  }
  void wait() {
    now.boot += outranked_pause;
    REQUIRE(donor.next_deadline() <= now.boot);
    donor.tick(now, out);
    settle();
  }
  template <class What>
  std::vector<What> heard(std::uint8_t name) {
    std::vector<What> all;
    for (const Message& message : said[name]) {
      if (const auto* what = std::get_if<What>(&message)) all.push_back(*what);
    }
    said[name].clear();
    return all;
  }
  void settle() {
    for (Addressed& addressed : std::exchange(out.messages, {})) said[addressed.to.bytes[0]].push_back(std::move(addressed.message));
    for (Effect& effect : std::exchange(out.effects, {})) {
      if (auto* start = std::get_if<StartAttempts>(&effect)) {
        for (AttemptToStart& attempt : start->attempts) running.push_back(std::move(attempt));
      }
    }
  }
};

}  // namespace

TEST_CASE("a donor computes for its own owner first, then for those that did it favours, then for strangers") {
  Bench bench(seconds(100));
  bench.lease(strange, 10);
  bench.lease(friendly, 10);
  bench.lease(us, 10);
  std::vector<std::uint8_t> order;
  for (int i = 0; i < 22; ++i) order.push_back(bench.finish(milliseconds(50)));
  // Two strangers' units were in the executor already.
  CHECK(std::count(order.begin(), order.begin() + 2, strange) == 2);
  CHECK(std::count(order.begin() + 2, order.begin() + 12, us) == 10);
  CHECK(std::count(order.begin() + 12, order.begin() + 22, friendly) == 10);
}

TEST_CASE("a favour is returned once: then its owner shares with everybody else") {
  Bench bench(seconds(5));
  bench.lease(friendly, 40);
  bench.lease(strange, 40);
  int before = 0;
  for (int i = 0; i < 8; ++i) before += bench.finish(milliseconds(500)) == friendly;
  CHECK(before == 8);
  for (int i = 0; i < 6; ++i) (void)bench.finish(milliseconds(500));
  CHECK(bench.accounts.balance(named<PublicKeyTag>(friendly)) == Duration{});
  bench.lease(strange, 40);  // what it had has gone back meanwhile
  int after = 0;
  for (int i = 0; i < 20; ++i) after += bench.finish(milliseconds(500)) == friendly;
  CHECK(after >= 9);
  CHECK(after <= 11);
}

TEST_CASE("units behind those of owners that come first go back, and credit is offered again when those are done") {
  Bench bench(seconds(100));
  bench.lease(friendly, 20);
  bench.lease(strange, 5);
  (void)bench.heard<Want>(strange);
  for (int i = 0; i < 5; ++i) CHECK(bench.finish(milliseconds(500)) == friendly);
  std::vector<UnitIndex> returned;
  bool withdrawn = false;
  for (const Message& message : bench.said[strange]) {
    if (const auto* want = std::get_if<Want>(&message)) withdrawn = withdrawn || want->slots == 0;
    if (const auto* back = std::get_if<Return>(&message)) {
      CHECK(withdrawn);  // else they come straight back
      returned = back->units;
    }
  }
  CHECK(returned.size() == 5);
  bench.said.clear();
  bench.lease(strange, 5);
  CHECK(bench.heard<Return>(strange).size() == 1);
  for (int i = 0; i < 15; ++i) (void)bench.finish(milliseconds(500));
  CHECK(bench.running.empty());
  bench.now.boot += limits::outranked_lull;
  bench.donor.tick(bench.now, bench.out);
  bench.settle();
  const auto wants = bench.heard<Want>(strange);
  REQUIRE(wants.size() == 1);
  CHECK(wants.front().slots == 1);
}

TEST_CASE("without anybody who comes first nothing goes back") {
  Bench bench(seconds(100));
  bench.lease(strange, 30);
  for (int i = 0; i < 20; ++i) CHECK(bench.finish(milliseconds(500)) == strange);
  CHECK(bench.heard<Return>(strange).empty());
}

TEST_CASE("a slot that a favoured unit leaves waits a little for the next one of its job, and no longer") {
  Bench bench(seconds(100));
  bench.lease(friendly, 1);
  bench.lease(strange, 5);
  CHECK(bench.finish(milliseconds(500)) == friendly);
  CHECK(bench.running.empty());
  bench.lease(friendly, 1);
  REQUIRE(bench.running.size() == 1);
  CHECK(bench.finish(milliseconds(500)) == friendly);
  bench.wait();
  CHECK_FALSE(bench.running.empty());
  CHECK(bench.finish(milliseconds(500)) == strange);
}

TEST_CASE("a donor that may compute nothing for now is not woken for what it holds back") {
  Bench bench(seconds(100));
  bench.lease(friendly, 1);
  bench.lease(strange, 5);
  CHECK(bench.finish(milliseconds(500)) == friendly);
  bench.donor.allow(0, bench.now, bench.out);
  CHECK(bench.donor.next_deadline() > bench.now.boot + outranked_pause);
}
