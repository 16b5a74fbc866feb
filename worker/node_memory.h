// NodeMemory: what a node finds in its journal, and its owner's other programs have in theirs, when it starts.
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/store/data_dir.h"
#include "coordinatorless/store/store.h"

namespace dugnad::worker {

/// In the data directory: the key of the user, which all programs there share.
inline constexpr const char* owner_file = "owner.key";

struct Remembered {
  core::ContactsRestored contacts;
  core::FavoursRestored favours;
  core::ReputationsRestored reputations;
  core::WaitingRestored waiting{};
  core::HeldRestored held{};

  /// For the peer, before anything else happens.
  [[nodiscard]] std::vector<core::Event> events() &&;
};

/// `journal` is that of `role`. Of the worker's beside it the receipts alone, as they are on disk just now: what the worker was thanked
/// with, the user's
/// submitters show. A journal beside it that cannot be read is left out. An error in one line.
[[nodiscard]] Result<Remembered> remember(const store::Store& journal, const store::DataDir& dir, const std::string& role, const SwarmId& swarm);

}  // namespace dugnad::worker
