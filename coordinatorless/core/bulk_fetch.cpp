#include "coordinatorless/core/bulk_fetch.h"

#include <algorithm>

#include "coordinatorless/base/merkle.h"
#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core::bulk {

Fetch::Fetch(const BlobId& blob, const PeerId& main, Sharing sharing) : blob_(blob), main_(main), sharing_(sharing) {
  const std::uint64_t chunks = chunk_count(blob.length);
  sources_[main] = {.has = ChunkSet::all(chunks), .wanted = ChunkSet(chunks)};
}

void Fetch::begin(ChunkSet here, BootTime now) {
  DUGNAD_ASSERT(here.size() == chunk_count(blob_.length), "a fetch of something else");
  here_ = std::move(here);
  at_first_ = here_.count();
  helped_at_ = now;
}

// --- Who has what ---

bool Fetch::help(const PeerId& peer) {
  if (sources_.contains(peer) || sources_.size() > limits::bulk_helpers_max) return false;
  const std::uint64_t chunks = chunk_count(blob_.length);
  sources_[peer] = {.has = ChunkSet(chunks), .wanted = ChunkSet(chunks)};
  return true;
}

void Fetch::told(const PeerId& peer, const ChunkSet& has, bool informed) {
  const auto at = sources_.find(peer);
  if (at == sources_.end()) return;
  at->second.informed = informed;
  if (peer != main_) at->second.has = has;
}

std::vector<PeerId> Fetch::helpers() const {
  std::vector<PeerId> found;
  for (const auto& [peer, source] : sources_) {
    if (peer != main_) found.push_back(peer);
  }
  return found;
}

std::vector<PeerId> Fetch::informed() const {
  std::vector<PeerId> found;
  for (const auto& [peer, source] : sources_) {
    if (source.informed) found.push_back(peer);
  }
  return found;
}

std::vector<PeerId> Fetch::sources() const {
  std::vector<PeerId> found = helpers();
  if (sources_.contains(main_)) found.push_back(main_);
  return found;
}

bool Fetch::gives(const PeerId& peer, const Source& source) const {
  if (peer == main_ || source.stalled) return false;
  ChunkSet of_use = source.has;
  of_use.remove(here_);
  return !of_use.empty() || source.informed;  // who is fetching it too will have more
}

bool Fetch::any_helps() const {
  return std::any_of(sources_.begin(), sources_.end(), [this](const auto& entry) { return gives(entry.first, entry.second); });
}

// --- What is asked of whom ---

BootTime Fetch::spared_until() const {
  if (sharing_ == Sharing::alone) return {};
  return helped_at_ + (any_helps() ? limits::bulk_spare : limits::bulk_meet);
}

std::optional<Request> Fetch::to_ask(const PeerId& peer, std::uint32_t credits, BootTime now) const {
  const auto at = sources_.find(peer);
  if (at == sources_.end() || !begun() || credits == 0 || at->second.stalled) return std::nullopt;
  return peer == main_ ? to_ask_main(at->second, credits, now) : to_ask_helper(at->second, credits);
}

std::optional<Request> Fetch::to_ask_main(const Source& source, std::uint32_t credits, BootTime now) const {
  const bool sparing = now < spared_until();
  const bool alone = sharing_ == Sharing::alone;
  if (sparing && spread_) return std::nullopt;
  ChunkSet wanted = here_.rest();
  const ChunkSet lacking = wanted;
  for (const auto& [peer, other] : sources_) {
    if (peer == main_ || other.stalled) continue;
    if (sparing) wanted.remove(other.has);
    if (sparing || alone) wanted.remove(other.wanted);
  }
  if (alone && wanted.empty()) wanted = lacking;  // the last ones: whoever is faster
  // Which chunks are underway the main holder alone knows: no more is asked for than can be of use.
  const std::uint64_t open = wanted.count();
  if (open <= source.asked) return std::nullopt;
  const auto count = static_cast<std::uint8_t>(std::min<std::uint64_t>(credits, open - source.asked));
  return Request{blob_, count, sparing, std::move(wanted)};
}

