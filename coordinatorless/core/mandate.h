// Mandate: by what right a peer leases a job out. The newer delegation's counts; of one delegation, the submitter's before any steward's; and the
// stewards take turns, by shifts of steward_shift: each shift begins with another, the others follow it in the delegation's order.
//
// Rationale: a steward that says it leads and leases nothing, serves its friends, or keeps to itself what it gathers is found out by nobody whose
// word would count. So nobody has to judge it: it holds a job up for a shift, not until the submitter is back. Whose shift it is everybody tells by
// its own clock: nobody's word makes it another's, and where clocks differ two lead for that long, which harms nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

struct Mandate {
  std::uint64_t epoch = 0;    // of the delegation
  std::size_t place = 0;      // in it; 0: the submitter
  std::size_t delegates = 1;  // in it
  bool operator==(const Mandate&) const = default;

  [[nodiscard]] bool is_steward() const { return place > 0; }
  /// How many stand before it in a shift.
  [[nodiscard]] std::size_t rank(std::uint64_t shift) const;
};

[[nodiscard]] std::uint64_t shift_at(WallTime now);
[[nodiscard]] WallTime shift_begins(std::uint64_t shift);

/// Who is not in the delegation stands behind all that are.
[[nodiscard]] Mandate mandate_of(const PeerId& peer, const Delegation& delegation);

/// Whether the one takes the job from the other.
[[nodiscard]] bool outranks(const Mandate& one, const Mandate& other, std::uint64_t shift);

}  // namespace dugnad::core
