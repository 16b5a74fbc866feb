// BlobFiles: where a BlobStore puts bytes: a directory's files, or the process's memory where nothing is kept. Names are the store's affair.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"

namespace dugnad::store {

class BlobFiles {
 public:
  struct Entry {
    std::string name;
    std::uint64_t bytes = 0;
    bool fresh = false;  // touched within the last minutes, perhaps by another process that needs it
    bool old = false;    // untouched for a month
  };

  virtual ~BlobFiles() = default;
  /// Who was touched longest ago comes first.
  [[nodiscard]] virtual std::vector<Entry> list() = 0;
  [[nodiscard]] virtual std::optional<std::uint64_t> size(const std::string& name) = 0;
  /// Exactly `length` bytes from `offset`; nullopt where they are not there.
  [[nodiscard]] virtual std::optional<Bytes> read(const std::string& name, std::uint64_t offset, std::uint64_t length) = 0;
  /// Makes the file where it is missing.
  [[nodiscard]] virtual Result<void> append(const std::string& name, ByteView bytes) = 0;
  /// At that place of the file, which is made, and becomes longer, where it must.
  [[nodiscard]] virtual Result<void> write(const std::string& name, std::uint64_t offset, ByteView bytes) = 0;
  /// Makes the file `size` bytes long, with zeros behind what is there; they take no room before they are written.
  [[nodiscard]] virtual Result<void> stretch(const std::string& name, std::uint64_t size) = 0;
  /// `part` becomes `name` at once or not at all, and outlasts a power cut.
  [[nodiscard]] virtual Result<void> publish(const std::string& part, const std::string& name) = 0;
  /// Whether so many bytes more are too many for the disk itself.
  [[nodiscard]] virtual bool is_full(std::uint64_t bytes) = 0;
  virtual void remove(const std::string& name) = 0;
  virtual void touch(const std::string& name) = 0;
};

/// Makes `directory` (mode 0700) where it is missing, and again where somebody has removed it since.
[[nodiscard]] Result<std::unique_ptr<BlobFiles>> files_in(const std::string& directory);
/// For whoever only reads: makes nothing, and has no files where there is no such directory.
[[nodiscard]] std::unique_ptr<BlobFiles> files_to_read(const std::string& directory);
[[nodiscard]] std::unique_ptr<BlobFiles> files_in_memory();

}  // namespace dugnad::store
