// The half of a job that waits for large outputs which are agreed upon.
#include "coordinatorless/core/job.h"

namespace dugnad::core {

void Job::conclude(UnitIndex unit, UnitTable::Counted counted) {
  if (counted.agreed) await_output(unit, *counted.agreed);
  if (counted.settled) take(std::move(*counted.settled));
}

void Job::await_output(UnitIndex unit, const UnitTable::Agreed& agreed) {
  std::vector<PeerId> holders;
  for (const DonorIndex donor : agreed.holders) holders.push_back(donors_[donor].id);
  unneeded(unit, agreed.unneeded);
  outputs_.await(unit, agreed.output, std::move(holders));
}

/// What has come of the outputs that are awaited.
void Job::end_outputs(Now now, Output& out) {
  if (outputs_.empty()) return;
  const auto is_linked = [this](const PeerId& peer) {
    const Donor* donor = find(peer);
    return donor != nullptr && donor->connected;
  };
  // Again as long as something ends, since that makes room, and a unit computed again may have another output to wait for.
  for (auto all = outputs_.tick(now, is_linked, out); !all.empty(); all = outputs_.tick(now, is_linked, out)) {
    for (const AwaitedOutputs::Ended& ended : all) {
      if (ended.here) take(units_.accept(ended.unit));
      else reopen(ended.unit, now.boot);
    }
  }
}

void Job::reopen(UnitIndex unit, BootTime now) {
  ++counts_.units_reopened;
  auto reopened = units_.reopen(unit, [this](DonorIndex donor) { return donors_[donor].connected; });
  for (const DonorIndex donor : reopened.at_fault) {
    ++donors_[donor].outvoted;  // it is avoided like one that lies, since its results are as good as none
    shun(donors_[donor], now);
  }
  for (const DonorIndex donor : reopened.holders) revoked_[donor].push_back(unit);
  conclude(unit, std::move(reopened.counted));
}

void Job::unneeded(UnitIndex unit, const std::vector<std::pair<DonorIndex, LeaseId>>& attempts) {
  for (const auto& [donor, lease] : attempts) {
    unit_back(lease, donor, unit);
    revoked_[donor].push_back(unit);
  }
}

}  // namespace dugnad::core
