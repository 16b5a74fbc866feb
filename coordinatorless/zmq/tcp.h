// What is asked of TCP connections that libzmq owns, by their descriptors, and of descriptors as such. The descriptor may have been closed by
// the I/O thread a moment ago: every answer may be "nothing", and no harm comes of asking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace dugnad::zmq {

/// Bytes that have arrived on the connection, delivered or not.
[[nodiscard]] std::optional<std::uint64_t> bytes_received(int fd);

/// Ends the connection. libzmq then sees its end and closes the descriptor itself; closing it under libzmq aborts the process.
void cut(int fd);

/// Raises the soft limit on descriptors as far as `wanted` and the hard limit allow, and says what it is now.
[[nodiscard]] std::size_t raise_descriptor_limit(std::size_t wanted);

}  // namespace dugnad::zmq
