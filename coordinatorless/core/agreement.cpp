#include "coordinatorless/core/agreement.h"

#include <algorithm>
#include <array>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {

AttemptRecord* UnitHistory::attempt_of(DonorIndex donor) {
  const auto found = std::find_if(attempts.begin(), attempts.end(), [&](const AttemptRecord& a) { return a.donor == donor; });
  return found == attempts.end() ? nullptr : &*found;
}

bool UnitHistory::vote(AttemptRecord& attempt, const Hash& digest, Outcome outcome, Value output) {
  auto place = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.digest == digest; });
  const bool is_new = place == candidates.end();
  if (is_new) {
    // That of votes that became void is free: else there could be more of them than a group's number tells apart.
    place = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) {
      return std::none_of(attempts.begin(), attempts.end(), [&](const AttemptRecord& a) {
        return a.state == AttemptState::voted && a.group == &c - candidates.data();
      });
    });
    if (place == candidates.end()) place = candidates.emplace(candidates.end());
    *place = {digest, outcome, std::move(output)};
  }
  attempt.state = AttemptState::voted;
  attempt.group = static_cast<std::uint8_t>(place - candidates.begin());
  return is_new;
}

void UnitHistory::fault(const AttemptRecord& attempt, std::string reason) {
  const DonorIndex donor = attempt.donor;
  forget(attempt);
  Seldom& known = seldom();
  ++known.faults;
  const bool named = std::find(known.unable.begin(), known.unable.end(), donor) != known.unable.end();
  if (!named && known.unable.size() < limits::donor_faults_per_unit_max) known.unable.push_back(donor);
  known.last_fault = std::move(reason);
}

void UnitHistory::forget(const AttemptRecord& attempt) { attempts.erase(attempts.begin() + (&attempt - attempts.data())); }

std::size_t UnitHistory::votes() const {
  return static_cast<std::size_t>(
      std::count_if(attempts.begin(), attempts.end(), [](const AttemptRecord& attempt) { return attempt.state == AttemptState::voted; }));
}

bool is_to_blame(const UnitHistory& history, std::size_t present) {
  if (history.faults() >= limits::unit_faults_max) return true;
  constexpr std::size_t enough = limits::donor_faults_per_unit_max;
  return history.faults() >= enough && history.unable() + history.votes() >= std::min(enough, present);
}

Verdict wanting(const UnitHistory& history, unsigned results) {
  const auto had = static_cast<unsigned>(std::count_if(history.attempts.begin(), history.attempts.end(), [](const AttemptRecord& attempt) {
    return attempt.state != AttemptState::lapsed;
  }));
  Verdict verdict;
  verdict.leases_wanted = had < results ? results - had : 0;
  return verdict;
}

std::size_t votes_max(unsigned copies) { return std::max<std::size_t>(limits::attempts_per_unit_max, std::size_t{3} * copies); }

Verdict judge(const UnitHistory& history, unsigned copies, std::size_t present) {
  static_assert(limits::attempts_per_unit_max < 256 && 3 * limits::copies_max < 256, "a group's number fits a byte");
  std::array<unsigned, 256> votes{};
  unsigned running = 0, voted = 0;
  std::uint8_t best = 0;
  for (const AttemptRecord& attempt : history.attempts) {
    switch (attempt.state) {
      case AttemptState::leased: ++running; break;
      case AttemptState::lapsed: break;
      case AttemptState::voted:
        ++voted;
        ++votes[attempt.group];
        if (votes[attempt.group] > votes[best]) best = attempt.group;
        break;
    }
  }
  Verdict verdict;
  if (votes[best] >= copies) {
    verdict.kind = Verdict::Kind::settled;
    verdict.group = best;
  } else if (voted >= votes_max(copies)) {
    verdict.kind = Verdict::Kind::failed;
    verdict.reason = "no " + std::to_string(copies) + " of " + std::to_string(voted) + " donors returned the same result";
  } else if (is_to_blame(history, present)) {
    verdict.kind = Verdict::Kind::failed;
    verdict.reason = std::to_string(history.faults()) + " attempts could not finish it; the last said: " + history.last_fault();
  } else {
    const unsigned hoped = votes[best] + running;
    verdict.leases_wanted = hoped < copies ? copies - hoped : 0;
  }
  return verdict;
}

}  // namespace dugnad::core
