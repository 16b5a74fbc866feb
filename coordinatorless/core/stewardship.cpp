#include "coordinatorless/core/stewardship.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr Duration papers_kept_again = std::chrono::hours(1);  // that its submitter was heard: a week from then on it is forgotten

}  // namespace

Stewardship::Held* Stewardship::find(const JobId& job) {
  const auto at = jobs_.find(job);
  return at == jobs_.end() ? nullptr : at->second.get();
}

bool Stewardship::is_in(const Delegation& delegation) const {
  return std::find(delegation.peers.begin(), delegation.peers.end(), self_.id) != delegation.peers.end();
}

// --- Being asked ---

std::uint64_t Stewardship::share() const { return bytes_ / std::max<std::uint64_t>(4, jobs_.size()); }

bool Stewardship::has_room(const PublicKey& owner, const PeerId& submitter) const {
  if (bytes_ == 0 || jobs_.size() >= limits::steward_jobs_max) return false;
  const auto of_owner = std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& each) {
    return each.second->manifest.owner == owner || each.second->asked_by == submitter;
  });
  return static_cast<std::size_t>(of_owner) < limits::steward_jobs_per_owner;
}

bool Stewardship::is_genuine(const Entrust& message, const Manifest& manifest, const Delegation& delegation) const {
  return self_.verify(Domain::manifest, manifest.owner, message.manifest.body, message.manifest.signature) &&
         self_.verify(Domain::delegation, manifest.owner, message.delegation.body, message.delegation.signature) &&
         delegation.job == JobId{hash_of(message.manifest.body).bytes};
}

std::optional<Charge> Stewardship::on(const PeerId& from, const Entrust& message, Now now, Output& out) {
  auto manifest = decode_manifest(message.manifest.body);
  auto delegation = decode_delegation(message.delegation.body);
  if (!manifest || !delegation || !manifest->stewarded || delegation->peers.empty()) return charges::malformed;
  const JobId id{hash_of(message.manifest.body).bytes};
  Held* held = find(id);
  if (held == nullptr && !has_room(manifest->owner, from)) {
    out.send(from, Closed{id});
    return std::nullopt;
  }
  if (delegation->peers.front() != from) return charges::unasked;
  if (!is_genuine(message, *manifest, *delegation)) return charges::forged;
  if (held == nullptr) {
    jobs_[id] = std::make_unique<Held>(self_, blobs_, id, std::move(*manifest), self_.generator->next());
    held = find(id);
    held->asked_by = from;
    held->manifest_raw = message.manifest;
    held->delegation_raw = message.delegation;
    held->delegation = *delegation;
  } else if (delegation->epoch < held->leader_epoch) {
    return std::nullopt;
  }
  held->leader_epoch = std::max(held->leader_epoch, delegation->epoch);
  bool is_new = held->papers_kept == BootTime{};
  if (is_in(*delegation) && delegation->epoch >= held->delegation.epoch) {
    is_new = is_new || delegation->epoch > held->delegation.epoch;
    held->delegation_raw = message.delegation;
    held->delegation = std::move(*delegation);
  }
  held->heard = now.boot;
  keep_papers(id, *held, is_new, now, out);
  if (held->leads) stop_leading(id, *held, out);
  held->leader = from;
  held->look_at = now.boot;
  follow(*held, from, out);  // again, where it did before: perhaps it had not begun then, and has forgotten
  held->leader_linked = true;
  return std::nullopt;
}

void Stewardship::keep_papers(const JobId& id, Held& held, bool are_new, Now now, Output& out) {
  if (!are_new && now.boot < held.papers_kept + papers_kept_again) return;
  held.papers_kept = now.boot;
  out.push(KeepHeld{.job = id, .papers = KeepHeld::Papers{held.manifest_raw, held.delegation_raw}});
}

