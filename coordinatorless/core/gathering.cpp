#include "coordinatorless/core/gathering.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr unsigned tries_max = 3;
constexpr std::size_t unit_overhead = 160;   // bytes in memory, beside its input
constexpr std::size_t place_overhead = 8;    // in a donor's line, and where it has failed
constexpr std::size_t try_overhead = 80;
constexpr std::size_t donor_overhead = 2048;
constexpr std::size_t blob_overhead = 512;   // of a value that is a blob: its place among those that are held, and are needed

bool is_result(const UnitResult& result) {
  return result.outcome == Outcome::ok || result.outcome == Outcome::failed;
}

}  // namespace

Gathering::Gathering(const Self& self, const JobId& job, Manifest manifest)
    : self_(self),
      job_(job),
      manifest_(std::move(manifest)),
      wanted_(manifest_.confidence ? 1 : manifest_.copies),
      leases_(LeaseId{self.generator->next() >> 16}) {}

// --- What is known ---

Gathering::Unit* Gathering::find(UnitIndex unit) {
  const auto at = units_.find(unit);
  return at == units_.end() ? nullptr : &at->second;
}

Gathering::Unit* Gathering::add(UnitIndex unit) {
  if (unit.value >= limits::steward_units_max) return nullptr;
  bytes_ += unit_overhead + place_overhead * donors_wanted(manifest_);
  return &units_[unit];
}

Gathering::Donor& Gathering::donor_of(const PeerId& peer, DonorIndex* index) {
  const auto [at, fresh] = index_of_.try_emplace(peer, static_cast<DonorIndex>(donors_.size()));
  if (fresh) {
    donors_.emplace_back().id = peer;
    bytes_ += donor_overhead;
  }
  if (index != nullptr) *index = at->second;
  return donors_[at->second];
}

bool Gathering::has(const Unit& unit, DonorIndex donor) const {
  return std::find(unit.has.begin(), unit.has.end(), donor) != unit.has.end();
}

void Gathering::end(UnitIndex index, Unit& unit) {
  if (std::exchange(unit.done, true)) return;
  ++units_done_;
  if (unit.has_blobs) large_.done.push_back(index);
  bytes_ -= unit.input.size();
  unit.input = Bytes();
  unit.has = {};
}

bool Gathering::add_units(std::vector<LeasedUnit> units) {
  bool news = false;
  for (LeasedUnit& added : units) {
    if (find(added.unit) != nullptr) continue;
    Unit* const unit = add(added.unit);
    if (unit == nullptr) continue;
    news = true;
    unit->digest = input_digest(added.input);
    if ((unit->large = unit->has_blobs = added.input.large)) {
      unit->ready = false;
      bytes_ += blob_overhead;
      large_.inputs.emplace_back(added.unit, added.input.blob());
    }
    unit->input = std::move(added.input.bytes);
    bytes_ += unit->input.size();
    line_up(added.unit);
  }
  return news;
}

bool Gathering::add_finals(const std::vector<FinalUnit>& finals) {
  bool news = false;
  for (const FinalUnit& final : finals) {
    Unit* unit = find(final.unit);
    if (unit == nullptr) unit = add(final.unit);
    if (unit == nullptr) continue;
    news = news || !unit->done;
    end(final.unit, *unit);
    if (unit->has_blobs) large_.final.push_back(final.unit);
  }
  return news;
}

bool Gathering::add_deed(const Deed& deed) {
  if (assignment_ && deed.version <= assignment_->deed().version) return false;
  assignment_.emplace(deed);
  for (Donor& donor : donors_) donor.assigned = false;
  for (const DeedDonor& each : deed.donors) donor_of(each.donor).assigned = true;
  line_up_all();
  return true;
}

bool Gathering::is_wanted(const PeerId& donor, const Results& results, std::size_t place, bool collected) {
  const UnitResult& result = results.results[place];
  const Unit* unit = find(result.unit);
  if (unit == nullptr || unit->done || !is_result(result)) return false;
  if (!collected) {
    // From a steward, who may have asked for anything.
    if (!assignment_ || !results.inputs || !assignment_->assigns(result.unit, donor, donors_wanted(manifest_))) return false;
    const auto said = results.inputs->digests.begin() + static_cast<std::ptrdiff_t>(place * input_digest_bytes);
    if (!std::equal(unit->digest.begin(), unit->digest.end(), said)) return false;
  }
  const auto known = index_of_.find(donor);
  return known == index_of_.end() || !has(*unit, known->second);
}

