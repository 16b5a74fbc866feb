// Report: what `dugnad submit` tells while a job runs, in one of two ways: text for people (text_report.h), an object per event for programs
// (json_report.h). Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "dugnad/swarm.h"
#include "sdk/cli/exit_code.h"
#include "sdk/cli/outputs.h"

namespace dugnad::sdk::cli {

struct Started {
  std::string job;  // 64 hex digits
  std::string task;
  tasks::Parameters parameters;
  std::string source;  // of a module: the program and where its units come from
  unsigned copies = 2;  // where no confidence is wanted
  std::optional<Confidence> confidence{};
  bool has_answer = true;
  std::optional<std::uint64_t> units_expected;
};

/// How it all ended.
struct Ending {
  ExitCode code = ExitCode::ok;
  std::string reason;  // one line, which also goes to stderr; empty where all went well
  std::string job;     // empty where none was started
  Progress progress;
  std::chrono::steady_clock::duration took{};
  std::map<std::string, std::uint64_t> outvoted;   // how often, by peer
  std::map<std::string, std::uint64_t> convicted;  // the same of those proven wrong
  std::optional<Confidence> confidence;            // that was wanted
};

class Report {
 public:
  virtual ~Report() = default;
  virtual void started(const Started& started) = 0;
  /// Some five times a second.
  virtual void progress(const Progress& progress) = 0;
  virtual void outvoted(const std::string& peer, std::uint64_t unit) = 0;
  /// `branded`: it gets nothing more of this job.
  virtual void convicted(const std::string& peer, std::uint64_t unit, bool branded) = 0;
  virtual void cost_expected(const Cost& cost) = 0;
  virtual void alone() = 0;
  virtual void donors_back() = 0;
  /// So many of the stewards that are wanted hold all of the job.
  virtual void stewards(unsigned holding, unsigned wanted) = 0;
  /// The contact HOST:PORT does not answer.
  virtual void unreachable(const std::string& address, const std::string& reason) = 0;
  /// Trouble that is none of the above: the journal's, the network's.
  virtual void trouble(const std::string& line) = 0;
  virtual void interrupting() = 0;
  /// `name` is what a person calls the unit, where it has more than its number.
  virtual void unit_failed(std::uint64_t unit, const std::string& name, const std::string& reason) = 0;
  /// Before something else writes to stdout.
  virtual void make_way() {}
  virtual void answer(const std::string& text, const std::string& file) = 0;
  /// The last call.
  virtual void ended(const Ending& ending) = 0;
};

/// `confidence 0.99 of the answer`, `2 copies of each unit`.
[[nodiscard]] std::string policy_text(const std::optional<Confidence>& confidence, bool has_answer, unsigned copies);

/// The beginning of a job's or a peer's id: enough to tell them apart and to name a job by.
[[nodiscard]] inline std::string brief(const std::string& id) { return id.substr(0, 8); }

}  // namespace dugnad::sdk::cli
