#include "coordinatorless/core/waiting_results.h"

#include <algorithm>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr auto most = std::chrono::ceil<WallTime::duration>(limits::waiting_most);
constexpr std::size_t batch_overhead = 4096;  // of what a batch takes on disk and in memory, however small: so many of them can be
constexpr std::size_t result_overhead = 64;

/// Moves the result at a place over, with what is said of its input.
void move_result(Results& from, std::size_t place, Results& to) {
  if (from.inputs) {
    if (!to.inputs) to.inputs.emplace();
    const auto said = from.inputs->digests.begin() + static_cast<std::ptrdiff_t>(place * input_digest_bytes);
    to.inputs->digests.insert(to.inputs->digests.end(), said, said + input_digest_bytes);
  }
  to.results.push_back(from.results[place]);
}

Results only_results(Results all) {
  const auto is_result = [](const UnitResult& result) { return result.outcome == Outcome::ok || result.outcome == Outcome::failed; };
  if (std::all_of(all.results.begin(), all.results.end(), is_result)) return all;
  Results kept{all.job, all.held, {}, {}};
  for (std::size_t place = 0; place < all.results.size(); ++place) {
    if (is_result(all.results[place])) move_result(all, place, kept);
  }
  return kept;
}

}  // namespace

WaitingResults::Batch WaitingResults::batch_of(const For& whose, Results results) {
  std::size_t bytes = batch_overhead;
  for (const UnitResult& result : results.results) bytes += result_overhead + result.output.bytes.size();
  return {whose, std::move(results), bytes};
}

// --- On disk: whose it is, until when, and the message ---

Bytes WaitingResults::encoded(const Batch& batch, WallTime until) {
  Bytes body;
  packed::put(body, (batch.whose.steward ? PeerId{} : batch.whose.submitter).view());
  packed::put(body, batch.whose.owner.view());
  packed::put_u64(body, static_cast<std::uint64_t>(until.time_since_epoch().count()));
  packed::put(body, encode(Message(batch.results)));
  return body;
}

std::optional<WaitingResults::Batch> WaitingResults::decoded(const NoteRow& note, Now now) {
  packed::Reader in(note.body);
  const auto submitter = in.id<PeerId>();
  const auto owner = in.id<PublicKey>();
  const auto until = in.u64();
  const auto frame = in.take(in.left());
  auto message = until && frame ? decode(*frame) : std::nullopt;
  auto* results = message ? std::get_if<Results>(&*message) : nullptr;
  if (!submitter || !owner || results == nullptr || results->job != note.job) return std::nullopt;
  Batch batch = batch_of({*submitter, *owner, *submitter == PeerId{}}, std::move(*results));
  // A clock that was put back must not keep it for ever.
  const WallTime wall = std::clamp(WallTime(WallTime::duration(static_cast<std::int64_t>(*until))), now.wall, now.wall + most);
  batch.until = now.boot + (wall - now.wall);
  batch.key = note.key;
  return batch;
}

void WaitingResults::restore(const std::vector<NoteRow>& notes, Now now, Output& out) {
  Batches found;
  for (const NoteRow& note : notes) {
    last_key_ = std::max(last_key_, note.key);
    if (auto batch = decoded(note, now)) found.push_back(*std::move(batch));
    else rows_.push_back(NoteRow{NoteKind::waiting, note.job, note.key, {}});
  }
  while (!found.empty()) take_in(found, found.begin(), now);
  tick(now, out);
}

// --- Coming and going ---

void WaitingResults::keep(const For& whose, Results results, Now now, Output& out) {
  Batches one;
  one.push_back(batch_of(whose, only_results(std::move(results))));
  if (one.front().results.results.empty()) return;
  one.front().until = now.boot + limits::waiting_most;
  take_in(one, one.begin(), now);
  write(out);
}

void WaitingResults::sent(const For& whose, Results results, Now now) {
  Batch batch = batch_of(whose, only_results(std::move(results)));
  if (batch.results.results.empty()) return;
  batch.until = now.boot + limits::results_in_doubt;
  batch.waits = false;
  next_ = std::min(next_, batch.until);
  sent_bytes_ += batch.bytes;
  sent_.push_back(std::move(batch));
  while (sent_bytes_ > limits::doubted_bytes_max) forget_sent(sent_.begin());
}

void WaitingResults::lost(const PeerId& submitter, Now now, Output& out) {
  std::erase_if(delivering_, [&](const auto& each) { return each.first.submitter == submitter; });
  wait_again([&](const Batch& batch) { return batch.whose.submitter == submitter; }, now);
  write(out);
}

void WaitingResults::wait_again(const std::function<bool(const Batch&)>& is_meant, Now now) {
  const auto waits_again = [&](Batch& batch) {
    if (batch.waits || !is_meant(batch)) return false;
    batch.waits = true;
    batch.until = now.boot + limits::waiting_most;
    return true;
  };
  for (Batch& batch : waiting_) (void)waits_again(batch);
  for (auto next = sent_.begin(); next != sent_.end();) {
    const auto at = next++;
    if (!waits_again(*at)) continue;
    sent_bytes_ -= at->bytes;
    take_in(sent_, at, now);
  }
}

void WaitingResults::change_hands(const JobId& job, const PeerId& before, const PeerId& after, Now now, Output& out) {
  delivering_.erase(Link{before, job, true});
  const auto is_meant = [&](const Batch& batch) { return batch.results.job == job && batch.whose.submitter == before && batch.whose.steward; };
  wait_again(is_meant, now);
  for (Batch& batch : waiting_) {
    if (is_meant(batch)) batch.whose.submitter = after;
  }
  write(out);
}

