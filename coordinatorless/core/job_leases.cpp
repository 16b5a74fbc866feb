// The half of a job that leases units: to whom, how many, for how long, and what becomes of a lease that does not come back.
#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "coordinatorless/core/job.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

bool Job::is_able(const Donor& donor) const {
  if (!donor.connected || donor.slots == 0) return false;
  if (trust_) return donor.outvoted < limits::outvoted_max;
  return donor.outvoted < limits::outvoted_max || trusted_ < manifest_.copies;
}

void Job::say_who_is_able() {
  if (!std::exchange(able_changed_, false)) return;
  std::vector<JobJudge::Present> able;
  std::vector<Placement::Present> to_be_had;
  bool self_is_able = false;
  for (DonorIndex i = 0; i < donors_.size(); ++i) {
    const Donor& donor = donors_[i];
    if (!is_able(donor)) continue;
    if (donor.id == self_.id) {
      self_is_able = true;
      continue;
    }
    able.push_back({i, donor.address});
    if (donor.lapses == 0 && !donor.refused && donor.pace.window() > 0) to_be_had.push_back({i, donor.address, !donor.confirmed});
  }
  if (trust_) trust_->set_present(std::move(able), self_is_able);
  else placement_.set_present(to_be_had);
}

bool Job::may_serve(const Donor& donor, BootTime now) const { return now >= donor.shunned_until && is_able(donor); }

bool Job::may_have_more(DonorIndex index, const BytesOut& besides, std::size_t units) const {
  const Donor& donor = donors_[index];
  units += donor.leased;
  const auto awaited = static_cast<double>(outputs_.bytes_of(donor.id));
  const double promised = awaited + static_cast<double>(units) * (donor.counted ? donor.large_bytes : large_bytes_);
  if (promised >= static_cast<double>(limits::promised_blobs_max) && (units > 0 || awaited > 0)) return false;
  if (units == 0) return true;
  const BytesOut out = leases_.bytes_out(index);
  const double small = static_cast<double>(out.small + besides.small) + static_cast<double>(units) * output_bytes_;
  return small < static_cast<double>(limits::leased_bytes_max / std::max<std::size_t>(commons_.running, 1)) &&
         out.large + besides.large < limits::leased_blobs_max;
}

bool Job::is_hungry(DonorIndex index, BootTime now) const {
  const Donor& donor = donors_[index];
  if (!may_have_more(index, {}, 0)) return false;
  const std::size_t window = donor.pace.window();
  return donor.leased + window / 4 < std::max<std::size_t>(window, 1) && donor.leased < window && may_serve(donor, now);
}

Duration Job::validity(const Donor& donor) const {
  const Duration expected = std::max(donor.pace.expected(donor.leased), from_seconds(turnaround_));
  if (expected == Duration{}) return std::max<Duration>(limits::lease_unknown, manifest_.unit_limit);
  const double wanted = std::min(limits::lease_slack * seconds_of(expected), seconds_of(limits::lease_most));
  return std::max<Duration>(limits::lease_least, from_seconds(wanted));
}

Duration Job::straggling() const {
  if (turnaround_ == 0) return limits::lease_unknown;
  return std::max<Duration>(limits::race_least, from_seconds(limits::race_slack * turnaround_));
}

namespace {

/// Collects units until a lease is full.
class Batch {
 public:
  /// `more` says whether the donor may have more beside what is in here.
  Batch(std::size_t most, std::function<bool(const BytesOut& in_here, std::size_t units)> more)
      : most_(std::min(most, limits::batch_units_max)), more_(std::move(more)) {}
  [[nodiscard]] bool full() const {
    return units.size() >= most_ || bytes_.small + limits::unit_bytes_max > limits::batch_bytes_max || !more_(bytes_, units.size());
  }
  void add(LeasedUnit unit) {
    bytes_.small += unit.input.bytes.size();
    if (unit.input.large) bytes_.large += unit.input.length();
    units.push_back(std::move(unit));
  }
  std::vector<LeasedUnit> units;

