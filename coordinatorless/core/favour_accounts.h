// FavourAccounts: how a donor stands with other owners, after Andrade, Brasileiro, Cirne and Mowbray, "Discouraging free riding in a
// peer-to-peer
// CPU-sharing grid" (2004), the Network of Favors of OurGrid.
//
// Specification
//   1. An owner's balance grows by the work that receipts of our own owner's prove, each line of them once, and shrinks by what is served
//      to it; never below zero, where everybody begins. Rationale: below zero a new name would be better off than an old one, and names
//      are free;
//      and what is served while nobody else wants it costs nothing later.
//   2. Our own owner's jobs come first, those of owners with a balance next, others last. Rationale: a user's own machines serve the user;
//      a
//      favour is returned before strangers are helped; and where nobody competes all are served.
//   3. A receipt counts with what it adds to what its line has counted before, so that the same one, shown anywhere any number of times,
//      in this
//      life or the next, adds nothing.
//   4. Of more than favour_accounts_max owners the one with the least dealings, in either direction, is forgotten; of one owner's lines
//      beyond
//      receipts_shown_max the least. Rationale: what is forgotten could be shown again; so it must be little, and whoever pushes others
//      out with
//      many names must have worked as much for each.
//   5. What was served since the last row is forgiven by a crash, receipts are shown anew: nothing is counted twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

class FavourAccounts {
 public:
  FavourAccounts(const SwarmId& swarm, std::optional<PublicKey> own) : swarm_(swarm), own_(own) {}

  enum class Rank : std::uint8_t { stranger, favoured, own };
  [[nodiscard]] Rank rank(const PublicKey& owner) const;
  [[nodiscard]] Duration balance(const PublicKey& owner) const;
  /// CPU time spent for this owner here, ever; zero where that was forgotten.
  [[nodiscard]] Duration served(const PublicKey& owner) const;

  /// This machine spent so much CPU time for the owner.
  void serve(const PublicKey& owner, Duration cost);
  /// Whether credit() would change nothing: so the signature need not be checked.
  [[nodiscard]] bool has_counted(const Receipt& receipt) const;
  /// A receipt of our own owner's whose signature holds.
  void credit(const Receipt& receipt);

  void restored(const std::vector<FavourRow>& rows);
  /// What has changed since last asked; `at_once`: not only every accounts_interval.
  [[nodiscard]] std::vector<Row> take_rows(BootTime now, bool at_once);

  [[nodiscard]] std::size_t size() const { return accounts_.size(); }

 private:
  struct Line {
    PeerId submitter;
    std::uint64_t series = 0;
    Duration work{};  // counted so far
  };
  struct Account {
    Duration balance{};
    Duration served{};
    std::vector<Line> lines{};  // receipts_shown_max
    bool changed = false;
    [[nodiscard]] Duration dealings() const;
  };

  [[nodiscard]] const Account* find(const PublicKey& owner) const;
  [[nodiscard]] Account& open(const PublicKey& owner);
  void touch(Account& account);
  [[nodiscard]] static Bytes encoded(const Account& account);
  [[nodiscard]] static std::optional<Account> decoded(ByteView bytes);

  const SwarmId swarm_;
  const std::optional<PublicKey> own_;
  std::map<PublicKey, Account> accounts_;  // favour_accounts_max
  std::vector<PublicKey> forgotten_;       // whose rows are there still
  bool any_changed_ = false;
  BootTime written_at_{};
};

}  // namespace dugnad::core
