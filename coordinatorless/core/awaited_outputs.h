// AwaitedOutputs: large outputs of one job that are agreed upon and not here yet. Each is fetched from those who returned it, within what this peer
// has room for; a unit is accepted once its output is here, and computed again where it is not to be had.
//
// Specification
//   1. An output is fetched once there is room for it; a job's lone one always. Room is taken until the program has read the output. Rationale: a
//      program that is slower than its donors must slow them down, not fill the disk. One that reads one job to its end before the next one's first
//      output must get there, whatever the next one has here.
//   2. It is not to be had once each holder was asked and output_tries_extra more, or none was linked for holder_absence. Rationale: computing it
//      again costs less than waiting for who may never come back.
//   3. With it, whatever was returned by the same holders alone is given up. Rationale: one that never gives what it promised costs each job the
//      time of one fetch, not of all that it promised.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
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
  /// The job is over.
  void clear(Output& out);

  struct Ended {
    UnitIndex unit;
    bool here = false;
  };
  /// What has ended since last asked. What is here is the caller's until OutputTaken: it stays needed, and in its room.
  [[nodiscard]] std::vector<Ended> tick(Now now, const std::function<bool(const PeerId&)>& is_linked, Output& out);

  [[nodiscard]] bool empty() const { return awaited_.empty(); }
  [[nodiscard]] bool wait_for_room() const { return !line_.empty(); }
  [[nodiscard]] std::size_t count() const { return awaited_.size(); }
  /// When a holder's absence has lasted too long, as of the last tick.
  [[nodiscard]] BootTime next_deadline() const { return deadline_; }

 private:
  struct Awaited {
    BlobId output;
    std::vector<PeerId> holders;
    bool needed = false;  // it has its room and is fetched
    bool here = false;
    bool hopeless = false;
    BootTime absent_since = never;  // no holder is linked
  };
  void give_up_like(const Awaited& lost);

  BlobWants& blobs_;
  OutputRoom& room_;
  std::uint64_t taken_ = 0;  // of the room, by this job
  std::map<UnitIndex, Awaited> awaited_;
  std::deque<UnitIndex> line_;  // for room
  BootTime deadline_ = never;
};

}  // namespace dugnad::core
