#include "coordinatorless/core/gossip.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinatorless/core/expiry.h"

namespace dugnad::core {
namespace {

std::uint8_t one_more(std::uint8_t hops) { return hops < limits::gossip_hops_max ? hops + 1 : hops; }

/// `count` of `items`, or all, drawn without replacement; they come to stand in front.
template <class T>
void draw_to_front(std::vector<T>& items, std::size_t count, Generator& generator) {
  for (std::size_t i = 0; i < std::min(count, items.size()); ++i) std::swap(items[i], items[i + generator.below(items.size() - i)]);
  if (items.size() > count) items.resize(count);
}

template <class Set>
auto drawn_from(Set& items, Generator& generator) {
  return std::next(items.begin(), static_cast<std::ptrdiff_t>(generator.below(items.size())));
}

}  // namespace

// --- Neighbours ---

void Gossip::connected(const PeerId& peer, Now now, Output& out) {
  if (!neighbours_.try_emplace(peer).second) return;
  send_digest(peer, now, out);
  ask_for_unproven(peer, now, out);
  schedule_digest(now);
}

void Gossip::lost(const PeerId& peer) { neighbours_.erase(peer); }

// --- Messages ---

bool Gossip::replaces(const AnnouncedJob& one, const Held& held, WallTime now) {
  const AnnouncedJob& other = held.what;
  if (one.delegation.epoch != other.delegation.epoch || one.contact.peer() == other.contact.peer()) return later(one, other);
  const auto heard = held.heard.find(one.contact.peer());
  if (heard != held.heard.end() && one.announcement.sequence <= heard->second) return false;
  if (heard == held.heard.end() && held.heard.size() >= limits::followed_max) return false;  // the owner delegates to ever more
  if (ends_for(other, one)) return false;
  return later(one, other) || is_handed_on(one, other, now);
}

/// The submitter has ended what the steward of the same delegation goes on leading.
bool Gossip::ends_for(const AnnouncedJob& one, const AnnouncedJob& other) {
  return one.delegation.epoch == other.delegation.epoch && one.announcement.closed && mandate_of(other).is_steward();
}

/// Whether who has said the other is to hear the one. Never both of each other: they would answer for ever.
bool Gossip::tells_more(const AnnouncedJob& one, const AnnouncedJob& other) {
  return ends_for(one, other) || (later(one, other) && !ends_for(other, one));
}

/// To a delegate that stands before the other.
bool Gossip::is_handed_on(const AnnouncedJob& to, const AnnouncedJob& from, WallTime now) {
  return to.delegation.epoch == from.delegation.epoch && outranks(mandate_of(to), mandate_of(from), shift_at(now));
}

Charge Gossip::on(const PeerId& from, const Announce& message, Now now, Output& out) {
  const auto neighbour = neighbours_.find(from);
  if (neighbour == neighbours_.end()) return {};
  auto announced = take_apart(message.announcement);
  if (!announced) return charges::malformed;
  neighbour->second.untold.erase(announced->job);

  const auto found = held_.find(announced->job);
  const AnnouncedJob* before = found == held_.end() ? nullptr : &found->second.what;
  if (before && !replaces(*announced, found->second, now.wall)) {
    if (tells_more(*before, *announced)) answer(from, found->second, now, out);
    return {};
  }
  const bool handed_on = before && is_handed_on(*announced, *before, now.wall);
  if (refused_.contains(announced->job) || !timely(*announced, now.wall)) return {};
  const bool first_hand = announced->contact.peer() == from;
  const ProofStep look = look_at_proof(*announced, first_hand, neighbour->second, now);
  if (look.drop || !neighbour->second.checks.take(1, now.boot)) return look.charge;
  if (!genuine(*announced, before, self_)) return charges::forged;
  if (look.check) {
    if (const ProofStep verdict = check_proof(*announced, first_hand); verdict.drop) return verdict.charge;
  }

  auto heard = before != nullptr && before->delegation.epoch == announced->delegation.epoch ? found->second.heard
                                                                                            : std::map<PeerId, std::uint64_t>();
  if (!yields(*announced, now.wall)) return {};
  const JobId job = announced->job;
  const bool proven = proofs_.standing(announced->contact, now.wall) == ProofChecks::Standing::proven;
  if (!held_.contains(job) && ((!proven && !room_for_unproven(now.wall)) || !make_room(announced->manifest.owner))) {
    if (refused_.size() < limits::gossip_refused_max) refused_[job] = now.boot + limits::gossip_refused_time;
    return {};
  }
  keep(std::move(*announced), from, one_more(message.hops));
  held_.at(job).heard.merge(heard);  // also where it was ours until now
  if (std::find(news_.begin(), news_.end(), job) == news_.end()) news_.push_back(job);
  if (proven && message.hops < limits::gossip_hops_max) push(held_.at(job), handed_on, now, out);
  schedule_digest(now);
  return {};
}

Gossip::ProofStep Gossip::look_at_proof(const AnnouncedJob& announced, bool first_hand, Neighbour& teller, Now now) {
  switch (proofs_.standing(announced.contact, now.wall)) {
    case ProofChecks::Standing::proven: return {};
    case ProofChecks::Standing::unproven:
      if (first_hand) return {};
      return {.drop = true, .charge = charges::unproven};
    case ProofChecks::Standing::absurd: return {.drop = true, .charge = charges::unproven};
    case ProofChecks::Standing::off: return {.drop = !first_hand};
    case ProofChecks::Standing::unchecked: break;
  }
  const bool check = proofs_.afford(teller.proofs, now.boot);
  return {.drop = !check && !first_hand, .check = check};
}

Gossip::ProofStep Gossip::check_proof(const AnnouncedJob& announced, bool first_hand) {
  switch (proofs_.check(announced.contact)) {
    case ProofChecks::Verdict::holds: return {};
    case ProofChecks::Verdict::false_proof: return {.drop = true, .charge = charges::false_proof};
    case ProofChecks::Verdict::unknown: break;
  }
  return {.drop = !first_hand};
}

bool Gossip::may_pass(const Held& held, WallTime now) const {
  return held.told_by == self_.id || proofs_.standing(held.what.contact, now) == ProofChecks::Standing::proven;
}

bool Gossip::room_for_unproven(WallTime now) const {
  const auto unproven = std::count_if(held_.begin(), held_.end(), [&](const auto& entry) { return !may_pass(entry.second, now); });
  return static_cast<std::size_t>(unproven) < limits::unproven_jobs_max;
}

Charge Gossip::on(const PeerId& from, const Digest& message, Now now, Output& out) {
  const auto neighbour = neighbours_.find(from);
  if (neighbour == neighbours_.end()) return {};
  if (!neighbour->second.digests.take(1, now.boot)) return charges::hasty;
  Pull pull;
  for (const DigestEntry& entry : message.entries) {
    neighbour->second.untold.erase(entry.job);
    const auto found = held_.find(entry.job);
    if (found == held_.end()) {
      if (!refused_.contains(entry.job)) pull.jobs.push_back(entry.job);
      continue;
    }
    const std::uint64_t ours = found->second.what.announcement.sequence;
    if (entry.sequence > ours) pull.jobs.push_back(entry.job);
    if (entry.sequence < ours) answer(from, found->second, now, out);
  }
  if (!pull.jobs.empty()) out.send(from, std::move(pull));
  return {};
}

Charge Gossip::on(const PeerId& from, const Pull& message, Now now, Output& out) {
  if (!neighbours_.contains(from)) return {};
  for (const JobId& job : message.jobs) {
    const auto found = held_.find(job);
    if (found != held_.end()) answer(from, found->second, now, out);
  }
  return {};
}

void Gossip::tick(Now now, Output& out) {
  for (auto& [job, own] : own_) {
    if (own.refresh_at <= now.boot) announce_own(own, now, out);
  }
  if (whisper_at_ <= now.boot) whisper(now, out);
  if (digest_at_ <= now.boot) {
    forget_expired(now);
    if (!held_.empty() && !neighbours_.empty()) send_digest(drawn_from(neighbours_, *self_.generator)->first, now, out);
    digest_at_ = never;
    schedule_digest(now);
  }
}

BootTime Gossip::next_deadline() const {
  BootTime next = std::min(digest_at_, whisper_at_);
  for (const auto& [job, own] : own_) next = std::min(next, own.refresh_at);
  return next;
}

// --- What is known ---

std::vector<KnownJob> Gossip::take_news() {
  std::vector<KnownJob> news;
  for (const JobId& job : std::exchange(news_, {})) {
    const auto found = held_.find(job);
    if (found != held_.end() && !own_.contains(job)) news.push_back(describe(found->second));
  }
  return news;
}

std::vector<KnownJob> Gossip::known() const {
  std::vector<KnownJob> all;
  for (const auto& [job, held] : held_) {
    if (!own_.contains(job)) all.push_back(describe(held));
  }
  return all;
}

std::optional<KnownJob> Gossip::known(const JobId& job) const {
  const auto found = held_.find(job);
  return found == held_.end() || own_.contains(job) ? std::nullopt : std::optional(describe(found->second));
}

std::vector<JobId> Gossip::live_of(const PublicKey& submitter, WallTime now) const {
  std::vector<JobId> all;
  for (const auto& [job, held] : held_) {
    const Announcement& its = held.what.announcement;
    if (!its.closed && its.expires > now && held.what.contact.key == submitter && !own_.contains(job)) all.push_back(job);
  }
  return all;
}

KnownJob Gossip::describe(const Held& held) const {
  const AnnouncedJob& what = held.what;
  const Announcement& its = what.announcement;
  return {what.job,      what.manifest,  its.manifest.body, its.manifest.signature, what.contact.peer(), what.contact, its.submitter,
          held.told_by,  its.delegation, what.delegation,   mandate_of(what),       its.closed,          its.expires};
}

// --- Keeping and forgetting ---

void Gossip::keep(AnnouncedJob announced, const PeerId& from, std::uint8_t hops) {
  const JobId job = announced.job;
  if (own_.contains(job)) {
    const auto owned = by_owner_.find(announced.manifest.owner);
    if (owned != by_owner_.end() && owned->second.erase(job) && owned->second.empty()) by_owner_.erase(owned);
  } else {
    by_owner_[announced.manifest.owner].insert(job);
  }
  Held& held = held_[job];
  if (held.what.delegation.epoch != announced.delegation.epoch) held.heard.clear();
  held.heard[announced.contact.peer()] = announced.announcement.sequence;
  held.what = std::move(announced);
  held.told_by = from;
  held.hops = hops;
}

void Gossip::forget(const JobId& job) {
  const auto found = held_.find(job);
  const auto owned = by_owner_.find(found->second.what.manifest.owner);
  if (owned != by_owner_.end() && owned->second.erase(job) && owned->second.empty()) by_owner_.erase(owned);
  held_.erase(found);
  own_.erase(job);
}

void Gossip::forget_expired(Now now) {
  for (auto next = held_.begin(); next != held_.end();) {
    const auto at = next++;
    if (const auto own = own_.find(at->first); own != own_.end() && !own->second.closed) continue;  // this clock was set
    // As long as others, their clocks behind ours, may still bring an earlier one back.
    if (at->second.what.announcement.expires + wall_skew <= now.wall) forget(JobId(at->first));
  }
  std::erase_if(refused_, [&](const auto& entry) { return entry.second <= now.boot; });
}

/// Room for one more job of `owner`, within its quota.
bool Gossip::make_room(const PublicKey& owner) {
  const auto owned = by_owner_.find(owner);
  if (owned != by_owner_.end() && owned->second.size() >= limits::announcements_per_owner) {
    const Held* oldest = nullptr;
    for (const JobId& job : owned->second) {
      const Held& held = held_.at(job);
      if (!held.what.announcement.closed) continue;
      if (!oldest || held.what.announcement.expires < oldest->what.announcement.expires) oldest = &held;
    }
    if (!oldest) return false;
    forget(JobId(oldest->what.job));
  }
  return held_.size() < limits::announcements_max || make_room_among_all(owner);
}

bool Gossip::make_room_among_all(const PublicKey& owner) {
  const Held* oldest = nullptr;
  std::size_t most = 0;
  for (const auto& [its_owner, jobs] : by_owner_) {
    most = std::max(most, jobs.size() + (its_owner == owner ? 1 : 0));
    for (const JobId& job : jobs) {
      const Held& held = held_.at(job);
      if (held.what.announcement.closed && (!oldest || held.what.announcement.expires < oldest->what.announcement.expires)) oldest = &held;
    }
  }
  if (oldest) {
    forget(JobId(oldest->what.job));
    return true;
  }
  // The newcomer is one of those drawn from: else whoever comes last would always get in.
  most = std::max<std::size_t>(most, 1);
  std::vector<PublicKey> heaviest;
  if (const auto owned = by_owner_.find(owner); (owned == by_owner_.end() ? 0 : owned->second.size()) + 1 == most) heaviest.push_back(owner);
  for (const auto& [its_owner, jobs] : by_owner_) {
    if (its_owner != owner && jobs.size() == most) heaviest.push_back(its_owner);
  }
  const PublicKey& loser = heaviest[self_.generator->below(heaviest.size())];
  if (loser == owner) return false;
  forget(JobId(*drawn_from(by_owner_.at(loser), *self_.generator)));
  return true;
}

// --- Passing on ---

void Gossip::push(Held& held, bool handed_on, Now now, Output& out) {
  const bool closed = held.what.announcement.closed;
  const bool ends = closed && !held.pushed_closed;
  const auto was_just = [&](const std::optional<BootTime>& when) { return when && now.boot - *when < limits::gossip_spacing; };
  if (!ends && was_just(handed_on ? held.handed_on_at : held.pushed_at)) return;
  (handed_on ? held.handed_on_at : held.pushed_at) = now.boot;
  held.pushed_closed = closed;
  std::vector<PeerId> others;
  for (const auto& [peer, neighbour] : neighbours_) {
    if (peer != held.told_by) others.push_back(peer);
  }
  // A hub tells half of its many neighbours: those with few links hear of a job mostly from hubs.
  const auto told = std::min(others.size(), std::max(limits::gossip_fanout, others.size() / 2));
  self_.generator->shuffle(std::span(others));
  for (std::size_t i = 0; i < told; ++i) out.send(others[i], Announce{held.what.raw, held.hops});
  for (std::size_t i = told; i < others.size(); ++i) {
    auto& untold = neighbours_.at(others[i]).untold;
    if (untold.size() < limits::digest_entries_max) untold.insert(held.what.job);
    if (whisper_at_ == never) whisper_at_ = std::max(now.boot + limits::whisper_delay, whispered_at_ + limits::gossip_spacing);
  }
}

void Gossip::whisper(Now now, Output& out) {
  whisper_at_ = never;
  whispered_at_ = now.boot;
  for (auto& [peer, neighbour] : neighbours_) {
    if (!neighbour.untold.empty()) send_digest(peer, std::exchange(neighbour.untold, {}), now, out);
  }
}

void Gossip::answer(const PeerId& to, const Held& held, Now now, Output& out) {
  if (may_pass(held, now.wall) && neighbours_.at(to).answers.take(1, now.boot)) out.send(to, Announce{held.what.raw, held.hops});
}

/// Its jobs that no digest tells of. Who has one of them answers; who has not is silent, and not charged for it.
void Gossip::ask_for_unproven(const PeerId& submitter, Now now, Output& out) const {
  Pull pull;
  for (const auto& [job, held] : held_) {
    if (pull.jobs.size() == limits::digest_entries_max) break;
    if (!may_pass(held, now.wall) && held.what.contact.peer() == submitter) pull.jobs.push_back(job);
  }
  if (!pull.jobs.empty()) out.send(submitter, std::move(pull));
}

void Gossip::send_digest(const PeerId& to, Now now, Output& out) {
  Digest digest;
  for (const auto& [job, held] : held_) {
    if (may_pass(held, now.wall)) digest.entries.push_back({job, held.what.announcement.sequence});
  }
  if (digest.entries.empty()) return;
  draw_to_front(digest.entries, limits::digest_entries_max, *self_.generator);
  out.send(to, std::move(digest));
}

/// Of these jobs, which are no more than fit, those that are still held.
void Gossip::send_digest(const PeerId& to, const std::set<JobId>& jobs, Now now, Output& out) {
  Digest digest;
  for (const JobId& job : jobs) {
    const auto held = held_.find(job);
    if (held != held_.end() && may_pass(held->second, now.wall)) digest.entries.push_back({job, held->second.what.announcement.sequence});
  }
  if (!digest.entries.empty()) out.send(to, std::move(digest));
}

/// Digests go on while anything is held; in an idle swarm nothing ticks.
void Gossip::schedule_digest(Now now) {
  if (held_.empty()) digest_at_ = never;
  else if (digest_at_ == never) digest_at_ = now.boot + from_seconds(seconds_of(limits::digest_interval) * (0.5 + self_.generator->share()));
}

}  // namespace dugnad::core
