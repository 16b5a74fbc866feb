// AnnouncedJob: a signed announcement taken apart, and whether everything in it holds. What is asked of it, cheapest first: later(), timely(),
// genuine().
#pragma once

#include <cstdint>
#include <optional>

#include "coordinatorless/core/mandate.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

struct AnnouncedJob {
  JobId job;                  // hash_of(the manifest's bytes)
  Signed raw;                 // the announcement as it travels
  Announcement announcement;
  Manifest manifest;
  Delegation delegation;
  ContactRecord contact;      // the submitter's
};

/// nullopt where any of its parts is not what it ought to be, by shape and size. Nothing is verified yet.
[[nodiscard]] std::optional<AnnouncedJob> take_apart(const Signed& raw);

/// Whether `one` replaces `other`, an announcement of the same job.
[[nodiscard]] bool later(const AnnouncedJob& one, const AnnouncedJob& other);

[[nodiscard]] Mandate mandate_of(const AnnouncedJob& announced);

/// Dated so far ahead that nobody could outdo it.
[[nodiscard]] bool dated_ahead(const AnnouncedJob& announced, WallTime now);

/// Neither over nor dated further ahead than an honest peer would; clocks may differ by clock_skew.
[[nodiscard]] bool timely(const AnnouncedJob& announced, WallTime now);

/// Names and signatures hold. Parts that `before` (genuine, of the same job) has byte for byte are not checked again.
[[nodiscard]] bool genuine(const AnnouncedJob& announced, const AnnouncedJob* before, const Self& self);

}  // namespace dugnad::core
