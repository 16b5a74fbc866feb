// KeptOutputs: which blobs of a directory are outputs that a job has accepted, for whoever looks after a restart, and for other processes that make
// room there (BlobStore). An empty file beside the blob says so: `BLOB.JOB.untaken` until the job's program has read it, then `BLOB.JOB.read` until
// the job is over, since a job that is resumed delivers all its outputs again.
//
// Nothing is flushed: a power cut may lose what was said last, never the blob itself, which then stays for as long as there is room.
#pragma once

#include <string>
#include <string_view>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/ids.h"

namespace dugnad::store {

/// From any thread; no call waits for the blobs' bytes. The default one keeps nothing.
class KeptOutputs {
 public:
  KeptOutputs() = default;
  /// Of the directory of a BlobStore.
  explicit KeptOutputs(std::string directory) : directory_(std::move(directory)) {}

  /// Before the journal says that the output is accepted. A disk that takes no file more will not take that row either, which is told.
  void keep(const JobId& job, const BlobId& output) const;
  /// The program has read it.
  void taken(const JobId& job, const BlobId& output) const;
  /// The job has ended: what was read of it is nobody's any more.
  void over(const JobId& job) const { drop(job, false); }
  /// Nor is what was not read.
  void forget(const JobId& job) const { drop(job, true); }

  /// `held`: a donor's promise to its submitter (HeldMarks).
  enum class Kind : unsigned char { none, held, read, untaken };
  static constexpr std::string_view held_suffix = ".held";
  /// What the name of a file of the directory says; none: it is no such file.
  [[nodiscard]] static Kind kind_of(std::string_view name);

 private:
  void drop(const JobId& job, bool untaken) const;
  [[nodiscard]] std::string file(const JobId& job, const BlobId& output, std::string_view suffix) const;

  std::string directory_;
};

}  // namespace dugnad::store
