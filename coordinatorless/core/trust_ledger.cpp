#include "coordinatorless/core/trust_ledger.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

ShortDigest short_digest(const Hash& digest) {
  ShortDigest beginning = 0;
  for (std::size_t i = 0; i < sizeof beginning; ++i) beginning |= ShortDigest{digest.bytes[i]} << (8 * i);
  return beginning;
}

// --- Blocks ---

void TrustLedger::open_block(const AuditTerms& terms) {
  blocks_.push_back(std::make_unique<Block>(units_, terms));
  units_ += terms.units;
}

void TrustLedger::end_block(UnitNumber at) {
  DUGNAD_ASSERT(!blocks_.empty() && at > blocks_.back()->first && at <= units_, "a block ends within itself");
  Block& block = *blocks_.back();
  const std::uint64_t left = at - block.first;
  block.unreturned -= block.units.size() - left;
  block.units.resize(left);
  block.levels.shrink(left);
  units_ = at;
}

bool TrustLedger::only_lacks_from(UnitNumber at) const {
  if (blocks_.empty() || at <= blocks_.back()->first || at >= units_) return false;
  const Block& block = *blocks_.back();
  return block.unreturned == units_ - at && block.own_wanted == 0 && block.audits_out == 0;
}

TrustLedger::Block* TrustLedger::any_block_of(UnitNumber unit) const {
  if (unit >= units_) return nullptr;
  auto at = std::upper_bound(blocks_.begin(), blocks_.end(), unit, [](UnitNumber u, const auto& block) { return u < block->first; });
  return at == blocks_.begin() ? nullptr : (--at)->get();
}

TrustLedger::Block* TrustLedger::block_of(UnitNumber unit) const {
  Block* block = any_block_of(unit);
  return block == nullptr || block->final ? nullptr : block;
}

ShortDigest TrustLedger::final_digest(UnitNumber unit) const {
  const Block* block = any_block_of(unit);
  DUGNAD_ASSERT(block != nullptr && block->final, "a unit that is not final, or was released");
  return block->units[unit - block->first].digest;
}

bool TrustLedger::stands(UnitNumber number, DonorIndex donor, ShortDigest digest) const {
  const Block* block = any_block_of(number);
  if (block == nullptr) return false;
  const Unit& unit = block->units[number - block->first];
  if (block->final || unit.decided) return unit.digest == digest;
  return (unit.returned && unit.holder == donor) ||
         std::any_of(unit.audits.begin(), unit.audits.end(), [&](const Audit& audit) { return audit.donor == donor; });
}

void TrustLedger::release(UnitNumber below) {
  while (!blocks_.empty() && blocks_.front()->final && blocks_.front()->first + blocks_.front()->units.size() <= below) blocks_.pop_front();
}

const TrustLedger::Unit* TrustLedger::find(UnitNumber unit) const {
  const Block* block = block_of(unit);
  return block == nullptr ? nullptr : &block->units[unit - block->first];
}

TrustLedger::Stakes& TrustLedger::Block::stakes_of(DonorIndex donor) {
  if (donor >= stakes.size()) stakes.resize(donor + 1);
  return stakes[donor];
}

unsigned TrustLedger::Unit::audits_out() const {
  if (!returned || decided || own_wanted || wanted <= audits.size()) return 0;
  return wanted - static_cast<unsigned>(audits.size());
}

template <class Change>
void TrustLedger::change(Block& block, Unit& unit, Change change) {
  block.audits_out -= unit.audits_out();
  change();
  block.audits_out += unit.audits_out();
}

unsigned TrustLedger::results_wanted(UnitNumber number) const {
  const Unit* unit = find(number);
  if (unit == nullptr || unit->decided) return 0;
  if (unit->returned) return 1 + static_cast<unsigned>(unit->audits.size()) + unit->audits_out();
  return unit->own_wanted ? 0 : 1;
}

TrustLedger::State TrustLedger::state(UnitNumber number) const {
  const Unit* unit = find(number);
  if (unit == nullptr) return {};
  return {unit->returned, unit->decided, unit->own_wanted, unit->holder, unit->digest, unit->audits_out()};
}

