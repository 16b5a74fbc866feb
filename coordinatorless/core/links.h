// Links: who we are linked with, whom we want to be linked with and why, and when somebody is dialled or let go.
//
//   - A link is kept for its purposes. One that we dialled and have no purpose for any more is dropped; one that somebody else dialled is
//     theirs to keep, until there are too many of them (eviction.h).
//   - User and job purposes outlive the link: dialled again with jittered, doubling backoff. Overlay and feeler purposes end with it, since
//     the membership chooses anew.                                           *A peer that is gone must not hold a place in the overlay.*
//   - The backoff restarts only after a link that lasted.                    *A peer that accepts and drops us gets no storm of dials.*
//   - Gossiped addresses are dialled at a bounded rate per /24 (/48).        *A forged record must not turn the swarm on a stranger.*
//   - A loopback or private address is dialled only where the user gave it, our own endpoint is of that kind, or the peer that told it is
//     linked with us there, or from our own machine; multicast never.        *A stranger's record must not scan our own network.*
//   - Both sides may dial at once; the driver may then report the peer twice. It is one link.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/core/eviction.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

enum class Purpose : std::uint8_t { user = 1, overlay = 2, job = 4, feeler = 8, blob = 16 };

/// A set of them.
class Purposes {
 public:
  void add(Purpose purpose) { bits_ |= static_cast<std::uint8_t>(purpose); }
  void remove(Purpose purpose) { bits_ &= static_cast<std::uint8_t>(~static_cast<std::uint8_t>(purpose)); }
  [[nodiscard]] bool has(Purpose purpose) const { return (bits_ & static_cast<std::uint8_t>(purpose)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }

 private:
  std::uint8_t bits_ = 0;
};

/// An address that has passed the rules on whose word is taken for it: Links::route() makes one, or the memory of an earlier run.
struct Route {
  PeerId peer;
  CurveKey curve;
  Endpoint endpoint;
  bool operator==(const Route&) const = default;
};

struct Link {
  PublicKey key;
  CurveKey curve;
  std::optional<Endpoint> seen_at;   // its port is meaningless where the peer dialled us
  bool outbound = false;
  BootTime since{};
  std::optional<BootTime> useful;    // when it last did something for a job
  std::optional<BootTime> unneeded;  // we dialled, and since then have no purpose for it
  bool closing = false;              // Disconnect is out, PeerLost not yet in

  /// How far the address reaches that it is seen at; `global` where there is none: the kind that is trusted least.
  [[nodiscard]] Reach reach() const;
  /// Whether an address of that reach means the same to both ends: one network, or one machine, which has all its networks in common.
  [[nodiscard]] bool shares(Reach reach) const;
};

class Links {
 public:
  /// `self` outlives the links.
  explicit Links(const Self& self);

  // --- What we want ---

  /// The user's contact: any address, for ever. Our own contact and one that is no IP literal are ignored.
  void join(const Contact& contact, Now now, Output& out);
  /// The address in `record`, if `told_by`'s word is enough to dial it. `told_by` may be the peer itself.
  [[nodiscard]] std::optional<Route> route(const ContactRecord& record, const PeerId& told_by) const;
  /// Whether `told_by`'s word is enough to dial the peer there.
  [[nodiscard]] bool may_dial(const PeerId& peer, const Endpoint& endpoint, const PeerId& told_by) const;
  /// Links with the peer for `purpose`, now or soon. False where the budget of that purpose is used up. Harmless to repeat.
  bool want(const Route& route, Purpose purpose, Now now, Output& out);
  /// Gives the link that there is a purpose, whoever dialled it. False where there is no link or the budget is used up.
  bool hold(const PeerId& peer, Purpose purpose);
  /// The purpose is over.
  void drop(const PeerId& peer, Purpose purpose, Now now);
  /// Disconnects, and does not dial the peer before `until`, whoever wants it.
  void ban(const PeerId& peer, BootTime until, Output& out);
  /// Disconnects; what wants the peer will dial again.
  void disconnect(const PeerId& peer, Output& out);
  /// The peer has just done something for a job of ours, or given us work.
  void useful(const PeerId& peer, Now now);

  // --- What happens ---

  /// True where this is news: false for the second connection of two that crossed, and where the link is refused for want of room.
  bool connected(const PeerConnected& event, Now now, Output& out);
  /// The link as it was, nullopt where there was none. Only where there was have others to be told.
  std::optional<Link> lost(const PeerId& peer, Now now);
  void dial_failed(const PeerId& peer, Now now);
  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return deadline_; }

  // --- What is ---

  [[nodiscard]] bool is_up(const PeerId& peer) const { return find(peer) != nullptr; }
  /// nullptr where there is no link, or one that is closing.
  [[nodiscard]] const Link* find(const PeerId& peer) const;
  /// Everybody we are linked with, by id.
  [[nodiscard]] std::vector<PeerId> neighbours() const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] Purposes purposes_of(const PeerId& peer) const;
  /// Links and dials under way with that purpose.
  [[nodiscard]] std::size_t count(Purpose purpose) const;
  [[nodiscard]] bool is_dialling(const PeerId& peer) const;
  /// Who is being dialled at this moment, by id.
  [[nodiscard]] std::vector<PeerId> dialling() const;
  [[nodiscard]] bool is_banned(const PeerId& peer, Now now) const;

 private:
  /// A peer that we want to be linked with, linked or not.
  struct Target {
    CurveKey curve;
    std::optional<Endpoint> endpoint;  // none: it dialled us, we cannot dial it
    Purposes purposes;
    bool trusted = false;              // the address is the user's word
    unsigned failures = 0;
    BootTime next_dial{};
    BootTime gives_up{};               // while a dial is pending: when it counts as failed whatever the driver says
    bool pending = false;
  };
  /// Dials into one neighbourhood in the minute that began at `start`.
  struct Dialled {
    BootTime start{};
    std::size_t count = 0;
  };

  [[nodiscard]] bool room_for(Purpose purpose) const;
  Target& target(const PeerId& peer);
  void dial_due(Now now, Output& out);
  /// Until when this neighbourhood has had enough; counts the dial where it has not.
  [[nodiscard]] std::optional<BootTime> held_back(const Endpoint& endpoint, Now now);
  void dial_over(Target& target, Now now);
  void back_off(Target& target, Now now);
  void end_of_link(std::map<PeerId, Target>::iterator at, Now now);
  void let_go(std::map<PeerId, Target>::iterator at, Now now);
  void give_up_late_dials(Now now);
  void drop_unneeded(Now now, Output& out);
  [[nodiscard]] std::vector<EvictionCandidate> spare_links(Duration settled, Now now) const;
  void evict_spare(Now now, Output& out);
  void make_room_for(const PeerId& newcomer, Now now, Output& out);
  void schedule(Now now);
  void due_at(BootTime when) { deadline_ = std::min(deadline_, when); }

  const Self& self_;
  const std::uint64_t secret_;                  // keys the eviction's order
  std::map<PeerId, Link> links_;
  std::map<PeerId, Target> targets_;
  std::map<PeerId, BootTime> banned_;
  std::map<std::uint64_t, Dialled> dialled_;    // by neighbourhood
  std::size_t pending_ = 0;
  BootTime deadline_ = never;
};

}  // namespace dugnad::core
