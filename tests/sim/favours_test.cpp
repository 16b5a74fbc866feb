// Owners that did each other favours, and some that did not, want the same donors.
#include <doctest/doctest.h>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/favour_accounts.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/sim/faults.h"
#include "tests/sim/ended_well.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

/// All that `receiver` was thanked with, as is on this host's disk.
Duration thanked(World& world, Node node, const PublicKey& receiver) {
  Duration work{};
  for (const ReceiptRow& row : world.host(node).journal().receipts()) {
    CHECK_FALSE(row.contradicts);
    const auto receipt = core::decode_receipt(row.body);
    REQUIRE(receipt);
    if (receipt->receiver == receiver) work += receipt->work;
  }
  return work;
}

core::FavourAccounts accounts_of(World& world, Node worker, Owner owner) {
  core::FavourAccounts accounts(core::swarm_id("simulated", 0), world.key_of(owner));
  accounts.restored(world.host(worker).journal().favours());
  return accounts;
}

/// Two owners with a worker each. The second's worker has worked for the first; then it goes, and its owner has a job of its own.
struct Village {
  World world;
  Owner first = world.add_owner(), second = world.add_owner(), rider = world.add_owner();
  Node firsts = world.add_worker({.speed = 1.0, .owner = first});
  Node seconds = world.add_worker({.speed = 1.0, .owner = second});

  explicit Village(std::uint64_t seed) : world({.seed = seed, .links = {}}) {}

  void let_second_work(std::uint64_t units = 400) {
    const Node submitter = world.add_submitter({.owner = first});
    const Submission& job = world.submit(submitter, {units, 500ms, 1});
    REQUIRE(world.run_until_ended(job, 20min));
    world.run_for(5s);
    world.retire(seconds, false);
    world.retire(submitter, true);
    world.run_for(40s);
  }
  /// Of units that the rider has had when the second's job is done, both having begun at once with as many.
  std::uint64_t riders_share(bool shows_receipts, std::uint64_t units = 100) {
    SubmitterOptions options{.owner = second};
    if (shows_receipts) options.shares_with = seconds;
    const Node wants = world.add_submitter(options), rides = world.add_submitter({.owner = rider});
    world.run_for(30s);
    const Submission& riders = world.submit(rides, {units, 500ms, 1});
    const Submission& job = world.submit(wants, {units, 500ms, 1});
    REQUIRE(world.run_until_ended(job, 20min));
    const std::uint64_t had = riders.accepted();
    CHECK(world.run_until_ended(riders, 20min));
    CHECK(riders.accepted() == units);
    check_well(world);
    return had;
  }
};

}  // namespace

TEST_CASE("a worker is thanked for what it has computed, at what that took") {
  Village village(51);
  village.let_second_work();
  const Duration work = thanked(village.world, village.seconds, village.world.key_of(village.second));
  CHECK(work > 80s);  // half of 400 units of 0.5 s each
  CHECK(work < 130s);
  check_well(village.world);
}

TEST_CASE("owners contend for a donor, and the one whose worker has served is served first; the free rider gets what is left") {
  Village village(52);
  village.let_second_work();
  CHECK(village.riders_share(true) <= 15);  // from before it was known whose job is whose
  CHECK(accounts_of(village.world, village.firsts, village.first).balance(village.world.key_of(village.second)) > 10s);
}

TEST_CASE("without receipts to show the two share the donor evenly") {
  Village village(52);
  village.let_second_work();
  const std::uint64_t had = village.riders_share(false);
  CHECK(had >= 70);
  CHECK(had <= 100);
}

TEST_CASE("a favour is used up: what is wanted beyond it is shared evenly") {
  Village village(53);
  village.let_second_work(60);  // some 15 s of favour
  const std::uint64_t had = village.riders_share(true, 200);
  CHECK(had >= 100);
  CHECK(had <= 190);
  CHECK(accounts_of(village.world, village.firsts, village.first).balance(village.world.key_of(village.second)) == Duration{});
}

TEST_CASE("donors that die and come back neither forget a favour nor return it twice") {
  for (std::uint64_t seed = 60; seed < 66; ++seed) {
    CAPTURE(seed);
    Village village(seed);
    village.let_second_work();
    World& world = village.world;
    for (int times = 1; times <= 3; ++times) {
      world.after(30s + times * 9s, [&] { world.crash(village.firsts); });
      world.after(32s + times * 9s, [&] { world.restart(village.firsts); });
    }
    CHECK(village.riders_share(true) <= 35);  // each start anew begins before the receipts are shown
    world.run_for(40s);
    const PublicKey second = world.key_of(village.second);
    const auto accounts = accounts_of(world, village.firsts, village.first);
    const Duration credited = thanked(world, village.seconds, second);
    CHECK(accounts.balance(second) > Duration{});
    CHECK(accounts.balance(second) + accounts.served(second) <= credited + 1s);
    CHECK(accounts.served(second) >= 10s);  // at most what was served since the last row is forgiven
  }
}

TEST_CASE("submitters that die over and over thank nobody twice, and never contradict themselves") {
  for (std::uint64_t seed = 70; seed < 76; ++seed) {
    CAPTURE(seed);
    Village village(seed);
    World& world = village.world;
    const Node submitter = world.add_submitter({.owner = village.first});
    const Submission& job = world.submit(submitter, {600, 500ms, 1});
    for (int times = 1; times <= 8; ++times) {
      const Duration when = times * 17s + std::chrono::milliseconds(world.generator().below(17'000));
      world.after(when, [&world, submitter] { if (world.host(submitter).running()) world.crash(submitter); });
      world.after(when + 1s, [&world, submitter] { if (!world.host(submitter).running()) world.restart(submitter); });
    }
    REQUIRE(world.run_until_ended(job, 30min));
    world.run_for(10s);
    const PublicKey second = world.key_of(village.second);
    const Duration held = thanked(world, village.seconds, second);
    CHECK(held == thanked(world, submitter, second));
    CHECK(held > 5s);  // what was verified since the last receipt is lost with the process
    CHECK(held <= world.host(village.seconds).spent() + 10s);  // unit costs are estimates
    check_well(world);
  }
}
