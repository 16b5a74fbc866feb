#include "coordinatorless/core/links.h"

namespace dugnad::core {
namespace {

constexpr std::size_t links_max = limits::overlay_outbound + limits::overlay_inbound_max + limits::job_links_max;

/// What a dial that is not answered at all may take: the driver's own time-out, and as much again before it is not waited for any more.
constexpr Duration dial_patience = 2 * limits::dial_timeout;

std::size_t most_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::user: return SIZE_MAX;
    case Purpose::overlay: return limits::overlay_outbound;
    case Purpose::job: return limits::job_links_max;
    case Purpose::blob: return limits::blob_links_max;
    case Purpose::feeler: return 1 + limits::anchors;
  }
  return 0;
}

}  // namespace

Reach Link::reach() const {
  if (!seen_at) return Reach::global;
  Endpoint endpoint = *seen_at;
  endpoint.port = 1;  // of a peer that dialled us only the address is known
  const Reach reach = reach_of(endpoint);
  return reach == Reach::unusable ? Reach::global : reach;
}

bool Link::shares(Reach other) const { return other == Reach::global || reach() == other || reach() == Reach::loopback; }

Links::Links(const Self& self) : self_(self), secret_(self.generator->next()) {}

// --- What we want ---

void Links::join(const Contact& contact, Now now, Output& out) {
  const auto endpoint = Endpoint::parse(contact.host_port);
  if (!endpoint || contact.peer == self_.id) return;
  Target& wanted = target(contact.peer);
  wanted.curve = contact.curve;
  wanted.endpoint = *endpoint;
  wanted.trusted = true;
  wanted.purposes.add(Purpose::user);
  due_at(std::max(now.boot, wanted.next_dial));
  dial_due(now, out);
}

std::optional<Route> Links::route(const ContactRecord& record, const PeerId& told_by) const {
  if (!record.endpoint) return std::nullopt;
  const Route route{record.peer(), record.curve, *record.endpoint};
  return may_dial(route.peer, route.endpoint, told_by) ? std::optional(route) : std::nullopt;
}

bool Links::may_dial(const PeerId& peer, const Endpoint& endpoint, const PeerId& told_by) const {
  if (peer == self_.id) return false;
  const Reach reach = reach_of(endpoint);
  if (reach == Reach::unusable) return false;
  if (reach == Reach::global || (self_.endpoint && reach_of(*self_.endpoint) == reach)) return true;
  const Link* teller = find(told_by);
  return teller != nullptr && teller->shares(reach);
}

bool Links::want(const Route& route, Purpose purpose, Now now, Output& out) {
  const auto known = targets_.find(route.peer);
  const bool has = known != targets_.end() && known->second.purposes.has(purpose);
  if (!has && !room_for(purpose)) return false;
  Target& wanted = target(route.peer);
  if (!wanted.trusted) {  // else the user knows better
    wanted.curve = route.curve;
    wanted.endpoint = route.endpoint;
  }
  wanted.purposes.add(purpose);
  if (const auto link = links_.find(route.peer); link != links_.end()) link->second.unneeded.reset();
  if (!has) {
    due_at(std::max(now.boot, wanted.next_dial));
    dial_due(now, out);
  }
  return true;
}

bool Links::hold(const PeerId& peer, Purpose purpose) {
  const auto link = links_.find(peer);
  if (link == links_.end() || link->second.closing) return false;
  if (!purposes_of(peer).has(purpose) && !room_for(purpose)) return false;
  target(peer).purposes.add(purpose);
  link->second.unneeded.reset();
  return true;
}

void Links::drop(const PeerId& peer, Purpose purpose, Now now) {
  const auto at = targets_.find(peer);
  if (at == targets_.end()) return;
  at->second.purposes.remove(purpose);
  let_go(at, now);
}

