// Book: the signed contact records of peers we know, bounded so that nobody can fill it with their own.
//
//   - Up to full_view_max peers everything is taken.                         *A small swarm wants everybody to know everybody.*
//   - Beyond, a record we were only told of stands in a bucket chosen by a secret, the network of whoever told it and the network it names;
//     a full bucket makes room within itself, at the expense of the teller's network that has most there.
//                                                                            *A flood from one network pushes out its own records.*
//   - A peer we have dialled ourselves is `tried`, and is not pushed out by what we are told. Tried ones have buckets by their own network.
//   - A higher sequence replaces a lower one; the same or a lower one is ignored.                            *Replays change nothing.*
//   - A peer that said goodbye leaves a mark behind, as long as any earlier record of it may be under way.
//                                                                            *A late copy does not bring it back; its next record does.*
//   - A record leaves when its lease has run out, the tolerated skew counted in.
// The book believes its caller that signatures were checked.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/book_buckets.h"
#include "coordinatorless/core/book_entry.h"
#include "coordinatorless/core/peer_map.h"

namespace dugnad::core {

class Book {
 public:
  enum class Outcome : std::uint8_t { fresh, updated, known, refused };

  explicit Book(Generator& generator);

  /// Takes the peer's record in, which `raw` says, its signature checked. `fresh`: a peer not known before; `updated`: a later record of one that
  /// is; `known`: nothing new; `refused`: no room. `may_dial`: its endpoint comes from somebody whose word is enough (Links::route).
  Outcome put(const PeerId& peer, const ContactRecord& record, const Signed& raw, bool may_dial, std::uint64_t source_group);
  /// The peer has left, as `raw` says, its signature checked. `updated`, or `known` where that is nothing new; `refused`: it is not in the book, and
  /// there is nothing to forget.
  Outcome bury(const PeerId& peer, const Goodbye& goodbye, const Signed& raw);
  /// We dialled it and it was there.
  void mark_tried(const PeerId& peer, Now now);
  void mark_failed(const PeerId& peer, Now now);
  /// It ended a link with us, which had held for a while (`lasted`) or not.
  void leave_alone(const PeerId& peer, bool lasted, Now now);
  /// Drops what has run out; gives where those peers could be dialled.
  std::vector<Route> expire(Now now);

  [[nodiscard]] const BookEntry* find(const PeerId& peer) const;
  /// The caller may set passed_on, failures and quiet_until.
  [[nodiscard]] BookEntry* find(const PeerId& peer);
  [[nodiscard]] const PeerMap<BookEntry>& entries() const { return entries_; }
  [[nodiscard]] PeerMap<BookEntry>& entries() { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t tried() const { return buckets_.count_tried(); }

 private:
  [[nodiscard]] std::uint64_t keyed(std::uint64_t first, std::uint64_t second, std::uint64_t third) const;
  [[nodiscard]] std::uint8_t bucket_of(const PeerId& peer, const BookEntry& entry) const;
  [[nodiscard]] bool make_room(const BookEntry& newcomer);
  static void renew(BookEntry& entry, const Signed& raw, std::uint64_t sequence, WallTime expires);
  void set_tried(BookBuckets::Item& item, bool tried);
  void thin_tried(std::size_t bucket);

  Generator& generator_;
  const std::array<std::uint8_t, 32> secret_;
  PeerMap<BookEntry> entries_;
  BookBuckets buckets_;  // of entries_, at all times
};

}  // namespace dugnad::core
