// A job that is left to the worker of its data directory goes on without its terminal.
#include <fstream>

#include "tests/e2e/turnstile.h"

namespace dugnad::e2e {
namespace {

/// Twelve units, each by two peers.
constexpr const char* some_job = "primes --to 3000000000 --copies 2";
const std::string some_answer = "144449537\n";
/// Of each of two or three programs: some units are then done, and not all.
constexpr unsigned enough_for_some = 7;

/// Looks at the data directory that the worker and the submitters share.
Process look(const Place& place, const std::string& command) {
  return finished(words(program("dugnad") + " " + command + " --data " + place / "home"));
}

/// Leaves a job to the worker; the terminal is gone when this returns.
std::string left(const Place& place, const std::string& task, const Words& options = {}) {
  Process submitter = finished(submit(place, task, words("--detach") + options, "home"));
  REQUIRE_MESSAGE(submitter.exit_code() == 0, submitter.story());
  const std::string& out = submitter.out();
  REQUIRE_MESSAGE(out.size() == 65, submitter.story());
  return out.substr(0, 64);
}

Json status(const Place& place, const std::string& job) {
  Process said = look(place, "status --json " + job);
  REQUIRE_MESSAGE(said.exit_code() == 0, said.story());
  return Json::parse(said.out());
}

/// Waits until it has got somewhere; 600 looks take half a minute and more.
void await_middle(const Place& place, const std::string& job) {
  for (int looks = 0; looks < 600; ++looks) {
    const Json now = status(place, job);
    REQUIRE(now["state"] == "running");
    if (now.contains("progress") && now["progress"]["units_done"] > 0) return;
  }
  FAIL("the job gets nowhere");
}

}  // namespace

TEST_CASE("a detached job goes on when its terminal is gone, through a restart of the worker, to the right answer") {
  const Place place;
  const Turnstile turnstile(place, enough_for_some);
  const Worker other = start(turnstile.behind(worker(place, "other")));
  const Words home_command = turnstile.behind(worker(place, "home", {"--join", other.contact}));
  std::optional<Worker> home(start(home_command));
  const std::string job = left(place, some_job);
  await_middle(place, job);
  Process here = finished(submit(place, "", {"--resume", job}, "home"));
  CHECK_MESSAGE(here.exit_code() == 2, here.story());
  CHECK_MESSAGE(here.says("is running in another program"), here.story());

  home->process.signal(SIGTERM);
  CHECK_MESSAGE(home->process.exit_code() == 0, home->process.story());
  Process waits = look(place, "status " + job);
  CHECK_MESSAGE(waits.says("state     waiting"), waits.story());
  turnstile.open();
  home.reset();
  home.emplace(start(home_command));
  Process results = look(place, "results --wait " + job.substr(0, 8));
  CHECK_MESSAGE(results.exit_code() == 0, results.story());
  CHECK_MESSAGE(results.out().ends_with(some_answer), results.story());
  CHECK(status(place, job)["state"] == "done");
  CHECK_MESSAGE(home->process.says("job " + job.substr(0, 8) + " has ended"), home->process.story());
}

TEST_CASE("a detached job survives its worker's death, and is cancelled from another process") {
  const Place place;
  const Turnstile turnstile(place, enough_for_some);
  const Worker other = start(turnstile.behind(worker(place, "other")));
  const Words home_command = turnstile.behind(worker(place, "home", {"--join", other.contact}));
  std::optional<Worker> home(start(home_command));
  const std::string job = left(place, some_job);
  await_middle(place, job);
  home->process.signal(SIGKILL);
  CHECK(home->process.exit_code() == -SIGKILL);
  turnstile.let(0);
  home.reset();
  home.emplace(start(home_command));
  Process cancelled = look(place, "cancel " + job.substr(0, 8));
  CHECK_MESSAGE(cancelled.exit_code() == 0, cancelled.story());
  CHECK(status(place, job)["state"] == "cancelled");
  CHECK_FALSE(std::filesystem::exists(place / ("home/hosted/" + job + ".order")));
  Process results = look(place, "results --wait " + job);
  CHECK_MESSAGE(results.exit_code() == 130, results.story());
}

TEST_CASE("an interrupted job can be left to the worker, and two run there side by side") {
  const Place place;
  const Turnstile turnstile(place, enough_for_some);
  const Worker home = start(turnstile.behind(worker(place, "home")));
  const Words options{"--join", home.contact, "--json"};
  std::string begun;
  {
    Process submitter(submit(place, some_job, options, "home"));
    begun = event(submitter, "started")["job"];
    middle(submitter);
    submitter.signal(SIGINT);
    REQUIRE_MESSAGE(submitter.exit_code() == 130, submitter.story());
  }
  turnstile.open();
  CHECK(left(place, "", {"--resume", begun.substr(0, 8)}) == begun);
  const std::string small = left(place, "primes --to 20000000 --copies 2");
  Process answer = look(place, "results --wait " + small);
  CHECK_MESSAGE(answer.out().ends_with("1270607\n"), answer.story());
  Process resumed = look(place, "results --wait " + begun);
  CHECK_MESSAGE(resumed.out().ends_with(some_answer), resumed.story());
}

TEST_CASE("without a worker a job cannot be left, and one line says how to start one") {
  const Place place;
  Process submitter = finished(submit(place, "nqueens --n 10", words("--detach"), "home"));
  CHECK_MESSAGE(submitter.exit_code() == 1, submitter.story());
  CHECK_MESSAGE(submitter.says("dugnad-worker --data " + place / "home"), submitter.story());
  CHECK(std::count(submitter.err().begin(), submitter.err().end(), '\n') == 1);
  Process jobs = look(place, "jobs");
  CHECK_MESSAGE(jobs.says("no jobs yet"), jobs.story());
}

}  // namespace dugnad::e2e
