// LeaseBook: the leases of one job that are out: to whom, since when, until when, which of their units have not come back, and how many bytes of
// input these are.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"
#include "coordinatorless/core/agreement.h"

namespace dugnad::core {

struct LeaseRecord {
  DonorIndex donor = 0;
  BootTime sent{};
  BootTime expires{};
  std::vector<UnitIndex> units;
  std::vector<bool> back;  // by place in `units`
  std::vector<std::uint32_t> bytes;  // of each unit's input, by place too
  std::size_t out = 0;     // how many are not
  std::size_t cursor = 0;  // results come mostly in the order of the lease: where to look first
};

/// Of inputs that are out.
struct BytesOut {
  std::uint64_t small = 0;  // inside messages
  std::uint64_t large = 0;  // blobs
};

class LeaseBook {
 public:
  explicit LeaseBook(LeaseId first) : first_(first), last_(first) {}

  /// The id that the next open() will have.
  [[nodiscard]] LeaseId next_id() const { return {last_.value + 1}; }
  /// Whether a lease ever had this id.
  [[nodiscard]] bool issued(LeaseId lease) const { return lease > first_ && lease <= last_; }
  /// `bytes`: how long each unit's input is.
  void open(DonorIndex donor, std::vector<UnitIndex> units, std::vector<std::uint32_t> bytes, BootTime sent, BootTime expires);

  /// One more unit is out under a lease of an earlier run of the job, which is begun here with its first one. Its number is below `first`.
  void take_up(LeaseId lease, DonorIndex donor, UnitIndex unit, std::uint32_t bytes, BootTime sent, BootTime expires);

  /// A unit is no longer out under this lease. True where it was: each unit of a lease comes back once.
  bool unit_back(LeaseId lease, DonorIndex donor, UnitIndex unit);
  /// Ends a lease early; what was still out.
  [[nodiscard]] LeaseRecord close(LeaseId lease);

  [[nodiscard]] const LeaseRecord* find(LeaseId lease) const;
  [[nodiscard]] std::optional<LeaseId> first_expired(BootTime now) const;
  [[nodiscard]] std::vector<LeaseId> of(DonorIndex donor) const;
  [[nodiscard]] BytesOut bytes_out(DonorIndex donor) const { return donor < bytes_out_.size() ? bytes_out_[donor] : BytesOut{}; }
  [[nodiscard]] BootTime next_expiry() const { return expiries_.empty() ? never : expiries_.begin()->first; }
  /// Oldest first.
  [[nodiscard]] const std::map<LeaseId, LeaseRecord>& all() const { return leases_; }
  [[nodiscard]] bool empty() const { return leases_.empty(); }

 private:
  void erase(std::map<LeaseId, LeaseRecord>::iterator at);

  void went_out(DonorIndex donor, std::uint32_t bytes);
  void came_back(DonorIndex donor, std::uint32_t bytes);

  std::map<LeaseId, LeaseRecord> leases_;
  std::vector<BytesOut> bytes_out_;  // by donor
  std::set<std::pair<BootTime, LeaseId>> expiries_;
  const LeaseId first_;
  LeaseId last_;
};

}  // namespace dugnad::core
