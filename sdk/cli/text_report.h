// TextReport: for people. The answer on stdout, everything else on stderr, the live line below it.
#pragma once

#include <set>
#include <string>

#include "sdk/cli/progress_line.h"
#include "sdk/cli/report.h"

namespace dugnad::sdk::cli {

class TextReport final : public Report {
 public:
  void started(const Started& started) override;
  void progress(const Progress& progress) override;
  void outvoted(const std::string& peer, std::uint64_t unit) override;
  void convicted(const std::string& peer, std::uint64_t unit, bool branded) override;
  void cost_expected(const Cost& cost) override;
  void alone() override;
  void donors_back() override;
  void stewards(unsigned holding, unsigned wanted) override;
  void unreachable(const std::string& address, const std::string& reason) override;
  void trouble(const std::string& line) override;
  void interrupting() override;
  void unit_failed(std::uint64_t unit, const std::string& name, const std::string& reason) override;
  void make_way() override { line_.erase(); }
  void answer(const std::string& text, const std::string& file) override;
  void ended(const Ending& ending) override;

 private:
  /// A line above the live one.
  void say(const std::string& line);

  std::string task_;
  unsigned copies_ = 0;
  std::uint64_t resumed_ = 0;  // so many units were known from an earlier run when last looked at
  bool resumed_said_ = false;
  bool checked_ = false;         // each result is
  std::set<std::string> erred_;  // peers that were said to be wrong once
  std::set<std::string> named_;  // peers that were said to be outvoted; more of the same would drown the rest
  ProgressLine line_;
};

}  // namespace dugnad::sdk::cli
