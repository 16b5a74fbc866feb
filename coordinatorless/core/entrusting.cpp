#include "coordinatorless/core/entrusting.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr Duration first_deed = std::chrono::seconds(2);  // donors come together, mostly; and again while more do
constexpr Duration rest_patience = std::chrono::seconds(10);  // for the others once one steward has told all it has
constexpr std::size_t entry_overhead = 512;  // in memory, of results that wait
constexpr std::size_t word_bytes_usual = 512 << 10;

/// Calls `say` with parts of `items` that fit one word each.
template <class Item, class BytesOf, class Say>
void in_words(const std::vector<Item>& items, BytesOf bytes_of, Say say) {
  std::vector<Item> part;
  std::size_t bytes = 0;
  for (const Item& item : items) {
    if (!part.empty() && (part.size() >= limits::batch_units_max || bytes + bytes_of(item) > word_bytes_usual)) {
      say(std::exchange(part, {}));
      bytes = 0;
    }
    bytes += bytes_of(item);
    part.push_back(item);
  }
  if (!part.empty()) say(std::move(part));
}

}  // namespace

Entrusting::Entrusted* Entrusting::find(const JobId& job) {
  const auto at = jobs_.find(job);
  return at == jobs_.end() ? nullptr : at->second.get();
}

// --- Beginning and end ---

void Entrusting::begin(const JobId& id, const Manifest& manifest, const JobSubmitted& submitted, std::uint64_t known, Now now,
                       Output& out) {
  if (!manifest.stewarded || self_.owner == nullptr || self_.owner->public_key() != manifest.owner) return;
  const auto delegation = decode_delegation(submitted.delegation.body);
  DUGNAD_ASSERT(delegation, "a delegation of our own that does not decode");
  auto& job = jobs_[id];
  const bool was_sought = job != nullptr;
  if (!was_sought) job = std::make_unique<Entrusted>(id, self_.generator->next());
  job->begun = true;
  job->wanted = std::min(submitted.stewards, limits::stewards_max);
  job->choose_at = now.boot + (delegation->epoch > 1 ? limits::entrust_retry : Duration{});
  if (was_sought) return;  // it has a later delegation, which names its stewards
  job->manifest = manifest;
  job->manifest_raw = submitted.manifest;
  job->epoch = delegation->epoch;
  job->delegation_raw = submitted.delegation;
  job->secret = assignment_secret(*self_.owner, self_.swarm, manifest.nonce);
  for (const PeerId& peer : delegation->peers) {
    if (peer == self_.id || job->stewards.size() >= limits::stewards_max) continue;
    job->stewards[peer] = {.asked_at = now.boot, .linked = linked_.contains(peer)};
    job->delegates.push_back(peer);
    if (const auto record = membership_.record_of(peer)) needed_.push_back(*record);
  }
  job->resumed = delegation->epoch > 1;
  job->gathers = job->resumed && delegation->peers.size() > 1;  // they hold what an earlier run has left with them
  if (job->gathers) job->gather_until = now.boot + limits::gather_patience;
  say(*job, OwnersWord{.job = id, .units = {}, .finals = {}, .collected = {}, .deed = {}, .recipe = submitted.recipe}, now);
  // Whoever is linked already may have asked for the record before there was one, and was told so.
  for (const auto& [peer, steward] : job->stewards) ask(*job, peer, out);
  if (known <= job->epoch) return;
  // Another machine of the owner's had it meanwhile, or a clock was set back.
  job->epoch = known;
  job->gathers = true;
  job->gather_until = now.boot + limits::gather_patience;
  job->begun = false;  // as if it were sought: with those it was begun with
  delegate(id, *job, now, out);
  job->begun = true;
}

void Entrusting::seek(const JobId& job, Now) {
  if (self_.owner != nullptr && !jobs_.contains(job)) sought_.insert(job);
}

