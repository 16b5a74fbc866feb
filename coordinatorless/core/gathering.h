// Gathering: the units of somebody else's job, as one of its stewards knows them: which there are, which are over, whose results are wanted and which
// of these are there. While the steward leads, it leases them out. It judges nothing: what it gathers is believed by whoever can check it.
//
// Specification
//   1. A unit is leased to its assigned donors alone (core/assignment.h), in their order: of a job by copies to all of them, of one by confidence to
//      the first, or to the second while the first is away. Results of others would not count.
//   2. A result is gathered where it was asked for, and says that it was computed from the unit's input. A frame of a donor's is kept where half of
//      it or more is wanted. Rationale: it is kept whole, and must not be a way to fill a steward. A donor that could not compute a unit has it
//      again behind its others, three times in all.
//   3. A donor has a window of units, as core/pace.h sizes it. Leases that lapse go back to their donor's line: nobody else may have them.
//   4. A unit with a large input is leased once the input is here (core/held_values.h).
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/core/assignment.h"
#include "coordinatorless/core/lease_book.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/pace.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

class Gathering {
 public:
  Gathering(const Self& self, const JobId& job, Manifest manifest);

  // --- What is known. Each says whether it was news. ---

  bool add_units(std::vector<LeasedUnit> units);
  bool add_finals(const std::vector<FinalUnit>& units);
  bool add_deed(const Deed& deed);
  /// Results that a member of the stewardship has. `collected`: by the submitter, who may have asked anybody.
  bool add_results(const PeerId& donor, const Results& results, bool collected);

  // --- While it leads ---

  void lead(bool leads, Output& out);
  void on_want(const PeerId& from, const Want& want);
  /// The signature holds. Whether anything in it was wanted: then all of it is worth keeping.
  [[nodiscard]] bool on_results(const PeerId& from, const Results& results, BootTime now);
  void on_return(const PeerId& from, const Return& returned, BootTime now);
  void lost(const PeerId& donor, BootTime now);
  /// Leases what can be leased.
  void tick(BootTime now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return deadline_; }
  [[nodiscard]] std::vector<PeerId> donors() const;
  /// Units may be assigned to it.
  [[nodiscard]] bool is_for(const PeerId& donor) const;
  [[nodiscard]] bool knows(const PeerId& donor) const { return index_of_.contains(donor); }

  // --- Large values ---

  /// What has become known of them, since last asked.
  struct Large {
    std::vector<std::pair<UnitIndex, BlobId>> inputs;
    struct Returned {
      UnitIndex unit;
      BlobId output;
      PeerId donor;
    };
    std::vector<Returned> outputs;  // that were gathered
    std::vector<UnitIndex> done;    // units whose inputs nobody needs any more
    std::vector<UnitIndex> final;
  };
  [[nodiscard]] Large take_large() { return std::exchange(large_, {}); }
  /// A unit's large input is here, or is no more.
  void set_input_here(UnitIndex unit, bool here);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t units() const { return units_.size(); }
  /// Of these, that have every result that is wanted, or are over.
  [[nodiscard]] std::uint64_t units_done() const { return units_done_; }

 private:
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};
  struct Unit {
    Bytes input;
    std::array<std::uint8_t, input_digest_bytes> digest{};
    std::vector<DonorIndex> has;  // whose results are there: at most as many as are wanted
    bool done = false;
    bool large = false;      // `input` is a blob's name
    bool ready = true;       // its input is here
    bool has_blobs = false;  // its input is large, or an output that was gathered
  };
  struct Donor {
    PeerId id;
    bool assigned = false;  // by the newest deed
    bool connected = false;
    unsigned slots = 0;
    Pace pace{};
    std::size_t leased = 0;
    std::deque<UnitIndex> line;      // first of its units come first
    std::deque<UnitIndex> stand_in;  // of a job by confidence: the second of these
    BootTime lost_at = never;
    BootTime rests_until{};
    unsigned lapses = 0;
  };
  [[nodiscard]] Donor& donor_of(const PeerId& peer, DonorIndex* index = nullptr);
  [[nodiscard]] Unit* find(UnitIndex unit);
  /// A unit of which nobody had said that there is one; nullptr where there are too many.
  [[nodiscard]] Unit* add(UnitIndex unit);
  [[nodiscard]] bool is_wanted(const PeerId& donor, const Results& results, std::size_t place, bool collected);
  void line_up(UnitIndex unit);
  void line_up_all();
  void end(UnitIndex index, Unit& unit);
  [[nodiscard]] bool has(const Unit& unit, DonorIndex donor) const;
  [[nodiscard]] std::optional<UnitIndex> next_for(DonorIndex donor);
  void serve(DonorIndex donor, BootTime now, Output& out);
  void lapse(LeaseId lease, bool silent, BootTime now);

  const Self& self_;
  const JobId job_;
  const Manifest manifest_;
  const unsigned wanted_;  // results of a unit
  // No more than bytes() says, wherever their numbers lie: whoever says that there is a unit must not have a table made up to it.
  std::map<UnitIndex, Unit> units_;  // steward_units_max
  std::uint64_t units_done_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<Assignment> assignment_;
  std::deque<Donor> donors_;
  std::map<PeerId, DonorIndex> index_of_;
  LeaseBook leases_;
  std::map<std::pair<UnitIndex, DonorIndex>, unsigned> tries_;  // that failed
  bool leads_ = false;
  Large large_;
  BootTime deadline_ = never;
};

}  // namespace dugnad::core
