// FloodWatch: catches a peer that sends without end and never finishes a message. libzmq counts whole messages, so an endless multipart
// message passes every limit it has and fills the memory unseen. TCP knows how many bytes came; we know how many were delivered.
//
// Rule: looked at after everything deliverable was taken, a connection that holds more than `undelivered_max` bytes back, and has delivered
//   nothing since the last look, is flooding. Rationale: an honest peer's frames are at most message_bytes_max; what lies beyond one
//   unfinished frame is in the kernel's buffer (6 MiB at most by default), and drains within one interval.
// Rule: until it is introduced a connection may send `hello_bytes_max`. Rationale: a HELLO is under 1 KiB.
#pragma once

#include <algorithm>
#include <cstdint>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::zmq {

class FloodWatch {
 public:
  static constexpr std::uint64_t undelivered_max = 8 << 20;
  static constexpr std::uint64_t hello_bytes_max = 64 << 10;
  static constexpr std::uint64_t frame_overhead = 42;     // CURVE's MESSAGE command in a long ZMTP frame
  static constexpr double heartbeat_bytes_per_second = 32;  // a PING and a PONG each way in 15 s, and room

  explicit FloodWatch(BootTime start) : start_(start) {}

  void delivered(std::uint64_t frame_bytes) {
    accounted_ += frame_bytes + frame_overhead;
    delivered_since_look_ = true;
  }

  /// `received`: all bytes of the connection so far.
  [[nodiscard]] bool flooding(std::uint64_t received, bool introduced, BootTime now) {
    accounted_ = std::min(accounted_, received);  // no credit for the overhead that small frames do not have
    const auto heartbeats = static_cast<std::uint64_t>(seconds_of(now - start_) * heartbeat_bytes_per_second);
    const std::uint64_t undelivered = received - accounted_;
    const bool stalled = !delivered_since_look_;
    delivered_since_look_ = false;
    if (!introduced) return received > hello_bytes_max;
    return stalled && undelivered > undelivered_max + heartbeats;
  }

 private:
  BootTime start_;
  std::uint64_t accounted_ = 0;
  bool delivered_since_look_ = false;
};

}  // namespace dugnad::zmq