void Links::ban(const PeerId& peer, BootTime until, Output& out) {
  if (banned_.size() >= limits::bans_max && !banned_.contains(peer)) {
    banned_.erase(std::min_element(banned_.begin(), banned_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  banned_[peer] = until;
  if (const auto at = targets_.find(peer); at != targets_.end()) at->second.next_dial = std::max(at->second.next_dial, until);
  if (const auto link = links_.find(peer); link != links_.end()) link->second.closing = true;
  out.push(Disconnect{peer, until});
}

void Links::disconnect(const PeerId& peer, Output& out) {
  const auto link = links_.find(peer);
  if (link == links_.end() || link->second.closing) return;
  link->second.closing = true;
  out.push(Disconnect{peer});
}

void Links::useful(const PeerId& peer, Now now) {
  if (const auto link = links_.find(peer); link != links_.end()) link->second.useful = now.boot;
}

bool Links::room_for(Purpose purpose) const { return count(purpose) < most_of(purpose); }

Links::Target& Links::target(const PeerId& peer) {
  const auto [at, fresh] = targets_.try_emplace(peer);
  if (fresh) {
    const auto ban = banned_.find(peer);
    if (ban != banned_.end()) at->second.next_dial = ban->second;
  }
  return at->second;
}

// --- What happens ---

bool Links::connected(const PeerConnected& event, Now now, Output& out) {
  if (event.peer == self_.id) return false;
  const auto wanted = targets_.find(event.peer);
  if (wanted != targets_.end()) dial_over(wanted->second, now);

  const auto [at, fresh] = links_.try_emplace(event.peer);
  Link& link = at->second;
  if (fresh || (event.outbound && !link.outbound)) {  // an address that we dialled is worth more than one that we were dialled from
    link.outbound = event.outbound;
    link.seen_at = event.seen_at;
  }
  if (!fresh) return false;
  link.key = event.key;
  link.curve = event.curve;
  link.since = now.boot;
  if (link.outbound && purposes_of(event.peer).empty()) link.unneeded = now.boot;
  due_at(now.boot + (link.outbound ? limits::unneeded_linger : limits::inbound_settle));
  if (count() > links_max) make_room_for(event.peer, now, out);
  return !link.closing;
}

std::optional<Link> Links::lost(const PeerId& peer, Now now) {
  const auto found = links_.find(peer);
  if (found == links_.end()) return std::nullopt;
  const Link link = std::move(found->second);
  links_.erase(found);
  const auto at = targets_.find(peer);
  if (at == targets_.end()) return link;
  // A link over which work went was none in vain, however short: where the way is bad, backing off would leave only the waiting.
  if (link.useful || now.boot - link.since >= limits::dial_lasting) at->second.failures = 0;
  end_of_link(at, now);
  return link;
}

void Links::dial_failed(const PeerId& peer, Now now) {
  const auto at = targets_.find(peer);
  if (at == targets_.end() || !at->second.pending) return;
  dial_over(at->second, now);
  if (!links_.contains(peer)) end_of_link(at, now);
}

void Links::dial_over(Target& target, Now now) {
  if (!target.pending) return;
  target.pending = false;
  --pending_;
  due_at(now.boot);  // there is room for another
}

void Links::end_of_link(std::map<PeerId, Target>::iterator at, Now now) {
  at->second.purposes.remove(Purpose::overlay);
  at->second.purposes.remove(Purpose::feeler);
  if (!at->second.endpoint) at->second.purposes = {};
  back_off(at->second, now);
  let_go(at, now);
}

void Links::back_off(Target& target, Now now) {
  const double longest = seconds_of(limits::dial_retry_most);
  const double delay = std::min(longest, seconds_of(limits::dial_retry_first) * static_cast<double>(1ULL << std::min(target.failures, 16U)));
  ++target.failures;
  target.next_dial = std::max(target.next_dial, now.boot + from_seconds(delay * (0.5 + self_.generator->share())));
  due_at(target.next_dial);
}

void Links::let_go(std::map<PeerId, Target>::iterator at, Now now) {
  if (!at->second.purposes.empty()) return;
  if (const auto link = links_.find(at->first); link != links_.end() && link->second.outbound && !link->second.unneeded) {
    link->second.unneeded = now.boot;
    due_at(now.boot + limits::unneeded_linger);
  }
  dial_over(at->second, now);
  targets_.erase(at);
}

void Links::tick(Now now, Output& out) {
  if (now.boot < deadline_) return;
  give_up_late_dials(now);
  drop_unneeded(now, out);
  evict_spare(now, out);
  std::erase_if(banned_, [&](const auto& ban) { return ban.second <= now.boot; });
  dial_due(now, out);
  schedule(now);
}

void Links::dial_due(Now now, Output& out) {
  std::vector<std::pair<BootTime, PeerId>> due;
  for (const auto& [peer, target] : targets_) {
    if (target.endpoint && !target.pending && target.next_dial <= now.boot && !links_.contains(peer)) due.emplace_back(target.next_dial, peer);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [since, peer] : due) {
    Target& target = targets_.at(peer);
    if (pending_ >= limits::dials_pending_max) return;  // dial_over() brings us back
    if (!target.trusted) {
      if (const auto until = held_back(*target.endpoint, now)) {
        target.next_dial = *until;
        due_at(*until);
        continue;
      }
    }
    target.pending = true;
    ++pending_;
    target.gives_up = now.boot + dial_patience;
    due_at(target.gives_up);
    out.push(Dial{peer, target.curve, *target.endpoint});
  }
}

std::optional<BootTime> Links::held_back(const Endpoint& endpoint, Now now) {
  if (reach_of(endpoint) == Reach::loopback) return std::nullopt;  // no stranger lives there
  constexpr Duration window = std::chrono::minutes(1);
  const std::uint64_t neighbourhood = neighbourhood_of(endpoint);
  if (!dialled_.contains(neighbourhood) && dialled_.size() >= limits::dial_groups_max) {
    std::erase_if(dialled_, [&](const auto& entry) { return entry.second.start + window <= now.boot; });
    if (dialled_.size() >= limits::dial_groups_max) return now.boot + window;
  }
  Dialled& dialled = dialled_[neighbourhood];
  if (dialled.count == 0 || dialled.start + window <= now.boot) dialled = {now.boot, 0};
  if (dialled.count >= limits::dials_per_group_per_minute) return dialled.start + window;
  ++dialled.count;
  return std::nullopt;
}

void Links::give_up_late_dials(Now now) {
  std::vector<PeerId> late;
  for (const auto& [peer, target] : targets_) {
    if (target.pending && target.gives_up <= now.boot) late.push_back(peer);
  }
  for (const auto& peer : late) dial_failed(peer, now);
}

void Links::drop_unneeded(Now now, Output& out) {
  for (auto& [peer, link] : links_) {
    if (!link.closing && link.unneeded && *link.unneeded + limits::unneeded_linger <= now.boot) {
      link.closing = true;
      out.push(Disconnect{peer});
    }
  }
}

/// Links that are nobody's but theirs who dialled, and have had `settled` to become a job's: what eviction may take.
std::vector<EvictionCandidate> Links::spare_links(Duration settled, Now now) const {
  std::vector<EvictionCandidate> spare;
  for (const auto& [peer, link] : links_) {
    if (link.outbound || link.closing || link.since + settled > now.boot || !purposes_of(peer).empty()) continue;
    spare.push_back({peer, link.seen_at ? group_of(*link.seen_at) : 0, link.since, link.useful});
  }
  return spare;
}

void Links::evict_spare(Now now, Output& out) {
  for (auto spare = spare_links(limits::inbound_settle, now); spare.size() > limits::overlay_inbound_max;) {
    const auto victim = select_for_eviction(spare, secret_);
    if (!victim) return;
    disconnect(*victim, out);
    std::erase_if(spare, [&](const auto& candidate) { return candidate.peer == *victim; });
  }
}

/// With every budget used up somebody goes at once: of those that nobody here wants one, or else the newcomer.
void Links::make_room_for(const PeerId& newcomer, Now now, Output& out) {
  disconnect(select_for_eviction(spare_links(Duration::zero(), now), secret_).value_or(newcomer), out);
}

void Links::schedule(Now now) {
  deadline_ = never;
  for (const auto& [peer, target] : targets_) {
    if (target.pending) {
      due_at(target.gives_up);
    } else if (target.endpoint && pending_ < limits::dials_pending_max && !links_.contains(peer)) {
      due_at(target.next_dial);
    }
  }
  for (const auto& [peer, link] : links_) {
    if (link.closing) continue;
    if (link.unneeded) due_at(*link.unneeded + limits::unneeded_linger);
    if (!link.outbound && link.since + limits::inbound_settle > now.boot) due_at(link.since + limits::inbound_settle);
  }
}

// --- What is ---

const Link* Links::find(const PeerId& peer) const {
  const auto at = links_.find(peer);
  return at == links_.end() || at->second.closing ? nullptr : &at->second;
}

std::vector<PeerId> Links::neighbours() const {
  std::vector<PeerId> peers;
  for (const auto& [peer, link] : links_) {
    if (!link.closing) peers.push_back(peer);
  }
  return peers;
}

std::size_t Links::count() const {
  return static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const auto& entry) { return !entry.second.closing; }));
}

std::size_t Links::count(Purpose purpose) const {
  return static_cast<std::size_t>(
      std::count_if(targets_.begin(), targets_.end(), [&](const auto& entry) { return entry.second.purposes.has(purpose); }));
}

Purposes Links::purposes_of(const PeerId& peer) const {
  const auto at = targets_.find(peer);
  return at == targets_.end() ? Purposes{} : at->second.purposes;
}

bool Links::is_dialling(const PeerId& peer) const {
  const auto at = targets_.find(peer);
  return at != targets_.end() && at->second.pending;
}

std::vector<PeerId> Links::dialling() const {
  std::vector<PeerId> peers;
  for (const auto& [peer, target] : targets_) {
    if (target.pending) peers.push_back(peer);
  }
  return peers;
}

bool Links::is_banned(const PeerId& peer, Now now) const {
  const auto ban = banned_.find(peer);
  return ban != banned_.end() && ban->second > now.boot;
}

}  // namespace dugnad::core
