// The half of a job that takes up what stewards have gathered for it (core/entrusting.h).
#include <algorithm>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/job.h"

namespace dugnad::core {

void Job::open_blocks(Now now) {
  if (ended_ || !trust_) return;
  say_who_is_able();
  if (auto cost = trust_->plan(now.boot, complete_)) cost_ = *cost, cost_->job = id_;
}

bool Job::may_adopt_more() {
  const std::uint64_t came = units_.known() + (complete_ ? 1 : 0) + (ledger_ != nullptr ? ledger_->ledger().units() : 0) + 1;
  return came != std::exchange(came_so_far_, came);
}

std::optional<UnitIndex> Job::first_to_come(const Results& results) const {
  for (const UnitResult& result : results.results) {
    if (is_to_come(result.unit)) return result.unit;
  }
  return std::nullopt;
}

std::vector<bool> Job::adopt(const PeerId& from, const Results& results, const std::vector<bool>& counts, Past past) {
  // This peer's own word needs no stewards: under its name nothing comes in through them.
  if (!results.inputs || counts.size() != results.results.size() || from == self_.id) return {};
  const auto is_own_input = [&](std::size_t place) {
    const auto digest = input_digest(units_.input_of(results.results[place].unit));
    return std::equal(digest.begin(), digest.end(), results.inputs->digests.begin() + static_cast<std::ptrdiff_t>(place * input_digest_bytes));
  };
  std::vector<std::size_t> wanted;
  for (std::size_t place = 0; place < counts.size(); ++place) {
    const UnitResult& result = results.results[place];
    const bool is_result = result.outcome == Outcome::ok || result.outcome == Outcome::failed;
    if (counts[place] && is_result && units_.is_open(result.unit) && is_own_input(place)) wanted.push_back(place);
  }
  if (wanted.empty()) return {};
  const bool is_new = find(from) == nullptr;
  const auto donor = join(from, past);
  if (!donor) return {};
  if (is_new) donors_[*donor].connected = false;
  std::vector<bool> adopted(counts.size());
  std::size_t count = 0;
  for (const std::size_t place : wanted) {
    const UnitResult& result = results.results[place];
    auto earlier = units_.lease_of(result.unit, *donor);
    if (earlier && leases_.issued(*earlier)) earlier.reset();  // else of an earlier run, and a steward's since
    adopted[place] = units_.adopt(result.unit, *donor, result.lease, earlier);
    if (adopted[place] && earlier) unit_back(*earlier, *donor, result.unit);
    count += adopted[place] ? 1 : 0;
    if (adopted[place] && result.output.large) adopted_large_.insert(result.unit);
  }
  if (count == 0) return {};
  if (trust_) trust_->leased(*donor, count);
  return adopted;
}

std::vector<DeedDonor> Job::present() const {
  std::vector<DeedDonor> donors;
  for (const Donor& donor : donors_) {
    if (donor.id == self_.id || !is_able(donor)) continue;
    donors.push_back({donor.id, donor.address, !donor.confirmed});
    if (donor.address) donors.back().address->port = 1;  // a link's other end may have none to tell, and it says nothing here
  }
  return donors;
}

}  // namespace dugnad::core
