// Two peers of two owners, and what they make of each other's receipts. What each writes to its journal is on disk when the test says so.
#include "coordinatorless/core/favours.h"

#include <doctest/doctest.h>

#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Side {
  Identity peer;
  Identity owner;
  Journal journal;
  FavourAccounts accounts;
  Favours favours;
  Output out;
  std::vector<ReceiptRow> disk;  // by line, the newest
  std::vector<Row> pending;
  PersistSeq written{};

  Side(std::uint64_t peer_name, std::uint64_t owner_name)
      : peer(peer_name), owner(owner_name), accounts(swarm, key()), favours(with_owner(), journal, accounts) {}

  Self& with_owner() {
    peer.self.owner = owner.crypto.get();
    return peer.self;
  }
  [[nodiscard]] PublicKey key() const { return owner.crypto->public_key(); }
  [[nodiscard]] const PeerId& id() const { return peer.self.id; }

  /// What was asked to be kept is on disk.
  void commit() {
    take_rows();
    for (const Row& row : std::exchange(pending, {})) {
      if (const auto* receipt = std::get_if<ReceiptRow>(&row)) {
        std::erase_if(disk, [&](const ReceiptRow& old) {
          return old.giver == receipt->giver && old.series == receipt->series && old.receiver == receipt->receiver &&
                 old.contradicts == receipt->contradicts;
        });
        disk.push_back(*receipt);
      }
    }
    favours.persisted(written, out);
  }
  void take_rows() {
    for (Effect& effect : std::exchange(out.effects, {})) {
      if (auto* persist = std::get_if<Persist>(&effect)) {
        written = persist->seq;
        pending.insert(pending.end(), persist->rows.begin(), persist->rows.end());
      }
    }
  }
};

struct Pair {
  Side submitter{1, 101};
  Side donor{2, 102};
  Now now = start_of_time();
  std::optional<Charge> charge;

  void link() {
    donor.favours.greet(submitter.id(), donor.out);
    talk();
  }
  void unlink() {
    submitter.favours.lost(donor.id());
    donor.favours.lost(submitter.id());
  }
  void serve(Duration cpu) { donor.accounts.serve(submitter.key(), cpu); }
  void thank(Duration work) { submitter.favours.verified({{donor.id(), work}}, now, submitter.out); }
  /// All that is said arrives; disks are quick.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      submitter.commit();
      donor.commit();
      talk();
    }
  }
  void talk() {
    while (deliver(donor, submitter) || deliver(submitter, donor)) {
    }
  }
  bool deliver(Side& from, Side& to) {
    from.take_rows();
    auto messages = std::exchange(from.out.messages, {});
    for (const Addressed& addressed : messages) {
      REQUIRE(addressed.to == to.id());
      const auto decoded = decode(encode(addressed.message));
      REQUIRE(decoded);
      const auto got = std::visit(
          [&](const auto& message) -> std::optional<Charge> {
            if constexpr (requires { to.favours.on(from.id(), message, now, to.out); }) return to.favours.on(from.id(), message, now, to.out);
            return charges::unasked;
          },
          *decoded);
      if (got) charge = got;
    }
    return !messages.empty();
  }
};

SignedReceipt signed_by(const Identity& giver, const Receipt& receipt) {
  SignedReceipt bytes{encode(receipt), {}, {}};
  bytes.giver = giver.self.sign(Domain::receipt, bytes.body);
  return bytes;
}

}  // namespace

