#include "coordinatorless/core/audit_plan.h"

#include <algorithm>
#include <cmath>

#include "coordinatorless/base/panic.h"

namespace dugnad::core {

AuditDraw draw_audits(Generator& generator) {
  AuditDraw draw;
  draw.own = generator.share();
  draw.donors = generator.share();
  return draw;
}

unsigned audits_wanted(const AuditDraw& draw, const AuditLevel& level) {
  return draw.donors < level.donors ? static_cast<unsigned>(level.donors - draw.donors) + 1 : 0;
}

bool within_detection(const AuditDraw& draw, const AuditLevel& level, double assumed) {
  return audited_by_submitter(draw, level) || draw.donors < 1.0 - missed_by_donors(level.donors, assumed);
}

double missed_by_donors(double audits, double assumed) {
  const double whole = std::floor(audits);
  return std::pow(assumed, whole) * (1.0 - (audits - whole) * (1.0 - assumed));
}

double detection(const AuditLevel& level, double assumed) { return 1.0 - (1.0 - level.own) * missed_by_donors(level.donors, assumed); }

void CatchTally::hit(unsigned hits) {
  switch (hits) {
    case 0: ++once; break;
    case 1: --once, ++twice; break;
    case 2: --twice, ++more; break;
    default: break;
  }
}

double charge(const CatchTally& tally, double allowed) {
  const auto lucky = static_cast<double>(tally.once + tally.twice);
  const auto all = static_cast<double>(tally.total());
  return 1.25 * (1.0 + lucky + 0.5 * std::log1p(all)) + lucky * lucky * std::min(8.0, 0.5 * std::pow(allowed, -1.5));
}

namespace {
double allowed_wrong(const AuditTerms& terms) { return terms.error * static_cast<double>(terms.units); }
}  // namespace

AuditLevel level_needed(const AuditTerms& terms, const CatchTally& tally) {
  DUGNAD_ASSERT(terms.units > 0 && terms.error > 0 && terms.assumed >= 0 && terms.assumed < 1, "a block has units, an error and an f");
  const double allowed = allowed_wrong(terms);
  const double missed = allowed / (charge(tally, allowed) + allowed);  // 1 - λ where g · charge = E
  AuditLevel level;
  level.own = std::min(terms.own, 1.0 - missed);
  double left = missed / (1.0 - level.own);  // that donors may miss
  if (left >= 1.0) return level;
  while (left < terms.assumed && level.donors < donor_audits_max) left /= terms.assumed, ++level.donors;
  level.donors += (1.0 - left) / (1.0 - terms.assumed);
  if (terms.assumed > 0 && level.donors > donor_audits_max) level.own = 1.0, level.donors = donor_audits_max;
  return level;
}

double wrong_expected_most(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally) {
  const double found = detection(level, terms.assumed);
  if (found <= 0) return static_cast<double>(terms.units);
  return std::min(static_cast<double>(terms.units), odds_missed(found) * charge(tally, allowed_wrong(terms)));
}

bool is_final(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally) {
  const double allowed = allowed_wrong(terms);
  const double rounding = 1e-9 * allowed + 1e-12 * charge(tally, allowed);  // level_needed() solves for equality, and 1 - λ loses digits
  return wrong_expected_most(terms, level, tally) <= allowed + rounding;
}

}  // namespace dugnad::core
