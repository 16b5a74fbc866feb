#include "coordinatorless/core/assignment.h"

#include <algorithm>
#include <set>

#include "coordinatorless/base/hash.h"

namespace dugnad::core {
namespace {

constexpr int all_rules = 3;
constexpr unsigned draws_most = 8;  // before all are looked at

Hash key_of(const Hash& secret, std::uint64_t version, const std::vector<DeedDonor>& donors) {
  Hasher hasher;
  hasher.add(secret.view()).add(version).add(std::uint64_t{donors.size()});
  for (const DeedDonor& each : donors) {
    hasher.add(each.donor.view());
    const Endpoint address = each.address.value_or(Endpoint{});
    hasher.add(address.ip).add(std::uint64_t{address.port}).add(std::uint64_t{each.newcomer});
  }
  return hasher.finish();
}

/// Of one unit, one after another.
class Draws {
 public:
  Draws(const Hash& key, UnitIndex unit) : key_(key), unit_(unit) {}
  std::uint32_t below(std::size_t count) {
    const std::size_t place = drawn_ % 4;
    if (place == 0) four_ = Hasher().add(key_.view()).add(unit_.value).add(drawn_ / 4).finish();
    ++drawn_;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) number |= std::uint64_t{four_.bytes[8 * place + i]} << (8 * i);
    return static_cast<std::uint32_t>(number % count);
  }

 private:
  const Hash& key_;
  const UnitIndex unit_;
  Hash four_;
  std::uint64_t drawn_ = 0;
};

}  // namespace

Hash assignment_secret(Crypto& owner, const SwarmId& swarm, const Hash& nonce) {
  const Signature signature = owner.sign(signed_bytes(Domain::assignment, swarm, nonce.view()));
  return hash_of(signature);
}

Hash commitment_to(const Hash& secret) { return hash_of(secret.view()); }

Deed make_deed(const Hash& secret, std::uint64_t version, std::vector<DeedDonor> donors) {
  const Hash key = key_of(secret, version, donors);
  return {version, key, std::move(donors)};
}

bool is_sound(const Deed& deed, const Hash& secret) { return deed.key == key_of(secret, deed.version, deed.donors); }

Assignment::Assignment(Deed deed) : deed_(std::move(deed)) {
  std::set<std::array<std::uint8_t, 16>> addresses;
  std::map<std::uint64_t, std::size_t> in_network;
  for (std::uint32_t place = 0; place < deed_.donors.size(); ++place) {
    const DeedDonor& donor = deed_.donors[place];
    const Endpoint address = donor.address.value_or(Endpoint{});
    place_of_.emplace(donor.donor, place);
    where_.push_back({address.ip, group_of(address), false});
    addresses.insert(address.ip);
    ++in_network[where_.back().network];
    if (!donor.newcomer) ++confirmed_;
  }
  for (Whereabouts& where : where_) where.is_crowded = 2 * (where_.size() - in_network[where.network]) < where_.size();
  addresses_ = addresses.size();
}

/// By the first so many rules.
bool Assignment::fit(std::uint32_t one, std::uint32_t other, int rules) const {
  if (deed_.donors[one].donor == deed_.donors[other].donor) return false;
  if (rules >= 1 && where_[one].address == where_[other].address) return false;
  if (rules >= 2 && deed_.donors[one].newcomer && deed_.donors[other].newcomer) return false;
  return rules < 3 || where_[one].network != where_[other].network || where_[one].is_crowded;
}

std::vector<std::uint32_t> Assignment::donors_of(UnitIndex unit, unsigned count) const {
  std::vector<std::uint32_t> chosen;
  const std::size_t wanted = std::min<std::size_t>(count, place_of_.size());
  const auto fits = [&](std::uint32_t place, int rules) {
    return std::all_of(chosen.begin(), chosen.end(), [&](std::uint32_t other) { return fit(place, other, rules); });
  };
  Draws draws(deed_.key, unit);
  int rules = addresses_ < wanted ? 0 : confirmed_ + 1 < wanted ? 1 : all_rules;
  while (chosen.size() < wanted) {
    std::optional<std::uint32_t> place;
    for (unsigned i = 0; i < draws_most && !place; ++i) {
      const std::uint32_t drawn = draws.below(where_.size());
      if (fits(drawn, rules)) place = drawn;
    }
    if (!place) {  // few of them do
      std::vector<std::uint32_t> fitting;
      for (std::uint32_t each = 0; each < where_.size(); ++each) {
        if (fits(each, rules)) fitting.push_back(each);
      }
      if (!fitting.empty()) place = fitting[draws.below(fitting.size())];
    }
    if (place) chosen.push_back(*place);
    else --rules;  // by none at all there is somebody
  }
  return chosen;
}

bool Assignment::assigns(UnitIndex unit, const PeerId& donor, unsigned count) const {
  const auto at = place_of_.find(donor);
  if (at == place_of_.end()) return false;
  const auto donors = donors_of(unit, count);
  return std::find(donors.begin(), donors.end(), at->second) != donors.end();
}

}  // namespace dugnad::core
