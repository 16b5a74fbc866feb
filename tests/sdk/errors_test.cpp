// What a user gets wrong, or the machine refuses: one line each that says what to do.
#include <sys/stat.h>

#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

template <class T>
std::string complaint(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  CHECK(is_one_line(result.error().message));
  return result.error().message;
}

}  // namespace

TEST_CASE("an unknown task is refused with the names there are") {
  Swarm swarm = joined(alone(tasks::builtin_tasks()));
  CHECK(complaint(swarm.run("prime", {})) ==
        "there is no task \"prime\"; there are: collatz, factors, golomb, mandelbrot, nqueens, pi, primes, twinprimes, walks");
  CHECK(contains(complaint(swarm.map("prime", numbers(1))), "there is no task \"prime\""));
  CHECK(contains(complaint(swarm.open("")), "there is no task \"\""));
}

TEST_CASE("parameters and options out of range are refused") {
  Swarm swarm = joined(alone());
  CHECK(contains(complaint(swarm.run("nqueens", {})), "nqueens needs n"));
  CHECK(contains(complaint(swarm.run("nqueens", {{"n", 1000}})), "n is 1000, and may be"));
  CHECK(contains(complaint(swarm.run("nqueens", {{"n", 8}, {"m", 8}})), "no parameter \"m\""));
  CHECK(complaint(swarm.run("square", {})) == "square does not split itself; it is mapped over inputs");
  CHECK(complaint(swarm.map("square", numbers(1), {.copies = 0})) == "copies is 0, and may be 1 to 16");
  CHECK(complaint(swarm.map("square", numbers(1), {.copies = 17})) == "copies is 17, and may be 1 to 16");
  CHECK(contains(complaint(swarm.map("square", numbers(1), {.unit_timeout = std::chrono::milliseconds(0)})), "time-out"));
  SwarmOptions options = alone();
  options.local = 5000;
  CHECK(contains(complaint(Swarm::join(options)), "local is 5000, and may be 0 to 1024"));
}

TEST_CASE("where no swarm is known, the error says how to join one") {
  const Scratch scratch;
  SwarmOptions options = alone_in(scratch);
  options.alone = false;
  const std::string message = complaint(Swarm::join(options));
  CHECK(contains(message, "--join CONTACT"));
  CHECK(contains(message, "dugnad-worker"));
}

TEST_CASE("a contact that is none is refused") {
  SwarmOptions options = alone();
  options.join = {"localhost:4210"};
  CHECK(contains(complaint(Swarm::join(options)), "tcp://"));
}

TEST_CASE("a data directory that cannot be one is refused") {
  const Scratch scratch;
  put_content(scratch.file("occupied"), "a file");
  SwarmOptions options = alone_in(scratch);
  options.data = scratch.file("occupied");
  CHECK(contains(complaint(Swarm::join(options)), "occupied"));
}

TEST_CASE("a journal that is none is refused, and left as it is") {
  const Scratch scratch;
  put_content(scratch.file("submitter.journal"), "not a database, for all that it is long enough to look like one");
  CHECK(contains(complaint(Swarm::join(alone_in(scratch))), "submitter.journal"));
}

TEST_CASE("inputs go to opened jobs alone, and answers come from run ones") {
  Swarm swarm = joined(alone());
  Job mapped = good(swarm.map("square", numbers(1), one_copy));
  CHECK(contains(complaint(mapped.submit(number(1))), "opened"));
  CHECK(contains(complaint(mapped.answer()), "no answer"));
}

TEST_CASE("what cannot be resumed says why") {
  const Scratch scratch;
  Swarm swarm = joined(alone_in(scratch));
  CHECK(contains(complaint(swarm.resume("abc")), "64 lower-case hex digits"));
  CHECK(contains(complaint(swarm.resume(std::string(64, 'a'))), "does not have it"));
  Job ended = good(swarm.run("nqueens", {{"n", 6}}, one_copy));
  CHECK(good(ended.answer()).text == "4");
  CHECK(contains(complaint(swarm.resume(ended.id())), "it has ended"));
  Swarm forgetful = joined(alone());
  CHECK(contains(complaint(forgetful.resume(ended.id())), "no journal"));
}

TEST_CASE("a contact that nobody answers at is told to every job, with the reason") {
  // A port of our own that is closed again by the time anybody dials it.
  SwarmOptions neighbour = alone();
  neighbour.listen = "tcp://127.0.0.1:0";
  const std::string contact = joined(std::move(neighbour)).contact();

  SwarmOptions options = alone();
  options.join = {contact};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> lines;
  options.log = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
    changed.notify_all();
  };
  std::vector<Notice> notices;
  const auto note = [&](const Notice& notice) {
    const std::lock_guard lock(mutex);
    notices.push_back(notice);
    changed.notify_all();
  };
  Swarm swarm = joined(std::move(options));
  Job early = good(swarm.open("square", one_copy));
  early.on_notice(note);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !notices.empty() && !lines.empty(); });
    CHECK(notices[0].kind == Notice::Kind::unreachable);
    CHECK(contains(contact, notices[0].peer));
    CHECK(is_one_line(notices[0].reason));
    CHECK(contains(lines[0], notices[0].peer));
    notices.clear();
  }
  Job late = good(swarm.open("square", one_copy));
  late.on_notice(note);
  const std::lock_guard lock(mutex);
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].kind == Notice::Kind::unreachable);
}
