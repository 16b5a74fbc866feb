// The same with data: inputs and outputs that are blobs, of which each process that dies has some in its hands.
#include "tests/e2e/reaper.h"
#include "tests/e2e/shouting.h"

namespace dugnad::e2e {

TEST_CASE("submitter and workers are killed while large inputs and outputs travel: every output is right, and each unit accepted once") {
  Reaper reaper(1, 3, {"--allow", "any"});
  const Shouting job(reaper.place(), 300, 600'000);
  reaper.run({job.guest() + " --copies 2 --files " + job.source()[1] + " --out " + job.out()[1], job.out(), std::nullopt}, 12);
  job.check_outputs();
}

}  // namespace dugnad::e2e