void Entrusting::on_news(const KnownJob& known, Now now, Output& out) {
  if (!sought_.contains(known.job) || known.closed || known.manifest.owner != self_.owner->public_key()) return;
  if (!known.manifest.stewarded) return;
  sought_.erase(known.job);
  auto& job = jobs_[known.job] = std::make_unique<Entrusted>(known.job, self_.generator->next());
  job->manifest = known.manifest;
  job->manifest_raw = {known.manifest_body, known.manifest_signature};
  job->epoch = std::max(known.delegated.epoch, static_cast<std::uint64_t>(std::max<std::int64_t>(now.wall.time_since_epoch().count(), 0)));
  job->secret = assignment_secret(*self_.owner, self_.swarm, known.manifest.nonce);
  job->gathers = job->resumed = true;
  job->gather_until = now.boot + limits::gather_patience;
  for (const PeerId& peer : known.delegated.peers) {
    if (peer == self_.id || peer == known.delegated.peers.front()) continue;
    job->stewards[peer] = {.asked_at = now.boot, .linked = linked_.contains(peer)};
    job->delegates.push_back(peer);
    if (const auto record = membership_.record_of(peer)) needed_.push_back(*record);
    else if (peer == known.contact.peer()) needed_.push_back(known.contact);
  }
  job->wanted = static_cast<unsigned>(job->stewards.size());
  delegate(known.job, *job, now, out);
}

void Entrusting::end(const JobId& id) {
  Entrusted* job = find(id);
  if (job == nullptr) return;
  for (const auto& [peer, steward] : job->stewards) released_.push_back(peer);
  jobs_.erase(id);
}

bool Entrusting::gathers(const JobId& job) const {
  const auto at = jobs_.find(job);
  return at != jobs_.end() && at->second->gathers;
}

bool Entrusting::needs(const PeerId& peer) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& each) { return each.second->stewards.contains(peer); });
}

// --- What stewards are told ---

void Entrusting::say(Entrusted& job, OwnersWord word, Now now) {
  (void)job.record.add(entry_of(word, self_), self_.id, now.boot);
  job.record.trim(limits::record_backlog_max);
}

void Entrusting::appended(const UnitsAppended& appended, Now now) {
  Entrusted* job = find(appended.job);
  if (job == nullptr || job->wanted == 0) return;
  job->complete = job->complete || appended.last;
  std::vector<LeasedUnit> units;
  for (const NewUnit& unit : appended.units) {
    if (unit.known) continue;
    units.push_back({unit.unit, unit.input});
    job->has_large = job->has_large || unit.input.large;
  }
  in_words(units, [](const LeasedUnit& unit) { return unit.input.bytes.size() + 16; },
           [&](std::vector<LeasedUnit> part) {
             say(*job, OwnersWord{.job = appended.job, .units = std::move(part), .finals = {}, .collected = {}, .deed = {}, .recipe = {}}, now);
             job->whole_at = job->record.end();
           });
}

void Entrusting::accepted(const JobId& id, const std::vector<AcceptedUnit>& accepted, Now now) {
  Entrusted* job = find(id);
  if (job == nullptr || job->wanted == 0) return;
  std::vector<FinalUnit> finals;
  for (const AcceptedUnit& unit : accepted) finals.push_back({unit.unit, unit.input_tag, unit.outcome, unit.output});
  in_words(finals, [](const FinalUnit& unit) { return unit.output.bytes.size() + 32; },
           [&](std::vector<FinalUnit> part) {
             say(*job, OwnersWord{.job = id, .units = {}, .finals = std::move(part), .collected = {}, .deed = {}, .recipe = {}}, now);
           });
}

void Entrusting::collected(const PublicKey& donor, const Results& results, Now now) {
  Entrusted* job = find(results.job);
  if (job == nullptr || job->wanted == 0 || !job->manifest.confidence) return;  // by copies they soon are final
  CollectedResults collected{donor, encode(Message(results))};
  say(*job, OwnersWord{.job = results.job, .units = {}, .finals = {}, .collected = std::move(collected), .deed = {}, .recipe = {}}, now);
}

// --- What they say ---

std::optional<Charge> Entrusting::on(const PeerId& from, const Follow& message, Now now, Output& out) {
  Entrusted* job = find(message.job);
  if (job == nullptr) return std::nullopt;
  auto at = job->stewards.find(from);
  if (at == job->stewards.end()) {
    // One of an earlier run: what it has may be of use, and it may go on holding the job.
    const auto shown = decode_delegation(message.delegation.body);
    if (!shown || shown->job != message.job || job->stewards.size() >= limits::stewards_max) return charges::unasked;
    if (job->gave_up.contains(from)) return charges::unasked;
    if (std::find(shown->peers.begin(), shown->peers.end(), from) == shown->peers.end()) return charges::unasked;
    if (!self_.verify(Domain::delegation, job->manifest.owner, message.delegation.body, message.delegation.signature)) return charges::forged;
    job->passed_over.erase(from);
    at = job->stewards.emplace(from, Steward{.asked_at = now.boot, .linked = true}).first;
    if (const auto record = membership_.record_of(from)) needed_.push_back(*record);
  }
  Steward& steward = at->second;
  steward.linked = true;
  if (!std::exchange(steward.holds, true)) {
    const auto holding = std::count_if(job->stewards.begin(), job->stewards.end(), [](const auto& each) { return each.second.holds; });
    const bool all = static_cast<std::size_t>(holding) >= job->wanted;
    job->delegate_at = std::min(job->delegate_at, all ? now.boot : now.boot + limits::entrust_gather);
    if (job->resumed) job->record.follow(from, {}, true, out);
  }
  job->record.on_follow(from, message, out);
  return std::nullopt;
}