void Stewardship::restored(HeldRestored&& restored, Now now, Output& out) {
  for (HeldRestored::Job& job : restored.jobs) {
    const JobId id{hash_of(job.manifest.body).bytes};
    auto manifest = decode_manifest(job.manifest.body);
    auto delegation = decode_delegation(job.delegation.body);
    const bool is_sound = manifest && delegation && manifest->stewarded && !delegation->peers.empty() &&
                          is_genuine({job.manifest, job.delegation}, *manifest, *delegation);
    if (!is_sound || holds(id) || job.silent_for >= limits::steward_keep || !has_room(manifest->owner, delegation->peers.front())) {
      out.push(DropHeld{id});
      continue;
    }
    Held& held = *(jobs_[id] = std::make_unique<Held>(self_, blobs_, id, std::move(*manifest), self_.generator->next()));
    held.manifest_raw = std::move(job.manifest);
    held.delegation_raw = std::move(job.delegation);
    held.leader = held.asked_by = delegation->peers.front();
    held.leader_epoch = delegation->epoch;
    held.delegation = std::move(*delegation);
    held.heard = now.boot - job.silent_for;
    held.papers_kept = now.boot;
    held.alone_since = held.unlinked_since = now.boot;
    held.was_restored = true;
    for (const RecordEntry& entry : job.entries) (void)take(id, held, entry, self_.id, now);
    see_to_values(id, held, now, out);
  }
  give_up_what_outgrows(out);
}

void Stewardship::follow(Held& held, const PeerId& whom, Output& out) {
  held.record.follow(whom, held.delegation_raw, false, out);
}

// --- The record ---

std::optional<Charge> Stewardship::on(const PeerId& from, const Follow& message, Output& out) {
  Held* held = find(message.job);
  if (held == nullptr) {
    out.send(from, Closed{message.job});
    return std::nullopt;
  }
  const auto names = [&](const Delegation& delegation) {
    return std::find(delegation.peers.begin(), delegation.peers.end(), from) != delegation.peers.end();
  };
  if (from != held->leader && !names(held->delegation)) {
    // Perhaps the submitter under a newer delegation, which is on its way; or a steward of an older one.
    const auto shown = decode_delegation(message.delegation.body);
    if (!shown || shown->job != message.job || !names(*shown)) return charges::unasked;
    if (!self_.verify(Domain::delegation, held->manifest.owner, message.delegation.body, message.delegation.signature)) return charges::forged;
  }
  held->record.on_follow(from, message, out);
  return std::nullopt;
}

std::optional<Charge> Stewardship::on(const PeerId& from, Record&& message, Now now, Output& out) {
  const JobId id = message.job;
  Held* held = find(id);
  if (held == nullptr) return std::nullopt;
  auto entries = held->record.on_record(from, std::move(message));
  if (!entries) return charges::unasked;
  std::optional<Charge> due;
  KeepHeld keep{id};
  for (const RecordEntry& entry : *entries) {
    const auto taken = take(id, *held, entry, from, now);
    if (!taken) {
      due = charges::forged;
      break;
    }
    if (*taken) keep.entries.push_back(entry);
  }
  if (!keep.entries.empty()) out.push(std::move(keep));
  see_to_values(id, *held, now, out);
  held->record.ask_for_more(from, out);  // which says what is lacking by now
  give_up_what_outgrows(out);
  return due;
}

std::optional<bool> Stewardship::take(const JobId& id, Held& held, const RecordEntry& entry, const PeerId& from, Now now) {
  if (held.record.has(entry)) return false;
  const auto what = proven(entry, id, held.manifest.owner, self_);
  if (!what) return std::nullopt;
  bool news = false;
  if (const auto* word = std::get_if<OwnersWord>(&*what)) {
    news = !word->recipe.empty();
    news = held.units.add_units(word->units) || news;
    news = held.units.add_finals(word->finals) || news;
    if (word->deed && held.deeds < limits::deeds_max && held.units.add_deed(*word->deed)) ++held.deeds, news = true;
    if (word->collected) {
      const auto collected = proven(*word->collected, id, self_);
      if (!collected) return std::nullopt;
      news = held.units.add_results(peer_id_of(collected->donor), collected->results, true) || news;
    }
  } else {
    const auto& signed_results = std::get<SignedResults>(*what);
    news = held.units.add_results(peer_id_of(signed_results.donor), signed_results.results, false);
  }
  return news && held.record.add(entry, from, now.boot);
}

