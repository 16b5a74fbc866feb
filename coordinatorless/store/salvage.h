// Salvage: what is whole of a damaged journal, put into a new one that is sound.
//
// Specification
//   1. A row is whole where its sum says so (row_sum.h). Rows of an older version have none: they are taken where they make sense, and counted.
//   2. A unit whose row is lost is computed again when its job is resumed. A job that was done and may have lost some is unfinished again.
//   3. What is held of a job's results is a log that is told to a ledger again (core/held_log.h), so it may end early and must not have a hole. A row
//      that is missing may be any job's, unless the index still says whose; what each of these held is dropped from there on. Where units of
//      the job were accepted behind the hole, all of it is dropped: a ledger that does not know why they are final would wait for them.
//   4. Rows in order have the numbers 1, 2, ..., as none is ever deleted; so a missing one is noticed. The new journal numbers them anew.
//   5. What another row contradicts: of the same key the newest counts; of the same unit the later, as always (sdk/resume.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "coordinatorless/base/result.h"
#include "coordinatorless/store/store.h"

namespace dugnad::store {

enum class HeldSaved : std::uint8_t { all, up_to_the_damage, nothing };

struct SalvagedJob {
  bool known = false;  // how it was submitted is saved, so it can be resumed
  Bytes recipe{};
  std::uint64_t units_saved = 0;
  std::uint64_t units_lost = 0;  // as far as is known
  bool maybe_more_lost = false;  // rows are missing of which it is not known whose they are
  bool reopened = false;         // it was done
  HeldSaved held = HeldSaved::all;
};

struct Salvaged {
  std::map<JobId, SalvagedJob> jobs;
  std::uint64_t rows_lost = 0;                                             // of accepted units, evidence and what is held
  std::uint64_t rows_unknown = 0;                                          // saved, but without a sum: an older version has written them
  std::uint64_t contacts = 0, receipts = 0, favours = 0, reputations = 0;  // saved
};

/// Writes a new journal at `to`, where nothing is, of what is whole in the one at `from`, which nobody has open; it stays as it is.
[[nodiscard]] Result<Salvaged> salvage(const std::string& from, const std::string& to);

}  // namespace dugnad::store
