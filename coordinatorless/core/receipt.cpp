#include "coordinatorless/core/receipt.h"

#include "coordinatorless/core/codec.h"

namespace dugnad::core {

ReceiptLine line_of(const Receipt& receipt) { return {receipt.giver, receipt.submitter, receipt.series, receipt.receiver}; }

bool is_given(const SignedReceipt& signed_receipt, const Receipt& receipt, const SwarmId& swarm, Crypto& crypto) {
  return crypto.verify(receipt.giver, signed_bytes(Domain::receipt, swarm, signed_receipt.body), signed_receipt.giver);
}

bool is_taken(const SignedReceipt& signed_receipt, const Receipt& receipt, const SwarmId& swarm, Crypto& crypto) {
  return signed_receipt.receiver &&
         crypto.verify(receipt.receiver, signed_bytes(Domain::receipt_taken, swarm, signed_receipt.body), *signed_receipt.receiver);
}

Contradiction contradiction(const Receipt& one, const Receipt& other) {
  if (line_of(one) != line_of(other) || one == other) return Contradiction::none;
  if (one.sequence == other.sequence) return Contradiction::same_sequence;
  const auto& [earlier, later] = one.sequence < other.sequence ? std::tie(one, other) : std::tie(other, one);
  return later.work < earlier.work ? Contradiction::less_work : Contradiction::none;
}

Contradiction proven_contradiction(const SignedReceipt& one, const SignedReceipt& other, const SwarmId& swarm, Crypto& crypto) {
  const auto first = decode_receipt(one.body), second = decode_receipt(other.body);
  if (!first || !second) return Contradiction::none;
  const Contradiction found = contradiction(*first, *second);
  if (found == Contradiction::none) return found;
  return is_given(one, *first, swarm, crypto) && is_given(other, *second, swarm, crypto) ? found : Contradiction::none;
}

ReceiptRow row_of(const SignedReceipt& signed_receipt, const Receipt& receipt, const SwarmId& swarm, bool contradicts) {
  return {swarm,           receipt.giver,       receipt.submitter,    receipt.series,         receipt.receiver,
          contradicts,     receipt.sequence,    signed_receipt.body,  signed_receipt.giver,   signed_receipt.receiver};
}

SignedReceipt receipt_of(const ReceiptRow& row) { return {row.body, row.giver_signature, row.receiver_signature}; }

}  // namespace dugnad::core
