// NodeBlobs: the blobs of a node: what it keeps, fetches and serves, and the guests that are made of modules among them.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "coordinatorless/base/attempt.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/base/rows.h"
#include "coordinatorless/store/blob_store.h"
#include "coordinatorless/store/held_marks.h"
#include "worker/bulk_thread.h"
#include "worker/guest.h"

namespace dugnad::worker {

class NodeBlobs {
 public:
  /// `directory`: of the store's blobs; empty where they are in memory.
  NodeBlobs(std::unique_ptr<store::BlobStore> store, const std::string& directory, const PeerId& self, BulkThread::Outside outside);

  // --- Any thread but the protocol's: they wait for the disk ---

  [[nodiscard]] Result<BlobId> keep(ByteView bytes);
  [[nodiscard]] std::shared_ptr<const Bytes> get(const BlobId& id);

  // --- Any thread ---

  void let_go(const BlobId& id) { bulk_.let_go(id); }
  /// What remains of the node's blobs once the node itself is gone.
  [[nodiscard]] std::shared_ptr<store::BlobStore> store() const { return store_; }
  [[nodiscard]] std::uint64_t room() const { return store_->quota(); }
  [[nodiscard]] const store::KeptOutputs& kept() const { return kept_; }

  // --- The protocol's thread ---

  /// Large outputs among these were kept by the executor, and are the peer's from now on.
  void take_over(const std::vector<FinishedAttempt>& finished);

  /// What an earlier process of this peer held for submitters and is still here; it is the peer's from now on. Once, before the loop runs.
  [[nodiscard]] std::vector<HeldOutput> find_held();
  [[nodiscard]] const store::HeldMarks& marks() const { return marks_; }

  /// Large outputs among what is about to be written to the journal as accepted outlast this process.
  void keep_outputs(const std::vector<Row>& rows) const;

  [[nodiscard]] BulkThread& bulk() { return bulk_; }
  void release(const core::ReleaseBlob& release);
  /// The same for all attempts of a job, whose costs the executor then knows. Its bytes are read when a cage asks for them, on a slot's thread.
  [[nodiscard]] std::shared_ptr<const Guest> guest_of(const core::AttemptToStart& wanted);

 private:
  const std::shared_ptr<store::BlobStore> store_;
  const store::KeptOutputs kept_;
  const store::HeldMarks marks_;
  const PeerId self_;
  const std::function<void(core::Event)> post_;
  std::map<BlobId, std::vector<std::shared_ptr<const Guest>>> guests_;  // of modules that are here; as many as jobs served
  BulkThread bulk_;
};

}  // namespace dugnad::worker
