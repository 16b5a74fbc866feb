// Receipt: what a signed receipt proves, to whoever trusts nobody. Pure: needs no peer and no clock.
//
// A giver that shows two faces is caught by any two receipts of one line: each replaces those before it, so that the same sequence with
// another
// content, or a higher one with less work, can only come from a giver that cheats (or that lost its journal: favours.h, 6).
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

/// Which receipts replace each other.
struct ReceiptLine {
  PublicKey giver;
  PeerId submitter;
  std::uint64_t series = 0;
  PublicKey receiver;
  auto operator<=>(const ReceiptLine&) const = default;
};
[[nodiscard]] ReceiptLine line_of(const Receipt& receipt);

/// Whether the giver has signed it. `receipt` is its decoded body.
[[nodiscard]] bool is_given(const SignedReceipt& signed_receipt, const Receipt& receipt, const SwarmId& swarm, Crypto& crypto);
/// Whether the receiver has signed it too.
[[nodiscard]] bool is_taken(const SignedReceipt& signed_receipt, const Receipt& receipt, const SwarmId& swarm, Crypto& crypto);

enum class Contradiction : std::uint8_t { none, same_sequence, less_work };
/// Between two receipts whose giver's signatures hold, in any order.
[[nodiscard]] Contradiction contradiction(const Receipt& one, const Receipt& other);
/// The same for whoever has only the bytes: nothing is proven by what does not decode or is not signed.
[[nodiscard]] Contradiction proven_contradiction(const SignedReceipt& one, const SignedReceipt& other, const SwarmId& swarm, Crypto& crypto);

[[nodiscard]] ReceiptRow row_of(const SignedReceipt& signed_receipt, const Receipt& receipt, const SwarmId& swarm, bool contradicts = false);
[[nodiscard]] SignedReceipt receipt_of(const ReceiptRow& row);

}  // namespace dugnad::core
