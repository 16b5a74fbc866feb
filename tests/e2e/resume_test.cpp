// An interrupted submitter loses nothing that was accepted.
#include "tests/e2e/turnstile.h"

namespace dugnad::e2e {
namespace {

struct Interrupted {
  std::string job;
  std::uint64_t done = 0;
};

/// A submitter that has got to the middle of the long job.
Interrupted run_to_the_middle(Process& submitter) {
  const Json started = event(submitter, "started");
  const Json now = middle(submitter);
  return {started["job"], now["units_done"]};
}

void check_resumed(Process& submitter, const Interrupted& before) {
  CHECK_MESSAGE(event(submitter, "started")["job"] == before.job, submitter.story());
  const Json end = answers(submitter, long_answer);
  CHECK_MESSAGE(end["units_resumed"] >= before.done, submitter.story());
  CHECK_MESSAGE(end["attempts"] < 2 * end["units_done"].get<std::uint64_t>(), submitter.story());
}

}  // namespace

TEST_CASE("a submitter interrupted by SIGINT says how to go on, and --resume does") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  const Words options{"--join", one.contact, "--json"};
  Process first(submit(place, long_job_by_copies, options));
  const Interrupted before = run_to_the_middle(first);
  first.signal(SIGINT);
  REQUIRE_MESSAGE(first.exit_code() == 130, first.story());
  CHECK_MESSAGE(first.says("--resume " + before.job.substr(0, 8)), first.story());
  CHECK_MESSAGE(event(first, "end")["exit"] == 130, first.story());

  turnstile.open();
  Process again(submit(place, "", Words{"--resume", before.job.substr(0, 12)} + options));
  check_resumed(again, before);
}

TEST_CASE("a submitter that was killed goes on with the same command") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  const Words options{"--join", one.contact, "--json"};
  Interrupted before;
  {
    Process first(submit(place, long_job_by_copies, options));
    before = run_to_the_middle(first);
    first.signal(SIGKILL);
    REQUIRE(first.exit_code() == -SIGKILL);
  }
  turnstile.open();
  Process again(submit(place, long_job_by_copies, options));
  check_resumed(again, before);
  // The evidence of both runs together confirms every unit.
  Process audit = finished({program("dugnad"), "audit", before.job, "--data", place / "submitter", "--json"});
  CHECK_MESSAGE(audit.exit_code() == 0, audit.story());
  const Json all = Json::parse(audit.out());
  CHECK(all["confirmed"] == all["units"]);
  CHECK(all["outvoted"].empty());
}

TEST_CASE("a submitter that was killed has what its job by confidence held, although nothing of it was final") {
  const Place place;
  const Turnstile turnstile(place, 10);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  const Words options{"--join", one.contact, "--json", "--confidence", "0.9"};
  std::uint64_t held = 0;
  std::string job;
  {
    Process first(turnstile.behind(submit(place, long_job, options)));
    job = event(first, "started")["job"];
    held = event(first, "progress", [](const Json& now) { return now["units_held"] > 6; })["units_held"];
    for (int i = 0; i < 2; ++i) CHECK(event(first, "progress")["units_done"] == 0);  // more than it takes until they are on disk
    first.signal(SIGKILL);
    REQUIRE(first.exit_code() == -SIGKILL);
  }
  turnstile.let(0);
  Process again(turnstile.behind(submit(place, long_job, options)));
  CHECK_MESSAGE(event(again, "started")["job"] == job, again.story());
  event(again, "progress", [&](const Json& now) { return now["units_held"] >= held && now["attempts"] < held; });
  turnstile.open();
  answers(again, long_answer);
  Process audit = finished({program("dugnad"), "audit", job, "--data", place / "submitter", "--json"});
  CHECK_MESSAGE(audit.exit_code() == 0, audit.story());
}

TEST_CASE("a second SIGINT ends the submitter at once") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  Process submitter(submit(place, long_job_by_copies, {"--join", one.contact, "--json"}));
  run_to_the_middle(submitter);
  submitter.signal(SIGINT);
  submitter.signal(SIGINT);
  CHECK_MESSAGE(submitter.exit_code() == 130, submitter.story());
}

TEST_CASE("an unfinished job can be looked at and cancelled, and is not resumed after that") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  const std::string data = place / "submitter";
  const auto look = [&](const std::string& command) { return finished(words(program("dugnad") + " " + command + " --data " + data)); };
  Process submitter(submit(place, long_job_by_copies, {"--join", one.contact, "--json"}));
  const Interrupted before = run_to_the_middle(submitter);
  const std::string job = before.job.substr(0, 12);

  Process running = look("status " + job);
  CHECK_MESSAGE(running.says("state     running"), running.story());
  Process partial = look("results " + job);
  CHECK_MESSAGE(partial.exit_code() == 0, partial.story());
  CHECK_MESSAGE(partial.says("\tok\t"), partial.story());

  submitter.signal(SIGTERM);
  REQUIRE_MESSAGE(submitter.exit_code() == 130, submitter.story());
  Process unfinished = look("jobs");
  CHECK_MESSAGE(unfinished.says("unfinished"), unfinished.story());
  Process cancelled = look("cancel " + job);
  CHECK_MESSAGE(cancelled.exit_code() == 0, cancelled.story());
  Process state = look("status " + job);
  CHECK_MESSAGE(state.says("state     cancelled"), state.story());
  Process again = finished(submit(place, "", {"--resume", job, "--join", one.contact}));
  CHECK_MESSAGE(again.exit_code() == 2, again.story());
  CHECK_MESSAGE(again.says("is cancelled"), again.story());
}

TEST_CASE("of two copies of an interrupted job the first goes on undisturbed, the second when that one is done, and both to the right answer") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  const Words options{"--join", one.contact, "--local", "0", "--json"};
  std::string job;
  {
    Process first(submit(place, "primes --to 4000000000 --copies 1", options));
    job = run_to_the_middle(first).job;
    first.signal(SIGKILL);
    REQUIRE(first.exit_code() == -SIGKILL);
  }
  REQUIRE(finished({"/bin/cp", "-r", place / "submitter", place / "copy"}).exit_code() == 0);
  Process here(submit(place, "", Words{"--resume", job} + options));
  event(here, "progress", [](const Json& now) { return now["donors"] > 0; });
  // It has the same peer key: the worker has a link with that peer already.
  Process there(submit(place, "", Words{"--resume", job} + options, "copy"));
  event(there, "alone");
  turnstile.open();
  for (Process* submitter : {&here, &there}) answers(*submitter, "189961812");
}

TEST_CASE("a job that is done is not resumed, and the line that says so says how to have what came of it") {
  const Place place;
  const Worker one = start_worker(place, "one");
  Process submitter(submit(place, "primes --to 1000000", {"--join", one.contact, "--json"}));
  const std::string job = event(submitter, "started")["job"];
  answers(submitter, "78498");
  Process refused = finished(submit(place, "", {"--resume", job, "--join", one.contact}));
  CHECK_MESSAGE(refused.exit_code() == 2, refused.story());
  CHECK_MESSAGE(refused.err() == "dugnad: job " + job.substr(0, 8) + " is done: dugnad results " + job.substr(0, 8) + " gives what came of it\n",
                refused.story());
  Process results = finished({program("dugnad"), "results", job, "--data", place / "submitter"});
  CHECK_MESSAGE(results.exit_code() == 0, results.story());
  CHECK_MESSAGE(results.out().ends_with("\n78498\n"), results.story());
}

}  // namespace dugnad::e2e