double TrustLedger::detection() const {
  if (blocks_.empty()) return 1;
  const BlockLevels& levels = blocks_.back()->levels;
  return levels.found(false, levels.round());
}

TrustLedger::Wishes TrustLedger::take_wishes() { return std::exchange(wishes_, {}); }

// --- What comes in ---

void TrustLedger::joined(DonorIndex donor, Past past) {
  if (donor >= standings_.size()) standings_.resize(donor + 1);
  standings_[donor] = {};
  Standing& standing = standings_[donor];
  standing.newcomer = standing.probation = past == Past::convicted || (anyone_caught_ && past != Past::known);
  standing.checked = past == Past::known;
}

bool TrustLedger::returned(UnitNumber number, DonorIndex donor, ShortDigest digest, Generator& generator) {
  Block* block = block_of(number);
  DUGNAD_ASSERT(block != nullptr, "a result of a unit that is in no block, or final");
  const auto place = static_cast<Place>(number - block->first);
  const Unit& unit = block->units[place];
  if (unit.decided || standings_[donor].branded) return false;
  if (unit.returned) {
    compare(*block, place, donor, digest);
  } else {
    accept(*block, place, donor, digest, generator);
  }
  return true;
}

void TrustLedger::accept(Block& block, Place place, DonorIndex donor, ShortDigest digest, Generator& generator) {
  Unit& unit = block.units[place];
  Standing& standing = standings_[donor];
  unit.holder = donor;
  unit.digest = digest;
  unit.returned = true;
  unit.round = block.levels.round();
  unit.probation = standing.probation;
  unit.draw = draw_audits(generator);
  --block.unreturned;
  ++held_;
  block.levels.landed(standing.probation);
  block.stakes_of(donor).held.push_back(place);
  const bool is_first = check_first_ && !std::exchange(standing.checked, true);
  const bool is_new = standing.newcomer && anyone_established_;
  const bool tells = unit.forfeited && std::any_of(unit.forfeited->begin(), unit.forfeited->end(), [&](const Forfeited& former) {
                       return former.digest != digest && block.levels.charges(former.catch_place);
                     });
  if (is_first || is_new || tells) {
    want_own(block, place, Cause::sure);
    if (is_first) wishes_.firsts.push_back(block.first + place);
  } else {
    apply_level(block, place);
  }
}

void TrustLedger::compare(Block& block, Place place, DonorIndex donor, ShortDigest digest) {
  Unit& unit = block.units[place];
  change(block, unit, [&] { unit.audits.push_back({donor, digest}); });
  if (digest != unit.digest) {
    want_own(block, place, Cause::drawn);
    if (std::exchange(unit.disputed, true)) return;
    ++standings_[unit.holder].disputes;
    wishes_.disputed.push_back(block.first + place);
    return;
  }
  block.stakes_of(donor).audited.push_back(place);
  ++standings_[unit.holder].record.verified;
}

void TrustLedger::apply_level(Block& block, Place place) {
  Unit& unit = block.units[place];
  if (!unit.returned || unit.decided || unit.own_wanted) return;
  const AuditLevel& level = block.levels.level(unit.probation);
  if (audited_by_submitter(unit.draw, level)) return want_own(block, place, Cause::drawn);
  const unsigned wanted = audits_wanted(unit.draw, level);
  if (wanted <= unit.wanted) return;
  change(block, unit, [&] { unit.wanted = static_cast<std::uint8_t>(wanted); });
  if (unit.audits_out() > 0) wishes_.more.push_back(block.first + place);
}

void TrustLedger::want_own(Block& block, Place place, Cause cause) {
  Unit& unit = block.units[place];
  if (unit.own_wanted || unit.decided) return;
  change(block, unit, [&] { unit.own_wanted = true; });
  unit.cause = cause;
  ++block.own_wanted;
  wishes_.own.push_back(block.first + place);
}

