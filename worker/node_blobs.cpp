#include "worker/node_blobs.h"

#include <utility>

#include "coordinatorless/core/limits.h"

namespace dugnad::worker {

NodeBlobs::NodeBlobs(std::unique_ptr<store::BlobStore> store, const std::string& directory, const PeerId& self, BulkThread::Outside outside)
    : store_(std::move(store)),
      kept_(directory.empty() ? store::KeptOutputs() : store::KeptOutputs(directory)),
      marks_(directory.empty() ? store::HeldMarks() : store::HeldMarks(directory, self)),
      self_(self),
      post_(outside.post),
      bulk_(*store_, self, std::move(outside)) {}

std::vector<HeldOutput> NodeBlobs::find_held() {
  std::vector<HeldOutput> held = marks_.all();
  std::erase_if(held, [this](const HeldOutput& each) {
    if (store_->pin(each.output)) {
      bulk_.hold(each.output);
      return false;
    }
    marks_.remove(each.job, each.unit, each.output);
    return true;
  });
  return held;
}

Result<BlobId> NodeBlobs::keep(ByteView bytes) {
  if (bytes.size() > core::limits::blob_bytes_max) {
    return Error{std::to_string(bytes.size()) + " bytes are more than a blob holds: " + std::to_string(core::limits::blob_bytes_max)};
  }
  return store_->put(bytes);
}

std::shared_ptr<const Bytes> NodeBlobs::get(const BlobId& id) {
  auto bytes = store_->get(id);
  if (!bytes) post_(core::BlobFailed{id, self_, "it is lost or corrupt"});
  return bytes;
}

void NodeBlobs::take_over(const std::vector<FinishedAttempt>& finished) {
  for (const FinishedAttempt& attempt : finished) {
    if (attempt.output.large) bulk_.hold(attempt.output.blob());
  }
}

void NodeBlobs::keep_outputs(const std::vector<Row>& rows) const {
  for (const Row& row : rows) {
    const auto* accepted = std::get_if<AcceptedRow>(&row);
    if (accepted == nullptr) continue;
    for (const AcceptedUnit& unit : accepted->units) {
      if (unit.output.large) kept_.keep(accepted->job, unit.output.blob());
    }
  }
}

void NodeBlobs::release(const core::ReleaseBlob& release) {
  guests_.erase(release.blob);
  bulk_.release(release);
}

std::shared_ptr<const Guest> NodeBlobs::guest_of(const core::AttemptToStart& wanted) {
  const BlobId id = *wanted.module;
  auto& of_module = guests_[id];
  for (const auto& known : of_module) {
    if (known->memory_bytes == wanted.memory_bytes && known->fuel == wanted.fuel) return known;
  }
  // Those that no attempt holds go: jobs that come and go with ever another limit, while one keeps the module here, must not pile up.
  std::erase_if(of_module, [](const auto& known) { return known.use_count() == 1; });
  const auto packed = [this, id] { return get(id); };
  return of_module.emplace_back(std::make_shared<const Guest>(id, wanted.memory_bytes, wanted.fuel, packed));
}

}  // namespace dugnad::worker
