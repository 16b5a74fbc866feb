// BookEntry: what the book keeps of one peer. There are thousands of them: the record is kept as the bytes that came, which are passed on,
// and beside it only what is asked for often.
#pragma once

#include <optional>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

struct BookEntry {
  // First what every walk over the book looks at, so that it meets few cache lines.
  std::optional<Endpoint> endpoint;  // of the record
  bool may_dial = false;             // it has an endpoint, told by somebody whose word is enough
  bool tried = false;
  bool gone = false;                 // it said goodbye: `raw` is that, and all there is
  std::uint8_t bucket = 0;           // of new, or of tried
  std::uint8_t turned_away = 0;      // times in a row that it soon ended a link which we dialled
  unsigned failures = 0;             // dials in a row that led nowhere
  unsigned passed_on = 0;            // times sent to somebody since it last changed
  WallTime expires{};                // of the record
  BootTime next_try{};               // not dialled from the book before
  std::uint64_t sequence = 0;        // of the record
  Signed raw;                        // as it came, to be passed on
  std::uint64_t source_group = 0;    // network of whoever told it first
  BootTime linked{};                 // tried: when last linked
  BootTime quiet_until{};            // its changes are not passed on at once before

  /// By our own observation or its own word. What others say of a death is no more than a hint, and they have no message for it.
  [[nodiscard]] bool looks_dead() const { return gone || failures >= limits::dials_until_dead; }
  /// Decoded anew each time. Not of one that is gone.
  [[nodiscard]] ContactRecord record() const;
  /// Where it may be dialled; decodes where it may.
  [[nodiscard]] std::optional<Route> route() const;
};

}  // namespace dugnad::core