TEST_CASE("verified work is thanked for, and both sides hold both signatures") {
  Pair pair;
  pair.link();
  pair.serve(seconds(3));
  pair.thank(seconds(2));
  pair.settle();
  CHECK_FALSE(pair.charge);
  REQUIRE(pair.submitter.disk.size() == 1);
  REQUIRE(pair.donor.disk.size() == 1);
  for (const ReceiptRow& row : {pair.submitter.disk.front(), pair.donor.disk.front()}) {
    const auto receipt = decode_receipt(row.body);
    REQUIRE(receipt);
    CHECK(receipt->giver == pair.submitter.key());
    CHECK(receipt->receiver == pair.donor.key());
    CHECK(receipt->sequence == 1);
    CHECK(receipt->work == seconds(2));
    Crypto& anybody = *pair.donor.peer.crypto;
    CHECK(is_given(receipt_of(row), *receipt, swarm, anybody));
    CHECK(is_taken(receipt_of(row), *receipt, swarm, anybody));
    CHECK_FALSE(is_given(receipt_of(row), *receipt, {}, anybody));  // in another swarm it says nothing
  }
}

TEST_CASE("each receipt says all of the work so far under the next number") {
  Pair pair;
  pair.link();
  pair.serve(seconds(30));
  for (int i = 0; i < 3; ++i) {
    pair.thank(seconds(2));
    pair.settle();
  }
  pair.thank(Duration{1});
  pair.settle();
  REQUIRE(pair.donor.disk.size() == 1);
  CHECK(pair.donor.disk.front().sequence == 3);
  CHECK(decode_receipt(pair.donor.disk.front().body)->work == seconds(6));
}

TEST_CASE("nothing is sent before it is on disk, neither a receipt nor the signature under it") {
  Pair pair;
  pair.link();
  pair.serve(seconds(3));
  pair.thank(seconds(2));
  CHECK(pair.submitter.out.messages.empty());
  pair.submitter.commit();
  CHECK(pair.submitter.out.messages.size() == 1);
  pair.talk();
  CHECK(pair.donor.out.messages.empty());
  CHECK_FALSE(pair.submitter.favours.has_left());
  pair.donor.commit();
  CHECK(pair.donor.out.messages.size() == 1);
  pair.talk();
  CHECK(pair.submitter.favours.has_left());
}

TEST_CASE("a receipt that was lost on its way, or the answer to it, is given again with the next link") {
  for (const bool arrives : {false, true}) {
    Pair pair;
    pair.link();
    pair.serve(seconds(3));
    pair.thank(seconds(2));
    pair.submitter.commit();
    if (arrives) {
      pair.talk();
      pair.donor.commit();
      pair.donor.out.messages.clear();
    } else {
      pair.submitter.out.messages.clear();
    }
    pair.unlink();
    pair.link();
    pair.settle();
    CHECK_FALSE(pair.charge);
    REQUIRE(pair.submitter.disk.size() == 1);
    CHECK(pair.submitter.disk.front().receiver_signature);
    CHECK(pair.submitter.disk.front().sequence == 1);
    CHECK(pair.donor.disk.size() == 1);
  }
}

TEST_CASE("a submitter goes on after a crash where its disk says that it was, and contradicts itself nowhere") {
  for (const bool on_disk : {false, true}) {
    Pair pair;
    pair.link();
    pair.serve(seconds(30));
    pair.thank(seconds(2));
    pair.settle();
    pair.thank(seconds(1));
    if (on_disk) pair.submitter.commit();
    // It dies here; the second receipt was perhaps on disk, and in no case sent before.
    Side again(1, 101);
    again.favours.restored({pair.submitter.disk, {}});
    const bool sent = !pair.submitter.out.messages.empty();
    CHECK(sent == on_disk);
    pair.deliver(pair.submitter, pair.donor);
    pair.donor.commit();
    pair.donor.out.messages.clear();
    pair.unlink();
    pair.donor.favours.greet(again.id(), pair.donor.out);
    for (int i = 0; i < 3; ++i) {
      pair.deliver(pair.donor, again);
      again.commit();
      pair.deliver(again, pair.donor);
      pair.donor.commit();
    }
    again.favours.verified({{pair.donor.id(), seconds(4)}}, pair.now, again.out);
    for (int i = 0; i < 3; ++i) {
      again.commit();
      pair.deliver(again, pair.donor);
      pair.donor.commit();
      pair.deliver(pair.donor, again);
    }
    CHECK_FALSE(pair.charge);
    REQUIRE(pair.donor.disk.size() == 1);
    CHECK(decode_receipt(pair.donor.disk.front().body)->work == seconds(on_disk ? 7 : 6));
    CHECK(pair.donor.disk.front().sequence == (on_disk ? 3 : 2));
  }
}

