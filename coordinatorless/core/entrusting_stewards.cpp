// The half of Entrusting that chooses stewards, names them in a delegation, and says which donors may compute what while they lead.
#include <algorithm>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/entrusting.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr Duration replaced_after = std::chrono::minutes(2);  // a steward whose link broke
constexpr Duration look_again = std::chrono::seconds(1);  // for more that are willing, while there are too few: whoever has just joined knows few

}  // namespace

// --- Who they are ---

std::vector<PeerId> Entrusting::in_order(const JobId& id, std::vector<PeerId> peers) const {
  std::vector<std::pair<Hash, PeerId>> drawn;
  for (const PeerId& peer : peers) drawn.emplace_back(hash_of(id.view(), peer.view()), peer);
  std::sort(drawn.begin(), drawn.end());
  for (std::size_t i = 0; i < peers.size(); ++i) peers[i] = drawn[i].second;
  return peers;
}

void Entrusting::ask(const Entrusted& job, const PeerId& peer, Output& out) {
  if (job.stewards.at(peer).linked) out.send(peer, Entrust{job.manifest_raw, job.delegation_raw});
}

void Entrusting::choose(const JobId& id, Entrusted& job, Now now, Output& out) {
  job.choose_at = now.boot + look_again;
  std::vector<PeerId> silent;
  for (const auto& [peer, steward] : job.stewards) {
    if (!steward.holds && now.boot >= steward.asked_at + limits::entrust_retry) silent.push_back(peer);
    if (steward.holds && steward.lost_at != never && now.boot >= steward.lost_at + replaced_after) silent.push_back(peer);
  }
  for (const PeerId& peer : silent) drop(job, peer, now);
  if (job.gathers || job.stewards.size() >= job.wanted) {
    job.choose_at = now.boot + limits::entrust_retry;
    return;
  }
  std::vector<PeerId> willing;
  std::map<PeerId, ContactRecord> records;
  for (ContactRecord& record : membership_.known()) {
    const PeerId peer = record.peer();
    if (!record.steward_bytes || job.stewards.contains(peer) || job.passed_over.contains(peer)) continue;
    willing.push_back(peer);
    records.emplace(peer, std::move(record));
  }
  const bool is_long_ago = now.boot >= job.passed_over_since + limits::entrust_retry;
  if ((willing.empty() && is_long_ago) || job.passed_over.size() >= limits::stewards_passed_over_max) {  // perhaps they have room by then
    job.passed_over.clear();
    job.gave_up.clear();
  }
  for (const PeerId& peer : in_order(id, std::move(willing))) {
    if (job.stewards.size() >= job.wanted) break;
    job.stewards[peer] = {.asked_at = now.boot, .linked = linked_.contains(peer)};
    needed_.push_back(records.at(peer));
    ask(job, peer, out);
  }
}

void Entrusting::drop(Entrusted& job, const PeerId& peer, Now now) {
  const auto at = job.stewards.find(peer);
  if (at == job.stewards.end()) return;
  if (at->second.holds) job.delegate_at = std::min(job.delegate_at, now.boot + limits::entrust_gather);
  job.stewards.erase(at);
  if (job.passed_over.empty()) job.passed_over_since = now.boot;
  job.passed_over.insert(peer);
  job.choose_at = now.boot;
  released_.push_back(peer);
}

void Entrusting::delegate(const JobId& id, Entrusted& job, Now now, Output& out) {
  job.delegate_at = never;
  std::vector<PeerId> holders;
  for (const auto& [peer, steward] : job.stewards) {
    if (steward.holds || !job.begun) holders.push_back(peer);  // of a job that is sought, those of before
  }
  holders = in_order(id, std::move(holders));
  if (job.begun && holders == job.delegates) return;
  job.delegates = holders;
  job.delegated_at = now.boot;
  Delegation delegation{id, ++job.epoch, {self_.id}};
  delegation.peers.insert(delegation.peers.end(), holders.begin(), holders.end());
  job.delegation_raw.body = encode(delegation);
  job.delegation_raw.signature = self_.sign_as_owner(Domain::delegation, job.delegation_raw.body);
  delegated_.push_back({id, job.manifest_raw, job.delegation_raw});
  for (const auto& [peer, steward] : job.stewards) ask(job, peer, out);
}

// --- What they are told of donors ---

void Entrusting::renew_deed(const JobId& id, Entrusted& job, const Present& present, Now now) {
  job.deed_again = std::clamp<Duration>(2 * job.deed_again, limits::deed_after, limits::deed_interval);
  job.deed_at = now.boot + job.deed_again;
  if (job.deeds.size() >= limits::deeds_max) return;
  const auto is_there = [](const auto& each) { return each.second.holds && each.second.linked; };
  if (std::none_of(job.stewards.begin(), job.stewards.end(), is_there)) return;
  std::vector<DeedDonor> donors = present(id);
  // Stewards may die, and the others have the less to wait for the fewer units are theirs; but who are few are all needed.
  const auto is_steward = [&](const DeedDonor& donor) { return job.stewards.contains(donor.donor); };
  const auto stewards = static_cast<std::size_t>(std::count_if(donors.begin(), donors.end(), is_steward));
  const std::size_t others = donors.size() - stewards;
  if (others >= 2 * stewards && others > donors_wanted(job.manifest)) std::erase_if(donors, is_steward);
  if (donors.size() > limits::deed_donors_max) donors.resize(limits::deed_donors_max);
  if (donors.empty()) return;
  if (!job.deeds.empty()) {
    const auto& before = job.deeds.back().deed().donors;
    const auto is_new = [&](const DeedDonor& donor) {
      const auto is_it = [&](const DeedDonor& other) { return other.donor == donor.donor && other.newcomer == donor.newcomer; };
      return std::none_of(before.begin(), before.end(), is_it);
    };
    if (4 * static_cast<std::size_t>(std::count_if(donors.begin(), donors.end(), is_new)) < before.size()) return;
  }
  const auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(now.wall.time_since_epoch().count(), 0));
  const std::uint64_t version = std::max(clock, job.deeds.empty() ? 0 : job.deeds.back().deed().version + 1);
  Deed deed = make_deed(job.secret, version, std::move(donors));
  job.deeds.emplace_back(deed);
  say(job, OwnersWord{.job = id, .units = {}, .finals = {}, .collected = {}, .deed = std::move(deed), .recipe = {}}, now);
  if (job.deeds.size() == 1) job.whole_at = job.record.end();
}

}  // namespace dugnad::core
