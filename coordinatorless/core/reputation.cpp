#include "coordinatorless/core/reputation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr double still_counts = 0.5;  // of a conviction
constexpr double parts = 1000;        // on disk, numbers are thousandths

}  // namespace

Reputations::Record Reputations::Record::at(WallTime now) const {
  if (now <= as_of) return *this;
  const double lives = seconds_of(now - as_of) / seconds_of(limits::reputation_half_life);
  const double left = std::exp2(-lives);
  return {credit * left, blame * left, now, changed};
}

Past Reputations::past(const PeerId& donor, WallTime now) const {
  const auto found = records_.find(donor);
  if (found == records_.end()) return Past::unknown;
  const Record record = found->second.at(now);
  if (record.blame >= still_counts) return Past::convicted;
  return record.credit >= credit_known ? Past::known : Past::unknown;
}

Reputations::Record& Reputations::open(const PeerId& donor, WallTime now) {
  auto found = records_.find(donor);
  if (found == records_.end()) {
    if (records_.size() >= limits::reputations_max) {
      const auto worth = [now](const auto& entry) {
        const Record record = entry.second.at(now);
        return std::pair(record.blame < still_counts, record.credit);
      };
      const auto is_less = [&](const auto& one, const auto& other) { return worth(one) < worth(other); };
      const auto least = std::min_element(records_.begin(), records_.end(), is_less);
      forgotten_.push_back(least->first);
      records_.erase(least);
    }
    found = records_.emplace(donor, Record{.as_of = now}).first;
  }
  found->second = found->second.at(now);
  found->second.changed = any_changed_ = true;
  return found->second;
}

void Reputations::verified(const PeerId& donor, std::uint64_t results, WallTime now) {
  if (results == 0) return;
  Record& record = open(donor, now);
  record.credit = std::min(credit_max, record.credit + static_cast<double>(results));
}

void Reputations::convicted(const PeerId& donor, bool branded, WallTime now) {
  Record& record = open(donor, now);
  record.credit = 0;
  if (branded) record.blame = std::min(blame_max, record.blame + 1);
}

// --- On disk: credit and blame in thousandths, and the time that they are of ---

Bytes Reputations::encoded(const Record& record) {
  Bytes bytes;
  packed::put_varint(bytes, static_cast<std::uint64_t>(std::llround(record.credit * parts)));
  packed::put_varint(bytes, static_cast<std::uint64_t>(std::llround(record.blame * parts)));
  packed::put_u64(bytes, static_cast<std::uint64_t>(record.as_of.time_since_epoch().count()));
  return bytes;
}

std::optional<Reputations::Record> Reputations::decoded(ByteView bytes) {
  packed::Reader reader(bytes);
  const auto credit = reader.varint(), blame = reader.varint(), as_of = reader.u64();
  constexpr std::uint64_t latest = std::uint64_t{1} << 48;  // milliseconds: the year 10889
  if (!credit || !blame || !as_of || *as_of > latest || reader.left() > 0) return std::nullopt;
  if (static_cast<double>(*credit) > credit_max * parts || static_cast<double>(*blame) > blame_max * parts) return std::nullopt;
  return Record{static_cast<double>(*credit) / parts, static_cast<double>(*blame) / parts, WallTime(std::chrono::milliseconds(*as_of))};
}

void Reputations::restored(const std::vector<ReputationRow>& rows) {
  for (const ReputationRow& row : rows) {
    if (records_.size() >= limits::reputations_max) return;
    if (const auto record = decoded(row.record)) records_.insert_or_assign(row.donor, *record);
  }
}

std::vector<Row> Reputations::take_rows(const SwarmId& swarm, BootTime now, bool at_once) {
  if (!any_changed_ || (!at_once && now < written_at_ + limits::accounts_interval)) return {};
  any_changed_ = false;
  written_at_ = now;
  std::vector<Row> rows;
  for (const PeerId& donor : std::exchange(forgotten_, {})) {
    if (!records_.contains(donor)) rows.push_back(ReputationRow{swarm, donor, {}});
  }
  for (auto& [donor, record] : records_) {
    if (std::exchange(record.changed, false)) rows.push_back(ReputationRow{swarm, donor, encoded(record)});
  }
  return rows;
}

}  // namespace dugnad::core