void TrustLedger::unwant_own(Block& block, Unit& unit) {
  block.own_wanted -= std::exchange(unit.own_wanted, false);
  if (std::exchange(unit.disputed, false)) --standings_[unit.holder].disputes;
}

void TrustLedger::nobody_audits(UnitNumber number) {
  Block* block = block_of(number);
  if (block == nullptr) return;
  const auto place = static_cast<Place>(number - block->first);
  if (block->units[place].audits_out() > 0) want_own(*block, place, Cause::drawn);
}

void TrustLedger::nobody_computes(UnitNumber number) {
  if (Block* block = block_of(number)) want_own(*block, static_cast<Place>(number - block->first), Cause::sure);
}

void TrustLedger::given_up(UnitNumber number) {
  Block* block = block_of(number);
  if (block == nullptr) return;
  Unit& unit = block->units[number - block->first];
  if (unit.decided) return;
  change(*block, unit, [&] { unit.decided = true; });
  unwant_own(*block, unit);
  if (!std::exchange(unit.returned, true)) --block->unreturned, ++held_;
  unit.holder = nobody;
  wishes_.decided.push_back(number);
}

// --- Verdicts ---

void TrustLedger::recomputed(UnitNumber number, ShortDigest digest) {
  Block* block = block_of(number);
  if (block == nullptr) return;
  const auto place = static_cast<Place>(number - block->first);
  Unit& unit = block->units[place];
  if (unit.decided) return;
  change(*block, unit, [&] { unit.decided = true; });
  const bool drawn = !unit.own_wanted || unit.cause == Cause::drawn;  // a look that nothing called for counts like a draw
  unwant_own(*block, unit);
  const Unit found = std::exchange(unit, Unit{});
  if (!found.returned) --block->unreturned, ++held_;
  ++own_;
  unit.returned = unit.decided = true;
  unit.digest = digest;
  unit.holder = found.returned && found.digest == digest ? found.holder : nobody;
  if (found.forfeited) {
    for (const Forfeited& former : *found.forfeited) {
      if (former.digest != digest) block->levels.forfeited(former.catch_place);
    }
  }
  wishes_.decided.push_back(number);
  if (!found.returned) return;
  std::optional<Hit> hit;
  if (drawn) hit = Hit{block, place, block->levels.found(found.probation, found.round), found.probation, found.round};
  judge(found, digest, number, hit);
}

/// Whoever returned something wrong is convicted: the holder first.
void TrustLedger::judge(const Unit& found, ShortDigest right, UnitNumber unit, const std::optional<Hit>& hit) {
  const auto company = [&](ShortDigest digest) {
    return (found.digest == digest) + std::count_if(found.audits.begin(), found.audits.end(), [&](const Audit& a) { return a.digest == digest; }) > 1;
  };
  if (found.digest == right) {
    ++standings_[found.holder].record.verified;
  } else {
    convict(found.holder, unit, hit, company(found.digest));
  }
  for (const Audit& audit : found.audits) {
    if (audit.digest != right) convict(audit.donor, unit, std::nullopt, company(audit.digest));
  }
}

void TrustLedger::convict(DonorIndex donor, UnitNumber unit, const std::optional<Hit>& hit, bool colluded) {
  if (standings_[donor].branded) return;
  anyone_caught_ = true;
  std::uint64_t cost = 1;
  for (const auto& block : blocks_) {
    if (!block->final) cost += forfeit(*block, donor, hit && hit->block == block.get() ? hit : std::nullopt);
  }
  Standing& standing = standings_[donor];
  if (standing.probation) cost_of_newcomers_ += cost;
  ++standing.record.errors;
  standing.record.colluded = standing.record.colluded || colluded;
  const Sentence sentence = judge_culprit(standing.record);
  if (sentence == Sentence::forgiven) {
    standing.newcomer = standing.probation = true;
    standing.final_results = 0;
    standing.checked = false;
  } else {
    standing.branded = true;
  }
  wishes_.convicted.push_back({donor, unit, sentence});
}

