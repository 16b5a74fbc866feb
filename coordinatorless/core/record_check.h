// What an entry of a job's record proves: checked by everybody who is given one, whoever gives it.
#pragma once

#include <optional>
#include <variant>

#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

/// Results that a donor has signed.
struct SignedResults {
  PublicKey donor;
  Results results;
};
/// One or the other, genuine; nullopt where the entry is neither, or of another job.
using Proven = std::variant<OwnersWord, SignedResults>;
[[nodiscard]] std::optional<Proven> proven(const RecordEntry& entry, const JobId& job, const PublicKey& owner, const Self& self);
/// What an owner's word says was collected.
[[nodiscard]] std::optional<SignedResults> proven(const CollectedResults& collected, const JobId& job, const Self& self);

/// Entries of one's own.
[[nodiscard]] RecordEntry entry_of(const OwnersWord& word, const Self& self);
[[nodiscard]] RecordEntry entry_of(const PublicKey& donor, const Results& results);

}  // namespace dugnad::core
