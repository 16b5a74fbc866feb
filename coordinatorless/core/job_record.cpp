#include "coordinatorless/core/job_record.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr std::size_t entry_overhead = 128;  // in a message: key, signature, heads

}  // namespace

JobRecord::Name JobRecord::name_of(const RecordEntry& entry) {
  const Hash hash = hash_of(entry.body);
  Name name{};
  std::copy_n(hash.bytes.begin(), name.size(), name.begin());
  return name;
}

bool JobRecord::add(RecordEntry entry, const PeerId& from, BootTime now) {
  if (!known_.insert(name_of(entry)).second) return false;
  bytes_ += entry.body.size() + entry_overhead;
  entries_.push_back({std::move(entry), from});
  const bool anybody_waits = std::any_of(followers_.begin(), followers_.end(), [](const auto& each) { return each.second.waits; });
  if (anybody_waits) tell_at_ = std::min(tell_at_, now + limits::entries_gather);
  return true;
}

void JobRecord::trim(std::uint64_t most) {
  while (!entries_.empty() && bytes_ > most) {
    bytes_ -= entries_.front().entry.body.size() + entry_overhead;
    entries_.pop_front();
    ++first_;
  }
}

// --- Followers ---

bool JobRecord::answer(const PeerId& to, Follower& follower, std::uint64_t from, bool even_nothing, Output& out) {
  Record record{job_, series_, from, std::max(from, first_), false, {}};
  std::size_t bytes = 0;
  for (; record.next < end(); ++record.next) {
    const Kept& kept = entries_[static_cast<std::size_t>(record.next - first_)];
    if (kept.from == to && !follower.all) continue;
    const std::size_t size = kept.entry.body.size() + entry_overhead;
    if (!record.entries.empty() && (bytes + size > limits::record_bytes_sent_max || record.entries.size() >= limits::record_entries_max)) break;
    bytes += size;
    record.entries.push_back(kept.entry);
  }
  record.more = record.next < end();
  if (record.entries.empty() && !even_nothing) return false;
  follower.next = record.next;
  follower.waits = false;
  out.send(to, std::move(record));
  return true;
}

void JobRecord::on_follow(const PeerId& from, const Follow& follow, Output& out) {
  Follower& follower = followers_[from];
  const std::uint64_t place = follow.series == series_ ? std::min(follow.from, end()) : 0;
  follower.has = std::max(follower.has, place);
  follower.next = std::max(place, first_);
  follower.all = follow.all;
  follower.lacks = follow.lacks;
  follower.waits = !answer(from, follower, place, !follow.wait, out);
}

void JobRecord::tick(BootTime now, Output& out) {
  if (now < tell_at_) return;
  tell_at_ = never;
  for (auto& [peer, follower] : followers_) {
    if (follower.waits) (void)answer(peer, follower, follower.next, false, out);
  }
}

bool JobRecord::has_up_to(const PeerId& follower, std::uint64_t place) const {
  const auto at = followers_.find(follower);
  return at != followers_.end() && at->second.has >= place && at->second.lacks == 0;
}

// --- Following others ---

void JobRecord::ask(const PeerId& whom, Followed& followed, bool wait, Output& out) const {
  followed.waits = wait;
  out.send(whom, Follow{job_, followed.series, followed.next, wait, followed.all, followed.delegation, lacks_});
}

void JobRecord::follow(const PeerId& whom, Signed delegation, bool all, Output& out) {
  if (followed_.size() >= limits::followed_max) {
    std::erase_if(followed_, [&](const auto& each) { return !each.second.asked && each.first != whom; });
  }
  Followed& followed = followed_[whom];
  followed.delegation = std::move(delegation);
  followed.all = all;
  followed.asked = true;
  followed.read = false;
  ask(whom, followed, false, out);
}

std::optional<std::vector<RecordEntry>> JobRecord::on_record(const PeerId& from, Record record) {
  const auto at = followed_.find(from);
  if (at == followed_.end() || !at->second.asked) return std::nullopt;
  Followed& followed = at->second;
  if (record.next < record.from || (record.more && record.entries.empty())) return std::nullopt;
  // Asked twice, answered twice; and who waits is not answered with nothing.
  if (record.series == followed.series && record.from != followed.next) return std::vector<RecordEntry>{};
  if (followed.waits && record.entries.empty()) return std::vector<RecordEntry>{};
  followed.series = record.series;
  followed.next = record.next;
  followed.read = !record.more;
  followed.answered = true;
  return std::move(record.entries);
}

void JobRecord::ask_for_more(const PeerId& whom, Output& out) {
  const auto at = followed_.find(whom);
  if (at == followed_.end() || !at->second.asked || !std::exchange(at->second.answered, false)) return;
  ask(whom, at->second, at->second.read, out);
}

void JobRecord::set_lacks(std::size_t lacks, Output& out) {
  const auto said = std::exchange(lacks_, static_cast<std::uint32_t>(std::min<std::size_t>(lacks, UINT32_MAX)));
  if (lacks > 0 || said == 0) return;
  for (auto& [whom, followed] : followed_) {
    if (followed.asked && !followed.answered) ask(whom, followed, followed.waits, out);
  }
}

bool JobRecord::is_read(const PeerId& whom) const {
  const auto at = followed_.find(whom);
  return at != followed_.end() && at->second.read;
}

void JobRecord::lost(const PeerId& peer) {
  followers_.erase(peer);
  if (const auto at = followed_.find(peer); at != followed_.end()) at->second.asked = false;
}

}  // namespace dugnad::core
