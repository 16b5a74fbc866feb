// What keys and the data directory share of POSIX: a descriptor that closes itself, and a reason in words.
#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"

namespace dugnad::store {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// An errno as the tail of a sentence: "permission denied".
[[nodiscard]] std::string reason_of(int error);

/// All of `bytes`; false with errno set where that fails.
[[nodiscard]] bool write_all(int fd, ByteView bytes);

/// Whether there is such a file, and it is not empty.
[[nodiscard]] bool has_bytes(const std::string& path);

/// Makes what was created or renamed in `directory` outlast a power cut.
[[nodiscard]] bool sync_directory(const std::string& directory);

}  // namespace dugnad::store