TEST_CASE("a submitter that has lost its journal begins another line, and one with an old copy goes on with the new one") {
  Pair pair;
  pair.link();
  pair.serve(seconds(30));
  pair.thank(seconds(2));
  pair.settle();
  const auto old_copy = pair.submitter.disk;
  pair.thank(seconds(2));
  pair.settle();
  for (const bool lost : {true, false}) {
    Side again(1, 101);
    again.peer.generator = Generator::from_seed(77);  // as in life, it draws others than before
    if (!lost) again.favours.restored({old_copy, {}});
    pair.unlink();
    pair.donor.favours.greet(again.id(), pair.donor.out);
    pair.deliver(pair.donor, again);
    again.favours.verified({{pair.donor.id(), seconds(1)}}, pair.now, again.out);
    again.commit();
    pair.deliver(again, pair.donor);
    pair.donor.commit();
    CHECK(pair.donor.disk.size() == 2);
    CHECK(std::none_of(pair.donor.disk.begin(), pair.donor.disk.end(), [](const ReceiptRow& row) { return row.contradicts; }));
  }
}

TEST_CASE("a receipt shown to the giver's donor makes a favour, once") {
  Pair pair;
  pair.link();
  pair.serve(seconds(3));
  pair.thank(seconds(2));
  pair.settle();
  // The donor's owner submits from another peer now; the submitter's owner has a worker too.
  Side wanting(3, 102), asked(4, 101);
  wanting.favours.restored({pair.donor.disk, {}});
  for (int times = 0; times < 3; ++times) {
    asked.favours.greet(wanting.id(), asked.out);
    pair.deliver(asked, wanting);
    CHECK(wanting.out.messages.size() == 1);
    pair.deliver(wanting, asked);
    asked.favours.lost(wanting.id());
    wanting.favours.lost(asked.id());
  }
  CHECK_FALSE(pair.charge);
  CHECK(asked.accounts.balance(wanting.key()) == seconds(2));
  CHECK(asked.accounts.rank(wanting.key()) == FavourAccounts::Rank::favoured);
}

TEST_CASE("what is forged, somebody else's or changed makes no favour, and who shows it is charged") {
  Side asked(4, 101);
  Identity stranger(5), receiver(102);
  const Now now = start_of_time();
  const Receipt receipt{asked.key(), asked.id(), 1, receiver.crypto->public_key(), 1, seconds(10), now.wall};
  const SignedReceipt good = signed_by(asked.owner, receipt);
  SignedReceipt forged = signed_by(stranger, receipt);
  SignedReceipt changed = good;
  Receipt more = receipt;
  more.work = seconds(1000);
  changed.body = encode(more);
  SignedReceipt half = good;
  half.receiver = Signature{};
  for (const SignedReceipt& bad : {forged, changed, half}) {
    const auto charge = asked.favours.on(stranger.self.id, Receipts{{bad}}, now, asked.out);
    REQUIRE(charge);
    CHECK(charge->score == charges::forged.score);
  }
  Receipt foreign = receipt;
  foreign.giver = stranger.crypto->public_key();
  CHECK(asked.favours.on(stranger.self.id, Receipts{{signed_by(stranger, foreign)}}, now, asked.out));
  CHECK(asked.accounts.size() == 0);
  // Another purpose's signature is none either.
  SignedReceipt other_purpose = good;
  other_purpose.giver = asked.owner.self.sign(Domain::receipt_taken, good.body);
  CHECK(asked.favours.on(stranger.self.id, Receipts{{other_purpose}}, now, asked.out));
  CHECK(asked.accounts.size() == 0);
  CHECK_FALSE(asked.favours.on(stranger.self.id, Receipts{{good}}, now, asked.out));
  CHECK(asked.accounts.balance(receipt.receiver) == seconds(10));
}

