// BulkTransfer: what is asked of whom and what is sent when, for blobs both ways. Pure: the bulk thread around it reads and writes the chunks.
//
// Specification
//   1. One blob is fetched from one peer at a time, the others wait their turn; bulk_fetches_max at once in all. Rationale: several would
//      only share the same line, and each would be whole later.
//   2. Whoever fetches has asked for at most bulk_credits chunks that have not come. So no more than these stand in a link's queue, before a lease:
//      half a megabyte. Whoever is asked for more charges it.
//   3. A chunk is taken only where it is the next one asked for, and only if its path proves it. Rationale: nothing that was not proved is kept,
//      and a liar is known by its first chunk.
//   4. A fetch for which nothing came in bulk_patience has failed; so has one whose link broke, whose holder says it is missing, or that is not whole
//      in the time that blob_bytes_per_second_least takes. Rationale: another holder may be faster than one that drips.
//   5. While others wait for a place and all are taken, a fetch slower than that so far gives up its own. Rationale: a few holders that send a chunk
//      now and then would else stop all fetching, each for long.
//   6. Chunks are served to each peer within a rate, a slower one over a relay, in turn. Rationale: a relay breaks a link that exceeds its quota; one
//      that fetches all day must not take the whole line.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core::bulk {

class Transfer {
 public:
  // What comes of it, in order; see take().
  struct Send {
    PeerId to;
    Bytes frame;
  };
  struct Begin {  // set room aside and call begun() or refuse()
    BlobId blob;
  };
  struct Keep {  // the next chunk of a fetch, proved; `last`: then call finished() or refuse()
    BlobId blob;
    Bytes bytes;
    bool last = false;
  };
  struct BreakOff {  // the fetch goes no further
    BlobId blob;
  };
  struct Failed {
    BlobId blob;
    PeerId from;
    std::string reason;
    FetchFailure cause = FetchFailure::withheld;
  };
  struct Serve {  // read that chunk and send it, or say that it is missing
    PeerId to;
    BlobId blob;
    std::uint32_t index = 0;
  };
  struct Misbehaved {
    PeerId peer;
    Charge charge;
  };
  using Action = std::variant<Send, Begin, Keep, BreakOff, Failed, Serve, Misbehaved>;

  /// Linked directly. Whoever is not is reached through a relay, or not at all.
  void connected(const PeerId& peer) {
    direct_.insert(peer);
    services_.erase(peer);  // its rate is another now; what was asked for over the relay is asked for again
  }
  void lost(const PeerId& peer);

  /// Ends with finished() by the caller, or with Failed.
  void fetch(const BlobId& blob, const PeerId& from, BootTime now);
  void cancel(const BlobId& blob);
  /// `chunks` are here already.
  void begun(const BlobId& blob, std::uint64_t chunks, BootTime now);
  void finished(const BlobId& blob, BootTime now);
  /// The store cannot take it.
  void refuse(const BlobId& blob, const std::string& reason, BootTime now);

  void received(const PeerId& from, ByteView frame, BootTime now);
  void tick(BootTime now);
  [[nodiscard]] BootTime next_deadline() const;
  [[nodiscard]] std::vector<Action> take() { return std::exchange(actions_, {}); }
  [[nodiscard]] std::size_t fetches() const { return fetches_.size(); }

 private:
  struct Fetch {
    PeerId from;
    bool running = false;
    bool begun = false;
    std::uint64_t next = 0;   // chunk to come
    std::uint64_t asked = 0;  // up to here
    std::uint64_t first = 0;  // chunk to come when it began
    BootTime since{};         // when that was
    BootTime patience_ends = never;
    BootTime ends = never;    // however patient
    std::uint64_t turn = 0;  // who came first goes first
    [[nodiscard]] BootTime due() const { return std::min(patience_ends, ends); }
  };
  struct Service {
    TokenBucket bytes;
    std::deque<std::pair<BlobId, std::uint32_t>> chunks{};  // at most bulk_credits
  };
  using Fetches = std::map<BlobId, Fetch>;

  void start_next(BootTime now);
  void ask(const BlobId& blob, Fetch& fetch);
  /// Whether some fetch waits although its holder is free.
  [[nodiscard]] bool crowded() const;
  /// Until when a running fetch keeps its place in a crowd, by what has come so far.
  [[nodiscard]] static BootTime keeps_place_until(const Fetch& fetch);
  void fail(Fetches::iterator at, const std::string& reason, BootTime now, FetchFailure cause = FetchFailure::withheld);
  void on(const PeerId& from, Request&& request, BootTime now);
  void on(const PeerId& from, Chunk&& chunk, BootTime now);
  void on(const PeerId& from, Missing&& missing, BootTime now);
  void serve(BootTime now);
  void misbehaved(const PeerId& peer, const Charge& charge) { actions_.push_back(Misbehaved{peer, charge}); }

  std::set<PeerId> direct_;
  Fetches fetches_;
  std::map<PeerId, Service> services_;  // at most bulk_services_max
  std::map<std::pair<PeerId, BlobId>, BootTime> cancelled_;  // chunks of these may still come; at most bulk_cancelled_max
  std::uint64_t turns_ = 0;
  std::vector<Action> actions_;
};

}  // namespace dugnad::core::bulk
