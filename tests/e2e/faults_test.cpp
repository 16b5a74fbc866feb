// Workers that lie, die, fall silent, come late or are all gone: the answer is right, and the job ends.
#include "tests/e2e/turnstile.h"

namespace dugnad::e2e {

TEST_CASE("three workers compute what is published") {
  const Place place;
  const Worker one = start_worker(place, "one");
  const Worker two = start_worker(place, "two", {"--join", one.contact});
  const Worker three = start_worker(place, "three", {"--join", one.contact});
  for (const auto& [task, answer] :
       {std::pair("nqueens --n 10", "724"), std::pair("nqueens --n 11", "2680"), std::pair("nqueens --n 12", "14200")}) {
    Process submitter = finished(submit(place, task, {"--join", one.contact, "--copies", "2"}));
    CHECK_MESSAGE(submitter.exit_code() == 0, submitter.story());
    CHECK_MESSAGE(submitter.out() == std::string(answer) + "\n", submitter.story());
  }
}

TEST_CASE("a worker serves one short job after another of the same submitter") {
  const Place place;
  const Worker one = start_worker(place, "one");
  for (int to = 1'000'000; to < 1'000'008; ++to) {
    Process submitter(submit(place, "primes --to " + std::to_string(to) + " --copies 1", {"--join", one.contact, "--local", "0", "--json"}));
    answers(submitter, to < 1'000'003 ? "78498" : "78499");  // 1,000,003 is the first one above a million
  }
}

TEST_CASE("a liar is outvoted, and named") {
  const Place place;
  const Worker honest = start_worker(place, "honest");
  const Worker liar = start_worker(place, "liar", {"--join", honest.contact}, "lying_worker");
  Process submitter(submit(place, "nqueens --n 12", {"--join", honest.contact, "--copies", "2", "--local", "0", "--json"}));
  // These two disagree; whoever comes now decides.
  const Json split = event(submitter, "progress", [](const Json& now) { return now["attempts"] >= 2; });
  CHECK(split["units_done"] == 0);
  const Worker second = start_worker(place, "second", {"--join", honest.contact});
  const Worker third = start_worker(place, "third", {"--join", honest.contact});
  const Json outvoted = event(submitter, "outvoted");
  CHECK_MESSAGE(outvoted["peer"] == liar.id(), submitter.story());
  const Json end = answers(submitter, "14200");
  const Json once{{liar.id(), 1}};
  CHECK_MESSAGE(end["outvoted"] == once, submitter.story());
}

TEST_CASE("a worker is killed or falls silent in the middle, and the others do its work") {
  int signal = 0;
  SUBCASE("killed") { signal = SIGKILL; }
  SUBCASE("silent") { signal = SIGSTOP; }
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start_worker(place, "one");
  Worker two = start(turnstile.behind(worker(place, "two", {"--join", one.contact})));
  const Worker three = start(turnstile.behind(worker(place, "three", {"--join", one.contact})));
  Process submitter(submit(place, long_job_by_copies, {"--join", one.contact, "--local", "0", "--json"}));
  middle(submitter);
  CHECK_MESSAGE(two.process.says("computing primes"), two.process.story());
  two.process.signal(signal);
  turnstile.open();
  answers(submitter, long_answer);
}

TEST_CASE("the peer that was joined is killed in the middle, and everybody else goes on") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker joined = start(turnstile.behind(worker(place, "joined")));
  const Worker two = start(turnstile.behind(worker(place, "two", {"--join", joined.contact})));
  const Worker three = start_worker(place, "three", {"--join", joined.contact});
  Process submitter(submit(place, long_job_by_copies, {"--join", joined.contact, "--local", "0", "--json"}));
  middle(submitter);
  joined.process.signal(SIGKILL);
  turnstile.open();
  answers(submitter, long_answer);
}

TEST_CASE("a worker that joins in the middle is given work") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker one = start(turnstile.behind(worker(place, "one")));
  Process submitter(submit(place, long_job_by_copies, {"--join", one.contact, "--json"}));
  middle(submitter);
  Worker late = start_worker(place, "late", {"--join", one.contact});
  CHECK_MESSAGE(late.process.says("computing primes"), late.process.story());
  turnstile.open();
  answers(submitter, long_answer);
}

TEST_CASE("with nobody left the submitter says so, and goes on when a worker comes") {
  const Place place;
  const Turnstile turnstile(place, 4);
  const Worker first = start(turnstile.behind(worker(place, "worker")));
  Process submitter(submit(place, long_job, {"--join", first.contact, "--copies", "1", "--local", "0", "--json"}));
  const Json before = middle(submitter);
  first.process.signal(SIGKILL);
  event(submitter, "alone");
  // The machine of that worker starts again, at the address that the submitter knows.
  const Worker again = start_worker(place, "worker", {"--listen", first.address()});
  CHECK(again.contact == first.contact);
  event(submitter, "donors_back");
  const Json end = answers(submitter, long_answer);
  CHECK(end["units_done"] > before["units_done"]);
}

}  // namespace dugnad::e2e