TEST_CASE("a binding is the peer's own or none") {
  Pair pair;
  Identity thief(9);
  pair.donor.favours.greet(pair.submitter.id(), pair.donor.out);
  const Binding binding = std::get<Binding>(pair.donor.out.messages.front().message);
  const auto stolen = pair.submitter.favours.on(thief.self.id, binding, pair.now, pair.submitter.out);
  REQUIRE(stolen);
  CHECK(stolen->score == charges::forged.score);
  Binding forged = binding;
  forged.binding.signature[0] ^= 1;
  CHECK(pair.submitter.favours.on(pair.donor.id(), forged, pair.now, pair.submitter.out)->score == charges::forged.score);
  CHECK(pair.submitter.favours.bindings() == 0);
  CHECK_FALSE(pair.submitter.favours.on(pair.donor.id(), binding, pair.now, pair.submitter.out));
  CHECK(pair.submitter.favours.on(pair.donor.id(), binding, pair.now, pair.submitter.out)->score == charges::hasty.score);
  CHECK(pair.submitter.favours.bindings() == 1);
}

TEST_CASE("whoever has no owner, or the same, neither gives nor gets receipts") {
  Pair pair;
  Side same(3, 101);
  same.favours.greet(pair.submitter.id(), same.out);
  pair.deliver(same, pair.submitter);
  pair.submitter.favours.verified({{same.id(), seconds(5)}, {pair.donor.id(), seconds(5)}}, pair.now, pair.submitter.out);
  CHECK(pair.submitter.out.effects.empty());
  Identity nobodys(6);
  Journal journal;
  FavourAccounts accounts(swarm, nobodys.self.owner_key());
  Favours favours(nobodys.self, journal, accounts);
  Output out;
  favours.greet(pair.submitter.id(), out);
  CHECK(out.messages.empty());
  CHECK_FALSE(favours.on(pair.submitter.id(), Receipts{{signed_by(pair.submitter.owner, {})}}, pair.now, out));
  CHECK(out.effects.empty());
}

TEST_CASE("two receipts that contradict each other are both kept, count for nothing more, and prove it to anybody") {
  for (const bool same_sequence : {true, false}) {
    Pair pair;
    pair.link();
    pair.serve(seconds(30));
    pair.thank(seconds(20));
    pair.settle();
    const Receipt honest = *decode_receipt(pair.donor.disk.front().body);
    Receipt two_faced = honest;
    two_faced.work = seconds(1);
    if (!same_sequence) ++two_faced.sequence;
    const SignedReceipt shown = signed_by(pair.submitter.owner, two_faced);
    for (int i = 0; i < 2; ++i) CHECK_FALSE(pair.donor.favours.on(pair.submitter.id(), Receipts{{shown}}, pair.now, pair.donor.out));
    pair.settle();
    REQUIRE(pair.donor.disk.size() == 2);
    CHECK(pair.donor.disk.back().contradicts);
    CHECK(decode_receipt(pair.donor.disk.front().body)->work == seconds(20));
    Crypto& anybody = *pair.submitter.peer.crypto;
    const auto proven = proven_contradiction(receipt_of(pair.donor.disk[0]), receipt_of(pair.donor.disk[1]), swarm, anybody);
    CHECK(proven == (same_sequence ? Contradiction::same_sequence : Contradiction::less_work));
    // Nobody can be framed: unsigned, it proves nothing.
    SignedReceipt invented = shown;
    invented.giver[5] ^= 1;
    CHECK(proven_contradiction(receipt_of(pair.donor.disk[0]), invented, swarm, anybody) == Contradiction::none);
  }
}

