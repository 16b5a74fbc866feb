#include "coordinatorless/core/peer_budget.h"

#include <doctest/doctest.h>

#include <map>

#include "coordinatorless/base/generator.h"

namespace dugnad::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

PeerId peer(std::uint64_t number) {
  PeerId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}
const BootTime start{std::chrono::hours(1)};

/// The same rules the long way: tokens that are counted up, every peer remembered, every ban too.
struct Naive {
  struct Account {
    double messages = limits::messages_burst;
    double bytes = limits::bytes_burst;
    double score = 0;
    BootTime at{};
    BootTime banned_until{};
  };
  std::map<PeerId, Account> accounts;

  Account& moved_on(const PeerId& id, BootTime now) {
    const auto [entry, fresh] = accounts.try_emplace(id);
    Account& account = entry->second;
    const double elapsed = fresh ? 0 : seconds_of(now - account.at);
    account.messages = std::min(limits::messages_burst, account.messages + elapsed * limits::messages_per_second);
    account.bytes = std::min(limits::bytes_burst, account.bytes + elapsed * limits::bytes_per_second);
    account.score = std::max(0.0, account.score - elapsed / 60 * limits::score_decay_per_minute);
    account.at = now;
    return account;
  }
  bool admit(const PeerId& id, double bytes, double share, BootTime now) {
    Account& account = moved_on(id, now);
    constexpr double rounding = 1e-6;
    if (account.messages < share - rounding) return false;
    account.messages -= share;
    if (account.bytes < bytes * share - rounding) return false;
    account.bytes -= bytes * share;
    return true;
  }
  bool charge(const PeerId& id, double score, BootTime now) {
    Account& account = moved_on(id, now);
    if (account.banned_until > now) return false;
    account.score += score;
    if (account.score < limits::score_ban) return false;
    account = {};
    account.at = now;
    account.banned_until = now + limits::ban_time;
    return true;
  }
};

TEST_CASE("the budget decides as a naive model does, over random traffic and misbehaviour") {
  Generator generator = Generator::from_seed(3);
  PeerBudget budget;
  Naive naive;
  BootTime now = start;
  std::size_t differ = 0;
  std::size_t refused = 0;
  std::size_t banned = 0;
  for (int step = 0; step < 300'000; ++step) {
    if (generator.chance(0.001)) now += milliseconds(generator.below(100));
    if (generator.chance(0.00003)) now += minutes(generator.below(40));
    const PeerId who = peer(generator.below(5));
    const bool working = who == peer(0);
    budget.set_working(who, working);
    const double share = working ? 1 / limits::working_factor : 1;
    if (generator.chance(0.999)) {
      // Sizes that are whole nanoseconds of the rate, so that no rounding comes between the two.
      const std::size_t bytes = generator.below(3) * (working ? 512 << 10 : 16 << 10);
      const bool admitted = budget.admit(who, bytes, now);
      differ += admitted != naive.admit(who, static_cast<double>(bytes), share, now);
      refused += !admitted;
    } else {
      const Charge charge{static_cast<double>(generator.below(40)), "test"};
      const bool ban = budget.charge(who, charge, now);
      differ += ban != naive.charge(who, charge.score, now);
      banned += ban;
      CHECK(budget.banned(who, now) == (naive.accounts.at(who).banned_until > now));
      CHECK(budget.score(who, now) == doctest::Approx(naive.accounts.at(who).score));
    }
  }
  CHECK(differ == 0);
  CHECK(refused > 1000);
  CHECK(banned > 3);
}

TEST_CASE("a peer with leases sends 50,000 messages a second and is never refused; one without is cut to its rate") {
  PeerBudget budget;
  budget.set_working(peer(1), true);
  int refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    const BootTime now = start + i * std::chrono::microseconds(20);
    CHECK(budget.admit(peer(1), 1000, now));
    refused += !budget.admit(peer(2), 1000, now);
  }
  CHECK(refused == doctest::Approx(200'000 - limits::messages_burst - 4 * limits::messages_per_second).epsilon(0.001));
}

TEST_CASE("two forgeries ban a peer, for half an hour; ten small things over an hour do not") {
  PeerBudget budget;
  CHECK_FALSE(budget.charge(peer(1), charges::forged, start));
  CHECK(budget.charge(peer(1), charges::forged, start));
  CHECK_FALSE(budget.charge(peer(1), charges::forged, start));  // said once
  CHECK(budget.banned_until(peer(1)) == start + limits::ban_time);
  CHECK(budget.banned(peer(1), start + minutes(29)));
  CHECK_FALSE(budget.banned(peer(1), start + minutes(30)));
  CHECK_FALSE(budget.banned(peer(2), start));

  for (int i = 0; i < 10; ++i) CHECK_FALSE(budget.charge(peer(3), charges::malformed, start + minutes(6 * i)));
  CHECK_FALSE(budget.charge(peer(3), Charge{}, start + minutes(60)));
}

TEST_CASE("whoever comes in any number, what is remembered stays bounded, and the worst are remembered longest") {
  PeerBudget budget;
  CHECK_FALSE(budget.charge(peer(7), charges::forged, start));
  for (std::uint64_t i = 100; i < 100 + 3 * limits::accounts_max; ++i) {
    CHECK(budget.admit(peer(i), 1000, start));
    CHECK(budget.remembered() <= limits::accounts_max);
  }
  CHECK(budget.score(peer(7), start) == charges::forged.score);
  // A minute later all but that one are as good as never seen.
  while (budget.remembered() < limits::accounts_max) CHECK(budget.admit(peer(50'000 + budget.remembered()), 1000, start));
  CHECK(budget.admit(peer(99), 1000, start + minutes(1)));
  CHECK(budget.remembered() == 2);

  for (std::uint64_t i = 0; i < limits::bans_max + 50; ++i) {
    CHECK(budget.charge(peer(1'000'000 + i), Charge{limits::score_ban, "test"}, start + milliseconds(i)));
    CHECK(budget.bans() <= limits::bans_max);
  }
  CHECK_FALSE(budget.banned(peer(1'000'000), start + seconds(10)));
  CHECK(budget.banned(peer(1'000'000 + limits::bans_max + 49), start + seconds(10)));
}

}  // namespace
}  // namespace dugnad::core
