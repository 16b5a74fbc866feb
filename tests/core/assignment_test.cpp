#include "coordinatorless/core/assignment.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/core/stewarded_job.h"

namespace dugnad::core::test {
namespace {

Hash key(std::uint8_t first) {
  Hash hash;
  hash.bytes[0] = first;
  return hash;
}

PeerId donor(std::size_t number) {
  PeerId peer;
  peer.bytes[0] = static_cast<std::uint8_t>(number);
  peer.bytes[1] = static_cast<std::uint8_t>(number >> 8);
  peer.bytes[2] = 1;
  return peer;
}

/// So many donors, each in its own network.
std::vector<DeedDonor> spread(std::size_t count) {
  std::vector<DeedDonor> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back({donor(i), far_away(static_cast<unsigned>(i))});
  return all;
}

constexpr std::uint64_t units = 4000;

}  // namespace

TEST_CASE("every donor of a deed gets its share of the units, and of every place among a unit's donors") {
  const Assignment assignment(make_deed(key(1), 1, spread(10)));
  std::vector<unsigned> first(10), second(10);
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    const auto places = assignment.donors_of({unit}, 2);
    REQUIRE(places.size() == 2);
    CHECK(places[0] != places[1]);
    ++first[places[0]];
    ++second[places[1]];
  }
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(first[i] > 300);
    CHECK(first[i] < 500);
    CHECK(second[i] > 300);
    CHECK(second[i] < 500);
  }
}

TEST_CASE("assignments follow from the deed alone, fewer donors are the first of more, and another version assigns others") {
  const Assignment one(make_deed(key(1), 1, spread(20))), again(make_deed(key(1), 1, spread(20))), other(make_deed(key(1), 2, spread(20)));
  unsigned same = 0;
  for (std::uint64_t unit = 0; unit < 400; ++unit) {
    const auto places = one.donors_of({unit}, 3);
    CHECK(places == again.donors_of({unit}, 3));
    CHECK(one.donors_of({unit}, 1).front() == places.front());
    same += other.donors_of({unit}, 1).front() == places.front() ? 1 : 0;
  }
  CHECK(same < 60);
}

TEST_CASE("a donor is assigned exactly the units whose donors it is among, and a stranger none") {
  const Deed deed = make_deed(key(1), 1, spread(5));
  const Assignment assignment(deed);
  for (std::uint64_t unit = 0; unit < 50; ++unit) {
    const auto places = assignment.donors_of({unit}, 2);
    for (std::uint32_t place = 0; place < 5; ++place) {
      const bool is_among = std::find(places.begin(), places.end(), place) != places.end();
      CHECK(assignment.assigns({unit}, deed.donors[place].donor, 2) == is_among);
    }
    CHECK_FALSE(assignment.assigns({unit}, donor(99), 2));
  }
}

TEST_CASE("donors of a unit are at different addresses where there are enough, and all behind relays count as one") {
  std::vector<DeedDonor> donors = spread(2);
  for (std::size_t i = 2; i < 40; ++i) donors.push_back({donor(i), i % 2 == 0 ? std::optional(at("9.9.9.9:4000")) : std::nullopt});
  const Assignment assignment(make_deed(key(1), 1, donors));
  for (std::uint64_t unit = 0; unit < 200; ++unit) {
    std::set<std::optional<Endpoint>> addresses;
    for (const auto place : assignment.donors_of({unit}, 3)) addresses.insert(donors[place].address);
    CHECK(addresses.size() == 3);
  }
}

TEST_CASE("donors of one network are not put beside each other, unless half of all or more are in it") {
  const auto pairs = [](std::size_t crowd, std::size_t others) {
    std::vector<DeedDonor> donors = spread(others);
    for (std::size_t i = 0; i < crowd; ++i) donors.push_back({donor(500 + i), at("9.9.1." + std::to_string(1 + i) + ":4000")});
    const Assignment assignment(make_deed(key(1), 1, donors));
    unsigned beside = 0;
    for (std::uint64_t unit = 0; unit < 500; ++unit) {
      const auto places = assignment.donors_of({unit}, 2);
      REQUIRE(places.size() == 2);
      beside += places[0] >= others && places[1] >= others ? 1 : 0;
    }
    return beside;
  };
  CHECK(pairs(40, 60) == 0);
  CHECK(pairs(60, 40) > 100);
}

TEST_CASE("newcomers that come by the hundred are not put beside each other while somebody has shown something") {
  std::vector<DeedDonor> donors = spread(100);
  for (std::size_t i = 3; i < donors.size(); ++i) donors[i].newcomer = true;
  const Assignment assignment(make_deed(key(1), 1, donors));
  for (std::uint64_t unit = 0; unit < 300; ++unit) {
    const auto places = assignment.donors_of({unit}, 2);
    REQUIRE(places.size() == 2);
    CHECK((places[0] < 3 || places[1] < 3));
  }
}

TEST_CASE("a unit has as many different donors as there are, whatever rules they break") {
  std::vector<DeedDonor> donors;
  for (std::size_t i = 0; i < 64; ++i) donors.push_back({donor(i), loopback(4000), true});
  const Assignment assignment(make_deed(key(1), 1, donors));
  for (std::uint64_t unit = 0; unit < 20; ++unit) {
    const auto places = assignment.donors_of({unit}, limits::copies_max);
    CHECK(std::set(places.begin(), places.end()).size() == 64);
  }
  CHECK(Assignment(make_deed(key(1), 1, {})).donors_of({0}, 2).empty());
  donors.assign(5, donors.front());
  CHECK(Assignment(make_deed(key(1), 1, donors)).donors_of({0}, 2).size() == 1);
}

TEST_CASE("a deed is sound as it was made, and in no other way") {
  const Hash secret = key(7);
  const Deed deed = make_deed(secret, 3, spread(4));
  CHECK(is_sound(deed, secret));
  CHECK_FALSE(is_sound(deed, key(8)));
  const auto spoilt = [&](auto spoil) {
    Deed other = deed;
    spoil(other);
    return !is_sound(other, secret);
  };
  CHECK(spoilt([](Deed& d) { ++d.version; }));
  CHECK(spoilt([](Deed& d) { d.donors.pop_back(); }));
  CHECK(spoilt([](Deed& d) { std::swap(d.donors[0], d.donors[1]); }));
  CHECK(spoilt([](Deed& d) { d.donors[0].donor = donor(77); }));
  CHECK(spoilt([](Deed& d) { d.donors[0].address.reset(); }));
  CHECK(spoilt([](Deed& d) { d.donors[0].newcomer = true; }));
}

TEST_CASE("the secret follows from the owner's key, the swarm and the job's nonce") {
  const Identity owner(1), other(2);
  const Hash secret = assignment_secret(*owner.crypto, swarm, key(1));
  CHECK(secret == assignment_secret(*owner.crypto, swarm, key(1)));
  CHECK(secret != assignment_secret(*owner.crypto, swarm, key(2)));
  CHECK(secret != assignment_secret(*owner.crypto, swarm_id("another"), key(1)));
  CHECK(secret != assignment_secret(*other.crypto, swarm, key(1)));
  CHECK(commitment_to(secret) != secret);
}

}  // namespace dugnad::core::test