void Stewardship::give_up_what_outgrows(Output& out) {
  std::vector<JobId> outgrown;
  for (const auto& [id, held] : jobs_) {
    if (held->record.bytes() + held->units.bytes() > share()) outgrown.push_back(id);
  }
  for (const JobId& id : outgrown) {
    out.send(jobs_.at(id)->leader, Closed{id});
    forget(id, out);
  }
}

void Stewardship::forget(const JobId& id, Output& out) {
  Held& held = *jobs_.at(id);
  if (held.leads) stop_leading(id, held, out);
  held.values.clear(out);
  released_.push_back(held.leader);
  jobs_.erase(id);
  out.push(DropHeld{id});
}

void Stewardship::hand_back(const JobId& job, Output& out) {
  if (!holds(job)) return;
  forget(job, out);
  std::erase_if(turns_, [&](const Turn& turn) { return turn.job == job; });  // it goes on being announced, by the same peer
}

// --- Large values ---

void Stewardship::see_to_values(const JobId& id, Held& held, Now now, Output& out) {
  const Gathering::Large news = held.units.take_large();
  for (const auto& [unit, input] : news.inputs) held.values.add_input(unit, input);
  for (const auto& returned : news.outputs) held.values.add_output(returned.unit, returned.output, returned.donor, now, out);
  for (const UnitIndex unit : news.done) held.values.drop_input(unit, out);
  for (const UnitIndex unit : news.final) held.values.drop(unit, out);
  std::vector<PeerId> sources{held.leader};
  sources.insert(sources.end(), held.delegation.peers.begin(), held.delegation.peers.end());
  std::erase(sources, self_.id);
  if (held.was_restored) sources.push_back(self_.id);  // perhaps an earlier process of ours had it
  const std::uint64_t used = held.record.bytes() + held.units.bytes();
  held.values.tick(share() - std::min(share(), used), sources, now, out);
  held.record.set_lacks(held.values.lacking(), out);
  const HeldValues::Come come = held.values.take_come();
  for (const UnitIndex unit : come.inputs) held.units.set_input_here(unit, true);
  for (const UnitIndex unit : come.lost_inputs) held.units.set_input_here(unit, false);
  if (!held.leads) return;
  std::map<PeerId, std::vector<UnitIndex>> kept;
  for (const auto& [unit, donor] : come.outputs) kept[donor].push_back(unit);
  for (const auto& [donor, units] : kept) {  // which need not keep them any longer
    for (std::size_t from = 0; from < units.size(); from += limits::batch_units_max) {
      const auto first = units.begin() + static_cast<std::ptrdiff_t>(from);
      out.send(donor, Revoke{id, {first, first + static_cast<std::ptrdiff_t>(std::min(limits::batch_units_max, units.size() - from))}});
    }
  }
}

void Stewardship::on_blob(const BlobWants::News& news, Now now, Output& out) {
  for (const auto& [id, held] : jobs_) {
    held->values.on_blob(news, out);
    see_to_values(id, *held, now, out);
  }
}

// --- Who leads ---

