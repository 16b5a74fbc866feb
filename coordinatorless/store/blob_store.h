// BlobStore: blobs by name, within a quota. What was used longest ago is evicted first; what is pinned, never. Where the disk is full before the
// quota is, what nobody needs makes room likewise. One directory may serve
// several processes: what another has touched in the last minutes is left alone. So are outputs that a job has accepted and its program has not read
// yet (KeptOutputs), also after a crash, for a month; those that it has read, and would deliver again if it were resumed, go last; and so do
// those that a donor holds for a submitter (HeldMarks).
//
// A fetched blob grows in a `.part` file, each chunk in its place, as it comes; which are there, and what proves them, stands in a `.have`
// file beside it. Both outlast the process, so that a fetch goes on where it stopped, with what is proved once more. A blob gets its name
// only once the whole was hashed again. A file whose bytes have rotted is dropped when it is read.
//
// Thread-safe: one mutex, held while reading and writing too. Not for the protocol's thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/chunk_set.h"
#include "coordinatorless/store/blob_files.h"
#include "coordinatorless/store/kept_outputs.h"

namespace dugnad::store {

class BlobStore {
 public:
  static constexpr std::uint64_t default_quota = std::uint64_t{1} << 30;
  static constexpr std::uint64_t memory_quota = 256 << 20;  // of a process that keeps nothing on disk

  explicit BlobStore(std::unique_ptr<BlobFiles> files, std::uint64_t quota = default_quota);

  /// Keeps `bytes`, with one pin.
  [[nodiscard]] Result<BlobId> put(ByteView bytes);
  /// Whether put() has room for as much, now. Always, for what it could not even keep alone: put() says so.
  [[nodiscard]] bool make_room_for(std::uint64_t bytes);
  /// The whole blob, checked; nullptr where it is not here (any more).
  [[nodiscard]] std::shared_ptr<const Bytes> get(const BlobId& id);
  [[nodiscard]] bool holds(const BlobId& id);

  struct Chunk {
    Bytes bytes;
    std::vector<Hash> path;  // proves it, see merkle_verify
  };
  /// For another peer, of a blob that is here or being fetched; not checked, since whoever gets it does.
  [[nodiscard]] std::optional<Chunk> chunk(const BlobId& id, std::uint64_t index);

  /// True where it is here; it stays until unpinned as often.
  bool pin(const BlobId& id);
  void unpin(const BlobId& id);

  // One fetch of a blob at a time.

  /// Which of its chunks are here from an earlier try. An error where there is no room.
  [[nodiscard]] Result<ChunkSet> begin(const BlobId& id);
  /// A chunk, which the caller has checked: `path` proves it.
  [[nodiscard]] Result<void> add(const BlobId& id, std::uint64_t index, const std::vector<Hash>& path, ByteView chunk);
  /// All chunks are there: hashes them and pins the blob. An error where it is not what it should be; begin() starts afresh then.
  [[nodiscard]] Result<void> finish(const BlobId& id);
  /// What came so far may serve a later try.
  void break_off(const BlobId& id);

  /// Keeps what is pinned from looking forgotten to other programs of the directory, which know nothing of this one's pins: to be called more often
  /// than every `touch_pinned_within`.
  void touch_pinned();
  static constexpr std::chrono::minutes touch_pinned_within{10};

  /// Somebody of this process needs it.
  [[nodiscard]] bool is_pinned(const BlobId& id);

  [[nodiscard]] std::uint64_t bytes_held();
  [[nodiscard]] std::uint64_t quota() const { return quota_; }

 private:
  struct Held {
    std::uint64_t bytes = 0;
    std::size_t pins = 0;
    std::uint64_t used = 0;  // a file's date is too coarse to tell what this process used last
  };
  using Paths = std::map<std::uint64_t, std::vector<Hash>>;  // of the chunks that are here
  [[nodiscard]] bool known(const BlobId& id);
  /// What of its part is proved.
  [[nodiscard]] Paths proved(const BlobId& id);
  void drop_part(const BlobId& id);
  [[nodiscard]] std::optional<Chunk> chunk_of_part(const BlobId& id, std::uint64_t index);
  [[nodiscard]] Result<void> make_room(std::uint64_t bytes);
  /// Evicts until what is here has `most` bytes, as far as may be.
  void shrink_to(std::uint64_t most);
  /// After a failure to write so many: true where the disk was full, and something could go.
  [[nodiscard]] bool relieve_disk(std::uint64_t bytes);
  [[nodiscard]] Result<void> put_file(const BlobId& id, ByteView bytes);
  using Kept = std::map<BlobId, KeptOutputs::Kind>;
  /// What the files beside the blobs say; those whose blob is gone are removed.
  [[nodiscard]] Kept kept_among(const std::vector<BlobFiles::Entry>& entries);
  [[nodiscard]] bool may_evict(const BlobFiles::Entry& entry, const BlobId& id, KeptOutputs::Kind kept) const;
  void scan();
  /// What another process used, or nobody for long, first.
  [[nodiscard]] std::vector<BlobFiles::Entry> by_use();
  void use(const BlobId& id);
  void drop(const BlobId& id);
  const std::vector<Hash>* leaves(const BlobId& id);

  std::mutex mutex_;
  const std::unique_ptr<BlobFiles> files_;
  const std::uint64_t quota_;
  std::map<BlobId, Held> held_;                   // that this process has had to do with
  std::map<BlobId, Paths> fetching_;
  std::map<BlobId, std::vector<Hash>> leaves_;    // of what was served lately; at most leaves_max
  std::uint64_t uses_ = 0;
  std::uint64_t bytes_ = 0;                       // as of the last scan, and what came since
};

}  // namespace dugnad::store
