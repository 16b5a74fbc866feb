#include "coordinatorless/core/membership.h"

#include <algorithm>
#include <set>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/expiry.h"

namespace dugnad::core {
namespace {

constexpr Duration expiry_interval = std::chrono::minutes(1);

Duration jittered(Generator& generator, Duration duration) { return from_seconds(seconds_of(duration) * (0.75 + 0.5 * generator.share())); }

bool says_something_else(const ContactRecord& a, const ContactRecord& b) {
  return a.endpoint != b.endpoint || a.curve != b.curve || a.relays != b.relays || a.donates != b.donates;
}

}  // namespace

Membership::Membership(const Self& self, Links& links) : self_(self), links_(links), book_(*self.generator), own_(self) {}

void Membership::start(Now now) {
  if (started_) return;
  started_ = true;
  tokens_at_ = now.boot;
  next_shuffle_ = now.boot + jittered(*self_.generator, limits::shuffle_interval);
  next_feeler_ = now.boot + jittered(*self_.generator, limits::feeler_interval);
  next_expiry_ = now.boot + expiry_interval;
}

// --- What happens ---

void Membership::connected(const PeerConnected& event, Now now, Output& out) {
  start(now);
  if (!links_.is_up(event.peer)) return;
  if (event.outbound) {
    book_.mark_tried(event.peer, now);
    links_.drop(event.peer, Purpose::feeler, now);
  }
  if (BookEntry* entry = book_.find(event.peer)) entry->failures = 0;
  if (!neighbours_.try_emplace(event.peer).second) return;
  meet(event.peer, now);
  own_.may_differ(now);
  next_fill_ = now.boot;
  if (left_) return;  // our record would bring us back
  Contacts welcome;
  welcome.records = draw(Draw::any, event.peer, limits::welcome_records - 1, now);
  welcome.records.insert(welcome.records.begin(), own_record(now));
  out.send(event.peer, std::move(welcome));
}

void Membership::lost(const PeerId& peer, const Link& link, Now now) {
  neighbours_.erase(peer);
  if (link.outbound && !link.closing && book_.size() > limits::small_swarm) {
    book_.leave_alone(peer, now.boot - link.since >= limits::dial_lasting, now);
  }
  own_.may_differ(now);
  next_fill_ = now.boot;
}

void Membership::dial_failed(const PeerId& peer, Now now) {
  if (links_.is_up(peer)) return;  // the two dials crossed, and the other one led to a link
  book_.mark_failed(peer, now);
  next_fill_ = now.boot;
}

Charge Membership::contacts(const PeerId& from, const Contacts& message, Now now, Output& out) {
  start(now);
  Charge charge;
  const auto neighbour = neighbours_.find(from);
  if (neighbour == neighbours_.end()) return charge;
  if (message.records.size() > limits::welcome_records) return {20, "more contact records than a message may hold"};
  std::vector<PeerId> subjects;
  std::size_t news = 0;
  for (const Signed& raw : message.records) {
    const Accepted accepted = accept(raw, from, now);
    charge.add(accepted.charge);
    if (charge.score >= limits::score_ban) return charge;
    if (accepted.news) ++news;
    if (accepted.pass_on) subjects.push_back(*accepted.pass_on);
    if (accepted.outdated) out.send(from, Contacts{{book_.find(from)->raw}, false});
  }
  pass_on(subjects, from, now, out);
  if (news > 0) next_fill_ = std::min(next_fill_, now.boot);
  // Where that came from there may be more. Not beyond a full view, where there always is.
  if (news > 0 && message.records.size() > 2 && book_.size() < limits::full_view_max) {
    next_shuffle_ = std::min(next_shuffle_, now.boot + limits::shuffle_eager);
  }
  if (message.answer && now.boot >= neighbour->second.answer_after) {
    neighbour->second.answer_after = now.boot + limits::answer_interval;
    out.send(from, Contacts{draw(Draw::least_passed, from, limits::shuffle_records, now), false});
  }
  return charge;
}

Membership::Learnt Membership::learn(const Signed& raw, const PeerId& told_by, Now now, Output& out) {
  start(now);
  Accepted accepted = accept(raw, told_by, now);
  if (accepted.pass_on) pass_on({*accepted.pass_on}, told_by, now, out);
  if (accepted.news) next_fill_ = std::min(next_fill_, now.boot);
  return {std::move(accepted.record), accepted.charge};
}

void Membership::restored(const ContactsRestored& event, Now now, Output& out) {
  start(now);
  const auto known = memory_.restore(event.contacts, self_, now);
  for (const auto& contact : known) {
    if (!is_current(contact.record.expires, limits::record_lease, now.wall)) continue;
    book_.put(contact.route.peer, contact.record, contact.raw, true, group_of(contact.route.endpoint));
  }
  for (std::size_t i = 0; i < std::min(known.size(), limits::anchors); ++i) {
    if (const auto anchor = memory_.next_to_dial(now)) links_.want(*anchor, Purpose::overlay, now, out);
  }
  next_fill_ = now.boot;
}

/// Everything that may be wrong with a record, the cheapest check first; a signature is verified once.
Membership::Accepted Membership::accept(const Signed& raw, const PeerId& told_by, Now now) {
  if (raw.body.size() > limits::record_bytes_max) return {{}, {20, "a contact record that is too large"}};
  auto record = decode_contact_record(raw.body);
  if (!record) return accept_goodbye(raw, now);
  const PeerId peer = record->peer();
  const BookEntry* known = book_.find(peer);
  const bool same = known != nullptr && record->sequence == known->sequence;
  // One of two that claim a sequence is as good as the other.
  if (known != nullptr && (record->sequence < known->sequence || (same && raw != known->raw))) {
    Accepted accepted;
    if (!known->gone) accepted.record = known->record();
    accepted.outdated = told_by == peer;
    return accepted;
  }
  if (!is_current(record->expires, limits::record_lease, now.wall)) return {};  // no offence: the teller's clock may differ
  if (peer == self_.id && record->sequence <= own_.says().sequence) return {};
  if (!same && !self_.verify(Domain::contact, record->key, raw.body, raw.signature)) {
    return {{}, {limits::score_ban, "a contact record with a forged signature"}};
  }
  if (peer == self_.id) {
    own_.outdo(record->sequence, now);
    return {};
  }

  const bool may_dial = record->endpoint && links_.may_dial(peer, *record->endpoint, told_by);
  // An address that means nothing here is worth keeping only as its peer's own word, over its own link.
  if (record->endpoint && !may_dial && told_by != peer) return {std::move(record), {}};
  const bool changed = known != nullptr && !same && (known->gone || says_something_else(*record, known->record()));
  const Link* teller = links_.find(told_by);
  const std::uint64_t source_group = teller != nullptr && teller->seen_at ? group_of(*teller->seen_at) : 0;
  const Book::Outcome outcome = book_.put(peer, *record, raw, may_dial, source_group);
  BookEntry* entry = book_.find(peer);
  Accepted accepted{std::move(record), {}, outcome == Book::Outcome::fresh};
  if (entry == nullptr) return accepted;

  if (told_by == peer && outcome != Book::Outcome::known) {
    if (teller != nullptr && teller->outbound) book_.mark_tried(peer, now);
    meet(peer, now);
    own_.may_differ(now);
  }
  const bool worth_telling = outcome == Book::Outcome::fresh || (outcome == Book::Outcome::updated && changed);
  if (worth_telling && book_.size() <= limits::full_view_max && now.boot >= entry->quiet_until && take_token(now)) {
    entry->quiet_until = now.boot + expiry_interval;
    accepted.pass_on = peer;
  }
  return accepted;
}

/// Or something of a newer version, perhaps: dropped without a charge.
Membership::Accepted Membership::accept_goodbye(const Signed& raw, Now now) {
  const auto goodbye = decode_goodbye(raw.body);
  if (!goodbye || !is_current(goodbye->expires, limits::record_lease, now.wall)) return {};
  const PeerId peer = goodbye->peer();
  const BookEntry* known = book_.find(peer);
  const bool own = peer == self_.id;
  if (own ? goodbye->sequence <= own_.says().sequence : known == nullptr || goodbye->sequence <= known->sequence) return {};
  if (!self_.verify(Domain::goodbye, goodbye->key, raw.body, raw.signature))
    return {{}, {limits::score_ban, "a goodbye with a forged signature"}};
  if (own) {  // an earlier process of ours said it
    own_.outdo(goodbye->sequence, now);
    return {};
  }
  const bool news = !known->gone;
  if (book_.bury(peer, *goodbye, raw) != Book::Outcome::updated || !news) return {};
  own_.may_differ(now);  // it may have been a relay of ours
  next_fill_ = std::min(next_fill_, now.boot);
  Accepted accepted;
  if (book_.size() <= limits::full_view_max && take_token(now)) accepted.pass_on = peer;
  return accepted;
}

/// We are linked with it: it need not be dialled from memory, and is worth remembering.
void Membership::meet(const PeerId& peer, Now now) {
  memory_.met(peer);
  const BookEntry* entry = book_.find(peer);
  if (entry != nullptr && entry->may_dial) memory_.seen(peer, entry->raw, entry->tried, now);
}

void Membership::leave(Now now, Output& out) {
  if (left_) return;
  left_ = true;
  const Signed goodbye = own_.goodbye(now);
  for (const PeerId& peer : links_.neighbours()) out.send(peer, Contacts{{goodbye}, false});
}

void Membership::tick(Now now, Output& out) {
  start(now);
  if (left_) return;
  if (now.boot >= own_.next_deadline()) refresh_own(now, out);
  if (now.boot >= next_expiry_) {
    for (const Route& route : book_.expire(now)) memory_.forgotten(route, now);
    next_expiry_ = now.boot + expiry_interval;
  }
  if (now.boot >= next_shuffle_) shuffle(now, out);
  if (now.boot >= next_feeler_) feel(now, out);
  if (now.boot >= next_fill_) fill_overlay(now, out);
}

BootTime Membership::next_deadline() const {
  if (left_) return never;
  return std::min({own_.next_deadline(), next_shuffle_, next_feeler_, next_fill_, next_expiry_, memory_.next_deadline()});
}

// --- Our own record ---

const Signed& Membership::own_record(Now now) {
  if (!own_.exists()) own_.refresh(best_relays(), now);
  return own_.raw();
}

void Membership::refresh_own(Now now, Output& out) {
  if (!own_.refresh(best_relays(), now)) return;
  for (const auto& [peer, neighbour] : neighbours_) {
    if (links_.is_up(peer)) out.send(peer, Contacts{{own_.raw()}, false});
  }
}

/// Peers that we have dialled and others can dial: those of our record as long as they are there, then the longest linked with.
std::vector<PeerId> Membership::best_relays() const {
  std::vector<PeerId> relays;
  if (self_.endpoint) return relays;
  std::vector<std::pair<BootTime, PeerId>> others;
  for (const auto& [peer, neighbour] : neighbours_) {
    const Link* link = links_.find(peer);
    const BookEntry* entry = book_.find(peer);
    if (link == nullptr || !link->outbound || entry == nullptr || !entry->endpoint) continue;
    const auto& now = own_.says().relays;
    if (std::find(now.begin(), now.end(), peer) != now.end()) {
      relays.push_back(peer);
    } else {
      others.emplace_back(link->since, peer);
    }
  }
  std::sort(others.begin(), others.end());
  for (const auto& [since, peer] : others) {
    if (relays.size() < relays_max) relays.push_back(peer);
  }
  std::sort(relays.begin(), relays.end());
  return relays;
}

// --- Passing on ---

bool Membership::may_pass(const PeerId& subject, const BookEntry& entry, const PeerId& to, Now now) const {
  if (subject == to || entry.expires <= now.wall) return false;
  if (entry.gone) return true;
  if (entry.looks_dead()) return false;
  if (!entry.endpoint) return true;
  const Reach reach = reach_of(*entry.endpoint);
  if (reach == Reach::global || (self_.endpoint && reach_of(*self_.endpoint) == reach)) return true;
  const Link* link = links_.find(to);
  return entry.may_dial && link != nullptr && link->shares(reach);
}

std::vector<Signed> Membership::draw(Draw how, const PeerId& to, std::size_t count, Now now) {
  std::vector<BookEntry*> entries;
  for (auto& [peer, entry] : book_.entries()) {
    if (how == Draw::any && entry.gone) continue;  // a newcomer has nobody to forget
    if (may_pass(peer, entry, to, now)) entries.push_back(&entry);
  }
  self_.generator->shuffle(std::span(entries));
  if (how == Draw::least_passed) {
    std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->passed_on < b->passed_on; });
  }
  if (entries.size() > count) entries.resize(count);
  std::vector<Signed> records;
  for (BookEntry* entry : entries) {
    ++entry->passed_on;
    records.push_back(entry->raw);
  }
  return records;
}

