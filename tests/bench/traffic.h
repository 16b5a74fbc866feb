// What a process sends and receives over TCP, as the kernel counts it: everything above TCP, so with CURVE's, ZMTP's and heartbeats' own bytes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

namespace dugnad::bench {

class TrafficMeter {
 public:
  explicit TrafficMeter(pid_t process) : process_(process) { sample(); }

  /// To be called about once a second: what a connection does between the last call and its end is not counted.
  void sample();

  [[nodiscard]] double bytes_sent() const;
  [[nodiscard]] double bytes_received() const;
  /// Connections that were up at the last sample.
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  struct Bytes {
    double sent = 0, received = 0;
  };
  struct Connection {
    Bytes first, last;
  };

  const pid_t process_;
  bool begun_ = false;
  std::size_t connections_ = 0;
  std::map<std::uint64_t, Connection> seen_;  // by the socket's inode
};

}  // namespace dugnad::bench
