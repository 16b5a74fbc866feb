// StatedConfidence: what a job with a confidence came to, as its submitter states it: kept beside the evidence, from which an auditor derives again
// what can be derived. The bytes: u8 1, u8 flags (1 combined, 2 checked), u64 bits of goal, assumed and reached, varint count, and for each block
// varint units, u64 bits of level, varint audits, varint catches.
#pragma once

#include <optional>
#include <vector>

#include "coordinatorless/base/bytes.h"

namespace dugnad::core {

struct StatedBlock {
  std::uint64_t units = 0;
  double level = 0;  // of the audits when the block became final (core/audit_plan.h)
  std::uint64_t audits = 0;
  std::uint64_t catches = 0;
  bool operator==(const StatedBlock&) const = default;
};

struct StatedConfidence {
  double goal = 0;        // as core/confidence.h has these
  bool combined = false;
  double assumed = 0;
  double reached = 0;
  std::vector<StatedBlock> blocks;  // that are final; at most stated_blocks_max
  bool checked = false;             // by the task's check, each result (core/job_checks.h), instead of by audits
  bool operator==(const StatedConfidence&) const = default;
};

[[nodiscard]] Bytes encode(const StatedConfidence& stated);
/// nullopt for anything that encode() does not write of probabilities within [0, 1] and a finite level that is not negative.
[[nodiscard]] std::optional<StatedConfidence> decode_stated_confidence(ByteView bytes);

}  // namespace dugnad::core
