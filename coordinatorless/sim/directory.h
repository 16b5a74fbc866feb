// Who is who in a world: each node's identity and address. The network's map, which no peer can look into.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/core/endpoint.h"
#include "coordinatorless/sim/network.h"

namespace dugnad::sim {

struct Identity {
  PeerId peer;
  PublicKey key;
  CurveKey curve;
  std::optional<core::Endpoint> endpoint;  // none behind a NAT
  core::Endpoint seen_at;                  // where its own dials come from
};

class Directory {
 public:
  /// A node keeps its address for life; its keys may change.
  void set(Node node, const Identity& identity) {
    if (identities_.size() <= node) identities_.resize(node + 1);
    identities_[node] = identity;
    if (identity.endpoint) by_endpoint_[*identity.endpoint] = node;
    by_peer_[identity.peer] = node;
    by_curve_[identity.curve] = identity.peer;
  }
  [[nodiscard]] const Identity& at(Node node) const { return identities_.at(node); }
  [[nodiscard]] std::optional<Node> at(const core::Endpoint& endpoint) const {
    const auto it = by_endpoint_.find(endpoint);
    return it == by_endpoint_.end() ? std::nullopt : std::optional(it->second);
  }
  /// Also by an identity that the node has given up.
  [[nodiscard]] std::optional<Node> of(const PeerId& peer) const {
    const auto it = by_peer_.find(peer);
    return it == by_peer_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] std::optional<PeerId> of(const CurveKey& curve) const {
    const auto it = by_curve_.find(curve);
    return it == by_curve_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  std::vector<Identity> identities_;
  std::map<core::Endpoint, Node> by_endpoint_;
  std::map<PeerId, Node> by_peer_;
  std::map<CurveKey, PeerId> by_curve_;
};

}  // namespace dugnad::sim
