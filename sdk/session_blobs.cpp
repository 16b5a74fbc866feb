// The half of a session that keeps large inputs and reads large outputs.
#include "sdk/session.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "coordinatorless/core/limits.h"

namespace dugnad::sdk {
namespace {

/// This machine's.
std::uint64_t memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return static_cast<std::uint64_t>(std::max(pages, 0L)) * static_cast<std::uint64_t>(std::max(page, 0L));
}

}  // namespace

Result<Value> Session::as_value(Bytes& input) {
  if (input.size() <= small_bytes_max) return Value(std::move(input));
  const auto kept = node_->keep(input);
  return kept ? Result<Value>(Value(*kept)) : Result<Value>(kept.error());
}

Mailbox::LargeStore Session::large_store() {
  return {.read = [this](const BlobId& blob) { return read_output(blob); },
          .pin = [this](const BlobId& blob) { return blobs_->pin(blob); },
          .let_go = [this](const Mailbox::Large& large) { let_output_go(large); },
          .memory_max = memory() / 4};
}

void Session::let_output_go(const Mailbox::Large& large) {
  if (!stored_output_) kept_outputs_.taken(id_, large.blob);
  if (!large.own_pin) {
    const std::shared_lock attached(attached_);
    if (node_ != nullptr) node_->post(core::OutputTaken{id_, large.blob});
    return;
  }
  bool was_elsewhere = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = elsewhere_.find(large.blob); at != elsewhere_.end()) {
      was_elsewhere = true;
      at->second.pop_back();
      if (at->second.empty()) elsewhere_.erase(at);
    }
    earlier_bytes_ -= std::min(earlier_bytes_, large.blob.length);
    changed_.notify_all();
  }
  if (!was_elsewhere) blobs_->unpin(large.blob);
}

UnitResult Session::result_of(AcceptedUnit unit, Mailbox::LargeOutputs& large) {
  UnitResult result;
  result.unit = unit.unit.value;
  result.ok = unit.outcome == Outcome::ok;
  if (!result.ok) {
    result.reason = to_text(unit.output.bytes);
  } else if (unit.output.large) {
    large[result.unit] = {unit.output.blob()};
  } else {
    result.output = std::move(unit.output.bytes);
  }
  return result;
}

void Session::let_inputs_go(const std::vector<AcceptedUnit>& units) {
  if (large_inputs_.empty()) return;
  for (const AcceptedUnit& unit : units) {
    const auto at = large_inputs_.find(unit.unit.value);
    if (at == large_inputs_.end()) continue;
    node_->let_go(at->second);
    input_blob_bytes_ -= at->second.length;
    large_inputs_.erase(at);
  }
}

void Session::let_all_inputs_go() {
  for (const auto& [unit, input] : std::exchange(large_inputs_, {})) node_->let_go(input);
  input_blob_bytes_ = 0;
}

std::uint64_t Session::blob_room() const { return blobs_->quota() / core::limits::blob_uses; }

std::uint64_t Session::blob_bytes_of(std::uint64_t unit, const Bytes& input) const {
  const std::uint64_t bytes = input.size() > small_bytes_max ? input.size() : 0;
  return std::max(bytes, kept_.large_bytes(unit));
}

}  // namespace dugnad::sdk
