// HeldOutput: a large output that a donor keeps for its submitter, in words that outlast the donor's process.
#pragma once

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/time.h"

namespace dugnad {

struct HeldOutput {
  JobId job;
  UnitIndex unit;
  BlobId output;
  PublicKey owner;   // of the job
  PeerId submitter;  // who leased the unit out, and may revoke it
  WallTime until{};  // the submitter has fetched it by then, or never does
  bool operator==(const HeldOutput&) const = default;
};

}  // namespace dugnad
