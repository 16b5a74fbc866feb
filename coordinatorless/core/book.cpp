#include "coordinatorless/core/book.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/expiry.h"

namespace dugnad::core {
namespace {

// Each teller's network reaches this many of the buckets of new, each peer's network as many of those of tried.
constexpr std::uint64_t buckets_per_group = 4;

std::uint64_t network_of(const BookEntry& entry) { return entry.endpoint ? group_of(*entry.endpoint) : 0; }

/// How long a peer is left alone after so many dials that led nowhere.
Duration pause_after(unsigned failures) {
  return std::min<Duration>(std::chrono::seconds(15) * (1U << std::min(failures, 8U)), limits::dial_retry_most);
}

}  // namespace

Book::Book(Generator& generator) : generator_(generator), secret_(generator.key()) {}

Book::Outcome Book::put(const PeerId& peer, const ContactRecord& record, const Signed& raw, bool may_dial, std::uint64_t source_group) {
  const bool dialable = may_dial && record.endpoint;
  if (auto* known = entries_.find(peer)) {
    BookEntry& entry = known->second;
    if (record.sequence <= entry.sequence) {
      if (entry.raw == raw) entry.may_dial = entry.may_dial || dialable;  // told by somebody whose word counts for more
      return Outcome::known;
    }
    const bool moved = entry.gone || record.endpoint != entry.endpoint || record.curve != entry.record().curve;
    entry.may_dial = dialable || (entry.may_dial && !moved);
    // The bucket follows the endpoint where it is chosen anew, and only there: what stands where is the index's to know.
    entry.endpoint = record.endpoint;
    if (moved && entry.tried) set_tried(*known, false);
    entry.gone = false;
    renew(entry, raw, record.sequence, record.expires);
    return Outcome::updated;
  }
  BookEntry entry;
  entry.raw = raw;
  entry.endpoint = record.endpoint;
  entry.may_dial = dialable;
  entry.sequence = record.sequence;
  entry.expires = record.expires;
  entry.source_group = source_group;
  entry.bucket = bucket_of(peer, entry);
  if (entries_.size() >= limits::full_view_max && !make_room(entry)) return Outcome::refused;
  buckets_.add(entries_.insert(std::make_unique<BookBuckets::Item>(peer, std::move(entry))));
  return Outcome::fresh;
}

Book::Outcome Book::bury(const PeerId& peer, const Goodbye& goodbye, const Signed& raw) {
  auto* known = entries_.find(peer);
  if (known == nullptr) return Outcome::refused;
  BookEntry& entry = known->second;
  if (goodbye.sequence <= entry.sequence) return Outcome::known;
  if (entry.tried) set_tried(*known, false);
  entry.gone = true;
  entry.may_dial = false;
  entry.endpoint.reset();
  renew(entry, raw, goodbye.sequence, goodbye.expires);
  return Outcome::updated;
}

void Book::renew(BookEntry& entry, const Signed& raw, std::uint64_t sequence, WallTime expires) {
  entry.raw = raw;
  entry.sequence = sequence;
  entry.expires = expires;
  entry.failures = 0;
  entry.passed_on = 0;
}

/// Room among the new, if need be within the newcomer's own bucket: first a dead one goes, then one of the network that told most of them.
bool Book::make_room(const BookEntry& newcomer) {
  const auto bucket = buckets_.in_new(newcomer.bucket);
  if (bucket.size() < limits::book_bucket_max && buckets_.count_new() < limits::book_new_max) return true;
  if (bucket.empty()) return false;
  std::vector<std::uint64_t> sources{newcomer.source_group};
  for (const auto* item : bucket) sources.push_back(item->second.source_group);
  std::sort(sources.begin(), sources.end());
  const auto told_by = [&](std::uint64_t source) {
    const auto [first, last] = std::equal_range(sources.begin(), sources.end(), source);
    return last - first;
  };
  std::ptrdiff_t most = 0;
  for (const std::uint64_t source : sources) most = std::max(most, told_by(source));
  std::vector<const BookBuckets::Item*> dead, crowd;
  for (const auto* item : bucket) {
    if (item->second.looks_dead()) dead.push_back(item);
    if (told_by(item->second.source_group) == most) crowd.push_back(item);
  }
  const auto& victims = dead.empty() ? crowd : dead;
  if (victims.empty()) return false;  // the newcomer's own network is the crowd
  const auto* victim = victims[generator_.below(victims.size())];
  buckets_.remove(*victim);
  (void)entries_.extract(victim->first);
  return true;
}

void Book::set_tried(BookBuckets::Item& item, bool tried) {
  buckets_.remove(item);
  item.second.tried = tried;
  item.second.bucket = bucket_of(item.first, item.second);
  buckets_.add(item);
}

void Book::mark_tried(const PeerId& peer, Now now) {
  auto* item = entries_.find(peer);
  if (item == nullptr) return;
  BookEntry& entry = item->second;
  entry.linked = now.boot;
  entry.failures = 0;
  entry.next_try = {};
  set_tried(*item, true);
  thin_tried(entry.bucket);
}

/// The one not linked with for longest becomes one of the new again.
void Book::thin_tried(std::size_t bucket) {
  const auto tried = buckets_.in_tried(bucket);
  if (tried.size() <= BookBuckets::tried_bucket_max) return;
  const auto less = [](const auto* a, const auto* b) { return a->second.linked < b->second.linked; };
  const auto* oldest = *std::min_element(tried.begin(), tried.end(), less);
  buckets_.remove(*oldest);
  auto item = entries_.extract(oldest->first);
  item->second.tried = false;
  item->second.bucket = bucket_of(item->first, item->second);
  if (entries_.size() < limits::full_view_max || make_room(item->second)) buckets_.add(entries_.insert(std::move(item)));
}

void Book::mark_failed(const PeerId& peer, Now now) {
  BookEntry* entry = find(peer);
  if (entry == nullptr) return;
  ++entry->failures;
  entry->next_try = now.boot + pause_after(entry->failures);
}

void Book::leave_alone(const PeerId& peer, bool lasted, Now now) {
  BookEntry* entry = find(peer);
  if (entry == nullptr) return;
  if (lasted) entry->turned_away = 0;
  const Duration pause =
      std::min<Duration>(limits::left_alone_first * (1U << std::min<unsigned>(entry->turned_away, 8U)), limits::left_alone_most);
  if (entry->turned_away < UINT8_MAX) ++entry->turned_away;
  // Spread, so that all whom it turned away do not come back at once.
  entry->next_try = std::max(entry->next_try, now.boot + from_seconds(seconds_of(pause) * (0.75 + 0.5 * generator_.share())));
}

std::vector<Route> Book::expire(Now now) {
  std::vector<Route> gone;
  entries_.erase_if([&](const BookBuckets::Item& item) {
    if (is_current(item.second.expires, limits::record_lease, now.wall)) return false;
    if (const auto route = item.second.route()) gone.push_back(*route);
    buckets_.remove(item);
    return true;
  });
  return gone;
}

const BookEntry* Book::find(const PeerId& peer) const {
  const auto* item = entries_.find(peer);
  return item == nullptr ? nullptr : &item->second;
}

BookEntry* Book::find(const PeerId& peer) {
  auto* item = entries_.find(peer);
  return item == nullptr ? nullptr : &item->second;
}

std::uint64_t Book::keyed(std::uint64_t first, std::uint64_t second, std::uint64_t third) const {
  const Hash hash = Hasher().add(ByteView(secret_)).add(first).add(second).add(third).finish();
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | hash.bytes[i];
  return value;
}

std::uint8_t Book::bucket_of(const PeerId& peer, const BookEntry& entry) const {
  enum Use : std::uint64_t { new_spread, new_bucket, tried_spread, tried_bucket };
  const std::uint64_t network = network_of(entry);
  if (entry.tried) {
    const std::uint64_t spread = keyed(tried_spread, network, std::hash<PeerId>()(peer)) % buckets_per_group;
    return static_cast<std::uint8_t>(keyed(tried_bucket, network, spread) % BookBuckets::of_tried);
  }
  const std::uint64_t spread = keyed(new_spread, entry.source_group, network) % buckets_per_group;
  return static_cast<std::uint8_t>(keyed(new_bucket, entry.source_group, spread) % BookBuckets::of_new);
}

}  // namespace dugnad::core
