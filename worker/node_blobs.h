// NodeBlobs: the blobs of a node: what it keeps, fetches and serves, and the guests that are made of modules among them.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/store/blob_store.h"
#include "worker/bulk_thread.h"
#include "worker/guest.h"

namespace dugnad::worker {

class NodeBlobs {
 public:
  NodeBlobs(std::unique_ptr<store::BlobStore> store, const PeerId& self, BulkThread::Outside outside);

  // --- Any thread but the protocol's: they wait for the disk ---

  [[nodiscard]] Result<BlobId> keep(ByteView bytes);
  [[nodiscard]] std::shared_ptr<const Bytes> get(const BlobId& id);
  void let_go(const BlobId& id) { store_->unpin(id); }

  // --- The protocol's thread ---

  [[nodiscard]] BulkThread& bulk() { return bulk_; }
  void release(const core::ReleaseBlob& release);
  /// The same for all attempts of a job, whose costs the executor then knows. Its bytes are read when a cage asks for them, on a slot's thread.
  [[nodiscard]] std::shared_ptr<const Guest> guest_of(const core::AttemptToStart& wanted);

 private:
  const std::unique_ptr<store::BlobStore> store_;
  const PeerId self_;
  const std::function<void(core::Event)> post_;
  std::map<BlobId, std::vector<std::shared_ptr<const Guest>>> guests_;  // of modules that are here; as many as jobs served
  BulkThread bulk_;
};

}  // namespace dugnad::worker