bool Membership::take_token(Now now) {
  tokens_ = std::min(static_cast<double>(limits::newcomers_burst), tokens_ + seconds_of(now.boot - tokens_at_) * limits::newcomers_per_second);
  tokens_at_ = now.boot;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void Membership::pass_on(const std::vector<PeerId>& subjects, const PeerId& told_by, Now now, Output& out) {
  if (subjects.empty()) return;
  std::vector<PeerId> to;
  for (const auto& [peer, neighbour] : neighbours_) {
    if (peer != told_by && links_.is_up(peer)) to.push_back(peer);
  }
  self_.generator->shuffle(std::span(to));
  if (to.size() > limits::gossip_fanout) to.resize(limits::gossip_fanout);
  for (const PeerId& peer : to) {
    Contacts message;
    for (const PeerId& subject : subjects) {
      BookEntry* entry = book_.find(subject);
      if (entry == nullptr || !may_pass(subject, *entry, peer, now)) continue;
      ++entry->passed_on;
      message.records.push_back(entry->raw);
    }
    if (!message.records.empty()) out.send(peer, std::move(message));
  }
}

void Membership::shuffle(Now now, Output& out) {
  next_shuffle_ = now.boot + jittered(*self_.generator, limits::shuffle_interval);
  const auto peers = links_.neighbours();
  if (peers.empty()) return;
  const PeerId& to = peers[self_.generator->below(peers.size())];
  out.send(to, Contacts{draw(Draw::least_passed, to, limits::shuffle_records, now), true});
}

// --- Links of our own choosing ---

void Membership::feel(Now now, Output& out) {
  next_feeler_ = now.boot + jittered(*self_.generator, limits::feeler_interval);
  auto route = self_.generator->chance(0.75) ? choose(Choice::untried, now) : std::nullopt;
  if (!route) route = choose(Choice::dead, now);
  if (!route) route = memory_.next_to_dial(now);
  if (route) links_.want(*route, Purpose::feeler, now, out);
}

void Membership::fill_overlay(Now now, Output& out) {
  next_fill_ = never;
  while (links_.count(Purpose::overlay) < limits::overlay_outbound) {
    auto route = choose(Choice::other_networks, now);
    // In a small swarm there may be no other networks, and all of the book is no more than a few peers.
    if (!route && book_.size() <= limits::full_view_max) route = choose(Choice::any_network, now);
    if (!route) route = memory_.next_to_dial(now);
    if (!route) route = choose(Choice::dead, now);
    if (!route || !links_.want(*route, Purpose::overlay, now, out)) break;
  }
  if (links_.count(Purpose::overlay) >= limits::overlay_outbound) return;
  // Whoever may be tried again later; anything else that changes the matter sets next_fill_ itself.
  BootTime next = memory_.dialable_at();
  for (const auto& [peer, entry] : book_.entries()) {
    if (entry.may_dial && entry.next_try > now.boot) next = std::min(next, entry.next_try);
  }
  next_fill_ = next == never ? never : std::max(next, now.boot + limits::overlay_interval);
}

std::optional<Route> Membership::choose(Choice choice, Now now) {
  std::set<std::uint64_t> networks;
  if (choice == Choice::other_networks) {
    for (const PeerId& peer : links_.neighbours()) {
      const Link* link = links_.find(peer);
      if (link->seen_at && links_.purposes_of(peer).has(Purpose::overlay)) networks.insert(group_of(*link->seen_at));
    }
    for (const PeerId& peer : links_.dialling()) {
      const BookEntry* entry = book_.find(peer);
      if (entry != nullptr && entry->may_dial) networks.insert(group_of(*entry->endpoint));
    }
  }
  std::vector<const BookEntry*> tried, others;
  for (const auto& [peer, entry] : book_.entries()) {
    if (!entry.may_dial || entry.looks_dead() != (choice == Choice::dead) || entry.next_try > now.boot) continue;
    if (choice == Choice::untried && (entry.tried || links_.is_up(peer))) continue;
    const bool everywhere = reach_of(*entry.endpoint) == Reach::global;
    if (choice == Choice::other_networks && everywhere && networks.contains(group_of(*entry.endpoint))) continue;
    const Purposes purposes = links_.purposes_of(peer);
    if (purposes.has(Purpose::overlay) || purposes.has(Purpose::feeler) || links_.is_banned(peer, now)) continue;
    (entry.tried ? tried : others).push_back(&entry);
  }
  if (tried.empty() && others.empty()) return std::nullopt;
  const bool from_tried = others.empty() || (!tried.empty() && self_.generator->chance(0.5));
  const auto& from = from_tried ? tried : others;
  return from[self_.generator->below(from.size())]->route();
}

// --- What is ---

std::optional<ContactRecord> Membership::record_of(const PeerId& peer) const {
  const BookEntry* entry = book_.find(peer);
  return entry == nullptr || entry->gone ? std::nullopt : std::optional(entry->record());
}

const Signed* Membership::signed_record_of(const PeerId& peer) const {
  const BookEntry* entry = book_.find(peer);
  return entry == nullptr || entry->gone ? nullptr : &entry->raw;
}

const Signed* Membership::signed_record_for(const PeerId& to, const PeerId& peer, Now now) const {
  const BookEntry* entry = book_.find(peer);
  return entry == nullptr || entry->gone || !may_pass(peer, *entry, to, now) ? nullptr : &entry->raw;
}

std::optional<Route> Membership::route_to(const PeerId& peer) const {
  const BookEntry* entry = book_.find(peer);
  return entry == nullptr ? std::nullopt : entry->route();
}

std::vector<ContactRecord> Membership::known() const {
  std::vector<ContactRecord> records;
  for (const auto& [peer, entry] : book_.entries()) {
    if (!entry.looks_dead()) records.push_back(entry.record());
  }
  return records;
}

std::size_t Membership::count() const {
  return static_cast<std::size_t>(
      std::count_if(book_.entries().begin(), book_.entries().end(), [](const auto& entry) { return !entry.second.looks_dead(); }));
}

}  // namespace dugnad::core
