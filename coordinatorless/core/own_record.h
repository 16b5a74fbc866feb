// OwnRecord: our own contact record, and when it has to be signed anew.
//
// Every 10 minutes, since leases run out after 30; and soon after what it says has changed, changes being gathered for a moment so that a
// burst of new links costs one signature. A sequence is never used twice: it follows the wall clock, and goes beyond any record of ours that
// somebody shows us (from before a restart, or signed while our clock was ahead). The last word is a goodbye. A proof of work whose months are
// over is left out: to show it would be an offence.
#pragma once

#include <optional>
#include <vector>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

class OwnRecord {
 public:
  /// `self` outlives the record.
  explicit OwnRecord(const Self& self) : self_(self) {}

  /// Signs anew where that is due, with those relays; true where it did.
  bool refresh(const std::vector<PeerId>& relays, Now now);
  /// What refresh() would say may have changed.
  void may_differ(Now now);
  /// That we leave, above all that we have signed. Nothing is signed after it.
  [[nodiscard]] Signed goodbye(Now now);
  /// The record is to carry this proof from now on, at once.
  void prove(const IdentityTicket& ticket, Now now);
  /// Somebody holds a record of ours with that sequence, and it is genuine.
  void outdo(std::uint64_t sequence, Now now);

  [[nodiscard]] bool exists() const { return !raw_.body.empty(); }
  [[nodiscard]] const Signed& raw() const { return raw_; }
  [[nodiscard]] const ContactRecord& says() const { return says_; }
  [[nodiscard]] BootTime next_deadline() const { return std::min(renew_at_, changed_at_); }

 private:
  [[nodiscard]] std::uint64_t next_sequence(Now now) const;
  [[nodiscard]] static WallTime lease_from(Now now);
  [[nodiscard]] std::optional<IdentityTicket> proof_for(WallTime now) const;

  const Self& self_;
  Signed raw_;
  ContactRecord says_;
  std::optional<IdentityTicket> ticket_;
  BootTime renew_at_ = never;
  BootTime changed_at_ = never;
  bool left_ = false;
};

}  // namespace dugnad::core
