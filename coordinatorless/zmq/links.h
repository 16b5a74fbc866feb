// Links: which connections lead to which peer, and who is banned. A peer can be connected twice, since both may dial at once; it is reported
// once. It knows no sockets.
//
// Frames of one peer arrive in the order sent, or the peer counts as lost in between. So where one of two links ends, with who knows what
// underway on it, the peer is reported lost and, over the other link, connected again.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "coordinatorless/core/seam.h"

namespace dugnad::zmq {

/// One connection, named for as long as the process lives.
struct LinkName {
  bool outbound = false;
  std::uint64_t serial = 0;
  bool operator==(const LinkName&) const = default;
};

class Links {
 public:
  void up(LinkName name, core::PeerConnected link, std::vector<core::Event>& events);
  void down(LinkName name, const PeerId& peer, std::vector<core::Event>& events);
  /// Forgets all links to a peer at once; for the caller to close.
  std::vector<LinkName> drop(const PeerId& peer, std::vector<core::Event>& events);

  /// The link to send over: the oldest, so that an order once begun is kept.
  [[nodiscard]] const LinkName* best(const PeerId& peer) const;
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }

  void ban(const PeerId& peer, BootTime until, BootTime now);
  [[nodiscard]] bool banned(const PeerId& peer, BootTime now) const;

 private:
  struct Link {
    LinkName name;
    core::PeerConnected facts;
  };
  std::unordered_map<PeerId, std::vector<Link>> peers_;  // oldest first; never empty
  std::unordered_map<PeerId, BootTime> bans_;            // at most bans_max
};

}  // namespace dugnad::zmq
