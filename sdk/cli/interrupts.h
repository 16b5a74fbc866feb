// Interrupts: Ctrl-C and its kin as a call. The first SIGINT, SIGTERM or SIGHUP is told, the second one ends the process at once.
#pragma once

#include <functional>
#include <thread>

namespace dugnad::sdk::cli {

class Interrupts {
 public:
  /// Before any other thread is started, so that these signals come to nobody else. `told` is called once, from a thread of its own.
  explicit Interrupts(std::function<void()> told);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  void watch() const;

  const std::function<void()> told_;
  int signals_;
  int stop_;
  std::thread watcher_;
};

}  // namespace dugnad::sdk::cli
