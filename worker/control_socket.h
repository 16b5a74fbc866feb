// The worker's control socket: a Unix socket in its data directory that tells whoever connects the worker's contact, so that `dugnad` on the same
// machine finds the swarm without being told. One line out, nothing in. Mode 0600: the file system says who may ask.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"

namespace dugnad::worker {

/// `control.sock` in a data directory.
[[nodiscard]] std::string control_path(const std::string& data_dir);

class ControlSocket {
 public:
  /// Replaces what an earlier process left behind; so whoever opens one holds the data directory's lock. An error in one line.
  [[nodiscard]] static Result<ControlSocket> open(const std::string& path, std::string answer);
  ~ControlSocket();  // removes the file
  ControlSocket(ControlSocket&& other) noexcept;
  ControlSocket& operator=(ControlSocket&&) = delete;

  /// Readable when somebody waits to be served; for the owner's poll().
  [[nodiscard]] int descriptor() const { return fd_; }
  /// Answers everybody who waits. Never blocks. False where the system has no descriptors left: then leave the socket alone for good, as it
  /// would stay readable.
  [[nodiscard]] bool serve();

 private:
  ControlSocket(int fd, std::string path, std::string answer);
  int fd_;
  std::string path_;
  std::string answer_;
};

/// What the worker that listens at `path` answers, without the line break. An error where there is none, or it says nothing within a second.
[[nodiscard]] Result<std::string> ask(const std::string& path);

}  // namespace dugnad::worker