std::optional<Charge> Entrusting::on(const PeerId& from, Record&& message, Now now, Output& out) {
  const JobId id = message.job;
  Entrusted* job = find(id);
  if (job == nullptr) return std::nullopt;
  auto entries = job->record.on_record(from, std::move(message));
  if (!entries) return charges::unasked;
  job->record.ask_for_more(from, out);
  for (RecordEntry& entry : *entries) {
    if (!take(id, *job, std::move(entry), from, now)) return charges::forged;
  }
  if (job->gathers && job->record.is_read(from)) job->gather_until = std::min(job->gather_until, now.boot + rest_patience);
  if (job->gathers && all_heard(*job)) end_gathering(id, *job, out);
  return std::nullopt;
}

bool Entrusting::take(const JobId& id, Entrusted& job, RecordEntry entry, const PeerId& from, Now now) {
  if (job.record.has(entry)) return true;
  auto what = proven(entry, id, job.manifest.owner, self_);
  if (!what) return false;
  std::optional<SignedResults> results;
  bool asked_ourselves = false;
  if (auto* word = std::get_if<OwnersWord>(&*what)) {
    if (!word->recipe.empty()) job.recipe = std::move(word->recipe);
    if (!job.begun) std::move(word->finals.begin(), word->finals.end(), std::back_inserter(job.finals));
    if (word->deed && is_sound(*word->deed, job.secret) && job.deeds.size() < limits::deeds_max) {
      job.deeds.emplace_back(std::move(*word->deed));
      std::sort(job.deeds.begin(), job.deeds.end(), [](const auto& one, const auto& other) { return one.deed().version < other.deed().version; });
    }
    if (word->collected) {
      results = proven(*word->collected, id, self_);
      if (!results) return false;
      asked_ourselves = true;
    }
  } else {
    results = std::move(std::get<SignedResults>(*what));
  }
  if (results) {
    if (!asked_ourselves) {
      // An honest steward tells the deed first, as it was told itself.
      std::uint64_t& given = job.given[from];
      if (!is_assigned(job, *results) || given >= limits::gathered_bytes_max) return true;
      given += entry.body.size() + entry_overhead;
    }
    if (job.gathers || !job.begun) job.waiting.emplace_back(std::move(*results), asked_ourselves);
    else judge(id, job, std::move(*results), asked_ourselves);
  }
  (void)job.record.add(std::move(entry), from, now.boot);
  job.record.trim(limits::record_backlog_max);
  return true;
}

/// By some deed: the newest may be still to come.
bool Entrusting::is_assigned(const Entrusted& job, const SignedResults& results) const {
  const PeerId donor = peer_id_of(results.donor);
  return std::any_of(job.deeds.begin(), job.deeds.end(), [&](const Assignment& deed) {
    if (!deed.names(donor)) return false;
    const auto& all = results.results.results;
    const unsigned wanted = donors_wanted(job.manifest);
    return std::any_of(all.begin(), all.end(), [&](const UnitResult& result) { return deed.assigns(result.unit, donor, wanted); });
  });
}

/// Rule 4.
void Entrusting::judge(const JobId& id, Entrusted& job, SignedResults results, bool collected) {
  const PeerId donor = peer_id_of(results.donor);
  const unsigned wanted = donors_wanted(job.manifest);
  Gathered gathered{id, std::move(results), {}};
  for (const UnitResult& result : gathered.results.results.results) {
    const bool is_assigned = !job.deeds.empty() && job.deeds.back().assigns(result.unit, donor, wanted);
    gathered.counts.push_back(collected || is_assigned);
  }
  for (const auto& [peer, steward] : job.stewards) gathered.stewards.push_back(peer);
  if (std::find(gathered.counts.begin(), gathered.counts.end(), true) != gathered.counts.end()) gathered_.push_back(std::move(gathered));
}

