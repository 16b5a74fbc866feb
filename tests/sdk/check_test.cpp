// Tasks with a check of their own, through the SDK: one attempt a unit, each result checked here, and a liar caught for no more than a unit's time.
#include <atomic>
#include <map>
#include <mutex>

#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

enum class Conduct : std::uint8_t { honest, lies };
enum class Check : std::uint8_t { sound, says_no, throws };

/// Opened by whom the submitter is to wait for: else it would be done before anybody else has heard of the job.
using Door = std::shared_ptr<std::atomic<bool>>;
enum class At : std::uint8_t { opens, waits, passes };

/// The integer square root: longer to find than to check.
tasks::TaskTable roots(Conduct conduct, const Door& door, At at, Check check = Check::sound) {
  auto table = tasks::builtin_tasks();
  table.add(task_of<std::uint64_t, std::uint64_t>(
      "root", 1,
      [conduct, door, at](std::uint64_t square) {
        if (at == At::waits) door->wait(false);
        if (at == At::opens && !door->exchange(true)) door->notify_all();
        std::uint64_t root = 0;
        while ((root + 1) * (root + 1) <= square) ++root;
        return conduct == Conduct::lies ? root + 1 : root;
      },
      [check](std::uint64_t square, std::uint64_t root) {
        if (check == Check::throws) throw std::runtime_error("no idea");
        return check == Check::sound && root * root <= square && square < (root + 1) * (root + 1);
      }));
  return table;
}

/// What a job said meanwhile.
class Heard {
 public:
  explicit Heard(Job& job) {
    job.on_notice([this](const Notice& notice) {
      const std::lock_guard lock(mutex_);
      if (notice.kind == Notice::Kind::cost_expected) cost_ = notice.cost;
      if (notice.kind == Notice::Kind::convicted) ++convicted_[notice.peer];
    });
  }
  Cost cost() {
    const std::lock_guard lock(mutex_);
    return cost_;
  }
  std::map<std::string, int> convicted() {
    const std::lock_guard lock(mutex_);
    return convicted_;
  }

 private:
  std::mutex mutex_;
  Cost cost_;
  std::map<std::string, int> convicted_;
};

Door closed() { return std::make_shared<std::atomic<bool>>(false); }

constexpr std::uint64_t units = 400;

void check_roots(const std::vector<UnitResult>& results) {
  REQUIRE(results.size() == units);
  for (const UnitResult& result : results) {
    const std::uint64_t root = number_in(result.output);
    CHECK(root * root <= result.unit);
    CHECK(result.unit < (root + 1) * (root + 1));
  }
}

JobOptions certain() {
  JobOptions options;
  options.confidence = Confidence{.probability = 0.999};
  return options;
}

}  // namespace

TEST_CASE("where a task has a check, each result is checked here, and one attempt a unit is enough") {
  const Door door = closed();
  const auto neighbour = donor(roots(Conduct::honest, door, At::opens));
  SwarmOptions options = joining(neighbour->contact());
  options.tasks = roots(Conduct::honest, door, At::waits);
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("root", numbers(units), certain()));
  Heard heard(job);
  check_roots(rest_of(job));
  REQUIRE(job.end().ok());
  CHECK(heard.cost().checked);
  CHECK(heard.convicted().empty());
  const Progress progress = job.progress();
  CHECK(progress.confidence == 1);
  CHECK(progress.attempts <= units + units / 10);  // and no audits; a late one may have been raced
}

TEST_CASE("a liar is convicted by what its check finds, and none of its results is accepted") {
  const Door door = closed();
  const auto liar = donor(roots(Conduct::lies, door, At::opens));
  const auto honest = donor(roots(Conduct::honest, door, At::passes), {liar->contact()});
  SwarmOptions options = joining(liar->contact());
  options.tasks = roots(Conduct::honest, door, At::waits);
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("root", numbers(units), certain()));
  Heard heard(job);
  check_roots(rest_of(job));
  const auto convicted = heard.convicted();
  REQUIRE(convicted.size() == 1);
  CHECK(convicted.begin()->first == liar->id().hex());
}

TEST_CASE("a check that is wrong fails the units that it looked at, with that reason, and convicts nobody") {
  const Door door = closed();
  const auto neighbour = donor(roots(Conduct::honest, door, At::opens));
  SwarmOptions options = joining(neighbour->contact());
  options.tasks = roots(Conduct::honest, door, At::waits, Check::says_no);
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("root", numbers(20), certain()));
  Heard heard(job);
  const auto results = rest_of(job);
  REQUIRE(results.size() == 20);
  std::size_t failed = 0;
  for (const UnitResult& result : results) {
    if (result.ok) continue;  // computed here
    ++failed;
    CHECK(result.reason == "the task's own check calls wrong what this program computes of it");
  }
  CHECK(failed > 0);
  CHECK(job.progress().units_own == 20);
  CHECK(heard.convicted().empty());
}

TEST_CASE("a check that throws says nothing: what it was to check is computed here, and right") {
  const Door door = closed();
  const auto neighbour = donor(roots(Conduct::honest, door, At::opens));
  SwarmOptions options = joining(neighbour->contact());
  options.tasks = roots(Conduct::honest, door, At::waits, Check::throws);
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("root", numbers(units), certain()));
  Heard heard(job);
  check_roots(rest_of(job));
  CHECK(heard.convicted().empty());
  CHECK(job.progress().units_own == units);
}

TEST_CASE("copies are asked for as before, whether or not there is a check") {
  const Door door = closed();
  const auto one = donor(roots(Conduct::honest, door, At::opens));
  const auto two = donor(roots(Conduct::honest, door, At::passes), {one->contact()});
  SwarmOptions options = joining(one->contact());
  options.tasks = roots(Conduct::honest, door, At::waits, Check::says_no);
  options.local = 0;
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("root", numbers(units), {.copies = 2}));
  check_roots(rest_of(job));
}
