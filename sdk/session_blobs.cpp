// The half of a session that keeps large inputs and reads large outputs.
#include "sdk/session.h"

namespace dugnad::sdk {

Result<Value> Session::as_value(Bytes input) {
  if (input.size() <= small_bytes_max) return Value(std::move(input));
  const auto kept = node_->keep(input);
  return kept ? Result<Value>(Value(*kept)) : Result<Value>(kept.error());
}

Mailbox::LargeStore Session::large_store() {
  return {.read = [this](const BlobId& blob) { return blobs_->get(blob); },
          .let_go =
              [this](const Mailbox::Large& large) {
                if (large.earlier) return blobs_->unpin(large.blob);
                const std::shared_lock attached(attached_);
                if (node_ != nullptr) node_->post(core::OutputTaken{id_, large.blob});
              }};
}

void Session::let_inputs_go(const std::vector<AcceptedUnit>& units) {
  if (large_inputs_.empty()) return;
  for (const AcceptedUnit& unit : units) {
    const auto at = large_inputs_.find(unit.unit.value);
    if (at == large_inputs_.end()) continue;
    node_->let_go(at->second);
    large_inputs_.erase(at);
  }
}

}  // namespace dugnad::sdk