 private:
  std::size_t most_;
  std::function<bool(const BytesOut&, std::size_t)> more_;
  BytesOut bytes_;
};

std::vector<std::uint32_t> lengths_of(const std::vector<LeasedUnit>& units) {
  static_assert(limits::blob_bytes_max <= UINT32_MAX);
  std::vector<std::uint32_t> lengths;
  lengths.reserve(units.size());
  for (const LeasedUnit& unit : units) lengths.push_back(static_cast<std::uint32_t>(unit.input.length()));
  return lengths;
}

}  // namespace

bool Job::serve_one(DonorIndex index, BootTime now, Output& out) {
  const Donor& donor = donors_[index];
  std::size_t free = donor.pace.window() - donor.leased;
  if (trust_) free = trust_->leases_allowed(index, free, {donor.leased, donor.slots});
  const std::size_t share = units_.queue().size() / (2 * std::max<std::size_t>(counts_.donors, 1));
  Batch batch(std::min(free, std::max<std::size_t>(share, donor.slots)),
              [&](const BytesOut& bytes, std::size_t count) { return may_have_more(index, bytes, count); });
  while (free > 0 && !batch.full()) {
    auto unit = units_.lease_next(index, leases_.next_id(), *self_.generator);
    if (!unit) break;
    batch.add(std::move(*unit));
  }
  if (batch.units.empty()) return false;
  send_lease(index, std::move(batch.units), now, out);
  return true;
}

void Job::send_lease(DonorIndex index, std::vector<LeasedUnit> picked, BootTime now, Output& out) {
  Donor& donor = donors_[index];
  if (donor.leased == 0) donor.pace.became_busy(now);
  donor.leased += picked.size();
  if (trust_) trust_->leased(index, picked.size());
  const LeaseId lease = leases_.next_id();
  std::vector<UnitIndex> units;
  std::uint64_t large = leases_.bytes_out(index).large;
  for (const LeasedUnit& unit : picked) {
    units.push_back(unit.unit);
    if (unit.input.large) large += unit.input.length();
  }
  const Duration valid = validity(donor) + from_seconds(static_cast<double>(large) / limits::blob_bytes_per_second_least);
  leases_.open(index, std::move(units), lengths_of(picked), now, now + valid);
  out.send(donor.id, Lease{id_, lease, valid, std::move(picked)});
}

void Job::renew(BootTime now, Output& out) {
  std::erase_if(to_renew_, [&](DonorIndex index) {
    if (donors_[index].slots == 0) return false;  // until it has said what it finished, and asked
    for (const LeaseId old : leases_.of(index)) {
      LeaseRecord lease = leases_.close(old);
      const LeaseId id = leases_.next_id();
      std::vector<LeasedUnit> again;
      for (const UnitIndex unit : lease.units) {
        if (auto leased = units_.renew(unit, index, old, id)) again.push_back(std::move(*leased));
      }
      DUGNAD_ASSERT(again.size() == lease.out, "a lease and its units disagree on what is out");
      lease.units.clear();
      for (const LeasedUnit& unit : again) lease.units.push_back(unit.unit);
      leases_.open(index, std::move(lease.units), lengths_of(again), lease.sent, lease.expires);
      out.send(donors_[index].id, Lease{id_, id, std::max<Duration>(lease.expires - now, {}), std::move(again)});
      lease_notes_.look_at_once(now);
    }
    return true;
  });
}

void Job::serve(BootTime now, Output& out) {
  serve_again_at_ = never;
  if (outputs_.wait_for_room()) return;
  std::vector<DonorIndex> hungry;
  for (DonorIndex i = 0; i < donors_.size(); ++i) {
    if (is_hungry(i, now)) hungry.push_back(i);
  }
  self_.generator->shuffle(std::span(hungry));
  // Rounds, since a unit leased to one donor may thereby become another's.
  for (bool served = true; served;) {
    served = false;
    for (const DonorIndex index : hungry) {
      if (is_hungry(index, now) && units_.waits_for(index)) served = serve_one(index, now, out) || served;
    }
  }
  std::erase_if(hungry, [&](DonorIndex index) { return !is_hungry(index, now); });
  for (const DonorIndex index : hungry) {
    if (units_.waits_for(index)) serve_again_at_ = now + limits::race_least;
  }
  if (trust_ && !units_.queue().empty() && counts_.donors > 0 && now >= stuck_again_at_) {
    stuck_again_at_ = now + limits::race_least;
    trust_->look_for_stuck();
    take_turn(now, out);
  }
  if (!hungry.empty()) race(hungry, now, out);
}

