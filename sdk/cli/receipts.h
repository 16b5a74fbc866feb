// The receipts in a data directory: who has thanked whom, whether the signatures hold, and who has been caught with two that contradict each other.
// Read beside whatever processes write them, and checked by nothing but the keys that they name.
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/receipt.h"

namespace dugnad::sdk::cli {

struct KnownReceipt {
  ReceiptRow row;
  core::Receipt receipt;
  bool is_given = false;  // the giver's signature holds
  bool is_taken = false;  // the receiver's too
  core::Contradiction contradiction = core::Contradiction::none;  // of one that is kept beside the one that it contradicts
};

/// Of all programs that keep a journal in `data`, a directory: by giver and line, what contradicts a receipt behind it. What does not decode is left
/// out. `crypto`: anybody's.
[[nodiscard]] Result<std::vector<KnownReceipt>> receipts_in(const std::string& data, Crypto& crypto);

/// For people; `us` is this user.
[[nodiscard]] std::string text_of(const std::vector<KnownReceipt>& receipts, const PublicKey& us);
/// An object a line; the bytes that were signed and the signatures are in it, so that it can be shown to others.
[[nodiscard]] std::string json_of(const std::vector<KnownReceipt>& receipts);

}  // namespace dugnad::sdk::cli
