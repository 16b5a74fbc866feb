// JsonReport: for programs. One JSON object per event and line on stdout, each with "event": its name. `dugnad submit --help` names them.
#pragma once

#include <chrono>
#include <string>

#include "sdk/cli/report.h"

namespace dugnad::sdk::cli {

class JsonReport final : public Report {
 public:
  void started(const Started& started) override;
  /// At most once a second.
  void progress(const Progress& progress) override;
  void outvoted(const std::string& peer, std::uint64_t unit) override;
  void convicted(const std::string& peer, std::uint64_t unit, bool branded) override;
  void cost_expected(const Cost& cost) override;
  void alone() override;
  void donors_back() override;
  void stewards(unsigned holding, unsigned wanted) override;
  void unreachable(const std::string& address, const std::string& reason) override;
  void trouble(const std::string& line) override;
  void interrupting() override {}
  void unit_failed(std::uint64_t unit, const std::string& name, const std::string& reason) override;
  void answer(const std::string& text, const std::string& file) override;
  void ended(const Ending& ending) override;

 private:
  std::chrono::steady_clock::time_point next_progress_{};
};

/// Of each output one event, which holds it in hex, or names the file in `directory` to which `files` has written it.
[[nodiscard]] std::unique_ptr<Outputs> outputs_as_events(std::string directory, std::unique_ptr<Outputs> files);

}  // namespace dugnad::sdk::cli
