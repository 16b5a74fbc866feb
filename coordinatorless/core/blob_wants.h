// BlobWants: which blobs this peer needs here, for how many uses, and from whom each is fetched. It moves no bytes: the driver does, and says
// how it went.
//
// Specification
//   1. A blob is fetched once, however many need it, from one holder at a time, and only from one that is linked. Oneself is a holder like
//      any other: the driver looks among what is here first.
//   2. A fetch that failed is tried again with the next holder, after blob_retry_first, doubling to blob_retry_most; after blob_tries_max it is given
//      up, and whoever needs it is told. A holder whose link broke is no failure of the blob: it is asked again when it is back. Rationale:
//      a busy holder is worth waiting for; one that has nothing must not be asked for ever.
//   3. What is needed stays here until released as often as it was needed; then the driver may break off its fetch, or evict it.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class BlobWants {
 public:
  explicit BlobWants(const PeerId& self) : linked_{self} {}

  /// One more need of `blob`, which `holder` has. Whether it is here already; else news of it follow.
  bool need(const BlobId& blob, const PeerId& holder, Now now, Output& out);
  /// One need less.
  void release(const BlobId& blob, Output& out);
  [[nodiscard]] bool here(const BlobId& blob) const;

  void fetched(const BlobId& blob);
  /// Also of one that was here and has turned out to be gone or corrupt: it is fetched again.
  void failed(const BlobFailed& failure, Now now, Output& out);
  void connected(const PeerId& peer, Now now, Output& out);
  void lost(const PeerId& peer);

  /// Since last asked.
  struct News {
    enum class Kind : std::uint8_t { here, lost, given_up };
    BlobId blob;
    Kind kind = Kind::here;  // lost: it was here, and is fetched again
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
    BootTime due{};  // waiting: not before
  };
  void fetch(const BlobId& blob, Want& want, Output& out);

  std::map<BlobId, Want> wants_;
  std::set<PeerId> linked_;
  std::vector<News> news_;
};

}  // namespace dugnad::core
