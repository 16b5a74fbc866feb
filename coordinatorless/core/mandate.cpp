#include "coordinatorless/core/mandate.h"

#include <algorithm>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr auto shift_length = std::chrono::duration_cast<WallTime::duration>(limits::steward_shift);

}  // namespace

std::size_t Mandate::rank(std::uint64_t shift) const {
  if (!is_steward() || place >= delegates) return place;
  const std::size_t stewards = delegates - 1;
  return 1 + (place - 1 + stewards - static_cast<std::size_t>(shift % stewards)) % stewards;
}

std::uint64_t shift_at(WallTime now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch() / shift_length, 0));
}

WallTime shift_begins(std::uint64_t shift) { return WallTime(shift_length * static_cast<std::int64_t>(shift)); }

Mandate mandate_of(const PeerId& peer, const Delegation& delegation) {
  const auto& peers = delegation.peers;
  const auto place = static_cast<std::size_t>(std::find(peers.begin(), peers.end(), peer) - peers.begin());
  return {delegation.epoch, place, peers.size()};
}

bool outranks(const Mandate& one, const Mandate& other, std::uint64_t shift) {
  if (one.epoch != other.epoch) return one.epoch > other.epoch;
  return one.rank(shift) < other.rank(shift);
}

}  // namespace dugnad::core