bool Gathering::add_results(const PeerId& donor, const Results& results, bool collected) {
  std::vector<std::size_t> wanted;
  for (std::size_t place = 0; place < results.results.size(); ++place) {
    if (is_wanted(donor, results, place, collected)) wanted.push_back(place);
  }
  if (wanted.empty() || (!collected && 2 * wanted.size() < results.results.size())) return false;
  DonorIndex index = 0;
  (void)donor_of(donor, &index);
  for (const std::size_t place : wanted) {
    const UnitResult& result = results.results[place];
    Unit& unit = *find(result.unit);
    if (unit.done || has(unit, index)) continue;  // twice in one frame
    unit.has.push_back(index);
    // Those that the submitter has asked for itself wait for it at their donors.
    if (result.output.large && !collected) {
      unit.has_blobs = true;
      bytes_ += blob_overhead;
      large_.outputs.push_back({result.unit, result.output.blob(), donor});
    }
    if (unit.has.size() >= wanted_) end(result.unit, unit);
  }
  return true;
}

// --- Who is to compute what ---

void Gathering::line_up(UnitIndex index) {
  if (!assignment_ || !find(index)->ready) return;
  const auto places = assignment_->donors_of(index, donors_wanted(manifest_));
  for (std::size_t i = 0; i < places.size(); ++i) {
    Donor& donor = donor_of(assignment_->deed().donors[places[i]].donor);
    (manifest_.confidence && i > 0 ? donor.stand_in : donor.line).push_back(index);
  }
}

void Gathering::line_up_all() {
  for (Donor& donor : donors_) donor.line.clear(), donor.stand_in.clear();
  for (const auto& [index, unit] : units_) {
    if (!unit.done) line_up(index);
  }
}

void Gathering::set_input_here(UnitIndex index, bool here) {
  Unit* unit = find(index);
  if (unit == nullptr || unit->done || std::exchange(unit->ready, here) == here || !here) return;
  line_up(index);
  if (leads_) deadline_ = {};
}

void Gathering::lead(bool leads, Output& out) {
  if (leads == std::exchange(leads_, leads)) return;
  for (Donor& donor : donors_) {
    if (donor.connected && donor.id != self_.id) out.send(donor.id, Closed{job_});  // this peer's own donor is told otherwise
    donor.connected = false;
    donor.slots = 0;
    donor.leased = 0;
  }
  while (!leases_.empty()) (void)leases_.close(leases_.all().begin()->first);
  if (leads) line_up_all();
  deadline_ = leads ? BootTime{} : never;
}

std::vector<PeerId> Gathering::donors() const {
  std::vector<PeerId> ids;
  for (const Donor& donor : donors_) ids.push_back(donor.id);
  return ids;
}

bool Gathering::is_for(const PeerId& donor) const {
  const auto known = index_of_.find(donor);
  return known != index_of_.end() && donors_[known->second].assigned;
}

void Gathering::on_want(const PeerId& from, const Want& want) {
  if (!is_for(from)) return;
  Donor& donor = donors_[index_of_.at(from)];
  donor.connected = true;
  donor.lost_at = never;
  donor.slots = std::min<unsigned>(want.slots, limits::slots_max);
  donor.pace.slots(donor.slots);
  donor.pace.wanted(want.work);
  deadline_ = {};
}

bool Gathering::on_results(const PeerId& from, const Results& results, BootTime now) {
  const auto known = index_of_.find(from);
  if (known == index_of_.end()) return false;
  Donor& donor = donors_[known->second];
  BootTime oldest = now;
  std::size_t in_time = 0;
  for (const UnitResult& result : results.results) {
    if (const LeaseRecord* lease = leases_.find(result.lease); lease != nullptr && lease->donor == known->second) {
      oldest = std::min(oldest, lease->sent);
    }
    if (!leases_.unit_back(result.lease, known->second, result.unit)) continue;
    --donor.leased;
    ++in_time;
    if (is_result(result)) continue;
    const auto [tries, is_first] = tries_.try_emplace({result.unit, known->second}, 0);
    if (is_first) bytes_ += try_overhead;
    if (++tries->second < tries_max) donor.line.push_back(result.unit);
  }
  if (in_time > 0) {
    donor.pace.returned(in_time, now - oldest, results.held, now);
    donor.lapses = 0;
  }
  deadline_ = {};
  return add_results(from, results, false);
}

void Gathering::on_return(const PeerId& from, const Return& returned, BootTime now) {
  const auto known = index_of_.find(from);
  if (known == index_of_.end()) return;
  Donor& donor = donors_[known->second];
  for (const LeaseId lease : leases_.of(known->second)) {
    for (const UnitIndex unit : returned.units) {
      if (!leases_.unit_back(lease, known->second, unit)) continue;
      --donor.leased;
      donor.line.push_back(unit);
      donor.rests_until = now + limits::shun_first;
    }
  }
  deadline_ = std::min(deadline_, donor.rests_until);
}

void Gathering::lost(const PeerId& peer, BootTime now) {
  const auto known = index_of_.find(peer);
  if (known == index_of_.end() || !donors_[known->second].connected) return;
  donors_[known->second].connected = false;
  donors_[known->second].slots = 0;
  donors_[known->second].lost_at = now;
  deadline_ = std::min(deadline_, now);
}

