#include "coordinatorless/core/awaited_outputs.h"

#include <algorithm>
#include <utility>

namespace dugnad::core {

void AwaitedOutputs::await(UnitIndex unit, const BlobId& output, std::vector<PeerId> holders) {
  for (const PeerId& holder : holders) bytes_of_[holder] += output.length;
  awaited_[unit] = {.output = output, .holders = std::move(holders)};
  line_.push_back(unit);
  unwatched_.push_back(unit);
}

void AwaitedOutputs::also_held(UnitIndex unit, const PeerId& holder, Now now, Output& out) {
  const auto at = awaited_.find(unit);
  if (at == awaited_.end()) return;
  at->second.holders.push_back(holder);
  bytes_of_[holder] += at->second.output.length;
  if (at->second.needed) blobs_.also_held(at->second.output, holder, now, out);
  unwatched_.push_back(unit);
}

bool AwaitedOutputs::on_blob(const BlobWants::News& news) {
  const auto needed = needed_.find(news.blob);
  if (needed == needed_.end()) return false;
  const bool given_up = news.kind == BlobWants::News::Kind::given_up;
  if (given_up && news.own_fault) {
    blobs_.try_again(news.blob);
    return true;
  }
  for (const UnitIndex unit : needed->second) {
    Awaited& awaited = awaited_.at(unit);
    awaited.here = news.kind == BlobWants::News::Kind::here;
    if (awaited.here) ending_.push_back(unit);
    if (!given_up) continue;
    awaited.withheld = true;
    awaited.excused = news.excused;
    give_up(unit, awaited);
  }
  return true;
}

std::uint64_t AwaitedOutputs::bytes_of(const PeerId& holder) const {
  const auto at = bytes_of_.find(holder);
  return at == bytes_of_.end() ? 0 : at->second;
}

void AwaitedOutputs::give_up(UnitIndex unit, Awaited& awaited) {
  if (std::exchange(awaited.hopeless, true)) return;
  ending_.push_back(unit);
}

void AwaitedOutputs::give_up_like(const std::set<PeerId>& holders) {
  for (auto& [unit, awaited] : awaited_) {
    if (awaited.here || awaited.hopeless || awaited.holders.empty()) continue;
    if (!std::all_of(awaited.holders.begin(), awaited.holders.end(), [&](const PeerId& holder) { return holders.contains(holder); })) continue;
    awaited.withheld = true;
    give_up(unit, awaited);
  }
}

void AwaitedOutputs::fetch(UnitIndex unit, Awaited& awaited, Now now, Output& out) {
  room_.taken += awaited.output.length;
  taken_ += awaited.output.length;
  awaited.needed = true;
  awaited.ends = now.boot + limits::output_patience + limits::blob_time_most(room_.taken);
  deadline_ = std::min(deadline_, awaited.ends);
  needed_[awaited.output].push_back(unit);
  const auto tries = static_cast<unsigned>(std::min(awaited.holders.size(), limits::blob_holders_max)) + limits::output_tries_extra;
  awaited.here = blobs_.need(awaited.output, awaited.holders, tries, now, out);
  if (awaited.here) ending_.push_back(unit);
}

void AwaitedOutputs::watch(UnitIndex unit, Awaited& awaited, const IsLinked& is_linked, Now now, Output& out) {
  if (awaited.here || awaited.hopeless) return;
  if (std::none_of(awaited.holders.begin(), awaited.holders.end(), is_linked)) {
    if (awaited.absent_since == never) awaited.absent_since = now.boot;
    const BootTime ends = awaited.absent_since + limits::holder_absence;
    if (now.boot >= ends) return give_up(unit, awaited);
    deadline_ = std::min(deadline_, ends);
  } else {
    awaited.absent_since = never;
    // There may be more holders than are remembered for a blob.
    if (awaited.needed && !blobs_.in_reach(awaited.output)) {
      for (const PeerId& holder : awaited.holders) {
        if (is_linked(holder)) blobs_.also_held(awaited.output, holder, now, out);
      }
    }
  }
  if (now.boot >= awaited.ends) return give_up(unit, awaited);
  deadline_ = std::min(deadline_, awaited.ends);
}

std::vector<AwaitedOutputs::Ended> AwaitedOutputs::tick(Now now, const std::function<bool(const PeerId&)>& is_linked, Output& out) {
  while (!line_.empty()) {
    const auto at = awaited_.find(line_.front());
    if (at != awaited_.end() && !at->second.needed) {
      if (taken_ > 0 && !room_.fits(at->second.output.length)) break;
      fetch(at->first, at->second, now, out);
    }
    line_.pop_front();
  }
  if (std::exchange(links_changed_, false) || now.boot >= deadline_) {
    deadline_ = never;
    for (auto& [unit, awaited] : awaited_) watch(unit, awaited, is_linked, now, out);
  } else {
    for (const UnitIndex unit : unwatched_) {
      if (const auto at = awaited_.find(unit); at != awaited_.end()) watch(unit, at->second, is_linked, now, out);
    }
  }
  unwatched_.clear();
  std::set<std::set<PeerId>> blamed;
  for (const UnitIndex unit : ending_) {
    const auto at = awaited_.find(unit);
    if (at == awaited_.end() || at->second.here || !at->second.withheld) continue;
    std::set<PeerId> holders(at->second.holders.begin(), at->second.holders.end());
    for (const PeerId& excused : at->second.excused) holders.erase(excused);
    blamed.insert(std::move(holders));
  }
  for (const std::set<PeerId>& holders : blamed) give_up_like(holders);
  std::vector<Ended> ended;
  for (const UnitIndex unit : std::exchange(ending_, {})) {
    const auto at = awaited_.find(unit);
    if (at == awaited_.end()) continue;
    Awaited& awaited = at->second;
    if (!awaited.here && !awaited.hopeless) continue;  // it was here, and is lost
    const auto how = awaited.here ? Ended::How::here : awaited.withheld ? Ended::How::withheld : Ended::How::absent;
    ended.push_back({unit, how, std::move(awaited.excused)});
    forget(at, out);
  }
  return ended;
}

void AwaitedOutputs::forget(std::map<UnitIndex, Awaited>::iterator at, Output& out) {
  const auto& [unit, awaited] = *at;
  for (const PeerId& holder : awaited.holders) {
    if (const auto bytes = bytes_of_.find(holder); (bytes->second -= awaited.output.length) == 0) bytes_of_.erase(bytes);
  }
  if (awaited.needed) {
    const auto needed = needed_.find(awaited.output);
    std::erase(needed->second, unit);
    if (needed->second.empty()) needed_.erase(needed);
    if (!awaited.here) leave(awaited.output, out);
  }
  awaited_.erase(at);
}

void AwaitedOutputs::leave(const BlobId& output, Output& out) {
  blobs_.release(output, out);
  room_.leave(output.length);
  taken_ -= std::min(taken_, output.length);
}

void AwaitedOutputs::clear(Output& out) {
  for (const auto& [unit, awaited] : awaited_) {
    if (awaited.needed) leave(awaited.output, out);
  }
  awaited_.clear();
  needed_.clear();
  bytes_of_.clear();
  line_.clear();
  unwatched_.clear();
  ending_.clear();
}

}  // namespace dugnad::core
