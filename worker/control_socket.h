// The two ends of a control socket, a Unix socket in the data directory: the one that listens, and whoever asks. control_protocol.h has what is
// said, control_server.h who answers.
//
// Who may ask: the user whose program it is, and root. The file's mode says so (0600 from its first moment), and both ends check who the other one
// is, since the data directory may be one that others can write to.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "coordinatorless/base/result.h"
#include "worker/control_protocol.h"

namespace dugnad::worker {

/// `control.sock` in a data directory: the worker's.
[[nodiscard]] std::string control_path(const std::string& data_dir);

class ControlSocket {
 public:
  /// Replaces what an earlier process left behind; so whoever opens one holds a lock that goes with it. An error in one line.
  [[nodiscard]] static Result<ControlSocket> open(const std::string& path);
  ~ControlSocket();  // removes the file
  ControlSocket(ControlSocket&& other) noexcept;
  ControlSocket& operator=(ControlSocket&&) = delete;

  /// Readable when somebody waits to be accepted.
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  ControlSocket(int fd, std::string path);
  int fd_;
  std::string path_;
};

/// Whether the other end of a connected socket is this user's, or root's.
[[nodiscard]] bool is_trusted_end(int fd);

enum class NotAsked : unsigned char {
  nobody,   // there is no socket
  stale,    // there is one that nobody listens at any more
  trouble,  // it cannot be asked, or says nothing that makes sense
};

struct Asked {
  std::optional<ControlAnswer> answer;
  NotAsked why_not = NotAsked::nobody;  // where there is no answer
  std::string reason = {};              // likewise: one line
};

/// Asks whoever listens at `path`, and waits for at most `patience` for each step. Blocks: not for the protocol's thread.
[[nodiscard]] Asked ask(const std::string& path, const ControlRequest& request,
                        std::chrono::milliseconds patience = std::chrono::seconds(5));

/// The contact of the worker that runs in a data directory. An error in one line where there is none.
[[nodiscard]] Result<std::string> ask_contact(const std::string& data_dir);

}  // namespace dugnad::worker
