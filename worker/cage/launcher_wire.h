// What a worker and its launcher say to each other: one datagram a question, one an answer, on a SOCK_SEQPACKET pair.
#pragma once

#include <cstdint>

namespace dugnad::worker::cage {

inline constexpr int launcher_socket = 3;  // in the launcher
inline constexpr int cage_socket = 3;      // in a cage

/// The worker asks for a cage.
struct SpawnRequest {
  std::uint64_t data_bytes = 0;  // RLIMIT_DATA
};

/// With error 0 two descriptors come along: the cage's socket, and a pidfd.
struct SpawnAnswer {
  std::int32_t error = 0;  // errno
};

}  // namespace dugnad::worker::cage