void WaitingResults::deliver(const PeerId& submitter, bool is_steward, const JobId& job, Now now, Output& out) {
  const Link link{submitter, job, is_steward};
  delivering_.erase(link);
  BootTime last = now.boot;  // its jobs take turns
  for (const auto& [other, when] : delivering_) last = other.submitter == submitter ? std::max(last, when) : last;
  if (last == now.boot && !send_some(link, now, out)) return;
  const BootTime more_at = last + limits::delivery_pause;
  delivering_[link] = more_at;
  next_ = std::min(next_, more_at);
}

bool WaitingResults::send_some(const Link& link, Now now, Output& out) {
  const PeerId& submitter = link.submitter;
  const JobId& job = link.job;
  Results together{job, {}, {}, {}};
  std::size_t bytes = 0, sent = 0;
  bool more = false;
  for (Batch& batch : waiting_) {
    if (!batch.waits || !link.has(batch)) continue;
    if ((more = sent >= limits::delivered_at_once)) break;
    if (link.is_steward || together.inputs.has_value() != batch.results.inputs.has_value()) {
      send(submitter, together, out);
      bytes = 0;
    }
    for (std::size_t place = 0; place < batch.results.results.size(); ++place) {
      const UnitResult& result = batch.results.results[place];
      if (result.output.large && !is_held_(job, result.unit, result.output.blob())) continue;
      const std::size_t length = result.output.bytes.size();
      if (together.results.size() == limits::batch_units_max || bytes + length > limits::batch_bytes_max) {
        send(submitter, together, out);
        bytes = 0;
      }
      bytes += length;
      together.held = std::max(together.held, batch.results.held);
      move_result(batch.results, place, together);
    }
    sent += batch.bytes - (link.is_steward ? 0 : batch_overhead);
    batch.waits = false;
    batch.whose.submitter = submitter;
    batch.until = now.boot + limits::results_in_doubt;
    next_ = std::min(next_, batch.until);
  }
  send(submitter, together, out);
  return more;
}

void WaitingResults::send(const PeerId& to, Results& batch, Output& out) const {
  if (batch.results.empty()) return;
  const JobId job = batch.job;
  batch.signature = self_.sign(Domain::results, results_root(batch).view());
  out.send(to, std::exchange(batch, Results{job, {}, {}, {}}));
}

void WaitingResults::drop(const JobId& job, Output& out) {
  for (auto at = waiting_.begin(); at != waiting_.end();) at = at->results.job == job ? let_go(at) : std::next(at);
  for (auto at = sent_.begin(); at != sent_.end();) at = at->results.job == job ? forget_sent(at) : std::next(at);
  std::erase_if(delivering_, [&](const auto& each) { return each.first.job == job; });
  write(out);
}

void WaitingResults::tick(Now now, Output& out) {
  std::vector<Link> due;
  for (const auto& [link, when] : delivering_) {
    if (when <= now.boot) due.push_back(link);
  }
  for (const Link& link : due) deliver(link.submitter, link.is_steward, link.job, now, out);
  for (auto at = waiting_.begin(); at != waiting_.end();) at = at->until <= now.boot ? let_go(at) : std::next(at);
  for (auto at = sent_.begin(); at != sent_.end();) at = at->until <= now.boot ? forget_sent(at) : std::next(at);
  next_ = never;
  for (const auto& [link, when] : delivering_) next_ = std::min(next_, when);
  for (const Batches* batches : {&waiting_, &sent_}) {
    for (const Batch& batch : *batches) next_ = std::min(next_, batch.until);
  }
  write(out);
}

std::size_t WaitingResults::bytes_for(const PeerId& submitter) const {
  std::size_t bytes = 0;
  for (const Batch& batch : waiting_) bytes += batch.waits && batch.whose.submitter == submitter ? batch.bytes : 0;
  return bytes;
}

void WaitingResults::take_in(Batches& from, Batches::iterator at, Now now) {
  waiting_.splice(waiting_.end(), from, at);
  bytes_ += at->bytes;
  of_owner_[at->whose.owner] += at->bytes;
  next_ = std::min(next_, at->until);
  if (!at->key) {
    at->key = ++last_key_;
    rows_.push_back(NoteRow{NoteKind::waiting, at->results.job, *at->key, encoded(*at, now.wall + most)});
  }
  while (bytes_ > limits::waiting_bytes_max) {
    const auto owner = std::max_element(of_owner_.begin(), of_owner_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    let_go(std::find_if(waiting_.begin(), waiting_.end(), [&](const Batch& each) { return each.whose.owner == owner->first; }));
  }
}

WaitingResults::Batches::iterator WaitingResults::let_go(Batches::iterator at) {
  rows_.push_back(NoteRow{NoteKind::waiting, at->results.job, *at->key, {}});
  bytes_ -= at->bytes;
  if (const auto owner = of_owner_.find(at->whose.owner); (owner->second -= at->bytes) == 0) of_owner_.erase(owner);
  return waiting_.erase(at);
}

WaitingResults::Batches::iterator WaitingResults::forget_sent(Batches::iterator at) {
  sent_bytes_ -= at->bytes;
  return sent_.erase(at);
}

void WaitingResults::write(Output& out) {
  if (!rows_.empty()) (void)journal_.write(std::exchange(rows_, {}), out);
}

}  // namespace dugnad::core
