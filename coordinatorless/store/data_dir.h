// The data directory: where a program keeps its keys and its journal. $XDG_DATA_HOME/dugnad, else ~/.local/share/dugnad.
#pragma once

#include <memory>
#include <string>

#include "coordinatorless/base/result.h"

namespace dugnad::store {

class DataDir {
 public:
  /// Makes `path` (mode 0700) where it is missing; empty means the default. An error in one line where it cannot be made, read or written.
  [[nodiscard]] static Result<DataDir> open(std::string path);
  /// For whoever only looks: changes nothing, and takes one that nobody can write to, or that is not there, in which case it has no files.
  [[nodiscard]] static Result<DataDir> open_for_reading(std::string path);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Keeps a second worker out of the same directory for as long as the returned handle lives (flock on `NAME.lock`).
  [[nodiscard]] Result<std::shared_ptr<void>> lock(const std::string& name) const;

 private:
  explicit DataDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace dugnad::store
