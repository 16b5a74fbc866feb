// What can be done to a running job from another terminal.
#include "tests/e2e/turnstile.h"

namespace dugnad::e2e {
namespace {

Process look(const Place& place, const std::string& command) {
  return finished(words(program("dugnad") + " " + command + " --data " + place / "submitter"));
}

}  // namespace

TEST_CASE("two jobs run side by side in one data directory, each is looked at, and one is cancelled from outside") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start_worker(place, "one");
  const Words options{"--join", one.contact, "--json"};
  Process first(turnstile.behind(submit(place, long_job_by_copies, options)));
  Process second(turnstile.behind(submit(place, "primes --to 9000000000 --copies 2", options)));
  const std::string first_job = event(first, "started")["job"], second_job = event(second, "started")["job"];
  REQUIRE(first_job != second_job);
  middle(first);
  middle(second);

  Process jobs = look(place, "jobs --json");
  int running = 0;
  while (const auto line = jobs.line([](const std::string&) { return true; })) running += Json::parse(*line)["state"] == "running";
  CHECK(running == 2);
  for (const std::string& job : {first_job, second_job}) {
    Process status = look(place, "status --json " + job.substr(0, 10));
    const Json said = Json::parse(status.out());
    CHECK(said["job"] == job);
    CHECK(said["state"] == "running");
    REQUIRE_MESSAGE(said.contains("progress"), status.story());
    CHECK(said["progress"]["units_done"] > 0);
    CHECK(said["progress"]["donors"] > 0);
  }
  Process text = look(place, "status " + second_job.substr(0, 10));
  CHECK_MESSAGE(text.says("progress  "), text.story());

  Process cancelled = look(place, "cancel --json " + second_job.substr(0, 10));
  CHECK_MESSAGE(cancelled.exit_code() == 0, cancelled.story());
  CHECK(Json::parse(cancelled.out())["state"] == "cancelled");
  CHECK_MESSAGE(second.exit_code() == 130, second.story());
  CHECK_MESSAGE(second.says("the job was cancelled"), second.story());
  Process state = look(place, "status " + second_job.substr(0, 10));
  CHECK_MESSAGE(state.says("state     cancelled"), state.story());
  Process again = look(place, "cancel " + second_job.substr(0, 10));
  CHECK_MESSAGE(again.exit_code() == 2, again.story());

  Process resumed = finished(submit(place, "", {"--resume", first_job, "--join", one.contact}));
  CHECK_MESSAGE(resumed.exit_code() == 2, resumed.story());
  CHECK_MESSAGE(resumed.says("is running"), resumed.story());

  turnstile.open();
  Process waiting = look(place, "results --wait " + first_job.substr(0, 10));
  CHECK_MESSAGE(waiting.exit_code() == 0, waiting.story());
  CHECK_MESSAGE(waiting.says(long_answer), waiting.story());
  CHECK_MESSAGE(first.exit_code() == 0, first.story());
}

TEST_CASE("waiting for the results of a job whose submitter is killed ends, and says how to go on") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start_worker(place, "one");
  Process submitter(turnstile.behind(submit(place, long_job_by_copies, {"--join", one.contact, "--json"})));
  const std::string job = event(submitter, "started")["job"];
  middle(submitter);
  Process waiting(words(program("dugnad") + " results --wait " + job + " --data " + place / "submitter"));
  submitter.signal(SIGKILL);
  CHECK_MESSAGE(waiting.exit_code() == 130, waiting.story());
  CHECK_MESSAGE(waiting.says("nobody works on job " + job.substr(0, 8)), waiting.story());
  Process stale = look(place, "status " + job);
  CHECK_MESSAGE(stale.says("state     unfinished"), stale.story());
  CHECK_FALSE(std::filesystem::exists(place / "submitter/submitter.sock"));
  Process cancelled = look(place, "cancel " + job);
  CHECK_MESSAGE(cancelled.exit_code() == 0, cancelled.story());
}

}  // namespace dugnad::e2e