std::uint64_t TrustLedger::forfeit(Block& block, DonorIndex donor, const std::optional<Hit>& hit) {
  const Stakes stakes = std::exchange(block.stakes_of(donor), {});
  if (!standings_[donor].probation) block.levels.caught_results(stakes.held.size());
  const std::size_t catch_place = hit ? block.levels.add_catch(hit->probation, hit->found) : 0;
  const bool raised_over = hit && hit->round < block.levels.round();
  bool counts = hit.has_value();
  std::uint64_t cost = 0;
  for (const Place place : stakes.held) {
    Unit& unit = block.units[place];
    if (hit && !raised_over && place == hit->unit) counts = false;
    if (reopened_by({unit.holder == donor && unit.returned, false, unit.decided, false}) != Reopening::result) continue;
    if (raised_over) {
      counts = unit.round < block.levels.round();
    } else if (unit.audits_out() > 0 || (unit.own_wanted && unit.cause == Cause::drawn)) {
      counts = false;
    }
    if (counts) {
      if (!unit.forfeited) unit.forfeited = std::make_unique<std::vector<Forfeited>>();
      unit.forfeited->push_back({catch_place, unit.digest});
    }
    reopen(block, place);
    ++cost;
  }
  for (const Place place : stakes.audited) {
    Unit& unit = block.units[place];
    bool had = false;
    change(block, unit, [&] { had = std::erase_if(unit.audits, [&](const Audit& audit) { return audit.donor == donor; }) > 0; });
    if (reopened_by({false, had, unit.decided, false}) != Reopening::audit) continue;
    ++cost;
    wishes_.void_audits.emplace_back(block.first + place, donor);
    if (unit.audits_out() > 0) wishes_.more.push_back(block.first + place);
  }
  return cost;
}

void TrustLedger::reopen(Block& block, Place place) {
  Unit& unit = block.units[place];
  change(block, unit, [&] {
    unwant_own(block, unit);
    unit.returned = false;
    unit.holder = nobody;
    unit.audits.clear();
    unit.wanted = 0;
  });
  ++block.unreturned;
  --held_;
  wishes_.reopened.push_back(block.first + place);
}

// --- The end of a block ---

bool TrustLedger::end_turn() {
  bool any = false;
  for (const auto& block : blocks_) {
    while (block->has_all()) {
      any = true;
      if (block->levels.raise()) {
        look_through(*block);
      } else {
        close(*block);
      }
    }
  }
  for (const auto& block : blocks_) {
    if (!block->final || block->first != final_units_) continue;
    final_units_ += block->units.size();
    held_ -= block->units.size();
  }
  return any;
}

void TrustLedger::look_through(Block& block) {
  for (Place place = 0; place < block.units.size(); ++place) apply_level(block, place);
}

void TrustLedger::close(Block& block) {
  block.final = true;
  for (DonorIndex donor = 0; donor < block.stakes.size(); ++donor) {
    const auto& held = block.stakes[donor].held;
    const auto stands = [&](Place place) { return block.units[place].holder == donor; };
    const auto results = static_cast<std::uint64_t>(std::count_if(held.begin(), held.end(), stands));
    if (results > 0) standings_[donor].newcomer = false;
    standings_[donor].final_results += results;
  }
  const AuditLevel& level = block.levels.level(false);
  level_sum_ += level.own + (1.0 - level.own) * level.donors;
  ++closed_;
  StatedBlock stated{block.units.size(), level.own + (1.0 - level.own) * level.donors, 0, block.levels.catches()};
  for (const Unit& unit : block.units) stated.audits += unit.audits.size() + unit.decided;
  if (closed_blocks_.size() < limits::stated_blocks_max) {
    closed_blocks_.push_back(stated);
  } else {
    StatedBlock& rest = closed_blocks_.back();
    rest = {rest.units + stated.units, std::max(rest.level, stated.level), rest.audits + stated.audits, rest.catches + stated.catches};
  }
  reached_.block_final(block.levels.terms(), level, block.levels.tally());
}

}  // namespace dugnad::core
