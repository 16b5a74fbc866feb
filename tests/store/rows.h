// Rows for the store's tests.
#pragma once

#include "coordinatorless/base/rows.h"

namespace dugnad::store {

inline JobId job_named(std::uint8_t name) {
  JobId job;
  job.bytes.fill(name);
  return job;
}

inline PeerId peer_named(std::uint8_t name) {
  PeerId peer;
  peer.bytes.fill(name);
  return peer;
}

inline WallTime wall(std::int64_t milliseconds) { return WallTime(std::chrono::milliseconds(milliseconds)); }

/// `count` units from `first` on; the output tells the unit.
inline AcceptedRow accepted_row(const JobId& job, std::uint64_t first, std::uint64_t count) {
  AcceptedRow row{job, {}};
  for (std::uint64_t unit = first; unit < first + count; ++unit) {
    row.units.push_back({{unit}, unit * 3, Outcome::ok, to_bytes("output of " + std::to_string(unit))});
  }
  return row;
}

inline bool is_as_written(const AcceptedUnit& unit) {
  return unit.input_tag == unit.unit.value * 3 && unit.outcome == Outcome::ok &&
         unit.output.bytes == to_bytes("output of " + std::to_string(unit.unit.value));
}

}  // namespace dugnad::store
