// AwaitedOutputs: large outputs of one job that are agreed upon and not here yet. Each is fetched from those who returned it, within what this peer
// has room for; a unit is accepted once its output is here, and computed again where it is not to be had.
//
// Specification
//   1. An output is fetched once there is room for it; a job's lone one always. Room is taken until the program has read the output. Rationale: a
//      program that is slower than its donors must slow them down, not fill the disk. One that reads one job to its end before the next one's first
//      output must get there, whatever the next one has here.
//   2. It is not to be had once each holder was asked and output_tries_extra more, or none was linked for holder_absence, or output_patience and the
//      time of all that is fetched is over. Rationale: computing it again costs less than waiting for who may never come back, or comes and goes.
//   3. With it, whatever was returned by the same holders alone is given up, but for holders that said that they have it no more. Rationale: one that
//      never gives what it promised costs each job the time of one fetch, not of all that it promised; one whose disk is full has the rest.
//   4. Where this peer's own disk fails, it is tried again until its time is over.
//   5. No event costs a look at all outputs, unless links changed or time is up. Rationale: a donor can promise tens of thousands at once.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "coordinatorless/core/blob_wants.h"

namespace dugnad::core {

/// This peer's room for outputs, which its jobs share.
struct OutputRoom {
  std::uint64_t most = 0;
  std::uint64_t taken = 0;
  bool freed = false;  // since whoever waits for room last looked
  [[nodiscard]] bool fits(std::uint64_t bytes) const { return taken + bytes <= most; }
  void leave(std::uint64_t bytes) {
    taken -= std::min(taken, bytes);
    freed = true;
  }
};

class AwaitedOutputs {
 public:
  AwaitedOutputs(BlobWants& blobs, OutputRoom& room) : blobs_(blobs), room_(room) {}

  /// `holders`: whoever is asked first comes first.
  void await(UnitIndex unit, const BlobId& output, std::vector<PeerId> holders);
  void also_held(UnitIndex unit, const PeerId& holder, Now now, Output& out);
  /// Whether it is about an output that is awaited.
  bool on_blob(const BlobWants::News& news);
  /// The program has read an output of this job: it is not needed any more, and leaves its room.
  void leave(const BlobId& output, Output& out);
  /// Somebody was linked, or lost.
  void links_changed() { links_changed_ = true; }
  /// The job is over.
  void clear(Output& out);

  struct Ended {
    enum class How : std::uint8_t { here, withheld, absent };  // absent: at no time did a holder refuse it, but the time is over
    UnitIndex unit;
    How how = How::here;
    std::vector<PeerId> excused;  // withheld, but not by these
  };
  /// What has ended since last asked. What is here is the caller's until OutputTaken: it stays needed, and in its room.
  [[nodiscard]] std::vector<Ended> tick(Now now, const std::function<bool(const PeerId&)>& is_linked, Output& out);

  [[nodiscard]] bool empty() const { return awaited_.empty(); }
  [[nodiscard]] bool wait_for_room() const { return !line_.empty(); }
  [[nodiscard]] std::size_t count() const { return awaited_.size(); }
  /// Of all that `holder` has returned and that is awaited.
  [[nodiscard]] std::uint64_t bytes_of(const PeerId& holder) const;
  /// When a holder's absence has lasted too long or an output's time is over, as of the last tick.
  [[nodiscard]] BootTime next_deadline() const { return deadline_; }

 private:
  struct Awaited {
    BlobId output;
    std::vector<PeerId> holders;
    bool needed = false;  // it has its room and is fetched
    bool here = false;
    bool hopeless = false;
    bool withheld = false;          // hopeless: not for absence
    std::vector<PeerId> excused{};  // of withheld
    BootTime absent_since = never;  // no holder is linked
    BootTime ends = never;          // once needed
  };
  using IsLinked = std::function<bool(const PeerId&)>;
  void fetch(UnitIndex unit, Awaited& awaited, Now now, Output& out);
  void watch(UnitIndex unit, Awaited& awaited, const IsLinked& is_linked, Now now, Output& out);
  void give_up(UnitIndex unit, Awaited& awaited);
  /// What was returned by `holders` alone.
  void give_up_like(const std::set<PeerId>& holders);
  /// What is here stays needed, and in its room.
  void forget(std::map<UnitIndex, Awaited>::iterator at, Output& out);

  BlobWants& blobs_;
  OutputRoom& room_;
  std::uint64_t taken_ = 0;  // of the room, by this job
  std::map<UnitIndex, Awaited> awaited_;
  std::map<BlobId, std::vector<UnitIndex>> needed_;  // by output
  std::map<PeerId, std::uint64_t> bytes_of_;
  std::deque<UnitIndex> line_;        // for room
  std::vector<UnitIndex> unwatched_;  // new, or with a new holder
  std::vector<UnitIndex> ending_;     // here or hopeless, since the last tick
  bool links_changed_ = false;
  BootTime deadline_ = never;
};

}  // namespace dugnad::core
