// Assignment: which donors may compute a unit while stewards lease a job out, whose word nobody believes.
//
// Specification
//   1. A unit's donors follow from a deed: a list of donors that were there before its key was, and that key. The owner signs it, its stewards
//      alone get it. Rationale: a steward cannot choose who computes what beside whom, donors cannot foresee it, and whoever comes back can check it.
//   2. The key of a deed is derived from its list and the job's secret, and the secret from the owner's key: no other list has that key, nobody
//      can look for names that the key favours, and the owner needs to keep nothing. The manifest has the secret's hash.
//   3. The donors of a unit are drawn one by one, each with the same chance, and keep the rules that core/placement.h has for a submitter that is
//      there: different addresses, at most one newcomer, different networks. Where a unit finds too few that keep all of them, the last rule is
//      dropped, then the one before it. Rationale: stewards must not be a way round them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

/// Of one job: what its deeds' keys are derived from. `owner` signs deterministically, as Ed25519 does.
[[nodiscard]] Hash assignment_secret(Crypto& owner, const SwarmId& swarm, const Hash& nonce);
/// What the manifest has of it.
[[nodiscard]] Hash commitment_to(const Hash& secret);

[[nodiscard]] Deed make_deed(const Hash& secret, std::uint64_t version, std::vector<DeedDonor> donors);
/// Whether the key is that of the list.
[[nodiscard]] bool is_sound(const Deed& deed, const Hash& secret);

class Assignment {
 public:
  explicit Assignment(Deed deed);

  /// Places in the deed of the first `count` donors of a unit, each of them once; fewer where there are no more.
  [[nodiscard]] std::vector<std::uint32_t> donors_of(UnitIndex unit, unsigned count) const;
  [[nodiscard]] bool assigns(UnitIndex unit, const PeerId& donor, unsigned count) const;
  [[nodiscard]] bool names(const PeerId& donor) const { return place_of_.contains(donor); }
  [[nodiscard]] const Deed& deed() const { return deed_; }

 private:
  [[nodiscard]] bool fit(std::uint32_t one, std::uint32_t other, int rules) const;

  struct Whereabouts {
    std::array<std::uint8_t, 16> address{};  // all that are behind relays count as one
    std::uint64_t network = 0;
    bool is_crowded = false;  // half of the donors or more are in its network
  };
  Deed deed_;
  std::map<PeerId, std::uint32_t> place_of_;
  std::vector<Whereabouts> where_;  // by place
  std::size_t addresses_ = 0;       // different ones
  std::size_t confirmed_ = 0;       // donors that are no newcomers
};

/// How many donors a unit of that job has: as many as it wants copies; by confidence the one whose result is audited later, and another for when
/// that one is away.
[[nodiscard]] inline unsigned donors_wanted(const Manifest& manifest) { return manifest.confidence ? 2 : manifest.copies; }

}  // namespace dugnad::core
