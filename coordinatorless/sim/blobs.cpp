#include "coordinatorless/sim/blobs.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/limits.h"

namespace dugnad::sim {
namespace {

constexpr double evicted_share = 0.25;  // of what nobody needs, whenever it is looked at

}  // namespace

Blobs::Blobs(const World& world, Node node, bool withholds, Generator generator, std::function<void(core::Event)> post)
    : world_(world), node_(node), withholds_(withholds), generator_(std::move(generator)), post_(std::move(post)) {
  world_.all[node_] = this;
}

void Blobs::drop_unneeded(const BlobId& blob) {
  const auto at = disk_.find(blob);
  const bool marked = std::any_of(marks_.begin(), marks_.end(), [&](const auto& mark) { return mark.second.output == blob; });
  if (at != disk_.end() && at->second == 0 && !marked && !untaken_.contains(blob) && generator_.chance(evicted_share)) disk_.erase(at);
}

void Blobs::let_go(const BlobId& blob) {
  const auto at = disk_.find(blob);
  if (at == disk_.end() || at->second == 0) return;
  --at->second;
  drop_unneeded(blob);
}

std::vector<HeldOutput> Blobs::found() {
  std::vector<HeldOutput> here;
  for (const auto& [unit, held] : marks_) {
    if (!holds(held.output)) continue;
    hold(held.output);
    here.push_back(held);
  }
  return here;
}

void Blobs::taken(const BlobId& blob) {
  if (untaken_.erase(blob) > 0) drop_unneeded(blob);
}

void Blobs::hold(const BlobId& blob) {
  fetches_.erase(blob);
  if (pinned_.insert(blob).second) keep(blob);
}

void Blobs::release(const BlobId& blob) {
  fetches_.erase(blob);
  if (pinned_.erase(blob) > 0) let_go(blob);
}

void Blobs::fetch(const core::FetchBlob& fetch) {
  const Fetch current{fetch.from, ++ids_, fetch.sharing};
  if (fetch.sharing == core::Sharing::shared) shared_.insert(fetch.blob);
  fetches_[fetch.blob] = current;
  const BlobId blob = fetch.blob;
  // Of others those who have it are heard of first, and reached.
  const Duration before = (fetch.sharing == core::Sharing::alone ? 2 : 8) * world_.network.quality().latency;
  later(holds(blob) ? Duration{} : before, blob, current.id, [this, blob, id = current.id](Node holder) {
    if (holds(blob)) {
      hold(blob);
      return post_(core::BlobFetched{blob});
    }
    begin(blob, id, holder);
  });
}

void Blobs::help(const core::HelpFetch& help) {
  const auto at = fetches_.find(help.blob);
  if (at == fetches_.end() || at->second.sharing == core::Sharing::alone) return;
  at->second.helpers.insert(help.from);
  const auto helper = world_.directory.of(help.from);
  if (!helper || !world_.network.reaches(node_, *helper)) return;
  if (const Blobs& other = *world_.all.at(*helper); other.asked_for_help) other.asked_for_help(node_, help.blob);
}

Node Blobs::source_of(const Fetch& fetch, const BlobId& blob, Node main) const {
  for (const PeerId& helper : fetch.helpers) {
    const auto node = world_.directory.of(helper);
    if (!node || *node == node_ || !world_.network.reaches(node_, *node)) continue;
    const Blobs& other = *world_.all.at(*node);
    if (other.withholds_) continue;
    const auto its = other.fetches_.find(blob);
    const bool comes = its != other.fetches_.end() && its->second.sharing == core::Sharing::shared && its->second.source == main;
    if (other.holds(blob) ? other.shared_.contains(blob) : comes) return *node;
  }
  return main;
}

/// `what` happens unless the fetch is another by then, or over.
void Blobs::later(Duration delay, const BlobId& blob, std::uint64_t id, std::function<void(Node)> what) {
  world_.queue.after(delay, [this, blob, id, what = std::move(what)] {
    const auto at = fetches_.find(blob);
    if (at == fetches_.end() || at->second.id != id) return;
    what(world_.directory.of(at->second.from).value_or(node_));
  });
}

void Blobs::begin(const BlobId& blob, std::uint64_t id, Node main) {
  const Node holder = source_of(fetches_.at(blob), blob, main);
  fetches_.at(blob).source = holder;
  if (holder == node_) return fail(blob, "it is not here any more", core::FetchFailure::missing);
  Blobs& other = *world_.all.at(holder);
  const bool silent = !world_.network.reaches(node_, holder) || (other.withholds_ && generator_.chance(0.5));
  if (silent) {
    return later(core::limits::bulk_patience, blob, id, [this, blob](Node) { fail(blob, "its holder did not send it in time"); });
  }
  if (holder == main && (other.withholds_ || !other.holds(blob) || !other.disk_works())) {
    return fail(blob, "its holder has it no more", core::FetchFailure::missing);
  }
  const double rate = world_.network.linked(node_, holder) ? world_.network.quality().bytes_per_second
                                                           : core::limits::bulk_relayed_bytes_per_second;
  later(from_seconds(static_cast<double>(blob.length) / rate), blob, id, [this, blob, id, holder](Node first) {
    const bool there = world_.network.reaches(node_, holder) && world_.all.at(holder)->holds(blob);
    if (!there && holder != first) {  // a helper is gone, or has not got it after all
      fetches_.at(blob).helpers.clear();
      return begin(blob, id, first);
    }
    if (!there) return fail(blob, "its holder has it no more", core::FetchFailure::missing);
    world_.all.at(holder)->served_ += blob.length;
    if (!disk_works()) return fail(blob, "no room for it", core::FetchFailure::here);
    hold(blob);
    ++fetched_;
    post_(core::BlobFetched{blob});
  });
}

void Blobs::fail(const BlobId& blob, const std::string& reason, core::FetchFailure cause) {
  const PeerId from = fetches_.at(blob).from;
  fetches_.erase(blob);
  post_(core::BlobFailed{blob, from, reason, cause});
}

void Blobs::lost(const PeerId& peer) {
  std::set<BlobId> broken;
  for (const auto& [blob, fetch] : fetches_) {
    if (fetch.from == peer) broken.insert(blob);
  }
  for (const BlobId& blob : broken) {
    const auto at = fetches_.find(blob);  // the peer may have thought better of it meanwhile
    if (at != fetches_.end() && at->second.from == peer) fail(blob, "the link to its holder broke");
  }
}

void Blobs::crash() {
  fetches_.clear();
  pinned_.clear();
  for (auto next = disk_.begin(); next != disk_.end();) {
    const auto at = next++;
    at->second = 0;
    drop_unneeded(BlobId(at->first));
  }
}

}  // namespace dugnad::sim
