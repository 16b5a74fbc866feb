// The half of a job that waits for large outputs which are agreed upon.
#include <algorithm>
#include <utility>

#include "coordinatorless/core/job.h"

namespace dugnad::core {

void Job::conclude(UnitIndex unit, UnitTable::Counted counted) {
  if (counted.agreed) await_output(unit, *counted.agreed);
  if (counted.settled) take(std::move(*counted.settled));
}

void Job::await_output(UnitIndex unit, const UnitTable::Agreed& agreed) {
  std::vector<PeerId> holders;
  for (const DonorIndex donor : agreed.holders) holders.push_back(donors_[donor].id);
  if (adopted_large_.contains(unit)) {
    for (const PeerId& steward : stewards_) {
      if (std::find(holders.begin(), holders.end(), steward) == holders.end()) holders.push_back(steward);
    }
  }
  unneeded(unit, agreed.unneeded);
  outputs_.await(unit, agreed.output, std::move(holders));
}

/// What has come of the outputs that are awaited.
void Job::end_outputs(Now now, Output& out) {
  if (outputs_.empty()) return;
  const auto is_linked = [this](const PeerId& peer) {
    const Donor* donor = find(peer);
    if (donor != nullptr && donor->connected) return true;
    return commons_.blobs.is_linked(peer) && std::find(stewards_.begin(), stewards_.end(), peer) != stewards_.end();
  };
  // Again as long as something ends, since that makes room, and a unit computed again may have another output to wait for.
  for (auto all = outputs_.tick(now, is_linked, out); !all.empty(); all = outputs_.tick(now, is_linked, out)) {
    for (const AwaitedOutputs::Ended& ended : all) {
      if (ended.how == AwaitedOutputs::Ended::How::here) accept(ended.unit);
      else reopen(ended, now.boot);
    }
  }
  for (const DonorIndex index : std::exchange(unkept_, {})) {
    Donor& donor = donors_[index];
    if (++donor.unkept >= limits::outputs_unkept_max) shun(donor, now.boot);
  }
}

void Job::accept(UnitIndex unit) {
  if (checks_ != nullptr && checks_->is_to_be_checked(unit)) return;
  adopted_large_.erase(unit);
  UnitTable::Settled settled = units_.accept(unit);
  for (const DonorIndex donor : settled.holders) {
    if (std::find(settled.outvoted.begin(), settled.outvoted.end(), donor) != settled.outvoted.end()) continue;
    donors_[donor].unkept = donors_[donor].lapses = 0;
  }
  take(std::move(settled));
}

void Job::reopen(const AwaitedOutputs::Ended& ended, BootTime now) {
  ++counts_.units_reopened;
  const UnitIndex unit = ended.unit;
  const bool was_adopted = adopted_large_.erase(unit) > 0;  // then its donor could let it go
  auto reopened = units_.reopen(unit, [&](DonorIndex donor) {
    const bool excused = std::find(ended.excused.begin(), ended.excused.end(), donors_[donor].id) != ended.excused.end();
    return donors_[donor].connected && !excused && !was_adopted && ended.how == AwaitedOutputs::Ended::How::withheld;
  });
  for (const DonorIndex donor : reopened.at_fault) {
    able_changed_ = true;
    ++donors_[donor].outvoted;  // it is avoided like one that lies, since its results are as good as none
    shun(donors_[donor], now);
  }
  for (const DonorIndex donor : reopened.holders) {
    revoked_[donor].push_back(unit);
    if (!was_adopted && std::find(reopened.at_fault.begin(), reopened.at_fault.end(), donor) == reopened.at_fault.end()) unkept_.insert(donor);
  }
  if (checks_ != nullptr) checks_->output_lost(unit, reopened.counted.blamed);
  conclude(unit, std::move(reopened.counted));
}

void Job::unneeded(UnitIndex unit, const std::vector<std::pair<DonorIndex, LeaseId>>& attempts) {
  for (const auto& [donor, lease] : attempts) {
    unit_back(lease, donor, unit);
    revoked_[donor].push_back(unit);
  }
}

}  // namespace dugnad::core
