#include "coordinatorless/core/book.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"

namespace dugnad::core {
namespace {

// As Bitcoin Core's addrman, smaller. Each teller's network reaches 4 of the buckets of new, each peer's network 4 of those of tried.
constexpr std::uint64_t new_buckets = limits::book_new_max / limits::book_bucket_max;
constexpr std::uint64_t tried_buckets = 16;
constexpr std::size_t tried_bucket_max = limits::book_tried_max / tried_buckets;
constexpr std::uint64_t buckets_per_group = 4;

std::uint64_t network_of(const ContactRecord& record) { return record.endpoint ? group_of(*record.endpoint) : 0; }

/// How long a peer is left alone after so many dials that led nowhere.
Duration pause_after(unsigned failures) {
  return std::min<Duration>(std::chrono::seconds(15) * (1U << std::min(failures, 8U)), limits::dial_retry_most);
}

}  // namespace

bool is_current(const ContactRecord& record, WallTime now) {
  const auto skew = std::chrono::duration_cast<WallTime::duration>(limits::clock_skew);
  const auto lease = std::chrono::duration_cast<WallTime::duration>(limits::record_lease);
  // A far expiry must not overflow: only `now` is added to.
  return record.expires >= now - skew && record.expires <= now + lease + skew;
}

Book::Book(Generator& generator) : generator_(generator), secret_(generator.key()) {}

Book::Outcome Book::put(const ContactRecord& record, const Signed& raw, std::optional<Route> route, std::uint64_t source_group) {
  const PeerId peer = record.peer();
  if (const auto at = entries_.find(peer); at != entries_.end()) {
    BookEntry& entry = at->second;
    if (record.sequence <= entry.record.sequence) {
      if (!entry.route && entry.raw == raw) entry.route = route;  // told by somebody whose word counts for more
      return Outcome::known;
    }
    const bool moved = record.endpoint != entry.record.endpoint || record.curve != entry.record.curve;
    if (moved || !entry.route) entry.route = route;
    if (moved && entry.tried) {
      entry.tried = false;
      entry.bucket = bucket_of(peer, entry);
    }
    entry.record = record;
    entry.raw = raw;
    entry.failures = 0;
    entry.passed_on = 0;
    return Outcome::updated;
  }
  BookEntry entry;
  entry.raw = raw;
  entry.record = record;
  entry.route = std::move(route);
  entry.source_group = source_group;
  entry.bucket = bucket_of(peer, entry);
  if (entries_.size() >= limits::full_view_max && !make_room(entry)) return Outcome::refused;
  entries_.emplace(peer, std::move(entry));
  return Outcome::fresh;
}

/// Room among the new, if need be within the newcomer's own bucket: first a dead one goes, then one of the network that told most of them.
bool Book::make_room(const BookEntry& newcomer) {
  std::size_t all_new = 0;
  std::vector<PeerId> bucket;
  std::map<std::uint64_t, std::size_t> by_source;
  for (const auto& [peer, entry] : entries_) {
    if (entry.tried) continue;
    ++all_new;
    if (entry.bucket != newcomer.bucket) continue;
    bucket.push_back(peer);
    ++by_source[entry.source_group];
  }
  if (bucket.size() < limits::book_bucket_max && all_new < limits::book_new_max) return true;
  if (bucket.empty()) return false;
  ++by_source[newcomer.source_group];
  std::size_t most = 0;
  for (const auto& [source, count] : by_source) most = std::max(most, count);
  std::vector<PeerId> dead, crowd;
  for (const auto& peer : bucket) {
    const BookEntry& entry = entries_.at(peer);
    if (entry.looks_dead()) dead.push_back(peer);
    if (by_source.at(entry.source_group) == most) crowd.push_back(peer);
  }
  const auto& victims = dead.empty() ? crowd : dead;
  if (victims.empty()) return false;  // the newcomer's own network is the crowd
  entries_.erase(victims[generator_.below(victims.size())]);
  return true;
}

void Book::mark_tried(const PeerId& peer, Now now) {
  BookEntry* entry = find(peer);
  if (entry == nullptr) return;
  entry->tried = true;
  entry->linked = now.boot;
  entry->failures = 0;
  entry->next_try = {};
  entry->bucket = bucket_of(peer, *entry);
  thin_tried(entry->bucket);
}

/// The one not linked with for longest becomes one of the new again.
void Book::thin_tried(std::uint64_t bucket) {
  std::size_t count = 0;
  auto oldest = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (!at->second.tried || at->second.bucket != bucket) continue;
    ++count;
    if (oldest == entries_.end() || at->second.linked < oldest->second.linked) oldest = at;
  }
  if (count <= tried_bucket_max) return;
  auto node = entries_.extract(oldest);
  node.mapped().tried = false;
  node.mapped().bucket = bucket_of(node.key(), node.mapped());
  if (entries_.size() < limits::full_view_max || make_room(node.mapped())) entries_.insert(std::move(node));
}

void Book::mark_failed(const PeerId& peer, Now now) {
  BookEntry* entry = find(peer);
  if (entry == nullptr) return;
  ++entry->failures;
  entry->next_try = now.boot + pause_after(entry->failures);
}

std::vector<Route> Book::expire(Now now) {
  std::vector<Route> gone;
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (is_current(at->second.record, now.wall)) {
      ++at;
      continue;
    }
    if (at->second.route) gone.push_back(*at->second.route);
    at = entries_.erase(at);
  }
  return gone;
}

const BookEntry* Book::find(const PeerId& peer) const {
  const auto at = entries_.find(peer);
  return at == entries_.end() ? nullptr : &at->second;
}

BookEntry* Book::find(const PeerId& peer) {
  const auto at = entries_.find(peer);
  return at == entries_.end() ? nullptr : &at->second;
}

std::size_t Book::tried() const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) { return entry.second.tried; }));
}

std::uint64_t Book::keyed(std::uint64_t first, std::uint64_t second, std::uint64_t third) const {
  const Hash hash = Hasher().add(ByteView(secret_)).add(first).add(second).add(third).finish();
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | hash.bytes[i];
  return value;
}

std::uint64_t Book::bucket_of(const PeerId& peer, const BookEntry& entry) const {
  enum Use : std::uint64_t { new_spread, new_bucket, tried_spread, tried_bucket };
  const std::uint64_t network = network_of(entry.record);
  if (entry.tried) {
    const std::uint64_t spread = keyed(tried_spread, network, std::hash<PeerId>()(peer)) % buckets_per_group;
    return keyed(tried_bucket, network, spread) % tried_buckets;
  }
  const std::uint64_t spread = keyed(new_spread, entry.source_group, network) % buckets_per_group;
  return keyed(new_bucket, entry.source_group, spread) % new_buckets;
}

}  // namespace dugnad::core