std::optional<Request> Fetch::to_ask_helper(const Source& source, std::uint32_t credits) const {
  ChunkSet of_use = source.has;
  of_use.remove(here_);
  for (const auto& [peer, other] : sources_) {
    if (peer != main_ && !other.stalled) of_use.remove(other.wanted);
  }
  // The main holder sends what is lowest first, so of equally rare ones the highest: all the less of it comes twice.
  std::vector<std::pair<std::size_t, std::uint64_t>> candidates;
  for (std::uint64_t i = of_use.size(); i-- > 0;) {
    if (!of_use.has(i)) continue;
    std::size_t holders = 0;
    for (const auto& [peer, other] : sources_) holders += peer != main_ && !other.stalled && other.has.has(i);
    candidates.emplace_back(holders, candidates.size());
    candidates.back().second = i;
  }
  if (candidates.empty()) return std::nullopt;
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::size_t count = std::min<std::size_t>(credits, candidates.size());
  Request request{blob_, static_cast<std::uint8_t>(count), false, ChunkSet(of_use.size())};
  for (std::size_t i = 0; i < count; ++i) request.wanted.add(candidates[i].second);
  return request;
}

void Fetch::asked(const PeerId& peer, const Request& request, BootTime now) {
  Source& source = sources_.at(peer);
  if (source.asked == 0) source.since = now;
  source.asked += request.count;
  source.wanted.add(request.wanted);
}

std::uint32_t Fetch::underway(const PeerId& peer) const {
  const auto at = sources_.find(peer);
  return at == sources_.end() ? 0 : at->second.asked;
}

// --- What comes ---

Fetch::Taken Fetch::take(const PeerId& from, const Chunk& chunk, BootTime now) {
  const auto at = sources_.find(from);
  if (at == sources_.end() || !begun() || at->second.asked == 0 || !at->second.wanted.has(chunk.index)) return Taken::unasked;
  Source& source = at->second;
  if (!here_.has(chunk.index) &&
      !merkle_verify(merkle_leaf(chunk.bytes), chunk.index, chunk_count(blob_.length), chunk.path, blob_.root)) {
    return Taken::forged;
  }
  if (--source.asked == 0) source.wanted = ChunkSet(source.wanted.size());
  else source.wanted.remove(chunk.index);
  if (here_.has(chunk.index)) return Taken::twice;  // from a helper that was given up on, and somebody else
  source.since = now;
  source.stalled = false;
  if (from != main_) helped_at_ = now;
  here_.add(chunk.index);
  return Taken::kept;
}

void Fetch::spread(const PeerId& from, std::uint8_t count, BootTime now) {
  const auto at = sources_.find(from);
  if (from != main_ || at == sources_.end()) return;
  Source& source = at->second;
  source.asked -= std::min<std::uint32_t>(source.asked, count);
  if (source.asked == 0) source.wanted = ChunkSet(source.wanted.size());
  if (!spread_) helped_at_ = now;
  spread_ = true;
}

// --- Ends ---

void Fetch::drop(const PeerId& peer, std::string reason, FetchFailure cause) {
  if (sources_.erase(peer) > 0 && peer == main_) fault_ = Fault{std::move(reason), cause};
}

std::optional<Fetch::Fault> Fetch::failed(BootTime now) const {
  if (!fault_ || (any_helps() && now < helped_at_ + limits::bulk_patience)) return std::nullopt;
  return fault_;
}

bool Fetch::main_is_late(BootTime now) const {
  const auto at = sources_.find(main_);
  return at != sources_.end() && at->second.asked > 0 && now >= at->second.since + limits::bulk_patience;
}

void Fetch::tick(BootTime now) {
  ticked_ = now;
  for (auto& [peer, source] : sources_) {
    if (peer != main_ && source.asked > 0 && now >= source.since + limits::bulk_help_patience) source.stalled = true;
  }
}

BootTime Fetch::next_deadline() const {
  if (!begun() || whole()) return never;
  BootTime next = fault_ ? helped_at_ + limits::bulk_patience : never;
  for (const auto& [peer, source] : sources_) {
    if (source.asked == 0 || source.stalled) continue;
    next = std::min(next, source.since + (peer == main_ ? limits::bulk_patience : limits::bulk_help_patience));
  }
  if (const BootTime spared = spared_until(); sources_.contains(main_) && spared > ticked_) next = std::min(next, spared);
  return next;
}

}  // namespace dugnad::core::bulk
