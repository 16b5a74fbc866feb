// The part of a job that says to its donors from whom else they may have a large input.
//
// Specification
//   1. Of a job by copies a donor is told of the others that have asked for the same input. Rationale: several compute each unit anyway.
//   2. Of a job that audits, it is told of those that have returned the unit: it audits them. Before a unit has a result nobody is told of
//      anybody. Rationale: the submitter would else send each audited input once more; and whoever learns of an audit by being asked for the
//      input has signed what is audited. That an audit is one its auditor then knows for sure, which accomplices are taken to know anyway.
//   3. If an auditor that was told goes, this peer audits itself: core/job_trust.h, rule 6.
//   4. A donor is told nothing but of what it has been leased and has not returned. Rationale: else whoever had a unit could ask who audits it.
#include <algorithm>

#include "coordinatorless/core/job.h"

namespace dugnad::core {

std::optional<Job::InputHelp> Job::help_with(const PeerId& peer, const BlobId& input) {
  DonorIndex index = 0;
  if (find(peer, &index) == nullptr) return std::nullopt;
  std::optional<InputHelp> help;
  for (const LeaseId id : leases_.of(index)) {
    const LeaseRecord& lease = *leases_.find(id);
    for (std::size_t i = 0; i < lease.units.size(); ++i) {
      if (lease.back[i] || lease.bytes[i] != input.length || !units_.is_open(lease.units[i])) continue;
      const Value value = units_.input_of(lease.units[i]);
      if (!value.large || value.blob() != input) continue;
      if (trust_ == nullptr) return InputHelp{.askers = manifest_.copies > 1};
      if (!help) help.emplace();
      add_audited(lease.units[i], index, help->holders);
    }
  }
  return help;
}

void Job::add_audited(UnitIndex unit, DonorIndex auditor, std::vector<PeerId>& holders) {
  if (ledger_ == nullptr || known_.holds(unit)) return;
  std::vector<DonorIndex> there = units_.returned_by(unit);
  std::erase_if(there, [this](DonorIndex index) {
    const Donor& donor = donors_[index];
    return donor.id == self_.id || !donor.connected || ledger_->is_branded(index);
  });
  if (there.empty() || !ledger_->tell(unit, auditor)) return;
  for (const DonorIndex donor : there) holders.push_back(donors_[donor].id);
}

}  // namespace dugnad::core
