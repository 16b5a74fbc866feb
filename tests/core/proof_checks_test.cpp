#include "coordinatorless/core/proof_checks.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/identity_proof.h"
#include "coordinatorless/core/swarm_name.h"
#include "tests/core/proofs.h"

namespace dugnad::core::test {
namespace {

using namespace std::chrono_literals;
using Standing = ProofChecks::Standing;
using Verdict = ProofChecks::Verdict;

/// A hash that costs nothing and always holds: for tests that want thousands.
class CheapCrypto final : public Crypto {
 public:
  PublicKey public_key() const override { return {}; }
  CurveKey curve_key() const override { return {}; }
  Signature sign(ByteView) override { return {}; }
  bool verify(const PublicKey&, ByteView, const Signature&) override { return true; }
  Bytes seal(const CurveKey&, const std::array<std::uint8_t, 24>&, ByteView) override { return {}; }
  std::optional<Bytes> open(const CurveKey&, const std::array<std::uint8_t, 24>&, ByteView) override { return std::nullopt; }
  std::optional<Hash> dear_hash(ByteView, const Salt&) const override { return Hash{}; }
};

struct Checker {
  Identity me{1};
  CountingCrypto crypto{*me.crypto};
  Now now = start_of_time();
  std::uint32_t month = month_of(now.wall);
  ProofChecks checks{me.self};

  explicit Checker(unsigned bits = few_bits) {
    me.self.difficulty = bits;
    me.self.crypto = &crypto;
  }
  [[nodiscard]] ContactRecord record_with(const Identity& whose, std::optional<IdentityTicket> ticket) const {
    ContactRecord record = whose.record(1, now.wall);
    record.proof = ticket;
    return record;
  }
  [[nodiscard]] Standing standing(const ContactRecord& record) const { return checks.standing(record, now.wall); }
};

}  // namespace

TEST_CASE("a proof that holds is checked once, and holds for its months") {
  Checker checker;
  const Identity submitter(2);
  const ContactRecord record = checker.record_with(submitter, ticket_of(submitter, checker.month));
  CHECK(checker.standing(record) == Standing::unchecked);
  CHECK(checker.checks.check(record) == Verdict::holds);
  CHECK(checker.standing(record) == Standing::proven);
  CHECK(checker.crypto.dear_hashes == 1);
  CHECK(checker.checks.standing(record, checker.now.wall + 24h * 365) == Standing::absurd);

  ContactRecord another = record;
  ++another.proof->nonce;
  CHECK(checker.standing(another) == Standing::unchecked);
}

TEST_CASE("a proof of another peer, of another swarm or of fewer bits does not hold") {
  Checker checker;
  const Identity submitter(2), other(3);
  // Of eight tickets of somebody else one holds for us by chance: so the first that does not.
  IdentityTicket theirs = ticket_of(other, checker.month);
  while (holds(*submitter.crypto, swarm, submitter.crypto->public_key(), theirs, few_bits)) {
    theirs = ticket_of(other, checker.month, true, theirs.nonce + 1);
  }
  CHECK(checker.checks.check(checker.record_with(submitter, theirs)) == Verdict::false_proof);

  Identity elsewhere(2);
  elsewhere.self.swarm = swarm_id("elsewhere");
  IdentityTicket foreign = ticket_of(elsewhere, checker.month);
  while (holds(*submitter.crypto, swarm, submitter.crypto->public_key(), foreign, few_bits)) {
    foreign = ticket_of(elsewhere, checker.month, true, foreign.nonce + 1);
  }
  CHECK(checker.checks.check(checker.record_with(submitter, foreign)) == Verdict::false_proof);

  const IdentityTicket weak = ticket_of(submitter, checker.month, false);
  CHECK(checker.checks.check(checker.record_with(submitter, weak)) == Verdict::false_proof);
  CHECK(checker.checks.kept() == 0);
}

TEST_CASE("a swarm without a difficulty asks nobody for a proof") {
  Checker checker(0);
  CHECK(checker.standing(checker.record_with(Identity(2), std::nullopt)) == Standing::proven);
  Checker asking;
  CHECK(asking.standing(asking.record_with(Identity(2), std::nullopt)) == Standing::unproven);
}

TEST_CASE("without memory nobody is found out, nor believed") {
  Checker checker;
  const Identity submitter(2);
  const ContactRecord record = checker.record_with(submitter, ticket_of(submitter, checker.month));
  checker.crypto.starved = true;
  CHECK(checker.checks.check(record) == Verdict::unknown);
  CHECK(checker.standing(record) == Standing::unchecked);
}

TEST_CASE("however many tellers there are, checks keep within their allowance, and one teller within its own") {
  Checker checker;
  ProofChecks::Allowance one;
  int afforded = 0;
  for (int i = 0; i < 1000; ++i) afforded += checker.checks.afford(one, checker.now.boot);
  CHECK(afforded == static_cast<int>(limits::proof_checks_of_one_burst));

  std::vector<ProofChecks::Allowance> many(100);
  for (int second = 0; second < 60; ++second) {
    for (auto& teller : many) afforded += checker.checks.afford(teller, checker.now.boot + std::chrono::seconds(second));
  }
  CHECK(afforded <= static_cast<int>(limits::proof_checks_burst + 60 * limits::proof_checks_per_second));
  CHECK(afforded > static_cast<int>(50 * limits::proof_checks_per_second));
}

TEST_CASE("what is remembered has its limit; earlier months go first") {
  CheapCrypto cheap;
  Checker checker;
  checker.me.self.crypto = &cheap;
  ContactRecord record = checker.record_with(Identity(2), IdentityTicket{checker.month, 1});
  const auto check_one = [&](std::uint64_t number, std::uint32_t month) {
    std::memcpy(record.key.bytes.data(), &number, sizeof number);
    record.proof->month = month;
    CHECK(checker.checks.check(record) == Verdict::holds);
  };
  for (std::uint64_t i = 0; i < limits::proofs_kept_max; ++i) check_one(i, checker.month - (i % 4 == 0 ? 2 : 0));
  CHECK(checker.checks.kept() == limits::proofs_kept_max);
  check_one(limits::proofs_kept_max, checker.month);
  CHECK(checker.checks.kept() == limits::proofs_kept_max * 3 / 4 + 1);
  for (std::uint64_t i = 0; i < limits::proofs_kept_max; ++i) check_one(1'000'000 + i, checker.month);
  CHECK(checker.checks.kept() == limits::proofs_kept_max);
}

TEST_CASE("a swarm is named with or without its difficulty; a private one asks for none") {
  const auto named = [](std::string_view text, std::string secret = {}) { return SwarmName::parse(text, std::move(secret)).value(); };
  CHECK(named("public").difficulty == limits::proof_bits_default);
  CHECK(named("public").id() == swarm_id("public", limits::proof_bits_default));
  CHECK(named("public:15").id() == named("public").id());
  CHECK(named("lab:0").difficulty == 0);
  CHECK(named("lab:0").id() == swarm_id("lab", 0));
  CHECK(named("a:b:24").name == "a:b");
  CHECK(named("lab", "sixteen bytes or more").difficulty == 0);
  CHECK(named("lab", "sixteen bytes or more").id() == swarm_id("lab", 0, "sixteen bytes or more"));
  CHECK(named("lab:3", "sixteen bytes or more").difficulty == 3);
  for (const char* wrong : {"", ":3", "lab:", "lab:25", "lab:-1", "lab:03", "lab: 3", "lab:x", "lab:3x", "lab:99999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(SwarmName::parse(wrong));
  }
}

}  // namespace dugnad::core::test
