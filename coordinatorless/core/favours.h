// Favours: receipts between owners. A submitter thanks the owners of its donors for verified work; a donor keeps what its owner was
// thanked with,
// and that owner's submitters show it, where they want work done, to the donors of whoever thanked.
//
// Specification
//   1. A donor with an owner says so to each submitter that it serves, once a link: a Binding, signed by the owner. It sends along what it
//      holds of
//      that submitter's receipts. Who has no owner gets no receipts.
//   2. Thanks are for verified work alone: results that were agreed upon or became final, at the median of what a unit costs as the
//      submitter has timed
//      it. Rationale: what a donor says of its CPU time would be its own reward. They come in batches, of each job every thanks_interval
//      and at its
//      end; a receipt says all of its line so far, so that the newest alone matters and a lost one costs nothing.
//   3. A receipt is on disk before it is sent, and before it is countersigned. Rationale: a sequence that a crash takes back would be
//      given twice, which
//      is what proves a cheat. What was not countersigned is sent again with the next Binding. The receiver's signature tells the giver
//      that it has
//      arrived; without it the receipt is as good.
//   4. Whoever hears a Binding shows, of the receipts that its own owner was given, those by the donor's owner. The donor needs nothing
//      but its
//      owner's key to check them, and counts each line once (favour_accounts.h). Rationale: an owner's programs share no state but the key;
//      and whoever shows somebody else's receipt does that one a favour.
//   5. Receipts are kept only of owners that this peer has served, and where there is no room the giver that was served least makes some.
//      Rationale:
//      anybody can sign thanks to anybody, of any size.
//   6. A submitter that is shown a receipt of a line of its own, newer than the one it remembers, goes on from there; one that remembers
//      nothing begins
//      a new line. Rationale: an old copy of a journal must not make an honest owner look like a cheat, a lost one cannot.
//   7. Two receipts that contradict each other are both kept, the later one counts for nothing, and `dugnad id --receipts` names the giver.
//   8. Signatures of owners are checked within receipt_checks_per_second; what is known already needs no check.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/favour_accounts.h"
#include "coordinatorless/core/journal.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/receipt.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

/// Work of a donor's that was verified, in CPU time as the submitter has timed it, and so many results.
struct VerifiedWork {
  PeerId donor;
  Duration work{};
  std::uint64_t results = 0;
};

class Favours {
 public:
  /// All three outlive it.
  Favours(const Self& self, Journal& journal, FavourAccounts& accounts) : self_(self), journal_(journal), accounts_(accounts) {}

  void restored(const FavoursRestored& event);
  /// `submitter`'s job is served, over a link that stands.
  void greet(const PeerId& submitter, Output& out);
  void lost(const PeerId& peer);

  [[nodiscard]] std::optional<Charge> on(const PeerId& from, const Binding& message, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on(const PeerId& from, const Receipts& message, Now now, Output& out);
  /// Rule 2; each call is one batch of receipts.
  void verified(const std::vector<VerifiedWork>& all, Now now, Output& out);
  /// Rule 3.
  void persisted(PersistSeq up_to, Output& out);

  void leave(Now now) { left_at_ = now.boot; }
  /// What was given is out, and countersigned where the receivers are quick.
  [[nodiscard]] bool has_left() const;
  void tick(Now now);
  [[nodiscard]] BootTime next_deadline() const { return has_left() || left_at_ == never ? never : left_at_ + limits::thanks_grace; }

  [[nodiscard]] std::size_t bindings() const { return owner_of_.size(); }
  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  struct Kept {
    Receipt receipt;
    SignedReceipt bytes;
    bool contradicted = false;  // another was kept beside it
  };
  struct Given {
    std::optional<Kept> newest{};  // none yet: drawn, and not thanked
    Duration pending{};            // verified since
  };
  struct Outgoing {
    PersistSeq after;
    PeerId to;
    SignedReceipt receipt;
  };

  void send_later(PersistSeq after, const PeerId& to, const SignedReceipt& receipt) { outgoing_.push_back({after, to, receipt}); }
  void show(const PeerId& donor, const PublicKey& owner, Output& out);
  [[nodiscard]] Given* given_to(const PublicKey& receiver);
  [[nodiscard]] Kept next_receipt(const PublicKey& receiver, const Given& given, WallTime now);
  [[nodiscard]] std::optional<Charge> on_own(const SignedReceipt& bytes, const Receipt& receipt, Now now, Output& out);
  [[nodiscard]] std::optional<Charge> on_thanks(const PeerId& from, const SignedReceipt& bytes, const Receipt& receipt, Now now, Output& out);
  void hold(const PeerId& from, Kept kept, Output& out);
  void make_room(const PublicKey& giver, std::vector<Row>& rows);

  const Self& self_;
  Journal& journal_;
  FavourAccounts& accounts_;
  TokenBucket checks_{limits::receipt_checks_per_second, limits::receipt_checks_burst};

  std::optional<Signed> binding_;            // our own, signed once
  std::map<PeerId, PublicKey> owner_of_;     // bindings_max
  std::set<PeerId> greeted_;                 // submitters, over this link
  std::set<PeerId> bound_;                   // donors that have said whose they are, over this link
  std::map<ReceiptLine, Kept> held_;         // receipts_held_max; by giver first
  std::map<PublicKey, Given> given_;         // receipts_given_max, by receiver
  std::deque<Outgoing> outgoing_;            // until they are on disk; some for each link at most, every thanks_interval
  std::set<PublicKey> awaited_;              // receivers of what was given here and is not countersigned yet
  std::vector<ReceiptLine> forgotten_;       // given, whose rows are there still
  BootTime left_at_ = never;
  bool gave_up_ = false;
};

}  // namespace dugnad::core
