// Process: a real program, started, listened to and ended by a test. Whatever waits has a deadline, and on its failure the test shows what the
// program said.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dugnad::e2e {

using std::chrono::seconds;

/// More than anything takes on a machine that is busy with other things.
inline constexpr seconds patience{90};

class Process {
 public:
  /// arguments[0] is the program's path.
  explicit Process(std::vector<std::string> arguments);
  ~Process();  // kills it, where it still runs
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  /// The next whole line of standard output, without its break, that `wanted` accepts; lines before it are passed over. nullopt when the output
  /// ends, or at the deadline.
  [[nodiscard]] std::optional<std::string> line(const std::function<bool(const std::string&)>& wanted, seconds within = patience);
  /// The same for any line of either output that contains `part`, also one that came before.
  [[nodiscard]] bool says(const std::string& part, seconds within = patience);

  void signal(int number) const;
  /// Takes in what it says for so long; true where it has ended by then.
  [[nodiscard]] bool ended_within(std::chrono::milliseconds time);
  /// Until the program has ended and all that it said is here: its exit code, or minus the signal that ended it; nullopt at the deadline.
  [[nodiscard]] std::optional<int> exit_code(seconds within = patience);

  [[nodiscard]] const std::string& out() const { return out_.text; }
  [[nodiscard]] const std::string& err() const { return err_.text; }
  /// For the message of a check that failed.
  [[nodiscard]] std::string story() const;

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  struct Stream {
    int fd = -1;  // -1: ended
    std::string text;
  };

  /// Takes in what comes until something came; false at the deadline, and where nothing more can come.
  bool listen(Deadline deadline);
  void close();

  std::vector<std::string> arguments_;
  pid_t pid_ = -1;  // -1: moved from, or its end was seen
  int ended_ = -1;  // pidfd
  std::optional<int> code_;
  Stream out_;
  Stream err_;
  std::size_t lines_taken_ = 0;  // bytes of out_ that line() has passed
};

/// Starts a program that is to end by itself, and waits for that.
[[nodiscard]] Process finished(std::vector<std::string> arguments);

}  // namespace dugnad::e2e
