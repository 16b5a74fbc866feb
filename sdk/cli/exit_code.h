// What the program's exit code says; contract.md fixes the numbers, so that scripts can rely on them.
#pragma once

namespace dugnad::sdk::cli {

enum class ExitCode : int {
  ok = 0,           // every unit was accepted
  environment = 1,  // the machine refuses: a directory, a port, a disk; of `audit`: the evidence does not hold
  bad_usage = 2,
  units_failed = 3,   // each was named, with its reason
  nobody = 4,         // nobody to compute within --wait
  out_of_reach = 5,   // fewer different donors than copies, after --wait
  interrupted = 130,  // the job can be resumed
};

}  // namespace dugnad::sdk::cli
