// Reaper: kills submitter and workers, as by kill -9, again and again while a real job runs. Another kind of process is one more add_worker().
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/store/store.h"
#include "tests/e2e/swarm.h"

namespace dugnad::e2e {

using std::chrono::milliseconds;

/// A program that is started again with the same arguments, and the same data directory, whenever it has died.
class Mortal {
 public:
  explicit Mortal(Words command) : command_(std::move(command)) {}

  void start() { process_ = std::make_unique<Process>(command_); }
  /// False where it had ended by itself just before.
  [[nodiscard]] bool kill() {
    process_->signal(SIGKILL);
    const auto code = process_->exit_code();
    REQUIRE_MESSAGE(code, "it does not die" << process_->story());
    if (*code == -SIGKILL) return true;
    REQUIRE_MESSAGE(*code == 0, "it has ended by itself" << process_->story());
    return false;
  }
  [[nodiscard]] Process& process() { return *process_; }
  void set_command(Words command) { command_ = std::move(command); }

 private:
  Words command_;
  std::unique_ptr<Process> process_;
};

/// The units that are final by the submitter's journal, each of which must be there once.
inline std::set<std::uint64_t> final_units(const std::string& data, const std::string& job) {
  const auto store = store::Store::open_for_reading(data + "/submitter.journal");
  REQUIRE_MESSAGE(store.ok(), store.error().message);
  const auto accepted = (*store)->accepted(*JobId::from_hex(job));
  REQUIRE_MESSAGE(accepted.ok(), accepted.error().message);
  std::set<std::uint64_t> units;
  for (const AcceptedUnit& unit : *accepted) {
    CHECK_MESSAGE(units.insert(unit.unit.value).second, "unit " << unit.unit.value << " is accepted twice in the journal");
    CHECK(unit.outcome == Outcome::ok);
  }
  return units;
}

/// It was done when its submitter died.
inline bool is_done(const std::string& data, const std::string& job) {
  const auto store = store::Store::open_for_reading(data + "/submitter.journal");
  REQUIRE_MESSAGE(store.ok(), store.error().message);
  const auto jobs = (*store)->jobs();
  REQUIRE_MESSAGE(jobs.ok(), jobs.error().message);
  return std::any_of(jobs->begin(), jobs->end(), [&](const auto& each) { return each.job.hex() == job && each.state == JobState::done; });
}

struct Order {
  std::string task;                   // with its policy
  Words to_resume{};                  // what --resume wants said again
  std::optional<std::string> answer;  // none: a program of one's own, whose outputs are files
};

class Reaper {
 public:
  Reaper(std::uint64_t seed, unsigned workers, const Words& options = {}) : generator_(Generator::from_seed(seed)), submitter_({}) {
    for (unsigned i = 0; i < workers; ++i) add_worker(options);
  }

  /// One more that may die, with these options besides.
  void add_worker(const Words& options = {}) {
    const std::string name = "worker" + std::to_string(workers_.size());
    Worker first = start_worker(place_, name, joins_ + options);
    first.process.signal(SIGTERM);
    REQUIRE_MESSAGE(first.process.exit_code() == 0, first.process.story());
    // On the same port again: the others know it there.
    workers_.emplace_back(Words{program("dugnad-worker"), "--data", place_ / name, "--cores", "1", "--listen", first.address()} + joins_ +
                          options);
    workers_.back().start();
    joins_ = joins_ + Words{"--join", first.contact};
  }

  /// Runs the job through so many kills, fewer where it ends before, and then in peace to its end. How many there were.
  std::uint64_t run(const Order& order, std::uint64_t kills_max) {
    const Words same_command = submit(place_, order.task, joins_ + Words{"--json"});
    submitter_.set_command(same_command);
    submitter_.start();
    const std::string job = event(submitter_.process(), "started")["job"];
    std::uint64_t kills = 0, deaths_of_submitter = 0;
    std::set<std::uint64_t> final_before;
    while (kills < kills_max) {
      if (submitter_.process().ended_within(milliseconds(generator_.below(1000)))) break;
      const std::uint64_t victim = generator_.below(workers_.size() + 2);  // the submitter twice as often as any worker
      if (victim < workers_.size()) {
        REQUIRE(workers_[victim].kill());
        workers_[victim].start();
        ++kills;
        continue;
      }
      if (!submitter_.kill()) break;
      ++kills;
      ++deaths_of_submitter;
      const auto final_now = final_units(place_ / "submitter", job);
      CHECK_MESSAGE(std::includes(final_now.begin(), final_now.end(), final_before.begin(), final_before.end()),
                    "what was final is no more");
      final_before = final_now;
      if (is_done(place_ / "submitter", job)) {  // between the job's end and its own
        ask_for_results(order, job);
        return kills;
      }
      submitter_.set_command(
          generator_.chance(0.5) ? same_command : submit(place_, "", Words{"--resume", job} + order.to_resume + joins_ + Words{"--json"}));
      submitter_.start();
    }
    const Json end = order.answer ? answers(submitter_.process(), *order.answer) : event(submitter_.process(), "end");
    CHECK_MESSAGE(end["exit"] == 0, submitter_.process().story());
    CHECK_MESSAGE(end["job"] == job, submitter_.process().story());
    // Those that were final when it was last killed went to the plan from the journal, and to no donor.
    CHECK_MESSAGE(end["units_resumed"] == final_before.size(), submitter_.process().story());
    CHECK(final_units(place_ / "submitter", job).size() == end["units_done"]);
    Process audit = finished({program("dugnad"), "audit", job, "--data", place_ / "submitter", "--json"});
    CHECK_MESSAGE(audit.exit_code() == 0, audit.story());
    MESSAGE(order.task << ": " << kills << " kills, " << deaths_of_submitter << " of them the submitter's; " << final_before.size()
                       << " of " << end["units_done"] << " units were final at its last death");
    return kills;
  }

  [[nodiscard]] const Place& place() const { return place_; }

 private:
  /// Of a job that is over, and is not to be resumed.
  void ask_for_results(const Order& order, const std::string& job) const {
    Process refused = finished(submit(place_, "", Words{"--resume", job} + order.to_resume + joins_));
    CHECK_MESSAGE(refused.exit_code() == 2, refused.story());
    CHECK_MESSAGE(refused.says("dugnad results"), refused.story());
    Process results = finished(Words{program("dugnad"), "results", job, "--data", place_ / "submitter"} + order.to_resume);
    CHECK_MESSAGE(results.exit_code() == 0, results.story());
    if (order.answer) CHECK_MESSAGE(results.out().ends_with("\n" + *order.answer + "\n"), results.story());
  }

  Place place_;
  Generator generator_;
  Words joins_;
  std::vector<Mortal> workers_;
  Mortal submitter_;
};

}  // namespace dugnad::e2e
