#include "coordinatorless/core/lease_book.h"

#include "coordinatorless/base/panic.h"

namespace dugnad::core {

void LeaseBook::open(DonorIndex donor, std::vector<UnitIndex> units, std::vector<std::uint32_t> bytes, BootTime sent,
                     BootTime expires) {
  DUGNAD_ASSERT(!units.empty() && bytes.size() == units.size(), "a lease of nothing, or of units of unknown length");
  for (const std::uint32_t length : bytes) went_out(donor, length);
  const LeaseId lease{++last_.value};
  LeaseRecord record{.donor = donor, .sent = sent, .expires = expires, .units = std::move(units), .back = {}, .bytes = std::move(bytes),
                     .out = 0, .cursor = 0};
  record.out = record.units.size();
  record.back.resize(record.out);
  expiries_.emplace(expires, lease);
  leases_.emplace_hint(leases_.end(), lease, std::move(record));
}

bool LeaseBook::unit_back(LeaseId lease, DonorIndex donor, UnitIndex unit) {
  const auto at = leases_.find(lease);
  if (at == leases_.end() || at->second.donor != donor) return false;
  LeaseRecord& record = at->second;
  const std::size_t count = record.units.size();
  for (std::size_t looked = 0; looked < count; ++looked) {
    const std::size_t place = (record.cursor + looked) % count;
    if (record.units[place] != unit) continue;
    if (record.back[place]) return false;
    record.back[place] = true;
    record.cursor = place + 1;
    came_back(donor, record.bytes[place]);
    if (--record.out == 0) erase(at);
    return true;
  }
  return false;
}

void LeaseBook::take_up(LeaseId lease, DonorIndex donor, UnitIndex unit, std::uint32_t bytes, BootTime sent, BootTime expires) {
  DUGNAD_ASSERT(lease <= first_, "an earlier lease with a number of today's");
  const auto [at, is_first] = leases_.try_emplace(lease);
  LeaseRecord& record = at->second;
  if (is_first) {
    record.donor = donor;
    record.sent = sent;
    record.expires = expires;
    expiries_.emplace(expires, lease);
  }
  went_out(donor, bytes);
  record.units.push_back(unit);
  record.back.push_back(false);
  record.bytes.push_back(bytes);
  ++record.out;
}

void LeaseBook::went_out(DonorIndex donor, std::uint32_t bytes) {
  if (donor >= bytes_out_.size()) bytes_out_.resize(donor + 1);
  (bytes > small_bytes_max ? bytes_out_[donor].large : bytes_out_[donor].small) += bytes;
}

void LeaseBook::came_back(DonorIndex donor, std::uint32_t bytes) {
  (bytes > small_bytes_max ? bytes_out_[donor].large : bytes_out_[donor].small) -= bytes;
}

void LeaseBook::erase(std::map<LeaseId, LeaseRecord>::iterator at) {
  expiries_.erase({at->second.expires, at->first});
  leases_.erase(at);
}

LeaseRecord LeaseBook::close(LeaseId lease) {
  const auto at = leases_.find(lease);
  DUGNAD_ASSERT(at != leases_.end(), "closing a lease that is not out");
  LeaseRecord record = std::move(at->second);
  for (std::size_t place = 0; place < record.units.size(); ++place) {
    if (!record.back[place]) came_back(record.donor, record.bytes[place]);
  }
  expiries_.erase({record.expires, lease});
  leases_.erase(at);
  return record;
}

const LeaseRecord* LeaseBook::find(LeaseId lease) const {
  const auto at = leases_.find(lease);
  return at == leases_.end() ? nullptr : &at->second;
}

std::optional<LeaseId> LeaseBook::first_expired(BootTime now) const {
  if (expiries_.empty() || expiries_.begin()->first > now) return std::nullopt;
  return expiries_.begin()->second;
}

std::vector<LeaseId> LeaseBook::of(DonorIndex donor) const {
  std::vector<LeaseId> found;
  for (const auto& [lease, record] : leases_) {
    if (record.donor == donor) found.push_back(lease);
  }
  return found;
}

}  // namespace dugnad::core
