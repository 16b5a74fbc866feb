#include "coordinatorless/core/block_levels.h"

#include <algorithm>

namespace dugnad::core {
namespace {

AuditLevel higher(const AuditLevel& a, const AuditLevel& b) { return {std::max(a.own, b.own), std::max(a.donors, b.donors)}; }

}  // namespace

BlockLevels::BlockLevels(const AuditTerms& terms) : terms_(terms), assumed_(terms.assumed) {
  class_of(false).level = level_needed(terms_, {});
  class_of(true).level = probation_level(terms_, {});
}

void BlockLevels::shrink(std::uint64_t units) { terms_.units = units; }

double BlockLevels::found(bool probation, std::uint32_t round) const {
  const Class& of = class_of(probation);
  return round < round_ ? of.found_before : detection(of.level, terms_.assumed);
}

void BlockLevels::landed(bool probation) {
  ++landed_;
  anyone_on_probation_ = anyone_on_probation_ || probation;
}

std::size_t BlockLevels::add_catch(bool probation, double found) {
  catches_.push_back({{found, 0}, probation});
  class_of(probation).tally.add(catches_.back().caught);
  return catches_.size() - 1;
}

void BlockLevels::forfeited(std::size_t catch_place) {
  Charged& charged = catches_[catch_place];
  class_of(charged.probation).tally.forfeit(charged.caught);
}

bool BlockLevels::raise() {
  Class& established = class_of(false);
  Class& on_probation = class_of(true);
  for (Class& each : classes_) each.found_before = detection(each.level, terms_.assumed);
  terms_.assumed = assumed_left(assumed_, static_cast<double>(caught_results_) / static_cast<double>(std::max<std::uint64_t>(landed_, 1)));
  AuditLevel wanted = on_probation.level;
  if (anyone_on_probation_) {
    wanted = higher(wanted, probation_level(terms_, on_probation.tally));
    terms_.set_aside = set_aside_for_probation(terms_, wanted, on_probation.tally);
  }
  if (is_final(terms_, established.level, established.tally) && wanted == on_probation.level) return false;
  ++round_;
  established.level = higher(established.level, level_needed(terms_, established.tally));
  on_probation.level = higher(wanted, established.level);
  return true;
}

}  // namespace dugnad::core