void Gathering::lapse(LeaseId id, bool silent, BootTime now) {
  const LeaseRecord lease = leases_.close(id);
  Donor& donor = donors_[lease.donor];
  donor.leased -= lease.out;
  for (std::size_t i = 0; i < lease.units.size(); ++i) {
    if (!lease.back[i]) donor.line.push_front(lease.units[i]);
  }
  if (!silent || lease.out == 0) return;
  donor.pace.lapsed();
  donor.rests_until = now + limits::shun_first * (1 << std::min(donor.lapses++, 6U));
}

// --- Leases ---

std::optional<UnitIndex> Gathering::next_for(DonorIndex index) {
  Donor& donor = donors_[index];
  const auto is_wanted = [&](UnitIndex unit) {
    const Unit* known = find(unit);
    return known != nullptr && !known->done && known->ready && !has(*known, index);
  };
  for (; !donor.line.empty(); donor.line.pop_front()) {
    if (!is_wanted(donor.line.front())) continue;
    const UnitIndex unit = donor.line.front();
    donor.line.pop_front();
    return unit;
  }
  // For somebody who is away; what is not needed now may be later.
  for (std::size_t looks = std::min<std::size_t>(donor.stand_in.size(), limits::race_units_looked_at); looks > 0; --looks) {
    const UnitIndex unit = donor.stand_in.front();
    donor.stand_in.pop_front();
    if (!is_wanted(unit)) continue;
    const auto places = assignment_->donors_of(unit, 1);
    if (!donor_of(assignment_->deed().donors[places.front()].donor).connected) return unit;
    donor.stand_in.push_back(unit);
  }
  return std::nullopt;
}

void Gathering::serve(DonorIndex index, BootTime now, Output& out) {
  Donor& donor = donors_[index];
  const std::size_t window = donor.pace.window();
  if (!donor.connected || donor.slots == 0 || now < donor.rests_until || donor.leased >= window) return;
  if (donor.leased > 0 && donor.leased + window / 4 >= window) return;
  std::vector<LeasedUnit> picked;
  std::vector<UnitIndex> units;
  std::vector<std::uint32_t> lengths;
  std::size_t bytes = 0;
  std::uint64_t large = leases_.bytes_out(index).large;
  const auto is_full = [&] {
    return picked.size() >= std::min(window - donor.leased, limits::batch_units_max) || bytes + limits::unit_bytes_max > limits::batch_bytes_max ||
           large >= limits::leased_blobs_max;
  };
  while (!is_full()) {
    const auto unit = next_for(index);
    if (!unit) break;
    const Unit& known = *find(*unit);
    Value input(known.input);
    input.large = known.large;
    bytes += input.bytes.size();
    if (input.large) large += input.length();
    units.push_back(*unit);
    lengths.push_back(static_cast<std::uint32_t>(input.length()));
    picked.push_back({*unit, std::move(input)});
  }
  if (picked.empty()) return;
  if (donor.leased == 0) donor.pace.became_busy(now);
  donor.leased += picked.size();
  const Duration expected = donor.pace.expected(donor.leased);
  const Duration wanted = from_seconds(limits::lease_slack * seconds_of(expected));
  const Duration valid = expected == Duration{}
                             ? std::max<Duration>(limits::lease_unknown, manifest_.unit_limit)
                             : std::clamp<Duration>(wanted, limits::lease_least, limits::lease_most);
  const Duration fetched = valid + from_seconds(static_cast<double>(large) / limits::blob_bytes_per_second_least);
  const LeaseId lease = leases_.next_id();
  leases_.open(index, std::move(units), std::move(lengths), now, now + fetched);
  out.send(donor.id, Lease{job_, lease, fetched, std::move(picked)});
}

void Gathering::tick(BootTime now, Output& out) {
  if (!leads_) return;
  deadline_ = never;
  for (DonorIndex i = 0; i < donors_.size(); ++i) {
    Donor& donor = donors_[i];
    if (donor.lost_at != never && now >= donor.lost_at + limits::lost_grace) {
      donor.lost_at = never;
      for (const LeaseId lease : leases_.of(i)) lapse(lease, false, now);
    }
  }
  while (const auto expired = leases_.first_expired(now)) lapse(*expired, true, now);
  for (DonorIndex i = 0; i < donors_.size(); ++i) serve(i, now, out);
  for (const Donor& donor : donors_) {
    if (donor.lost_at != never) deadline_ = std::min(deadline_, donor.lost_at + limits::lost_grace);
    if (donor.connected && donor.rests_until > now) deadline_ = std::min(deadline_, donor.rests_until);
    if (donor.connected && !donor.stand_in.empty()) deadline_ = std::min(deadline_, now + limits::lost_grace);
  }
  deadline_ = std::min(deadline_, leases_.next_expiry());
}

}  // namespace dugnad::core