TEST_CASE("receipts in their order, and of different lines, contradict nothing") {
  Receipt one{{}, {}, 1, {}, 4, seconds(4), {}};
  Receipt next = one;
  next.sequence = 5;
  next.work = seconds(4);
  CHECK(contradiction(one, next) == Contradiction::none);
  CHECK(contradiction(one, one) == Contradiction::none);
  next.work = seconds(3);
  CHECK(contradiction(one, next) == Contradiction::less_work);
  CHECK(contradiction(next, one) == Contradiction::less_work);
  next.series = 2;
  CHECK(contradiction(one, next) == Contradiction::none);
}

TEST_CASE("thanks of whom this peer never served are not kept, and many lines of one giver make room for each other") {
  Pair pair;
  pair.link();
  pair.thank(seconds(2));
  pair.settle();
  CHECK(pair.donor.favours.held() == 0);
  pair.serve(seconds(1));
  for (std::uint64_t series = 0; series < 3 * limits::receipts_shown_max; ++series) {
    const Receipt receipt{pair.submitter.key(), pair.submitter.id(), series, pair.donor.key(), 1, seconds(series + 1), pair.now.wall};
    CHECK_FALSE(pair.donor.favours.on(pair.submitter.id(), Receipts{{signed_by(pair.submitter.owner, receipt)}}, pair.now, pair.donor.out));
  }
  CHECK(pair.donor.favours.held() == limits::receipts_shown_max);
}

TEST_CASE("a flood of givers' receipts pushes out those of whom less was served, within the room there is") {
  Side donor(2, 102);
  Now now = start_of_time();
  Identity good(7);
  const auto thank = [&](const Identity& giver, Duration served) {
    donor.accounts.serve(giver.crypto->public_key(), served);
    const Receipt receipt{giver.crypto->public_key(), giver.self.id, 1, donor.key(), 1, seconds(1000), now.wall};
    now = later(now, milliseconds(100));
    return donor.favours.on(giver.self.id, Receipts{{signed_by(giver, receipt)}}, now, donor.out);
  };
  CHECK_FALSE(thank(good, seconds(10)));
  for (std::uint64_t i = 0; i < limits::receipts_held_max + 50; ++i) CHECK_FALSE(thank(Identity(1000 + i), milliseconds(1)));
  CHECK(donor.favours.held() <= limits::receipts_held_max);
  // It is still there: shown again, it needs no signature.
  donor.out = {};
  const Receipt receipt{good.crypto->public_key(), good.self.id, 1, donor.key(), 1, seconds(1000), start_of_time().wall};
  CHECK_FALSE(donor.favours.on(good.self.id, Receipts{{signed_by(good, receipt)}}, now, donor.out));
  CHECK(donor.out.messages.size() == 1);
}

TEST_CASE("signatures are checked within an allowance; what comes beyond is refused for little") {
  Side asked(4, 101);
  Identity stranger(5);
  const Now now = start_of_time();
  std::size_t forged = 0, hasty = 0;
  for (std::uint64_t i = 0; i < 1200; ++i) {
    const Receipt receipt{asked.key(), asked.id(), i, stranger.crypto->public_key(), 1, seconds(10), now.wall};
    const auto charge = asked.favours.on(stranger.self.id, Receipts{{signed_by(stranger, receipt)}}, now, asked.out);
    REQUIRE(charge);
    (charge->score == charges::forged.score ? forged : hasty)++;
  }
  CHECK(static_cast<double>(forged) <= limits::receipt_checks_burst);
  CHECK(hasty > 0);
}

TEST_CASE("an orderly stop waits for signatures, but not for ever") {
  Pair pair;
  pair.link();
  pair.serve(seconds(3));
  pair.thank(seconds(2));
  pair.submitter.commit();
  pair.submitter.favours.leave(pair.now);
  CHECK_FALSE(pair.submitter.favours.has_left());
  CHECK(pair.submitter.favours.next_deadline() == pair.now.boot + limits::thanks_grace);
  pair.submitter.favours.tick(later(pair.now, limits::thanks_grace));
  CHECK(pair.submitter.favours.has_left());
  CHECK(pair.submitter.favours.next_deadline() == never);
}
