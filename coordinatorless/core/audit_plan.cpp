#include "coordinatorless/core/audit_plan.h"

#include <algorithm>
#include <cmath>

#include "coordinatorless/base/panic.h"

namespace dugnad::core {

double assumed_left(double assumed, double caught) {
  constexpr double least = 0.25;
  return caught >= assumed ? least * assumed : std::max(least * assumed, (assumed - caught) / (1.0 - caught));
}

AuditDraw draw_audits(Generator& generator) {
  AuditDraw draw;
  draw.own = generator.share();
  draw.donors = generator.share();
  return draw;
}

unsigned audits_wanted(const AuditDraw& draw, const AuditLevel& level) {
  return draw.donors < level.donors ? static_cast<unsigned>(level.donors - draw.donors) + 1 : 0;
}

double missed_by_donors(double audits, double assumed) {
  const double whole = std::floor(audits);
  return std::pow(assumed, whole) * (1.0 - (audits - whole) * (1.0 - assumed));
}

double detection(const AuditLevel& level, double assumed) { return 1.0 - (1.0 - level.own) * missed_by_donors(level.donors, assumed); }

double Catch::charge() const {
  if (forfeited == 0) return 1.0;
  return found >= 1.0 ? 0.0 : std::max(0.0, 1.0 - forfeited / odds_missed(found));
}

void CatchTally::forfeit(Catch& caught) {
  charged -= caught.charge();
  ++caught.forfeited;
  charged += caught.charge();
}

double charge(const CatchTally& tally, double allowed) {
  const double s = std::max(0.0, tally.charged);  // sums of differences may end a rounding below zero
  return 1.2 * (1.0 + 1.1 * s + 0.5 * std::log1p(static_cast<double>(tally.catches))) + s * s * std::min(8.0, 0.4 / (allowed * allowed));
}

namespace {

/// A block that has set nearly everything aside recomputes nearly everything, rather than to divide by nothing.
double allowed_wrong(const AuditTerms& terms) {
  const double all = terms.error * static_cast<double>(terms.units);
  return std::max(all - terms.set_aside, 0.001 * all);
}

/// The level at which a share `missed` of the lies is missed, or less where that takes more than donor_audits_max.
AuditLevel level_missing(double missed, const AuditTerms& terms) {
  AuditLevel level;
  level.own = std::min(terms.own, 1.0 - missed);
  double left = missed / (1.0 - level.own);  // that donors may miss
  if (left >= 1.0) return level;
  while (left < terms.assumed && level.donors < donor_audits_max) left /= terms.assumed, ++level.donors;
  level.donors += (1.0 - left) / (1.0 - terms.assumed);
  if (terms.assumed > 0 && level.donors > donor_audits_max) level.own = 1.0, level.donors = donor_audits_max;
  return level;
}

}  // namespace

AuditLevel level_needed(const AuditTerms& terms, const CatchTally& tally) {
  DUGNAD_ASSERT(terms.units > 0 && terms.error > 0 && terms.assumed >= 0 && terms.assumed < 1, "a block has units, an error and an f");
  const double allowed = allowed_wrong(terms);
  return level_missing(allowed / (charge(tally, allowed) + allowed), terms);  // g · charge = E
}

namespace {
double charge_on_probation(const CatchTally& tally) { return 1.2 * (1.0 + 1.1 * std::max(0.0, tally.charged)); }
}  // namespace

AuditLevel probation_level(const AuditTerms& terms, const CatchTally& tally) {
  const double allowed = terms.error * static_cast<double>(terms.units);
  const double odds = std::min(allowed / 50.0, 0.5 * allowed / charge_on_probation(tally));
  return level_missing(odds / (1.0 + odds), terms);
}

double set_aside_for_probation(const AuditTerms& terms, const AuditLevel& level, const CatchTally& tally) {
  return odds_missed(detection(level, terms.assumed)) * charge_on_probation(tally);
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