bool Entrusting::all_heard(const Entrusted& job) const {
  const auto heard = std::count_if(job.stewards.begin(), job.stewards.end(), [&](const auto& each) { return job.record.is_read(each.first); });
  return static_cast<std::size_t>(heard) == job.stewards.size();
}

void Entrusting::end_gathering(const JobId& id, Entrusted& job, Output& out) {
  job.gathers = false;
  job.gather_until = never;
  if (!job.begun) {
    JobFound found{id, job.manifest_raw, job.recipe, {}};
    for (FinalUnit& unit : job.finals) {
      if (!unit.output.large) found.finals.push_back({unit.unit, unit.input_tag, unit.outcome, std::move(unit.output)});
    }
    job.finals.clear();
    out.push(std::move(found));
    return;
  }
  told_.push_back(id);
  for (auto& [results, collected] : std::exchange(job.waiting, {})) judge(id, job, std::move(results), collected);
}

void Entrusting::on_closed(const PeerId& from, const JobId& id, Now now) {
  Entrusted* job = find(id);
  if (job == nullptr || !job->stewards.contains(from)) return;
  drop(*job, from, now);
  job->gave_up.insert(from);
}

void Entrusting::connected(const PeerId& peer, Now, Output& out) {
  linked_.insert(peer);
  for (const auto& [id, job] : jobs_) {
    const auto at = job->stewards.find(peer);
    if (at == job->stewards.end()) continue;
    at->second.linked = true;
    at->second.lost_at = never;
    ask(*job, peer, out);
    if (at->second.holds && job->resumed) job->record.follow(peer, {}, true, out);  // from where it broke off
  }
}

void Entrusting::lost(const PeerId& peer, Now now) {
  linked_.erase(peer);
  for (const auto& [id, job] : jobs_) {
    job->record.lost(peer);
    const auto at = job->stewards.find(peer);
    if (at == job->stewards.end()) continue;
    at->second.linked = false;
    at->second.lost_at = now.boot;
  }
}

// --- Time ---

/// Whoever comes and goes has the job delegated no more often than that.
BootTime Entrusting::delegates_at(const Entrusted& job) {
  if (job.delegate_at == never || job.delegated_at == BootTime{}) return job.delegate_at;
  return std::max(job.delegate_at, job.delegated_at + limits::entrust_gather);
}

void Entrusting::tick(Now now, const Present& present, Output& out) {
  for (const auto& [id, job] : jobs_) {
    if (job->gathers && (now.boot >= job->gather_until || all_heard(*job))) end_gathering(id, *job, out);
    if (job->begun && !job->gathers && !job->waiting.empty()) end_gathering(id, *job, out);
    if (now.boot >= job->choose_at) choose(id, *job, now, out);
    if (now.boot >= delegates_at(*job)) {
      delegate(id, *job, now, out);
      if (job->deed_at == never) job->deed_at = now.boot + first_deed;
    }
    if (job->begun && !job->gathers && now.boot >= job->deed_at) renew_deed(id, *job, present, now);
    job->record.tick(now.boot, out);
    for (auto& [peer, steward] : job->stewards) {
      const bool all_said = job->complete || !job->has_large;  // large inputs are cut as there is room for them
      const bool is_whole = all_said && steward.holds && !job->deeds.empty() && job->record.has_up_to(peer, job->whole_at);
      steward.whole = is_whole || (steward.whole && !job->has_large);
    }
    const auto is_whole = [](const auto& each) { return each.second.whole; };
    const auto whole = static_cast<unsigned>(std::count_if(job->stewards.begin(), job->stewards.end(), is_whole));
    if (job->begun && whole != std::exchange(job->said_whole, whole)) out.push(StewardsHold{id, whole, job->wanted});
  }
}

BootTime Entrusting::next_deadline() const {
  BootTime next = never;
  for (const auto& [id, job] : jobs_) {
    const BootTime deed_at = job->begun && !job->gathers ? job->deed_at : never;
    next = std::min({next, job->gather_until, delegates_at(*job), job->record.next_deadline(), deed_at});
    if (job->begun && !job->gathers && !job->waiting.empty()) next = BootTime{};
    if (job->wanted > 0) next = std::min(next, job->choose_at);
  }
  return next;
}

}  // namespace dugnad::core
