#include "coordinatorless/core/placement.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::core;

namespace {

std::optional<Endpoint> at(const char* text) { return Endpoint::parse(text); }

Placement placed(const std::vector<std::optional<Endpoint>>& addresses, const std::vector<bool>& newcomers = {}) {
  std::vector<Placement::Present> present;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    present.push_back({static_cast<DonorIndex>(i), addresses[i], i < newcomers.size() && newcomers[i]});
  }
  Placement placement;
  placement.set_present(present);
  return placement;
}

/// Whether `donor` may have a unit that these have or had.
bool joins(const Placement& placement, const std::vector<DonorIndex>& holders, DonorIndex donor, AttemptState state = AttemptState::voted) {
  std::vector<AttemptRecord> attempts;
  for (const DonorIndex holder : holders) attempts.push_back({LeaseId{1}, holder, state});
  return placement.may_join(attempts, donor);
}

}  // namespace

TEST_CASE("two that share an address have no unit in common while another address is there") {
  const Placement two = placed({at("10.1.0.1:1"), at("10.1.0.1:2"), at("10.1.0.2:1")});
  CHECK_FALSE(joins(two, {0}, 1));
  CHECK(joins(two, {0}, 2));
  CHECK(joins(two, {0}, 1, AttemptState::lapsed));
  CHECK(joins(two, {0, 2}, 1));  // both addresses have had it, and a third attempt is wanted
  CHECK(joins(placed({at("10.1.0.1:1"), at("10.1.0.1:2")}), {0}, 1));
}

TEST_CASE("a hundred names at one address do not outnumber the one elsewhere") {
  std::vector<std::optional<Endpoint>> addresses(100, at("10.1.0.1:1"));
  addresses.push_back(at("10.1.0.2:1"));
  const Placement placement = placed(addresses);
  CHECK_FALSE(joins(placement, {0}, 1));
  CHECK(joins(placement, {0}, 100));
}

TEST_CASE("all that are behind relays count as one address") {
  const Placement placement = placed({std::nullopt, std::nullopt, at("10.1.0.1:1")});
  CHECK_FALSE(joins(placement, {0}, 1));
  CHECK(joins(placement, {0}, 2));
}

TEST_CASE("networks differ where half of the donors are elsewhere") {
  CHECK(joins(placed({at("10.1.0.1:1"), at("10.1.0.2:1"), at("10.2.0.1:1")}), {0}, 1));
  const Placement half = placed({at("10.1.0.1:1"), at("10.1.0.2:1"), at("10.2.0.1:1"), at("10.3.0.1:1")});
  CHECK_FALSE(joins(half, {0}, 1));
  CHECK(joins(half, {0}, 2));
}

TEST_CASE("two newcomers do not confirm each other while others are there") {
  const std::vector<std::optional<Endpoint>> apart{at("10.1.0.1:1"), at("10.2.0.1:1"), at("10.3.0.1:1")};
  const Placement mixed = placed(apart, {true, true, false});
  CHECK_FALSE(joins(mixed, {0}, 1));
  CHECK(joins(mixed, {0}, 2));
  CHECK(joins(mixed, {2}, 0));
  CHECK(joins(placed(apart, {true, true, true}), {0}, 1));
}

TEST_CASE("where nobody keeps all rules, those that weigh more still hold") {
  // The only other address is a newcomer's, and so is the holder.
  const Placement placement = placed({at("10.1.0.1:1"), at("10.1.0.1:2"), at("10.2.0.1:1")}, {true, false, true});
  CHECK(joins(placement, {0}, 2));
  CHECK_FALSE(joins(placement, {0}, 1));
}

TEST_CASE("this peer itself fits everywhere, and in nobody's way") {
  const Placement placement = placed({at("10.1.0.1:1"), at("10.1.0.1:2"), at("10.1.0.2:1")}, {true, true, false});
  constexpr DonorIndex self = 7;  // never among those present
  CHECK(joins(placement, {0}, self));
  CHECK(joins(placement, {self}, 0));
}
