// BulkTransfer: what is asked of whom and what is sent when, for blobs both ways. Pure: the bulk thread around it reads and writes the
// chunks.
//
// What is asked of whom for one blob is bulk_fetch.h's to say, what is served when bulk_serving.h's.
//
// Specification
//   1. Blobs of one main holder are fetched one after the other, bulk_fetches_max at once in all. Rationale: several would only share the
//      same line, and each would be whole later.
//   2. Of each peer at most bulk_credits chunks are asked for that have not come. So no more than these stand in a link's queue, before a
//      lease: half a megabyte. Whoever is asked for more charges it. All together keep within the rate that the user allows.
//   3. A chunk is taken only where it was asked for, and only if its path proves it. Whoever sends another is charged, and asked for no
//      more of this blob. Rationale: nothing that was not proved is kept, and a liar is known by its first chunk.
//   4. A main holder of which nothing came in bulk_patience, or that says the blob is missing, is asked for nothing more; the fetch has
//      failed once no helper gives anything either. It has failed, too, where the main holder's link broke, and where it is not whole in
//      the time that blob_bytes_per_second_least takes. Rationale: another holder may be faster than one that drips.
//   5. While others wait for a place and all are taken, a fetch slower than that so far gives up its own. Rationale: a few holders that
//      send a chunk now and then would else stop all fetching, each for long.
//   6. Those who fetch the same shared blob tell each other which chunks they have, at most every bulk_have_interval, and serve each other.
//      Of one that is not shared nothing is told, but to a named helper that it is fetched. Rationale: what a donor fetches may give away
//      which unit it computes, and who else does.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/bulk_fetch.h"
#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/bulk_serving.h"
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
  struct Keep {  // a chunk, proved by its path
    BlobId blob;
    std::uint32_t index = 0;
    std::vector<Hash> path;
    Bytes bytes;
  };
  struct Finish {  // all chunks are kept, if none was refused: call finished() or refuse()
    BlobId blob;
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
  struct Tell {  // say which chunks of it are here, or that none is
    PeerId to;
    BlobId blob;
  };
  struct Misbehaved {
    PeerId peer;
    Charge charge;
  };
  using Action = std::variant<Send, Begin, Keep, Finish, BreakOff, Failed, Serve, Tell, Misbehaved>;

  /// Bytes a second, all peers together; 0: no limit.
  void limit(double up, double down);

  /// Linked directly. Whoever is not is reached through a relay, or not at all.
  void connected(const PeerId& peer) { serving_.connected(peer); }
  void lost(const PeerId& peer);

  /// Ends with finished() by the caller, or with Failed.
  void fetch(const BlobId& blob, const PeerId& from, Sharing sharing, BootTime now);
  /// That peer may have some of it. Nothing happens where it is not being fetched.
  void help(const BlobId& blob, const PeerId& peer, BootTime now);
  void cancel(const BlobId& blob);
  /// `here`: chunks that an earlier try has left.
  void begun(const BlobId& blob, ChunkSet here, BootTime now);
  void finished(const BlobId& blob, BootTime now);
  /// The store cannot take it.
  void refuse(const BlobId& blob, const std::string& reason, BootTime now);
  [[nodiscard]] bool fetches(const BlobId& blob) const { return fetches_.contains(blob); }

  void received(const PeerId& from, ByteView frame, BootTime now);
  void tick(BootTime now);
  [[nodiscard]] BootTime next_deadline() const;
  [[nodiscard]] std::vector<Action> take() { return std::exchange(actions_, {}); }
  [[nodiscard]] std::size_t fetches() const { return fetches_.size(); }

 private:
  struct Running {
    Fetch fetch;
    bool running = false;
    BootTime since{};         // when that was
    BootTime begin_by = never;  // the store has to begin by then
    BootTime ends = never;    // however patient
    std::uint64_t turn = 0;   // who came first goes first
    BootTime tell_at = never; // those who are informed have not heard of all that is here
    bool stored = false;      // all is here: the store's affair now
  };
  using Fetches = std::map<BlobId, Running>;

  void start_next(BootTime now);
  void ask(Running& running, BootTime now);
  void ask_all(BootTime now);
  void tell(const BlobId& blob, Running& running);
  void forget(Fetches::iterator at);
  [[nodiscard]] std::uint32_t underway(const PeerId& peer) const;
  /// Whether some fetch waits although its holder is free.
  [[nodiscard]] bool crowded() const;
  /// Until when a running fetch keeps its place in a crowd, by what has come so far.
  [[nodiscard]] static BootTime keeps_place_until(const Running& running);
  void fail(Fetches::iterator at, const std::string& reason, BootTime now, FetchFailure cause = FetchFailure::withheld);
  /// That holder gives nothing more; perhaps it was the last.
  void drop(Fetches::iterator at, const PeerId& peer, const std::string& reason, BootTime now, FetchFailure cause = FetchFailure::withheld);
  void on(const PeerId& from, Request&& request, BootTime now);
  void on(const PeerId& from, Chunk&& chunk, BootTime now);
  void on(const PeerId& from, Missing&& missing, BootTime now);
  void on(const PeerId& from, Have&& have, BootTime now);
  void on(const PeerId& from, Spread&& spread, BootTime now);
  void serve(BootTime now);
  void misbehaved(const PeerId& peer, const Charge& charge) { actions_.push_back(Misbehaved{peer, charge}); }

  Fetches fetches_;
  Serving serving_;
  std::map<PeerId, TokenBucket> haves_;  // by whoever is linked and has sent any
  std::map<std::pair<PeerId, BlobId>, BootTime> cancelled_;  // chunks of these may still come; at most bulk_cancelled_max
  std::optional<TokenBucket> down_;
  BootTime down_at_ = never;  // something was not asked for, to keep within the rate
  std::uint64_t turns_ = 0;
  std::vector<Action> actions_;
};

}  // namespace dugnad::core::bulk
