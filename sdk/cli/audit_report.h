// What `dugnad audit` says of a job or of one of its units: text for people, an object for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "coordinatorless/core/recheck.h"
#include "coordinatorless/core/stated_confidence.h"
#include "sdk/cli/recompute.h"

namespace dugnad::sdk::cli {

struct Audited {
  const core::CheckedPapers& papers;
  std::optional<Recipe> recipe;
  std::optional<core::StatedConfidence> stated;
  std::uint32_t needed = 0;  // peers that must agree on a unit
  core::Findings findings;
  std::optional<Recomputed> recomputed;

  /// Units that the submitter states are final, where they are more than were accepted.
  [[nodiscard]] bool overstates() const;
  [[nodiscard]] bool holds() const { return findings.holds() && !overstates() && (!recomputed || recomputed->differing.empty()); }
};

[[nodiscard]] std::string text_of(const Audited& audited);
[[nodiscard]] nlohmann::ordered_json json_of(const Audited& audited);

/// One unit: what was accepted, who said what, and why it is believed, or is not.
struct AuditedUnit {
  UnitIndex unit;
  const core::Claim& accepted;
  const std::vector<core::Testimony>& testimonies;
  std::uint32_t needed = 0;
  std::optional<core::UnitFinding> doubt;  // none: confirmed
};

[[nodiscard]] std::string text_of(const AuditedUnit& unit);
[[nodiscard]] nlohmann::ordered_json json_of(const AuditedUnit& unit);

/// Ascending numbers in few words: "3-5, 9".
[[nodiscard]] std::string ranges(const std::vector<UnitIndex>& units);

}  // namespace dugnad::sdk::cli
