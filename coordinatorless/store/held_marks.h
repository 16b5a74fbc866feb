// HeldMarks: what a donor has promised to keep of its large outputs, for its next process. A small file beside the blob, in the directory of a
// BlobStore: `BLOB.JOB.UNIT.HOLDER.held`, with the beginning of the holder's id, since several programs may share the directory.
//
// Nothing is flushed: a power cut may lose what was said last, and the unit is then computed again. A blob with such a mark is among the last to go
// where others make room (KeptOutputs).
#pragma once

#include <string>
#include <vector>

#include "coordinatorless/base/held_output.h"

namespace dugnad::store {

/// From any thread; no call waits for the blobs' bytes. The default one keeps nothing.
class HeldMarks {
 public:
  HeldMarks() = default;
  /// Of the directory of a BlobStore; `holder`: this program.
  HeldMarks(std::string directory, const PeerId& holder) : directory_(std::move(directory)), holder_(holder) {}

  /// A disk that takes no file more makes the next process know less, and harms nobody else.
  void add(const HeldOutput& held) const;
  void remove(const JobId& job, UnitIndex unit, const BlobId& output) const;
  /// Those of this holder. What is torn, or not of this form, is removed. Once, at the start.
  [[nodiscard]] std::vector<HeldOutput> all() const;

 private:
  [[nodiscard]] std::string file(const JobId& job, UnitIndex unit, const BlobId& output) const;

  std::string directory_;
  PeerId holder_;
};

}  // namespace dugnad::store
