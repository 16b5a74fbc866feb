#include "coordinatorless/core/known_answers.h"

#include <algorithm>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

void KnownAnswers::add(UnitIndex unit, ShortDigest answer) {
  DUGNAD_ASSERT(units_.size() < limits::known_answers_max, "more known answers than a job may have");
  units_.emplace(unit, Known{answer, {}});
}

std::vector<KnownAnswers::Finding::Guilty> KnownAnswers::guilty_of(const Known& known, ShortDigest right) {
  std::vector<Finding::Guilty> guilty;
  for (const Answer& one : known.others) {
    if (one.digest == right) continue;
    const auto alike = std::count_if(known.others.begin(), known.others.end(), [&](const Answer& other) { return other.digest == one.digest; });
    guilty.push_back({one.donor, alike > 1});
  }
  return guilty;
}

KnownAnswers::Finding KnownAnswers::returned(UnitIndex unit, DonorIndex donor, ShortDigest digest, bool others) {
  Known& known = units_.at(unit);
  Finding finding;
  if (digest == known.answer) {
    finding.guilty = guilty_of(known, known.answer);
    finding.next = Finding::Next::done;
    units_.erase(unit);
    return finding;
  }
  known.others.push_back({donor, digest});
  finding.next = known.others.size() > 1 || !others ? Finding::Next::own : Finding::Next::second;
  return finding;
}

KnownAnswers::Finding KnownAnswers::recomputed(UnitIndex unit, ShortDigest digest) {
  const Known& known = units_.at(unit);
  Finding finding;
  finding.guilty = guilty_of(known, digest);
  finding.answer_is_wrong = digest != known.answer;
  finding.next = Finding::Next::done;
  units_.erase(unit);
  return finding;
}

}  // namespace dugnad::core
