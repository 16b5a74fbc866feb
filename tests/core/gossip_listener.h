// Listener: a gossip and its neighbours, which are only names.
#pragma once

#include "coordinatorless/core/gossip.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {

/// A gossip with as many neighbours as asked for, which are only names.
struct Listener {
  Identity me{1};
  Identity owner{2};
  Identity submitter{3};
  Gossip gossip{me.self};
  Output out;
  Now now = start_of_time();
  std::vector<PeerId> neighbours;

  explicit Listener(std::size_t count = 8) {
    for (std::size_t i = 0; i < count; ++i) {
      PeerId& peer = neighbours.emplace_back();
      peer.bytes[0] = static_cast<std::uint8_t>(i + 1);
      gossip.connected(peer, now, out);
    }
  }
  Charge hear(const Posting& posting, std::uint8_t hops = 0) { return gossip.on(neighbours[0], posting.announce(hops), now, out); }
  void pass(Duration by) {
    now = later(now, by);
    if (gossip.next_deadline() <= now.boot) gossip.tick(now, out);
  }
  std::vector<std::pair<PeerId, Announce>> sent() {
    auto found = messages<Announce>(out);
    out = {};
    return found;
  }
};

}  // namespace dugnad::core::test
