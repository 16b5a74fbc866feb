// A confidence that is out of reach, because nothing here could settle a dispute: how that is said, and what is possible instead.
#pragma once

#include <string>

#include "dugnad/swarm.h"

namespace dugnad::sdk::cli {

/// What plain voting would come to, of a unit: how many units there will be is not known before the job has begun.
[[nodiscard]] std::string offer_instead(const Confidence& wanted);

/// Of a job that has not begun; `why` this machine settles no disputes.
[[nodiscard]] std::string out_of_reach(const std::string& why, const Confidence& wanted);

inline constexpr const char* computes_nothing = "with --local 0 this machine computes nothing, which would settle disputes";

}  // namespace dugnad::sdk::cli
