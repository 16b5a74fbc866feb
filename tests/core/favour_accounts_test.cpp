#include "coordinatorless/core/favour_accounts.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

PublicKey owner(std::uint64_t name) {
  PublicKey key;
  for (std::size_t i = 0; i < 8; ++i) key.bytes[i] = static_cast<std::uint8_t>(name >> (8 * i));
  return key;
}
const PublicKey us = owner(1'000'000);

Receipt receipt(std::uint64_t receiver, Duration work, std::uint8_t line = 1, std::uint64_t series = 0) {
  PeerId submitter;
  submitter.bytes[0] = line;
  return {us, submitter, series, owner(receiver), 1, work, {}};
}

BootTime after(Duration time) { return BootTime{} + hours(1) + time; }

/// What a process finds that starts from what another has written.
FavourAccounts restarted(FavourAccounts& accounts, BootTime now) {
  std::vector<FavourRow> rows;
  for (const Row& row : accounts.take_rows(now, true)) rows.push_back(std::get<FavourRow>(row));
  FavourAccounts fresh({}, us);
  fresh.restored(rows);
  return fresh;
}

}  // namespace

TEST_CASE("everybody begins at zero, gains by receipts, loses by being served, and never falls below zero") {
  FavourAccounts accounts({}, us);
  CHECK(accounts.rank(owner(1)) == FavourAccounts::Rank::stranger);
  accounts.serve(owner(1), seconds(50));
  CHECK(accounts.balance(owner(1)) == Duration{});
  accounts.credit(receipt(1, seconds(10)));
  CHECK(accounts.balance(owner(1)) == seconds(10));
  CHECK(accounts.rank(owner(1)) == FavourAccounts::Rank::favoured);
  accounts.serve(owner(1), seconds(4));
  CHECK(accounts.balance(owner(1)) == seconds(6));
  accounts.serve(owner(1), seconds(7));
  CHECK(accounts.balance(owner(1)) == Duration{});
  CHECK(accounts.rank(owner(1)) == FavourAccounts::Rank::stranger);
  CHECK(accounts.served(owner(1)) == seconds(61));
}

TEST_CASE("our own owner comes first without an account, and nobody does who has none") {
  FavourAccounts accounts({}, us);
  accounts.serve(us, seconds(1));
  CHECK(accounts.rank(us) == FavourAccounts::Rank::own);
  CHECK(accounts.size() == 0);
  FavourAccounts nobodys({}, {});
  nobodys.serve(owner(1), seconds(1));
  nobodys.credit(receipt(1, seconds(1)));
  CHECK(nobodys.size() == 0);
  CHECK(nobodys.rank(us) == FavourAccounts::Rank::stranger);
}

TEST_CASE("a receipt counts once, a later one with what it adds, an earlier one not at all") {
  FavourAccounts accounts({}, us);
  for (int i = 0; i < 3; ++i) accounts.credit(receipt(1, seconds(10)));
  CHECK(accounts.balance(owner(1)) == seconds(10));
  CHECK(accounts.has_counted(receipt(1, seconds(10))));
  accounts.credit(receipt(1, seconds(12)));
  accounts.credit(receipt(1, seconds(9)));
  CHECK(accounts.balance(owner(1)) == seconds(12));
  accounts.credit(receipt(1, seconds(5), 2));
  accounts.credit(receipt(1, seconds(5), 1, 7));
  CHECK(accounts.balance(owner(1)) == seconds(22));
}

TEST_CASE("receipts of others, and our own owner's thanks to itself, count for nothing") {
  FavourAccounts accounts({}, us);
  Receipt foreign = receipt(1, seconds(10));
  foreign.giver = owner(2);
  accounts.credit(foreign);
  Receipt to_us = receipt(1, seconds(10));
  to_us.receiver = us;
  accounts.credit(to_us);
  CHECK(accounts.size() == 0);
}

TEST_CASE("what was counted and what was served survive a restart, so that nothing counts again") {
  FavourAccounts accounts({}, us);
  accounts.credit(receipt(1, seconds(10)));
  accounts.serve(owner(1), seconds(4));
  FavourAccounts fresh = restarted(accounts, after({}));
  CHECK(fresh.balance(owner(1)) == seconds(6));
  CHECK(fresh.served(owner(1)) == seconds(4));
  fresh.credit(receipt(1, seconds(10)));
  CHECK(fresh.balance(owner(1)) == seconds(6));
}

TEST_CASE("rows come together, not for every unit that is served") {
  FavourAccounts accounts({}, us);
  accounts.serve(owner(1), milliseconds(1));
  CHECK(accounts.take_rows(after({}), false).size() == 1);
  accounts.serve(owner(1), milliseconds(1));
  accounts.serve(owner(2), milliseconds(1));
  CHECK(accounts.take_rows(after(seconds(1)), false).empty());
  CHECK(accounts.take_rows(after(limits::accounts_interval), false).size() == 2);
  CHECK(accounts.take_rows(after(hours(1)), true).empty());
}

TEST_CASE("damaged rows are left out") {
  FavourAccounts accounts({}, us);
  accounts.credit(receipt(1, seconds(10)));
  const auto rows = accounts.take_rows(after({}), true);
  REQUIRE(rows.size() == 1);
  const Bytes sound = std::get<FavourRow>(rows.front()).account;
  for (std::size_t cut = 0; cut < sound.size(); ++cut) {
    FavourAccounts fresh({}, us);
    fresh.restored({{{}, owner(1), Bytes(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(cut))}});
    CHECK(fresh.size() == 0);
  }
}

TEST_CASE("many names push out those with less dealings alone, and cannot be shown twice for more than they had") {
  FavourAccounts accounts({}, us);
  accounts.credit(receipt(1, seconds(10)));
  for (std::uint64_t name = 2; name < limits::favour_accounts_max + 500; ++name) accounts.credit(receipt(name, milliseconds(name)));
  CHECK(accounts.size() == limits::favour_accounts_max);
  CHECK(accounts.balance(owner(1)) == seconds(10));
  CHECK(accounts.balance(owner(2)) == Duration{});
  const auto rows = accounts.take_rows(after({}), true);
  CHECK(rows.size() >= limits::favour_accounts_max);
}

TEST_CASE("lines beyond those that are remembered add no more than what they have beyond the least of these") {
  FavourAccounts accounts({}, us);
  Generator generator = Generator::from_seed(3);
  Duration most{};
  for (int i = 0; i < 2000; ++i) {
    const auto work = seconds(1 + generator.below(100));
    most = std::max<Duration>(most, work);
    accounts.credit(receipt(1, work, static_cast<std::uint8_t>(generator.below(200))));
  }
  CHECK(accounts.balance(owner(1)) <= most * static_cast<int>(limits::receipts_shown_max));
}
