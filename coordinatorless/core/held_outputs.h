// HeldOutputs: large outputs that this donor keeps for their submitters, which fetch them once they are agreed upon.
//
// Specification
//   1. An output stays until its submitter revokes the unit, its job ends, or its time is over. Rationale: a submitter that forgets, or never meant
//      to fetch anything, must not fill the disk.
//   2. Where all outputs exceed their room, the oldest one of the owner with the most is let go. Rationale: to stop computing instead could stop the
//      swarm: two donors, each full of outputs that wait for the other's vote, would wait for ever. What was voted last is fetched first
//      (unit_table.h), so that the oldest is missed least; and one owner's outputs do not push out all others'.
//   3. A process that dies leaves its outputs to the next one, with what is left of their time, but never more than a donor ever gives. Rationale:
//      their units may be agreed upon, and would be computed again; a clock that was put back must not keep them for ever.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "coordinatorless/core/blob_wants.h"

namespace dugnad::core {

class HeldOutputs {
 public:
  /// `room` in bytes.
  HeldOutputs(BlobWants& blobs, std::uint64_t room) : blobs_(blobs), room_(room) {}

  /// The driver has kept it for this peer. `until` follows from how long it is held.
  void hold(HeldOutput held, Duration for_so_long, Now now, Output& out);
  /// What an earlier process held; the driver has pinned each.
  void restore(const std::vector<HeldOutput>& outputs, Now now, Output& out);
  /// True where one was held.
  bool let_go(const JobId& job, UnitIndex unit, Output& out);
  void let_go_all(const JobId& job, Output& out);
  [[nodiscard]] bool holds(const JobId& job, UnitIndex unit, const BlobId& output) const;
  [[nodiscard]] bool holds_for(const PeerId& submitter, const JobId& job, UnitIndex unit) const;
  /// What was held for the one is for the other.
  void change_hands(const JobId& job, const PeerId& before, const PeerId& after);

  void tick(BootTime now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return ends_.empty() ? never : ends_.begin()->first; }
  [[nodiscard]] bool empty() const { return held_.empty(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Held {
    JobId job;
    UnitIndex unit;
    PublicKey owner;
    PeerId submitter;
    BlobId output;
    std::multimap<BootTime, std::list<Held>::iterator>::iterator end;
  };
  using At = std::list<Held>::iterator;
  void add(const HeldOutput& held, BootTime until, Output& out);
  void drop(At at, Output& out);

  BlobWants& blobs_;
  const std::uint64_t room_;
  std::list<Held> held_;  // the oldest first
  std::map<JobId, std::map<UnitIndex, At>> of_job_;
  std::map<PublicKey, std::uint64_t> of_owner_;  // bytes
  std::multimap<BootTime, At> ends_;
  std::uint64_t bytes_ = 0;
};

}  // namespace dugnad::core
