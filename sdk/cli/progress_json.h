// A job's progress as the members of a JSON object: the same in `submit --json` and `status --json`.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "dugnad/swarm.h"

namespace dugnad::sdk::cli {

[[nodiscard]] inline nlohmann::ordered_json or_null(const std::optional<std::uint64_t>& number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
}

inline void add(nlohmann::ordered_json& object, const Progress& progress) {
  object["units_done"] = progress.units_done;
  object["units_expected"] = or_null(progress.units_expected);
  object["units_failed"] = progress.units_failed;
  object["units_resumed"] = progress.units_resumed;
  object["attempts"] = progress.attempts;
  object["donors"] = progress.donors;
  object["copies_in_reach"] = progress.copies_in_reach;
  object["units_held"] = progress.units_held;
  object["units_own"] = progress.units_own;
  object["convictions"] = progress.convicted;
}

}  // namespace dugnad::sdk::cli
