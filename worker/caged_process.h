// CagedProcess: one running cage and what can be said to it. All that comes from it is checked: a stranger's code may have taken it over. Belongs
// to one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "coordinatorless/base/result.h"
#include "worker/cage/wire.h"
#include "worker/launcher.h"

namespace dugnad::worker {

class CagedProcess {
 public:
  using Clock = std::chrono::steady_clock;

  explicit CagedProcess(const SpawnedCage& spawned);
  ~CagedProcess();  // killed, and its descriptors closed
  CagedProcess(const CagedProcess&) = delete;
  CagedProcess& operator=(const CagedProcess&) = delete;

  /// Waits for what it says first: its layers; or why it is none.
  [[nodiscard]] Result<std::string> hello();

  /// Bytes to be written as soon as there is room.
  void send(ByteView frames) { out_.insert(out_.end(), frames.begin(), frames.end()); }
  /// While nothing is asked of it: it lives and says nothing. Where a machine runs short of memory, idle cages go first.
  [[nodiscard]] bool at_rest() const;
  /// Everything sent was taken by the kernel.
  [[nodiscard]] bool sent() const { return sent_ == out_.size(); }

  enum class Event : std::uint8_t { frame, woken, late, gone };
  /// Writes and reads until there is a whole frame, `wake` is readable (-1: nothing), the deadline has come, or the cage is gone: dead, or not
  /// to be believed any more.
  [[nodiscard]] Event wait(int wake, Clock::time_point deadline, cage::Frame& frame);
  void kill();

 private:
  [[nodiscard]] bool write_some();
  [[nodiscard]] bool read_some();

  const SpawnedCage spawned_;
  cage::FrameReader reader_{cage::FrameReader::Side::worker};
  Bytes out_;
  std::size_t sent_ = 0;
  bool gone_ = false;
};

}  // namespace dugnad::worker
