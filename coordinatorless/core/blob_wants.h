// BlobWants: which blobs this peer needs here, for how many uses, and from whom each is fetched. It moves no bytes: the driver does, and
// says how it went.
//
// Specification
//   1. A blob is fetched once, however many need it, from one holder at a time, whom others may help, and only from one that is linked.
//      Oneself is a holder like any other: the driver looks among what is here first.
//   2. A fetch that failed is tried again with the next holder, after blob_retry_first, doubling to blob_retry_most; after blob_tries_max
//      it is given up (sooner where the need says so), and whoever needs it is told. A holder whose link broke has not failed: it is asked
//      again; if it breaks again, that is a failure too. Rationale: a busy holder is worth waiting for; one that has nothing, or comes and
//      goes, must not be asked for ever.
//   3. A holder that has just failed is asked only where no other is linked, and what else was asked of it is asked of others. Rationale:
//      one that promises and does not give must not delay everything that somebody else has too.
//   4. Of a shared blob its holder is asked who else has it, as the fetch begins; they help, once linked, and are asked like holders where
//      the holders themselves are gone. Where none is linked for seek_after, neighbours are asked, and again every seek_again. Of one that is
//      helped its holder is asked too, whose answer alone counts, and neighbours are not. Rationale: whoever could name helpers could have
//      itself asked by all who need the blob, and so learn who they are.
//   5. What is needed stays here until released as often as it was needed; then the driver may break off its fetch, or evict it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class BlobWants {
 public:
  explicit BlobWants(const PeerId& self) : self_(self), linked_{self} {}

  /// One more need of `blob`, which `holders` have, the likeliest to give it first. Whether it is here already; else news of it follow.
  /// `sharing`: of all who need it, the most secretive's word counts.
  bool need(const BlobId& blob, std::span<const PeerId> holders, unsigned tries, Now now, Output& out, Sharing sharing = Sharing::alone);
  bool need(const BlobId& blob, const PeerId& holder, Now now, Output& out) { return need(blob, {&holder, 1}, limits::blob_tries_max, now, out); }
  /// Somebody else has it too. Nothing happens where nobody needs it.
  void also_held(const BlobId& blob, const PeerId& holder, Now now, Output& out);
  /// Somebody says that these have a blob too, and may be believed (may_name). The ones among them that may be of use: a link with them is worth
  /// having.
  [[nodiscard]] std::vector<PeerId> found(const BlobId& blob, std::span<const PeerId> holders, Now now, Output& out);
  /// Whether one of the blobs that are needed and not here may come from that peer.
  [[nodiscard]] bool counts_on(const PeerId& peer) const;
  /// It is needed and not here, and that peer may say who has it too.
  [[nodiscard]] bool may_name(const BlobId& blob, const PeerId& from) const;
  /// It is here, and no secret.
  [[nodiscard]] bool may_tell(const BlobId& blob) const;
  /// Blobs of which neighbours are to be asked who has them, since last asked.
  [[nodiscard]] std::vector<BlobId> take_sought() { return std::exchange(sought_, {}); }
  /// The driver has just kept it for this peer, unasked: one more need, met at once.
  void kept(const BlobId& blob);
  /// One need less.
  void release(const BlobId& blob, Output& out);
  [[nodiscard]] bool here(const BlobId& blob) const;
  [[nodiscard]] bool is_linked(const PeerId& peer) const { return linked_.contains(peer); }
  /// One of the holders that are remembered is linked.
  [[nodiscard]] bool in_reach(const BlobId& blob) const;
  /// What was given up by this peer's own fault is tried again, in a while.
  void try_again(const BlobId& blob);

  void fetched(const BlobId& blob);
  /// Also of one that was here and has turned out to be gone or corrupt: it is fetched again.
  void failed(const BlobFailed& failure, Now now, Output& out);
  void connected(const PeerId& peer, Now now, Output& out);
  void lost(const PeerId& peer, Now now);

  /// Since last asked.
  struct News {
    enum class Kind : std::uint8_t { here, lost, given_up };
    BlobId blob;
    Kind kind = Kind::here;  // lost: it was here, and is fetched again
    bool own_fault = false;  // given_up: this peer's disk is why
    std::vector<PeerId> excused{};  // given_up: these said that they have it no more
  };
  [[nodiscard]] std::vector<News> take_news();

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;
  /// How many different blobs are needed.
  [[nodiscard]] std::size_t count() const { return wants_.size(); }

 private:
  enum class State : std::uint8_t { waiting, fetching, here, given_up };
  struct Want {
    State state = State::waiting;
    std::size_t needs = 0;
    std::vector<PeerId> holders;  // who is asked first comes first; at most blob_holders_max
    PeerId asked;                 // fetching: of whom
    unsigned failures = 0;
    std::set<PeerId> broke{};    // of the holders, those whose link broke while they were asked
    std::set<PeerId> excused{};  // and those that said they have it no more
    unsigned tries = 0;  // of those who need it the most patient's
    BootTime due{};  // waiting: not before
    Sharing sharing = Sharing::alone;
    BootTime seek_at = never;  // waiting, shared, and no holder is linked: when neighbours are asked
  };
  void help(const BlobId& blob, const Want& want, const PeerId& holder, Output& out) const;
  void seek_later(Want& want, Now now);
  void set(const BlobId& blob, Want& want, State state);
  void fetch(const BlobId& blob, Want& want, Output& out);
  void add_holder(Want& want, const PeerId& holder, std::size_t place) const;
  void give_up(const BlobId& blob, Want& want, bool own_fault);
  static void forgive(Want& want);
  /// Of the linked holders the one that failed least; nullopt where none is linked.
  [[nodiscard]] std::optional<PeerId> best(const Want& want) const;
  [[nodiscard]] unsigned failed_by(const PeerId& peer) const;

  const PeerId self_;
  std::map<BlobId, Want> wants_;
  std::set<BlobId> waiting_;           // of these: few of the many that are here
  std::map<PeerId, unsigned> failed_;  // in a row, by whoever is linked
  std::set<PeerId> linked_;
  std::vector<News> news_;
  std::vector<BlobId> sought_;
};

}  // namespace dugnad::core