std::vector<UnitIndex> Job::stragglers(BootTime now) const {
  std::vector<UnitIndex> found;
  std::size_t looks = 0;
  for (const auto& [lease, record] : leases_.all()) {  // oldest first
    if (record.sent + straggling() > now || looks > limits::race_units_looked_at) break;
    looks += record.units.size();
    std::copy_if(record.units.begin(), record.units.end(), std::back_inserter(found), [&](UnitIndex unit) { return units_.may_race(unit); });
    if (found.size() > limits::batch_units_max) break;
  }
  return found;
}

void Job::race(const std::vector<DonorIndex>& idle, BootTime now, Output& out) {
  if (leases_.empty()) return;
  const BootTime first = std::max(leases_.all().begin()->second.sent + straggling(), race_again_at_);
  if (first > now) {
    serve_again_at_ = std::min(serve_again_at_, first);
    return;
  }
  race_again_at_ = now + std::max<Duration>(limits::race_least, straggling() / 4);
  serve_again_at_ = std::min(serve_again_at_, race_again_at_);
  std::vector<UnitIndex> late = stragglers(now);
  if (ledger_ != nullptr && std::erase_if(late, [this](UnitIndex unit) { return ledger_->is_late(unit); }) > 0) take_turn(now, out);
  for (const DonorIndex index : idle) {
    std::size_t most = std::min<std::size_t>(donors_[index].pace.window() - donors_[index].leased, donors_[index].slots);
    if (trust_) most = trust_->leases_allowed(index, most, {donors_[index].leased, donors_[index].slots});
    if (most == 0) continue;
    Batch batch(most,
                [&](const BytesOut& bytes, std::size_t count) { return may_have_more(index, bytes, count); });
    std::erase_if(late, [&](UnitIndex unit) {
      if (batch.full()) return false;
      auto leased = units_.lease_race(unit, index, leases_.next_id());
      if (!leased) return false;
      batch.add(std::move(*leased));
      return true;
    });
    if (!batch.units.empty()) send_lease(index, std::move(batch.units), now, out);
    if (late.empty()) return;
  }
}

void Job::shun(Donor& donor, BootTime now) {
  if (now < donor.shunned_until) return;
  able_changed_ = true;
  donor.pace.lapsed();
  donor.shunned_until = now + limits::shun_first * (1 << std::min(donor.lapses++, 6U));
}

void Job::lapse_lease(LeaseId id, bool silent, BootTime now) {
  const LeaseRecord lease = leases_.close(id);
  Donor& donor = donors_[lease.donor];
  donor.leased -= lease.out;
  bool lapsed = false;
  for (const UnitIndex unit : lease.units) lapsed = units_.lapse(unit, lease.donor, id) || lapsed;
  if (lapsed && silent) shun(donor, now);
}

void Job::expire(BootTime now) {
  for (DonorIndex i = 0; i < donors_.size(); ++i) {
    Donor& donor = donors_[i];
    if (donor.lost_at == never || now < donor.lost_at + limits::lost_grace) continue;
    donor.lost_at = never;
    if (donor.leased == 0) continue;
    for (const LeaseId lease : leases_.of(i)) lapse_lease(lease, false, now);  // losing a link is no silence
  }
  while (const auto lease = leases_.first_expired(now)) lapse_lease(*lease, true, now);
}

void Job::note_leases(Now now, Journal& journal, Output& out) {
  if (now.boot < lease_notes_.next_look(!leases_.empty(), now.boot)) return;
  std::vector<Row> rows;
  const auto donor_of = [this](DonorIndex donor) { return donors_[donor].id == self_.id ? nullptr : &donors_[donor].id; };
  const auto tag_of = [this](UnitIndex unit) { return units_.input_tag(unit); };
  lease_notes_.look(id_, leases_, donor_of, tag_of, now, rows);
  if (!rows.empty()) (void)journal.write(std::move(rows), out);
}

}  // namespace dugnad::core
