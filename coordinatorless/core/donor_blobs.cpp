// The donor's half that waits for blobs: a job for its module, a unit for its input.
#include "coordinatorless/core/donor.h"

namespace dugnad::core {

bool Donor::take_in(const PeerId& from, Served& job, LeasedUnit&& unit, const Lease& lease, Now now, Output& out) {
  if (bytes_held_ + unit.input.bytes.size() > limits::donor_bytes_max) return false;
  bool fetching = false;
  if (unit.input.large) {
    const BlobId input = unit.input.blob();
    if (!has_room_for_input(job.owner, input.length)) return false;
    input_bytes_ += input.length;
    inputs_of_[job.owner] += input.length;
    fetching = !blobs_.need(input, {&from, 1}, limits::input_tries_max, now, out, shares(job, input));
  }
  ++units_held_;
  bytes_held_ += unit.input.bytes.size();
  job.work_at = now.boot;
  std::list<Held>& line = fetching ? job.fetching : job.waiting;
  line.push_back({unit.unit, lease.lease, std::move(unit.input), lease.valid, now.boot + lease.valid, fetch_ends(now.boot),
                  now.boot, fetching});
  job.units.emplace(unit.unit, Place{std::nullopt, std::prev(line.end())});
  return true;
}

bool Donor::has_room_for_input(const PublicKey& owner, std::uint64_t bytes) const {
  if (input_bytes_ > 0 && input_bytes_ + bytes > input_room_) return false;
  const auto had = inputs_of_.find(owner);
  return had == inputs_of_.end() || had->second + bytes <= std::max(input_room_ / 2, limits::owner_inputs_least);
}

void Donor::release_input(const PublicKey& owner, const std::optional<BlobId>& input, Output& out) {
  if (!input) return;
  if (const auto had = inputs_of_.find(owner); (had->second -= input->length) == 0) inputs_of_.erase(had);
  blobs_.release(*input, out);
  input_bytes_ -= input->length;
}

void Donor::on_blob(const BlobWants::News& news, Now now, Output& out) {
  std::vector<JobId> hopeless;
  for (auto& [id, job] : jobs_) {
    on_input(id, job, news, now.boot, out);
    if (job.module != news.blob) continue;
    job.ready = news.kind == BlobWants::News::Kind::here;
    job.want_at = never;
    if (news.kind == BlobWants::News::Kind::given_up) hopeless.push_back(id);
    if (job.ready && job.connected) say_want(id, job, now, out);
  }
  for (const JobId& id : hopeless) {
    shelf_.put(id, now.boot + limits::job_shelved);
    dismiss(id, out);
  }
  feed(now, out);
}

void Donor::on_input(const JobId& id, Served& job, const BlobWants::News& news, BootTime now, Output& out) {
  const bool here = news.kind == BlobWants::News::Kind::here;
  std::vector<UnitIndex> hopeless;
  // What was here and is lost waits anew.
  std::list<Held>& from = here || news.kind == BlobWants::News::Kind::given_up ? job.fetching : job.waiting;
  for (auto next = from.begin(); next != from.end();) {
    const auto held = next++;
    if (!held->input.large || held->input.blob() != news.blob) continue;
    if (news.kind == BlobWants::News::Kind::given_up) {
      hopeless.push_back(held->unit);
      continue;
    }
    held->fetching = !here;
    held->fetch_ends = fetch_ends(now);
    std::list<Held>& to = here ? job.waiting : job.fetching;
    to.splice(to.end(), from, held);
  }
  for (const UnitIndex unit : hopeless) stop_waiting(job, job.units.find(unit), out);
  send_return(id, job, hopeless, out);
}

void Donor::drop_expired(const JobId& id, Served& job, BootTime now, Output& out) {
  std::vector<UnitIndex> too_slow;
  for (auto next = job.fetching.begin(); next != job.fetching.end();) {
    const auto held = next++;
    if (std::min(held->expires, held->fetch_ends) > now) continue;
    if (held->expires > now) too_slow.push_back(held->unit);
    stop_waiting(job, job.units.find(held->unit), out);
  }
  send_return(id, job, too_slow, out);
}

}  // namespace dugnad::core
