// LeaseNotes: the leases of one job that are out for long, as its submitter's next process is to find them.
//
// Specification
//   1. A lease that is out for lease_noted_after is noted, with its units and of which inputs they are, since when it is out and until when it is
//      valid; within lease_notes_max and lease_note_units_max. What has come back of it is known from the journal's other rows. Rationale: an
//      attempt of hours must not be begun anew because the submitter was started again; one of seconds is not worth a row.
//   2. The next process takes it up under the same number, unit by unit as they come, as if the donor's link had broken (job.h, rule 3), but that
//      everybody has restored_grace from its start: the donor comes back and goes on, or the units go to others. A unit whose input has changed
//      is another. Rationale: who was leased what was decided then; no donor can choose now.
//   3. The next process numbers its leases above all that this one can have given. Rationale: a result under an older number than the attempt's is
//      late, one under a newer was never asked for.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/core/lease_book.h"

namespace dugnad::core {

class LeaseNotes {
 public:
  struct Earlier {
    LeaseId lease;
    PeerId donor;
    BootTime sent{};
    BootTime expires{};
    std::uint64_t input_tag = 0;
  };

  /// Those of an earlier process; what makes no sense is left out, and forgotten like the rest once nothing is out under it.
  LeaseNotes(const std::vector<NoteRow>& notes, Now now);
  /// Rule 3. `otherwise`: where there are no notes.
  [[nodiscard]] static LeaseId first_after(const std::vector<NoteRow>& notes, LeaseId otherwise);

  /// Whose leases are to be taken up.
  [[nodiscard]] std::set<PeerId> donors() const;
  /// The leases that a unit which has come now was out under, the latest first, which replaced the others of its donor; once.
  [[nodiscard]] std::vector<Earlier> take(UnitIndex unit);
  /// Whether that unit of that lease is to come.
  [[nodiscard]] bool awaits(LeaseId lease, UnitIndex unit) const;
  [[nodiscard]] bool awaits_any() const { return !to_come_.empty(); }
  /// No more units come.
  void all_came() { to_come_.clear(), earlier_.clear(); }

  /// When look() is due: `any`: leases are out.
  [[nodiscard]] BootTime next_look(bool any, BootTime now);
  [[nodiscard]] BootTime next_look() const { return next_; }
  /// Leases have new numbers.
  void look_at_once(BootTime now) { next_ = now; }
  /// Who has a place, nullptr where its leases are not noted; and of which input a unit is, nullopt where it is not out.
  using DonorOf = std::function<const PeerId*(DonorIndex)>;
  using TagOf = std::function<std::optional<std::uint64_t>(UnitIndex)>;
  /// Adds the rows that make the notes right.
  void look(const JobId& job, const LeaseBook& leases, const DonorOf& donor_of, const TagOf& tag_of, Now now, std::vector<Row>& rows);
  /// The job has ended.
  void end(const JobId& job, std::vector<Row>& rows);

 private:
  std::map<LeaseId, std::size_t> noted_;  // how many units each note has
  std::size_t units_noted_ = 0;
  std::map<LeaseId, std::size_t> to_come_;  // units of earlier leases that have not come again
  std::multimap<UnitIndex, Earlier> earlier_;
  BootTime next_ = never;
};

}  // namespace dugnad::core
