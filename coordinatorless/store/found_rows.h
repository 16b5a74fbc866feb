// FoundRows: the rows of a journal that Pages came upon, told apart by their shapes and sums. The many and large ones are kept as places.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "coordinatorless/store/pages.h"
#include "coordinatorless/store/store.h"

namespace dugnad::store {

struct FoundRows {
  struct Accepted {
    CellPlace place;
    JobId job;
    std::uint64_t units = 0;
    bool summed = false;
    bool holds = false;  // something of results that are not final
  };
  struct Claim {
    JobId job;
    std::uint64_t units = 0;
    auto operator<=>(const Claim&) const = default;
  };

  std::map<JobId, StoredJob> jobs;
  std::map<std::int64_t, Accepted> accepted;       // by number
  std::map<std::int64_t, std::set<Claim>> claims;  // what the index says of numbers; it has no sums
  std::map<JobId, PapersRow> papers;
  std::map<JobId, SummaryRow> summaries;
  std::map<PeerId, ContactRow> contacts;
  std::map<std::vector<Bytes>, ReceiptRow> receipts;
  std::map<std::pair<SwarmId, PublicKey>, FavourRow> favours;
  std::map<std::pair<SwarmId, PeerId>, ReputationRow> reputations;
  std::map<std::tuple<JobId, NoteKind, std::uint64_t>, NoteRow> notes;
  std::uint64_t unsummed = 0;  // of all but `accepted`

  void add(const CellPlace& place, const Record& record);
};

/// The row; nullopt where the record is none or does not hold what it held.
[[nodiscard]] std::optional<AcceptedRow> accepted_row_of(const Record& record);

}  // namespace dugnad::store
