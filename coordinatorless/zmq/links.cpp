#include "coordinatorless/zmq/links.h"

#include <algorithm>

#include "coordinatorless/core/limits.h"

namespace dugnad::zmq {

void Links::up(LinkName name, core::PeerConnected link, std::vector<core::Event>& events) {
  auto& links = peers_[link.peer];
  if (links.empty()) events.push_back(link);
  links.push_back({name, std::move(link)});
}

void Links::down(LinkName name, const PeerId& peer, std::vector<core::Event>& events) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  auto& links = found->second;
  if (std::erase_if(links, [&](const Link& link) { return link.name == name; }) == 0) return;
  events.push_back(core::PeerLost{peer});
  if (links.empty()) {
    peers_.erase(found);
  } else {
    events.push_back(links.front().facts);
  }
}

std::vector<LinkName> Links::drop(const PeerId& peer, std::vector<core::Event>& events) {
  std::vector<LinkName> names;
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return names;
  for (const Link& link : found->second) names.push_back(link.name);
  peers_.erase(found);
  events.push_back(core::PeerLost{peer});
  return names;
}

const LinkName* Links::best(const PeerId& peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second.front().name;
}

void Links::ban(const PeerId& peer, BootTime until, BootTime now) {
  if (until <= now) return;
  if (bans_.size() >= core::limits::bans_max) std::erase_if(bans_, [now](const auto& ban) { return ban.second <= now; });
  if (bans_.size() < core::limits::bans_max || bans_.contains(peer)) bans_[peer] = until;
}

bool Links::banned(const PeerId& peer, BootTime now) const {
  const auto found = bans_.find(peer);
  return found != bans_.end() && found->second > now;
}

}  // namespace dugnad::zmq
