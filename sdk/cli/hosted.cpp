#include "sdk/cli/hosted.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <iostream>

#include "sdk/cli/command.h"
#include "sdk/cli/spool.h"
#include "worker/hosted_orders.h"

namespace dugnad::sdk::cli {
namespace {

constexpr unsigned lines_max = 1000;  // of troubles and failed units, which a donor may be able to bring about

class HostedReport final : public Report {
 public:
  void started(const Started& started) override { complain("job " + started.job + " runs"); }
  void progress(const Progress&) override {}
  void outvoted(const std::string&, std::uint64_t) override {}
  void convicted(const std::string&, std::uint64_t, bool) override {}
  void cost_expected(const Cost&) override {}
  void alone() override { say("nobody to compute; waiting for somebody"); }
  void donors_back() override { say("somebody computes again"); }
  void stewards(unsigned holding, unsigned wanted) override {
    say(std::to_string(holding) + " of " + std::to_string(wanted) + " stewards hold the job");
  }
  void unreachable(const std::string& address, const std::string& reason) override { say("cannot reach " + address + ": " + reason); }
  void trouble(const std::string& line) override { say(line); }
  void interrupting() override {}
  void unit_failed(std::uint64_t unit, const std::string& name, const std::string& reason) override {
    say("unit " + std::to_string(unit) + (name.empty() ? "" : " (" + name + ")") + " failed: " + reason);
  }
  void answer(const std::string&, const std::string& file) override {
    if (!file.empty()) complain("written: " + file);
  }
  void ended(const Ending& ending) override {
    if (ending.code == ExitCode::ok) complain("done: " + std::to_string(ending.progress.units_done) + " units");
  }

 private:
  void say(const std::string& line) {
    if (lines_ == lines_max) complain("more of the same is not said any more");
    if (lines_++ < lines_max) complain(line);
  }

  unsigned lines_ = 0;
};

class Nowhere final : public Outputs {
 public:
  Result<void> take(UnitResult) override { return {}; }
};

}  // namespace

void end_with(pid_t worker) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != worker) ::_exit(static_cast<int>(ExitCode::interrupted));  // it had gone before
}

std::unique_ptr<Report> hosted_report() { return std::make_unique<HostedReport>(); }

std::unique_ptr<Outputs> outputs_nowhere() { return std::make_unique<Nowhere>(); }

void settle_hosted(const std::string& data, const std::string& job, ExitCode code) {
  const auto journal = Journal::open(data);
  if (!journal) return;
  const auto known = journal->find(job);
  if (!known) return;
  if (known->stored.state != JobState::running) return forget_hosted(*journal, *known);
  // It can be resumed by hand, so what was spooled stays.
  const bool given_up = code == ExitCode::bad_usage || code == ExitCode::nobody || code == ExitCode::out_of_reach;
  if (given_up) worker::HostedOrders(journal->data()).remove(known->stored.job);
}

void forget_hosted(const Journal& journal, const KnownJob& job) {
  worker::HostedOrders(journal.data()).remove(job.stored.job);
  if (job.recipe) release_spooled(journal, *job.recipe);
}

bool is_hosted(const Journal& journal, const JobId& job) { return worker::HostedOrders(journal.data()).has(job); }

}  // namespace dugnad::sdk::cli
