// The simulated blobs of one machine: its store and its bulk channel. Here a blob has a name and a length and no bytes; who holds a name
// holds the blob. A shared one comes from a helper that has it, or is getting it from the main holder, if one is known by the time the
// fetch begins, one that may be helped from a helper that has it and may tell; else from the main holder itself. A fetch takes two ways
// there and back and then as long as the line needs for the length; it fails where the holder has nothing, does not want to, or is not
// to be reached any more. The disk outlasts the process, but what nobody needs any more may be gone from it at any time; and it may be
// full, or fail to read, for a while.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/sim/directory.h"
#include "coordinatorless/sim/event_queue.h"
#include "coordinatorless/sim/network.h"

namespace dugnad::sim {

class Blobs {
 public:
  /// Everybody's blobs, by machine; each puts itself there.
  using All = std::map<Node, Blobs*>;
  struct World {
    EventQueue& queue;
    Network& network;
    const Directory& directory;
    All& all;
  };

  /// `withholds`: names what it has, and gives nothing. `post` is called from the queue.
  Blobs(const World& world, Node node, bool withholds, Generator generator, std::function<void(core::Event)> post);

  // The program's own needs.
  void keep(const BlobId& blob) { ++disk_[blob]; }
  void let_go(const BlobId& blob);
  /// An output that the journal is about to call accepted: it outlasts crashes until taken().
  void keep_output(const BlobId& blob) { untaken_.insert(blob); }
  void taken(const BlobId& blob);

  // The peer's.
  void fetch(const core::FetchBlob& fetch);
  void help(const core::HelpFetch& help);
  void offer(const BlobId& blob) { shared_.insert(blob); }
  void release(const BlobId& blob);
  /// An attempt's output, kept for the peer.
  void hold(const BlobId& blob);

  /// What an output is held for, beside it on disk: it is among the last to be evicted.
  void mark(const HeldOutput& held) { marks_[{held.job, held.unit}] = held; }
  void unmark(const JobId& job, UnitIndex unit) { marks_.erase({job, unit}); }
  /// They were another identity's.
  void unmark_all() { marks_.clear(); }
  /// For the next process: what was marked and is still here, held for the peer.
  [[nodiscard]] std::vector<HeldOutput> found();

  /// The share of blobs that its disk does not take, and of those that it does not give, each time.
  void set_failing(double failing) { failing_ = failing; }
  /// Whether the disk does what it should, this once.
  [[nodiscard]] bool disk_works() { return failing_ == 0 || !generator_.chance(failing_); }

  [[nodiscard]] bool holds(const BlobId& blob) const { return disk_.contains(blob); }
  /// The link to a holder broke.
  void lost(const PeerId& peer);
  /// The process has died. Of what is on disk, something is evicted before the next one looks.
  void crash();
  [[nodiscard]] std::uint64_t draw() { return generator_.next(); }
  [[nodiscard]] std::uint64_t fetched() const { return fetched_; }
  /// Bytes that others got from here.
  [[nodiscard]] std::uint64_t served() const { return served_; }
  /// Called with the machine that has just asked this one to help it with a blob.
  std::function<void(Node asker, const BlobId& blob)> asked_for_help;

 private:
  struct Fetch {
    PeerId from;
    std::uint64_t id = 0;
    core::Sharing sharing = core::Sharing::alone;
    std::set<PeerId> helpers{};
    std::optional<Node> source{};  // once it has begun
  };
  /// Where it is fetched from.
  [[nodiscard]] Node source_of(const Fetch& fetch, const BlobId& blob, Node main) const;
  void later(Duration delay, const BlobId& blob, std::uint64_t id, std::function<void(Node holder)> what);
  void begin(const BlobId& blob, std::uint64_t id, Node holder);
  void fail(const BlobId& blob, const std::string& reason, core::FetchFailure cause = core::FetchFailure::withheld);
  void drop_unneeded(const BlobId& blob);

  const World world_;
  const Node node_;
  const bool withholds_;
  Generator generator_;
  const std::function<void(core::Event)> post_;
  std::map<BlobId, unsigned> disk_;  // and how many need each
  std::set<BlobId> pinned_;          // for the peer
  std::set<BlobId> untaken_;         // outputs that nobody has read yet
  std::map<std::pair<JobId, UnitIndex>, HeldOutput> marks_;
  std::map<BlobId, Fetch> fetches_;
  std::uint64_t ids_ = 0;
  std::uint64_t fetched_ = 0;
  std::uint64_t served_ = 0;
  double failing_ = 0;
  std::set<BlobId> shared_;  // fetched as such, or offered
};

}  // namespace dugnad::sim
