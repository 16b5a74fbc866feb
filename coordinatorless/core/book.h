// Book: the signed contact records of peers we know, bounded so that nobody can fill it with their own.
//
//   - Up to full_view_max peers everything is taken.                         *A small swarm wants everybody to know everybody.*
//   - Beyond, a record we were only told of stands in a bucket chosen by a secret, the network of whoever told it and the network it names;
//     a full bucket makes room within itself, at the expense of the teller's network that has most there.
//                                                                            *A flood from one network pushes out its own records.*
//   - A peer we have dialled ourselves is `tried`, and is not pushed out by what we are told. Tried ones have buckets by their own network.
//   - A higher sequence replaces a lower one; the same or a lower one is ignored.                            *Replays change nothing.*
//   - A record leaves when its lease has run out, the tolerated skew counted in.
// The book believes its caller that signatures were checked.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

struct BookEntry {
  Signed raw;                        // as it came, to be passed on
  ContactRecord record;              // what it says
  std::optional<Route> route;        // where it may be dialled
  std::uint64_t source_group = 0;    // network of whoever told it first
  std::uint64_t bucket = 0;          // of new, or of tried
  bool tried = false;
  BootTime linked{};                 // tried: when last linked
  unsigned failures = 0;             // dials in a row that led nowhere
  BootTime next_try{};               // not dialled before
  unsigned passed_on = 0;            // times sent to somebody since it last changed
  BootTime quiet_until{};            // its changes are not passed on at once before

  /// By our own observation. What others say of a death is no more than a hint, and they have no message for it.
  [[nodiscard]] bool looks_dead() const { return failures >= limits::dials_until_dead; }
};

class Book {
 public:
  enum class Outcome : std::uint8_t { fresh, updated, known, refused };

  explicit Book(Generator& generator);

  /// Takes the record in, its signature checked. `fresh`: a peer not known before; `updated`: a later record of one that is;
  /// `known`: nothing new; `refused`: no room.
  Outcome put(const ContactRecord& record, const Signed& raw, std::optional<Route> route, std::uint64_t source_group);
  /// We dialled it and it was there.
  void mark_tried(const PeerId& peer, Now now);
  void mark_failed(const PeerId& peer, Now now);
  /// Drops what has run out; gives where those peers could be dialled.
  std::vector<Route> expire(Now now);

  [[nodiscard]] const BookEntry* find(const PeerId& peer) const;
  /// The caller may set passed_on, next_try and route.
  [[nodiscard]] BookEntry* find(const PeerId& peer);
  [[nodiscard]] const std::map<PeerId, BookEntry>& entries() const { return entries_; }
  [[nodiscard]] std::map<PeerId, BookEntry>& entries() { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t tried() const;

 private:
  [[nodiscard]] std::uint64_t keyed(std::uint64_t first, std::uint64_t second, std::uint64_t third) const;
  [[nodiscard]] std::uint64_t bucket_of(const PeerId& peer, const BookEntry& entry) const;
  [[nodiscard]] bool make_room(const BookEntry& newcomer);
  void thin_tried(std::uint64_t bucket);

  Generator& generator_;
  const std::array<std::uint8_t, 32> secret_;
  std::map<PeerId, BookEntry> entries_;
};

/// Whether `record`'s lease is one we accept at this time: not run out, and not longer than anybody may ask for.
[[nodiscard]] bool is_current(const ContactRecord& record, WallTime now);

}  // namespace dugnad::core
