#include "coordinatorless/core/early_messages.h"

#include <algorithm>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {

bool EarlyMessages::may_wait(BootTime now) {
  if (!until_) until_ = now + limits::restored_grace;
  return now < *until_;
}

std::size_t EarlyMessages::bytes_of(const core::Results& results) {
  std::size_t bytes = 0;
  for (const UnitResult& result : results.results) bytes += sizeof result + result.output.bytes.size();
  return bytes;
}

bool EarlyMessages::has_room(const PeerId& from, std::size_t bytes) const {
  auto of_peer = static_cast<std::size_t>(std::count_if(wants_.begin(), wants_.end(), [&](const Want& each) { return each.from == from; }));
  std::size_t bytes_of_peer = bytes;
  for (const Results& each : results_) {
    if (each.from != from) continue;
    ++of_peer;
    bytes_of_peer += bytes_of(each.said);
  }
  return wants_.size() + results_.size() < limits::early_messages_max && bytes_ + bytes <= limits::early_bytes_max &&
         of_peer < limits::early_of_peer_max && bytes_of_peer <= limits::early_of_peer_bytes;
}

void EarlyMessages::lost(const PeerId& peer) {
  std::erase_if(wants_, [&](const Want& each) { return each.from == peer; });
}

void EarlyMessages::keep(Want want) {
  std::erase_if(wants_, [&](const Want& each) { return each.from == want.from && each.said.job == want.said.job; });
  if (has_room(want.from, 0)) wants_.push_back(std::move(want));
}

void EarlyMessages::keep(Results results) {
  const std::size_t bytes = bytes_of(results.said);
  if (!has_room(results.from, bytes)) return;
  bytes_ += bytes;
  results_.push_back(std::move(results));
}

std::vector<EarlyMessages::Want> EarlyMessages::take_wants(const JobId& job) {
  std::vector<Want> taken;
  for (Want& each : wants_) {
    if (each.said.job == job) taken.push_back(each);
  }
  std::erase_if(wants_, [&](const Want& each) { return each.said.job == job; });
  return taken;
}

void EarlyMessages::drop(const JobId& job) {
  (void)take_wants(job);
  (void)take_results(job, [](const core::Results&) { return true; });
}

}  // namespace dugnad::core
