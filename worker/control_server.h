// ControlServer: answers at a control socket, on a thread of its own, so that neither the protocol nor a slow asker waits for the other.
//
// It takes any bytes from whoever may connect: a question has 4 KiB at most and a few seconds to come, an answer as long to be taken; beyond so
// many connections at once the next one waits in the system's short queue. One question a connection, answered in the order in which they come.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "coordinatorless/base/result.h"
#include "worker/control_socket.h"

namespace dugnad::worker {

struct ControlLimits {
  std::size_t connections_max = 16;
  std::chrono::milliseconds patience = std::chrono::seconds(3);  // from connecting to the last byte of the answer
};

class ControlServer {
 public:
  /// `handler` may be called until the destructor returns; where it blocks, everybody at this socket waits. An error in one line: ControlSocket's.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(const std::string& path, ControlHandler handler,
                                                                   ControlLimits limits = {});
  ~ControlServer();  // removes the socket; whoever has no answer yet gets none
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    int fd = -1;
    Clock::time_point until;
    std::string question = {};
    std::string answer = {};  // what is still to be sent; empty while the question comes
  };

  ControlServer(ControlSocket socket, ControlHandler handler, ControlLimits limits);
  void run();
  [[nodiscard]] int milliseconds_left() const;
  void accept_all();
  /// False where the connection is over.
  [[nodiscard]] bool read(Connection& connection) const;
  [[nodiscard]] static bool write(Connection& connection);

  // Constant after construction.
  const ControlHandler handler_;
  const ControlLimits limits_;
  const int stop_;  // an eventfd

  // The server's thread.
  ControlSocket socket_;
  std::vector<Connection> connections_;
  Clock::time_point accept_from_{};  // later while the system has no descriptors left

  std::thread thread_;
};

}  // namespace dugnad::worker
