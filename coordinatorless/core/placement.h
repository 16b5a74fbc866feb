// Placement: which donors may give results of one unit beside each other, of a job that wants copies.
//
// Identities are free, but addresses are not quite: who holds one can have many names there.
//
// Specification
//   1. Results of one unit come from different addresses. All that are behind relays count as one.
//   2. At most one of them is a newcomer's: of a donor none of whose results an agreement has confirmed yet. Rationale: else names that come in
//      by the hundred would confirm each other before anybody who has shown something looks.
//   3. They come from different networks where those elsewhere are half of the donors or more. Rationale of the half: whoever is alone in a
//      network cannot do half of everybody's work.
//   4. Where nobody is to be had who keeps all rules, the last one is dropped, then the one before it, and so on. Rationale: a unit never waits
//      for a donor that is not there. A swarm that is all new, or all in one house, works as if there were no rules.
//   5. This peer itself fits everywhere.
// The caller says who is to be had: whoever answers and is leased to. A donor that is silent or gives units back is not.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "coordinatorless/core/agreement.h"
#include "coordinatorless/core/endpoint.h"

namespace dugnad::core {

class Placement {
 public:
  struct Present {
    DonorIndex donor = 0;
    std::optional<Endpoint> address{};  // none: behind a relay
    bool newcomer = false;
  };
  /// Who is to be had, this peer left out.
  void set_present(const std::vector<Present>& present);

  /// Whether `donor` may have a unit whose attempts, lapsed ones aside, are these.
  [[nodiscard]] bool may_join(std::span<const AttemptRecord> attempts, DonorIndex donor) const;

 private:
  /// All that are alike for the rules.
  struct Place {
    std::array<std::uint8_t, 16> address{};
    std::uint64_t network = 0;
    bool newcomer = false;
    auto operator<=>(const Place&) const = default;
  };
  [[nodiscard]] bool fit(const Place& one, const Place& other, int rules) const;

  std::vector<std::optional<Place>> place_of_;  // by donor; where it was last
  std::vector<Place> places_;                   // where somebody is, each once
  std::map<std::uint64_t, std::size_t> in_network_;
  std::size_t present_ = 0;
};

}  // namespace dugnad::core