void Stewardship::on_news(const KnownJob& known, Now now, Output& out) {
  Held* held = find(known.job);
  if (held == nullptr || known.submitter == self_.id) return;
  if (known.closed) return forget(known.job, out);
  if (known.delegated.epoch < held->leader_epoch) return;
  const bool same_epoch = known.delegated.epoch == held->leader_epoch;
  const Mandate leaders = mandate_of(held->leader, known.delegated);
  if (same_epoch && held->leader_linked && outranks(leaders, known.mandate, shift_at(now.wall))) return;
  const bool is_new = known.delegated.epoch > held->delegation.epoch && is_in(known.delegated);
  if (is_new) {
    held->delegation = known.delegated;
    held->delegation_raw = known.delegation;
  }
  if (known.submitter == known.delegated.peers.front()) {
    held->heard = now.boot;
    keep_papers(known.job, *held, is_new, now, out);
  }
  held->leader_epoch = known.delegated.epoch;
  held->look_at = now.boot;
  if (held->leads) stop_leading(known.job, *held, out);  // Gossip takes only news of who stands before us
  if (held->leader == known.submitter) return;
  released_.push_back(std::exchange(held->leader, known.submitter));
  if (held->leader_linked) held->unlinked_since = now.boot;
  held->leader_linked = linked_.contains(known.submitter);
  held->alone_since = now.boot;
  if (held->leader_linked) follow(*held, known.submitter, out);
}

void Stewardship::connected(const PeerId& peer, Now now, Output& out) {
  linked_[peer] = true;
  for (const auto& [id, held] : jobs_) {
    const auto& peers = held->delegation.peers;
    const bool is_fellow = std::find(peers.begin(), peers.end(), peer) != peers.end();
    if (held->leader == peer) held->leader_linked = true;
    if (held->leader == peer || (held->leads && is_fellow)) follow(*held, peer, out);
    if (held->leader != peer && !is_fellow && !held->units.knows(peer)) continue;
    held->values.linked(peer);
    see_to_values(id, *held, now, out);
  }
}

void Stewardship::lost(const PeerId& peer, Now now) {
  linked_.erase(peer);
  for (const auto& [id, held] : jobs_) {
    held->record.lost(peer);
    held->units.lost(peer, now.boot);
    if (held->leader != peer) continue;
    if (held->leader_linked) held->unlinked_since = now.boot;
    held->leader_linked = false;
    held->alone_since = now.boot;
    held->look_at = now.boot;
  }
}

BootTime Stewardship::lead_at(const Held& held, Now now) const {
  // Where a newer delegation has no place for this peer, it keeps what it has for whoever comes back, and leads nothing.
  if (held.leads || !is_in(held.delegation) || held.delegation.epoch < held.leader_epoch) return never;
  const Mandate mine = mandate_of(self_.id, held.delegation), leaders = mandate_of(held.leader, held.delegation);
  const std::uint64_t shift = shift_at(now.wall);
  const Duration patience = limits::steward_patience * static_cast<int>(mine.rank(shift));
  const Duration long_enough = patience + limits::steward_patience * static_cast<int>(held.delegation.peers.size());
  if (!held.leader_linked) return std::min(held.alone_since + patience, held.unlinked_since + long_enough);
  if (!leaders.is_steward()) return never;
  const bool leaders_shift = leaders.rank(shift) < mine.rank(shift);
  return now.boot + (shift_begins(leaders_shift ? shift + 1 : shift) - now.wall) + (leaders_shift ? Duration{} : patience);
}

void Stewardship::lead(const JobId& id, Held& held, Output& out) {
  held.leads = held.leader_linked = true;
  held.leader = self_.id;
  turns_.push_back({id, true, held.manifest_raw, held.delegation_raw, mandate_of(self_.id, held.delegation)});
  held.units.lead(true, out);
  held.values.set_leads(true, out);
  for (const PeerId& fellow : held.delegation.peers) {
    if (linked_.contains(fellow)) follow(held, fellow, out);
  }
}

void Stewardship::stop_leading(const JobId& id, Held& held, Output& out) {
  held.leads = false;
  turns_.push_back({id, false, {}, {}, {}});
  held.units.lead(false, out);
  held.values.set_leads(false, out);
  for (const PeerId& donor : held.units.donors()) released_.push_back(donor);
}

