// ContactMemory: the peers that are remembered across a restart, so that the seeds may all vanish once a peer has been in.
//
// Kept are the records of peers we are linked with and could dial, at most contacts_kept_max; those we have dialled ourselves before the
// others, which have half the room at most.                                *Whoever dials us must not push out who is known to be real.*
// Changes are gathered: at most one batch of rows per contact_rows_interval.
// At the next start the record's lease has long run out; the address is still the best there is. The last seen are dialled first.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

class ContactMemory {
 public:
  // --- What is to be kept ---

  /// We are linked with the peer of that record.
  void seen(const PeerId& peer, const Signed& record, bool tried, Now now);
  /// The batch that is due; empty in between. `all`: due or not.
  [[nodiscard]] std::vector<Row> take_rows(Now now, bool all);

  // --- What was kept ---

  struct Restored {
    Signed raw;
    ContactRecord record;
    Route route;
  };
  /// The genuine ones among the rows, last seen first; the others are forgotten.
  [[nodiscard]] std::vector<Restored> restore(const std::vector<ContactRow>& rows, const Self& self, Now now);
  /// Somebody to dial, the last seen first; each again after a pause that doubles up to dial_retry_most.
  [[nodiscard]] std::optional<Route> next_to_dial(Now now);
  /// Its lease has run out; if it is one of those kept, it may be dialled from memory again.
  void forgotten(const Route& route, Now now);
  /// When next_to_dial() will have somebody.
  [[nodiscard]] BootTime dialable_at() const;
  /// We are linked with it, or know it by a newer record.
  void met(const PeerId& peer);

  [[nodiscard]] BootTime next_deadline() const { return rows_.empty() ? never : next_rows_; }
  [[nodiscard]] std::size_t count() const { return kept_.size(); }

 private:
  struct Kept {
    WallTime seen{};
    bool tried = false;
  };
  struct Remembered {
    Route route;
    BootTime next_dial{};
    unsigned dials = 0;
  };
  [[nodiscard]] bool make_room(bool for_tried, Now now);
  void write(const PeerId& peer, Row row, Now now);

  std::map<PeerId, Kept> kept_;         // what the store holds, or will
  std::map<PeerId, Row> rows_;          // not yet taken
  BootTime next_rows_{};
  std::vector<Remembered> remembered_;  // kept, yet not in the book; last seen first
};

}  // namespace dugnad::core
