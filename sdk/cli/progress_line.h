// ProgressLine: the one line at the bottom of a terminal that is redrawn while a job runs, with other lines appearing above it.
#pragma once

#include <chrono>
#include <string>

#include "dugnad/swarm.h"

namespace dugnad::sdk::cli {

/// "  5/8 units  62 %  1.3/s  2 s left  4 donors  2.1 attempts/unit".
[[nodiscard]] std::string describe(const Progress& progress);

/// "2 s", "3 min 20 s", "5 h 12 min", "8 days".
[[nodiscard]] std::string describe(std::chrono::seconds time);

class ProgressLine {
 public:
  /// On stderr; draws nothing where that is no terminal.
  ProgressLine();
  ~ProgressLine() { erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// At most five times a second, whoever calls how often.
  void draw(const std::string& text);
  /// Makes room for something else on the terminal; the next draw() puts the line back.
  void erase();

 private:
  const bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace dugnad::sdk::cli