void Stewardship::step_back(const JobId& job, Now now, Output& out) {
  Held* held = find(job);
  if (held == nullptr || !held->leads) return;
  stop_leading(job, *held, out);
  held->leader_linked = false;
  held->alone_since = held->unlinked_since = held->look_at = now.boot;
}

// --- Of a job that it leads ---

bool Stewardship::leads(const JobId& job) const {
  const auto at = jobs_.find(job);
  return at != jobs_.end() && at->second->leads;
}

std::vector<HeldJob> Stewardship::jobs() const {
  std::vector<HeldJob> jobs;
  for (const auto& [id, held] : jobs_) jobs.push_back({id, held->units.units(), held->units.units_done(), held->leads});
  return jobs;
}

bool Stewardship::is_fellow(const PeerId& peer) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& each) {
    const auto& fellows = each.second->delegation.peers;
    return std::find(fellows.begin(), fellows.end(), peer) != fellows.end();
  });
}

bool Stewardship::computes(const JobId& job) const {
  const auto at = jobs_.find(job);
  return at != jobs_.end() && at->second->leads && at->second->units.is_for(self_.id);
}

bool Stewardship::leads_any() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [](const auto& each) { return each.second->leads; });
}

bool Stewardship::needs(const PeerId& peer) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& each) {
    const Held& held = *each.second;
    if (held.leader == peer) return true;
    if (!held.leads) return false;
    const auto& fellows = held.delegation.peers;
    return std::find(fellows.begin(), fellows.end(), peer) != fellows.end() || held.units.knows(peer);
  });
}

void Stewardship::on_want(const PeerId& from, const Want& want, Now now, Output& out) {
  Held* held = find(want.job);
  held->units.on_want(from, want);
  held->units.tick(now.boot, out);
}

std::optional<Charge> Stewardship::on_results(const PeerId& from, const PublicKey& key, const Results& results, Now now, Output& out) {
  Held* held = find(results.job);
  if (results.results.empty()) return charges::malformed;
  const PublicKey donor = from == self_.id ? self_.crypto->public_key() : key;
  if (!self_.verify(Domain::results, donor, results_root(results).view(), results.signature)) return charges::forged;
  if (held->units.on_results(from, results, now.boot)) {
    const RecordEntry entry = entry_of(donor, results);
    if (held->record.add(entry, self_.id, now.boot)) out.push(KeepHeld{.job = results.job, .entries = {entry}});
  }
  held->units.tick(now.boot, out);
  see_to_values(results.job, *held, now, out);
  give_up_what_outgrows(out);
  return std::nullopt;
}

void Stewardship::on_return(const PeerId& from, const Return& returned, Now now, Output& out) {
  Held* held = find(returned.job);
  held->units.on_return(from, returned, now.boot);
  held->units.tick(now.boot, out);
}

// --- Time ---

void Stewardship::tick(Now now, Output& out) {
  std::vector<JobId> old;
  for (const auto& [id, held] : jobs_) {
    held->record.tick(now.boot, out);
    held->units.tick(now.boot, out);
    if (now.boot >= held->values.next_deadline()) see_to_values(id, *held, now, out);
    if (now.boot >= held->heard + limits::steward_keep) old.push_back(id);
    const BootTime at = lead_at(*held, now);
    held->look_at = std::min(at, now.boot + limits::steward_shift);  // a clock may be set meanwhile
    if (now.boot >= at) lead(id, *held, out);
  }
  for (const JobId& id : old) forget(id, out);
}

BootTime Stewardship::next_deadline() const {
  BootTime next = never;
  for (const auto& [id, held] : jobs_) {
    next = std::min({next, held->record.next_deadline(), held->units.next_deadline(), held->values.next_deadline(),
                     held->look_at, held->heard + limits::steward_keep});
  }
  return next;
}

}  // namespace dugnad::core
