#include "coordinatorless/core/identity_proof.h"

#include <doctest/doctest.h>

#include <set>

#include "coordinatorless/core/own_proof.h"
#include "tests/core/proofs.h"

namespace dugnad::core::test {
namespace {

using namespace std::chrono_literals;

WallTime at(int year, unsigned month, unsigned day, Duration time = {}) {
  const std::chrono::sys_days date = std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
  return WallTime(date.time_since_epoch()) + std::chrono::duration_cast<WallTime::duration>(time);
}

constexpr std::uint32_t november = 2026 * 12 + 10;

}  // namespace

TEST_CASE("months turn at midnight UTC, and the years with them") {
  CHECK(month_of(at(2026, 11, 1)) == november);
  CHECK(month_of(at(2026, 11, 30, 24h - 1ms)) == november);
  CHECK(month_of(at(2026, 12, 1)) == november + 1);
  CHECK(month_of(at(2027, 1, 1)) == november + 2);
  CHECK(month_of(at(2028, 2, 29, 12h)) == 2028 * 12 + 1);
  CHECK(month_of(WallTime{}) == 1970 * 12);
}

TEST_CASE("a proof is good for its month and the next; near their ends clocks may differ, far from them nobody's does") {
  const auto dated = [](WallTime now) { return dating_of(november, now); };
  CHECK(dated(at(2026, 11, 15)) == Dating::current);
  CHECK(dated(at(2026, 12, 31, 23h)) == Dating::current);
  CHECK(dated(at(2027, 1, 1, 9min)) == Dating::current);
  CHECK(dated(at(2027, 1, 1, 11min)) == Dating::off);
  CHECK(dated(at(2027, 1, 1, 49min)) == Dating::off);
  CHECK(dated(at(2027, 1, 1, 51min)) == Dating::absurd);
  CHECK(dated(at(2027, 11, 15)) == Dating::absurd);
  CHECK(dated(at(2026, 10, 31, 23h + 51min)) == Dating::current);
  CHECK(dated(at(2026, 10, 31, 23h + 49min)) == Dating::off);
  CHECK(dated(at(2026, 10, 31, 23h + 9min)) == Dating::absurd);
  CHECK(dating_of(0, at(2026, 11, 15)) == Dating::absurd);
}

TEST_CASE("whatever one peer takes for current, no other with an honest clock takes for absurd") {
  const WallTime turn = at(2027, 1, 1);
  for (auto theirs = -20min; theirs <= 90min; theirs += 1min) {
    if (dating_of(november, turn + theirs) != Dating::current) continue;
    // Its record may be half an hour old by then, and our clock ten minutes off theirs.
    for (auto ours = theirs - 10min; ours <= theirs + 10min + 30min; ours += 1min) {
      CAPTURE(theirs.count());
      CAPTURE(ours.count());
      CHECK(dating_of(november, turn + ours) != Dating::absurd);
    }
  }
}

TEST_CASE("bits are counted from the first byte's highest on") {
  Hash hash;
  hash.bytes.fill(0xff);
  CHECK(meets(hash, 0));
  CHECK_FALSE(meets(hash, 1));
  hash.bytes[0] = 0x1f;
  CHECK(meets(hash, 3));
  CHECK_FALSE(meets(hash, 4));
  hash.bytes[0] = 0;
  hash.bytes[1] = 0x01;
  CHECK(meets(hash, 8));
  CHECK(meets(hash, 15));
  CHECK_FALSE(meets(hash, 16));
  CHECK(meets(Hash{}, 256));
}

TEST_CASE("a proof is bound to key, swarm, month and nonce, and is what it always was") {
  const Identity me(1), other(2);
  const IdentityTicket ticket{november, 7};
  const PublicKey key = me.crypto->public_key();
  const auto hash = [&](const SwarmId& in, const PublicKey& whose, const IdentityTicket& what) {
    const ProofInput input = proof_input(in, whose, what);
    return dear_hash(input.password, input.salt).value().hex();
  };
  const std::set<std::string> all{hash(swarm, key, ticket), hash(swarm_id("elsewhere"), key, ticket),
                                  hash(swarm, other.crypto->public_key(), ticket), hash(swarm, key, {november + 1, 7}),
                                  hash(swarm, key, {november, 8})};
  CHECK(all.size() == 5);
  // Golden: another algorithm, order of the fields or memory would void everybody's proofs.
  CHECK(hash({}, {}, {november, 7}) == "e788e0d885ba04341831aa542f1da91ad9b43ff1e3770250be7c3cae3667f273");
}

TEST_CASE("own jobs ask for a search once a month, and for none while the month's proof is there") {
  Identity me(1);
  me.self.difficulty = few_bits;
  OwnProof own(me.self);
  Output out;
  const Now now{BootTime(1h), at(2026, 11, 27)};
  own.need(now, out);
  own.need(later(now, 1h), out);
  const auto first = all<MintIdentity>(out);
  REQUIRE(first.size() == 1);
  CHECK(first[0].month == november);
  CHECK(first[0].difficulty == few_bits);

  CHECK(own.found(ticket_of(me, november)));
  own.need(later(now, 2h), out);
  CHECK(all<MintIdentity>(out).size() == 1);
  own.need(later(now, 24h * 4), out);
  const auto second = all<MintIdentity>(out);
  REQUIRE(second.size() == 2);
  CHECK(second[1].month == november + 1);
}

TEST_CASE("a ticket that proves nothing is not shown to anybody") {
  Identity me(1);
  me.self.difficulty = few_bits;
  OwnProof own(me.self);
  CHECK_FALSE(own.found(ticket_of(me, november, false)));
  me.self.difficulty = 0;
  CHECK_FALSE(own.found(ticket_of(me, november)));
  Output out;
  own.need({BootTime(1h), at(2026, 11, 27)}, out);
  CHECK(out.effects.empty());
}

}  // namespace dugnad::core::test
