#include "coordinatorless/core/reputation.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

PeerId peer(std::uint64_t name) {
  PeerId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(name >> (8 * i));
  return id;
}

WallTime day(int number) { return WallTime(hours(24 * (20'000 + number))); }

Reputations restarted(Reputations& reputations) {
  std::vector<ReputationRow> rows;
  for (const Row& row : reputations.take_rows({}, BootTime{} + hours(1), true)) rows.push_back(std::get<ReputationRow>(row));
  Reputations fresh;
  fresh.restored(rows);
  return fresh;
}

}  // namespace

TEST_CASE("a donor is known after enough final results, and becomes a stranger again with time") {
  Reputations reputations;
  CHECK(reputations.past(peer(1), day(0)) == Past::unknown);
  reputations.verified(peer(1), 199, day(0));
  CHECK(reputations.past(peer(1), day(0)) == Past::unknown);
  reputations.verified(peer(1), 101, day(0));
  CHECK(reputations.past(peer(1), day(0)) == Past::known);
  CHECK(reputations.past(peer(1), day(17)) == Past::known);
  CHECK(reputations.past(peer(1), day(18)) == Past::unknown);
}

TEST_CASE("however much a donor does, it is remembered for no longer than the cap lasts") {
  Reputations reputations;
  for (int i = 0; i < 1000; ++i) reputations.verified(peer(1), 1'000'000, day(0));
  CHECK(reputations.past(peer(1), day(99)) == Past::known);
  CHECK(reputations.past(peer(1), day(101)) == Past::unknown);
}

TEST_CASE("whoever was branded is convicted for a half-life, and its credit is gone") {
  Reputations reputations;
  reputations.verified(peer(1), 2000, day(0));
  reputations.convicted(peer(1), true, day(1));
  CHECK(reputations.past(peer(1), day(1)) == Past::convicted);
  reputations.verified(peer(1), 2000, day(2));
  CHECK(reputations.past(peer(1), day(30)) == Past::convicted);
  CHECK(reputations.past(peer(1), day(32)) == Past::known);
  reputations.convicted(peer(1), true, day(32));
  reputations.convicted(peer(1), true, day(32));
  CHECK(reputations.past(peer(1), day(90)) == Past::convicted);
  CHECK(reputations.past(peer(1), day(110)) == Past::unknown);
}

TEST_CASE("an error that was forgiven costs the credit and leaves no blame") {
  Reputations reputations;
  reputations.verified(peer(1), 2000, day(0));
  reputations.convicted(peer(1), false, day(0));
  CHECK(reputations.past(peer(1), day(0)) == Past::unknown);
  reputations.verified(peer(1), 200, day(0));
  CHECK(reputations.past(peer(1), day(0)) == Past::known);
}

TEST_CASE("what is remembered survives a restart, and damaged rows are left out") {
  Reputations reputations;
  reputations.verified(peer(1), 300, day(0));
  reputations.convicted(peer(2), true, day(0));
  Reputations fresh = restarted(reputations);
  CHECK(fresh.size() == 2);
  CHECK(fresh.past(peer(1), day(17)) == Past::known);
  CHECK(fresh.past(peer(1), day(18)) == Past::unknown);
  CHECK(fresh.past(peer(2), day(29)) == Past::convicted);
  fresh.restored({{{}, peer(3), Bytes{1}}, {{}, peer(4), Bytes(30, 0xff)}});
  CHECK(fresh.size() == 2);
}

TEST_CASE("a clock that is set back makes nobody better or worse") {
  Reputations reputations;
  reputations.verified(peer(1), 300, day(100));
  CHECK(reputations.past(peer(1), day(0)) == Past::known);
  reputations.verified(peer(1), 1, day(0));
  CHECK(reputations.past(peer(1), day(117)) == Past::known);
  CHECK(reputations.past(peer(1), day(119)) == Past::unknown);
}

TEST_CASE("many names push out convicted ones and those with less work behind them, and nobody with more") {
  Reputations reputations;
  reputations.verified(peer(1), 500, day(0));
  reputations.convicted(peer(2), true, day(0));
  for (std::uint64_t name = 10; name < limits::reputations_max + 100; ++name) reputations.verified(peer(name), 3, day(0));
  CHECK(reputations.size() == limits::reputations_max);
  CHECK(reputations.past(peer(1), day(0)) == Past::known);
  CHECK(reputations.past(peer(2), day(0)) == Past::unknown);
}

TEST_CASE("rows are written together, now and then") {
  Reputations reputations;
  const BootTime start = BootTime{} + hours(1);
  reputations.verified(peer(1), 1, day(0));
  CHECK(reputations.take_rows({}, start, false).size() == 1);
  reputations.verified(peer(1), 1, day(0));
  reputations.verified(peer(2), 1, day(0));
  CHECK(reputations.take_rows({}, start + seconds(1), false).empty());
  CHECK(reputations.take_rows({}, start + limits::accounts_interval, false).size() == 2);
}
