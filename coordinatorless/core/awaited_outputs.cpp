#include "coordinatorless/core/awaited_outputs.h"

#include <algorithm>

namespace dugnad::core {

void AwaitedOutputs::await(UnitIndex unit, const BlobId& output, std::vector<PeerId> holders) {
  awaited_[unit] = {output, std::move(holders)};
  line_.push_back(unit);
}

void AwaitedOutputs::also_held(UnitIndex unit, const PeerId& holder, Now now, Output& out) {
  const auto at = awaited_.find(unit);
  if (at == awaited_.end()) return;
  at->second.holders.push_back(holder);
  if (at->second.needed) blobs_.also_held(at->second.output, holder, now, out);
}

bool AwaitedOutputs::on_blob(const BlobWants::News& news) {
  bool any = false;
  for (auto& [unit, awaited] : awaited_) {
    if (awaited.output != news.blob || !awaited.needed) continue;
    any = true;
    awaited.here = news.kind == BlobWants::News::Kind::here;
    if (news.kind == BlobWants::News::Kind::given_up) awaited.hopeless = true;
  }
  return any;
}

void AwaitedOutputs::give_up_like(const Awaited& lost) {
  const auto was_asked = [&](const PeerId& holder) { return std::find(lost.holders.begin(), lost.holders.end(), holder) != lost.holders.end(); };
  for (auto& [unit, awaited] : awaited_) {
    if (!awaited.here && std::all_of(awaited.holders.begin(), awaited.holders.end(), was_asked)) awaited.hopeless = true;
  }
}

std::vector<AwaitedOutputs::Ended> AwaitedOutputs::tick(Now now, const std::function<bool(const PeerId&)>& is_linked, Output& out) {
  while (!line_.empty()) {
    const auto at = awaited_.find(line_.front());
    if (at != awaited_.end() && !at->second.needed) {
      Awaited& awaited = at->second;
      if (taken_ > 0 && !room_.fits(awaited.output.length)) break;
      room_.taken += awaited.output.length;
      taken_ += awaited.output.length;
      awaited.needed = true;
      const auto tries = static_cast<unsigned>(std::min(awaited.holders.size(), limits::blob_holders_max)) + limits::output_tries_extra;
      awaited.here = blobs_.need(awaited.output, awaited.holders, tries, now, out);
    }
    line_.pop_front();
  }
  deadline_ = never;
  for (auto& [unit, awaited] : awaited_) {
    if (awaited.here) continue;
    if (std::any_of(awaited.holders.begin(), awaited.holders.end(), is_linked)) {
      awaited.absent_since = never;
    } else if (awaited.absent_since == never) {
      awaited.absent_since = now.boot;
    }
    if (awaited.absent_since == never) continue;
    if (now.boot >= awaited.absent_since + limits::holder_absence) awaited.hopeless = true;
    else deadline_ = std::min(deadline_, awaited.absent_since + limits::holder_absence);
  }
  for (const auto& [unit, awaited] : awaited_) {
    if (awaited.hopeless && !awaited.here && awaited.absent_since == never) give_up_like(awaited);
  }
  std::vector<Ended> ended;
  std::erase_if(awaited_, [&](const auto& entry) {
    const auto& [unit, awaited] = entry;
    if (!awaited.here && !awaited.hopeless) return false;
    ended.push_back({unit, awaited.here});
    if (!awaited.here && awaited.needed) leave(awaited.output, out);
    return true;
  });
  return ended;
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
  line_.clear();
}

}  // namespace dugnad::core
