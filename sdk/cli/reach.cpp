#include "sdk/cli/reach.h"

#include <algorithm>
#include <cstdio>

#include "coordinatorless/core/confidence.h"

namespace dugnad::sdk::cli {

std::string offer_instead(const Confidence& wanted) {
  const core::ConfidenceGoal goal{wanted.probability, false, wanted.assume, core::Finality::end};
  constexpr unsigned most = 16;
  const auto copies = core::copies_instead(goal, 1, most);
  if (!copies) return "--copies " + std::to_string(most) + " is possible, and does not come near it";
  const unsigned offered = std::max(*copies, 2U);
  char text[160];
  std::snprintf(text, sizeof text,
                "--copies %u is possible, with which %.6g of the units are right where lies that agree are %.3g of all results", offered,
                1 - core::wrong_by_copies(offered, wanted.assume), wanted.assume);
  return text;
}

std::string out_of_reach(const std::string& why, const Confidence& wanted) {
  return "a confidence is out of reach: " + why + "; " + offer_instead(wanted);
}

}  // namespace dugnad::sdk::cli
