// Patience: when a job that cannot get on is given up. Pure: told how things stand, it says whether to go on.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "dugnad/swarm.h"
#include "sdk/cli/exit_code.h"

namespace dugnad::sdk::cli {

class Patience {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `wait`: so long it bears in a row that the copies are out of reach; nullopt: for ever.
  Patience(std::optional<std::chrono::milliseconds> wait, unsigned copies, Time now) : wait_(wait), copies_(copies), short_since_(now) {}

  /// nullopt: go on. `nobody` where no donor is there, `out_of_reach` where there are some, but fewer than copies, or where all of them have
  /// computed some unit and disagree. A unit that is accepted meanwhile counts as getting on: donors that have left may have done their part.
  [[nodiscard]] std::optional<ExitCode> look(const Progress& progress, Time now) {
    if (in_reach(progress) >= copies_ || progress.units_done != units_done_ || progress.ended) {
      short_since_ = now;
      units_done_ = progress.units_done;
      return std::nullopt;
    }
    if (!wait_ || now < short_since_ + *wait_) return std::nullopt;
    return progress.donors == 0 ? ExitCode::nobody : ExitCode::out_of_reach;
  }

  /// So many copies are possible with the donors there are.
  [[nodiscard]] static std::uint32_t in_reach(const Progress& progress) { return std::min(progress.donors, progress.copies_in_reach); }

 private:
  const std::optional<std::chrono::milliseconds> wait_;
  const unsigned copies_;
  Time short_since_;
  std::uint64_t units_done_ = 0;
};

}  // namespace dugnad::sdk::cli
