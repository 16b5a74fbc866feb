// The part of a session that delivers what an earlier run has accepted, and that keeps large outputs until the program has put them elsewhere.
#include "sdk/session.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dugnad::sdk {

std::optional<UnitResult> Session::take_kept(std::uint64_t unit, const Bytes& input, Mailbox::LargeOutputs& large) {
  auto taken = kept_.take(known_.number_of(unit));
  if (!taken) return std::nullopt;
  AcceptedUnit kept = *std::move(taken);
  kept.unit.value = unit;
  if (kept.input_tag != input_tag_of(value_of(input))) return std::nullopt;  // the job's inputs are others now
  std::optional<UnitResult> result;
  if (kept.outcome == Outcome::ok && kept.output.large) {
    result = take_kept_large(std::move(kept), large);
  } else if (kept.outcome != Outcome::ok || plan_->accept(kept.unit, kept.output.bytes)) {
    result = result_of(std::move(kept), large);
  }
  if (result) result->earlier = true;
  return result;
}

std::optional<UnitResult> Session::take_kept_large(AcceptedUnit kept, Mailbox::LargeOutputs& large) {
  const BlobId output = kept.output.blob();
  const std::uint64_t unit = kept.unit.value;
  // First of all: once the plan has accepted it, it cannot be computed again.
  const bool here = blobs_->pin(output);
  auto bytes = here ? (combines_ ? blobs_->get(output) : nullptr) : read_stored(unit, output);
  const bool had = bytes || (here && !combines_);
  if (!had && !std::exchange(gone_said_, true)) {
    Notice notice{.kind = Notice::Kind::output_gone, .peer = {}, .unit = unit, .reason = {}};
    mailbox_.say(std::move(notice));
  }
  if (!had || !plan_->accept(kept.unit, combines_ ? ByteView(*bytes) : ByteView())) {
    if (here) blobs_->unpin(output);
    return std::nullopt;
  }
  if (!here) {
    const std::lock_guard lock(mutex_);
    elsewhere_[output].push_back(unit);
  }
  UnitResult result = result_of(std::move(kept), large);
  large.at(unit).own_pin = true;
  return result;
}

std::shared_ptr<const Bytes> Session::read_stored(std::uint64_t unit, const BlobId& output) const {
  if (!stored_output_) return nullptr;
  auto bytes = stored_output_(unit);
  if (!bytes || bytes->size() != output.length || blob_id_of(*bytes) != output) return nullptr;
  return std::make_shared<const Bytes>(*std::move(bytes));
}

std::shared_ptr<const Bytes> Session::read_output(const BlobId& output) {
  if (auto bytes = blobs_->get(output)) return bytes;
  std::optional<std::uint64_t> unit;
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = elsewhere_.find(output); at != elsewhere_.end()) unit = at->second.front();
  }
  return unit ? read_stored(*unit, output) : nullptr;
}

void Session::await_stored(const Mailbox::LargeOutputs& large) {
  if (!stored_output_) return;
  for (const auto& [unit, each] : large) {
    unstored_[unit] = each.blob;
    ++unstored_count_[each.blob];
  }
}

void Session::stored(const std::vector<std::uint64_t>& units) {
  std::vector<BlobId> outputs;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t unit : units) {
      const auto at = unstored_.find(unit);
      if (at == unstored_.end()) continue;
      // The same output may be another unit's too, which is not there yet.
      if (const auto count = unstored_count_.find(at->second); --count->second == 0) {
        outputs.push_back(at->second);
        unstored_count_.erase(count);
      }
      unstored_.erase(at);
    }
  }
  for (const BlobId& output : outputs) kept_outputs_.taken(id_, output);
}

}  // namespace dugnad::sdk
