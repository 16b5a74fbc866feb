// A ROUTER here and a DEALER in another process, with CURVE between them: what ZeroMQ itself does with the bytes of our units.
#pragma once

#include <zmq.hpp>

#include "tests/bench/process.h"
#include "tests/bench/stats.h"

namespace dugnad::bench {

class BarePair {
 public:
  BarePair();

  /// Sends `units` of that many bytes in batches and gets as many back, with `in_flight` units on their way. Units a second.
  [[nodiscard]] double units_per_second(std::size_t units, std::size_t unit_bytes, std::size_t batch, std::size_t in_flight);
  /// One message at a time, there and back, in seconds.
  [[nodiscard]] Samples round_trips(std::size_t count, std::size_t bytes);

 private:
  void send(std::size_t bytes);
  void receive();

  zmq::context_t context_;
  zmq::socket_t router_;
  std::unique_ptr<Child> worker_;
  std::string worker_id_;
};

}  // namespace dugnad::bench
