// HeldValues: the large inputs and outputs of one job's units that its steward holds: blobs, fetched from whoever has them and kept until
// their unit is final. It moves no bytes; BlobWants does, whose needs these are.
//
// Specification
//   1. An input is fetched from the job's leader or another steward, those of the last units first. Rationale: the first ones are leased out by the
//      submitter already, and are done before they would be here.
//   2. An output is fetched from the donors that returned it, or from whoever leads; before inputs, but for one fetch that is theirs. Rationale: its
//      donor keeps it for a while, and nobody else has it. Of one donor two at a time; one that has not given one is not asked for others, until
//      it is linked again. Rationale: whoever names outputs that nobody has must not keep those of others out.
//   3. All of them stay within the room that they are given, and few are on their way at a time. What finds no room is left where it is: such a unit
//      waits for the submitter. Where the room becomes less, inputs go first, then outputs. Rationale: an input can be had again from the submitter;
//      and donors fetch theirs over the same line.
//   4. What was not to be had is tried again when somebody who may have it is linked, and every minute.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "coordinatorless/core/blob_wants.h"

namespace dugnad::core {

class HeldValues {
 public:
  explicit HeldValues(BlobWants& blobs) : blobs_(blobs) {}

  void add_input(UnitIndex unit, const BlobId& input);
  /// `holder` has returned it.
  void add_output(UnitIndex unit, const BlobId& output, const PeerId& holder, Now now, Output& out);
  /// Nobody computes the unit any more.
  void drop_input(UnitIndex unit, Output& out);
  /// The unit is final: its submitter has what it wants of it.
  void drop(UnitIndex unit, Output& out);
  void clear(Output& out);

  /// News of a blob that may be one of these.
  void on_blob(const BlobWants::News& news, Output& out);
  /// That peer, which may have some of it, was linked.
  void linked(const PeerId& peer);
  /// Whether donors get inputs from here.
  void set_leads(bool leads, Output& out);
  /// Fetches what fits into `room` bytes. `sources`: who may have inputs.
  void tick(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out);

  /// When tick() is due though nothing has happened.
  [[nodiscard]] BootTime next_deadline() const { return look_at_; }

  /// Since last asked.
  struct Come {
    std::vector<UnitIndex> inputs;                      // here now
    std::vector<UnitIndex> lost_inputs;                 // here no more
    std::vector<std::pair<UnitIndex, PeerId>> outputs;  // here now; of each of its holders
  };
  [[nodiscard]] Come take_come() { return std::exchange(come_, {}); }
  /// Inputs that are known and not here.
  [[nodiscard]] std::size_t lacking() const { return inputs_ - inputs_here_; }
  /// Of what is here or on its way.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  enum class State : std::uint8_t { wanted, fetched, here, failed };
  struct Item {
    BlobId blob;
    bool is_input = false;
    State state = State::wanted;
    std::vector<PeerId> holders{};  // of an output: whoever returned it
    [[nodiscard]] bool is_needed() const { return state == State::fetched || state == State::here; }
  };
  /// Of one unit: its input, and outputs that differ, at most as many as results are wanted of it.
  using Items = std::vector<Item>;

  void fetch(UnitIndex unit, Item& item, const std::vector<PeerId>& holders, Now now, Output& out);
  void on_its_way(const Item& item);
  void no_more_on_its_way(const Item& item);
  void arrive(UnitIndex unit, Item& item);
  /// It is needed no more, if it was.
  void release(UnitIndex unit, Item& item, State then, Output& out);
  void shrink(std::uint64_t room, Output& out);
  void try_again();
  /// What is on its way from nobody who is there must not take the place of others.
  void let_go_unreachable(Output& out);
  [[nodiscard]] bool is_linked(const std::vector<PeerId>& any) const;
  [[nodiscard]] bool has_slot_for_output() const;
  [[nodiscard]] std::size_t on_their_way_from(const PeerId& holder) const;
  void fetch_outputs(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out);
  void fetch_inputs(std::uint64_t room, const std::vector<PeerId>& sources, Now now, Output& out);

  BlobWants& blobs_;
  std::map<UnitIndex, Items> units_;              // of the gathering's, which are limited
  std::map<BlobId, std::set<UnitIndex>> needed_;  // with an item that is needed
  std::set<UnitIndex> wanted_inputs_;
  std::deque<UnitIndex> wanted_outputs_;          // some of them no longer
  std::set<UnitIndex> failed_;                    // with an item that was not to be had
  std::set<PeerId> gave_nothing_;                 // of the deeds' donors
  std::map<PeerId, std::size_t> asked_;           // outputs that are on their way, by who returned them first
  bool leads_ = false;
  BootTime look_at_ = never;
  std::size_t on_their_way_ = 0;
  std::size_t outputs_on_their_way_ = 0;  // of these
  std::size_t inputs_ = 0;
  std::size_t inputs_here_ = 0;
  std::uint64_t bytes_ = 0;
  Come come_;
};

}  // namespace dugnad::core
