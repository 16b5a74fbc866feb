// bulk::Fetch: one blob on its way here: which chunks are here, who has the others, and what is asked of whom. Pure bookkeeping for
// Transfer.
//
// Specification
//   1. The main holder has promised the blob; a fetch that fails is its failure. Helpers, bulk_helpers_max of them, may have the blob or a
//      part of it, or not: they say so themselves. One that lies or gives up is dropped, and the fetch goes on without it. Rationale:
//      nobody vouches for them, and what each sends is proved chunk by chunk.
//   2. A helper is asked for chunks that it says it has, the rarest among all helpers first. One that gives nothing for bulk_help_patience
//      is stalled: what it was asked for is asked of others, and it counts for nothing until something comes of it. Rationale: a lie costs
//      seconds.
//   3. The main holder is asked for what no helper has, and of that only for what it has sent to nobody yet, as long as helpers give. Once
//      they have given nothing for bulk_spare, or none is known within bulk_meet, it is asked for whatever is not here. Rationale: the main
//      holder is the submitter, whose uplink all donors share, so each chunk leaves it about once; helpers that are slow or lie must not
//      hold a fetch up for longer than that.
//   4. Where a blob is fetched alone all holders are asked for different chunks at once.
//   5. Without a main holder the fetch goes on as long as some helper gives.
//   6. One that is helped, and not shared, goes by rule 3 too. Only who was named as a helper hears of it, and not what is here.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core::bulk {

class Fetch {
 public:
  Fetch(const BlobId& blob, const PeerId& main, Sharing sharing);

  [[nodiscard]] const PeerId& main() const { return main_; }
  [[nodiscard]] Sharing sharing() const { return sharing_; }
  /// Others may be told what is here.
  [[nodiscard]] bool shared() const { return sharing_ == Sharing::shared; }
  [[nodiscard]] bool begun() const { return here_.size() > 0; }
  [[nodiscard]] const ChunkSet& here() const { return here_; }
  [[nodiscard]] bool whole() const { return begun() && here_.full(); }
  /// How many have come since it began.
  [[nodiscard]] std::uint64_t came() const { return begun() ? here_.count() - at_first_ : 0; }

  /// `here`: what an earlier try has left.
  void begin(ChunkSet here, BootTime now);
  /// False where it is one already, or there are enough.
  bool help(const PeerId& peer);
  /// What a helper says it has, and whether it wants to know what is here.
  void told(const PeerId& peer, const ChunkSet& has, bool informed);
  [[nodiscard]] bool knows(const PeerId& peer) const { return sources_.contains(peer); }
  /// Helpers, and those of them that want to know what is here.
  [[nodiscard]] std::vector<PeerId> helpers() const;
  [[nodiscard]] std::vector<PeerId> informed() const;

  /// What to ask of that peer, which may be asked for so many chunks more; asked() says that it was.
  [[nodiscard]] std::optional<Request> to_ask(const PeerId& peer, std::uint32_t credits, BootTime now) const;
  void asked(const PeerId& peer, const Request& request, BootTime now);
  [[nodiscard]] std::uint32_t underway(const PeerId& peer) const;
  /// Everybody of whom something may be asked; the helpers first.
  [[nodiscard]] std::vector<PeerId> sources() const;

  enum class Taken : std::uint8_t { kept, twice, unasked, forged };
  [[nodiscard]] Taken take(const PeerId& from, const Chunk& chunk, BootTime now);
  /// The main holder has sent so many of what was asked for to others before.
  void spread(const PeerId& from, std::uint8_t count, BootTime now);

  /// It gives nothing more. For the main holder, why: that is the fetch's failure, should it come to it.
  void drop(const PeerId& peer, std::string reason = {}, FetchFailure cause = FetchFailure::withheld);
  struct Fault {
    std::string reason;
    FetchFailure cause = FetchFailure::withheld;
  };
  /// Nobody is left who gives anything.
  [[nodiscard]] std::optional<Fault> failed(BootTime now) const;
  /// Whether the main holder has given nothing for too long.
  [[nodiscard]] bool main_is_late(BootTime now) const;
  void tick(BootTime now);
  [[nodiscard]] BootTime next_deadline() const;

 private:
  struct Source {
    ChunkSet has;             // of a helper, as it says
    ChunkSet wanted;          // what may come: of a helper exactly what was asked for, of the main holder a choice
    std::uint32_t asked = 0;  // chunks that have not come
    BootTime since{};         // when it last gave something, or was asked while nothing was underway
    bool informed = false;
    bool stalled = false;
  };
  [[nodiscard]] bool gives(const PeerId& peer, const Source& source) const;
  [[nodiscard]] bool any_helps() const;
  /// From when on the main holder is asked for anything at all.
  [[nodiscard]] BootTime spared_until() const;
  [[nodiscard]] std::optional<Request> to_ask_main(const Source& source, std::uint32_t credits, BootTime now) const;
  [[nodiscard]] std::optional<Request> to_ask_helper(const Source& source, std::uint32_t credits) const;

  const BlobId blob_;
  const PeerId main_;
  const Sharing sharing_;
  ChunkSet here_;
  std::uint64_t at_first_ = 0;
  std::map<PeerId, Source> sources_;  // at most bulk_helpers_max and the main holder
  BootTime helped_at_{};              // when a helper last gave something, the main holder sent us to them, or it all began
  BootTime ticked_{};
  bool spread_ = false;               // the main holder has nothing left that it has sent to nobody
  std::optional<Fault> fault_;        // the main holder is gone
};

}  // namespace dugnad::core::bulk
