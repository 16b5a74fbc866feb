// A program of one's own that is left to the worker, with its units.
#include <fstream>

#include "tests/e2e/swarm.h"

namespace dugnad::e2e {
namespace {

Process look(const Place& place, const std::string& command) {
  return finished(words(program("dugnad") + " " + command + " --data " + place / "home"));
}

/// As typed into a shell, with the guest's file and what it reads; the job's id.
std::string left(const Place& place, const std::string& before, const std::string& source, const std::string& options = "") {
  Process shell = finished({"/bin/sh", "-c",
                            before + program("dugnad") + " submit " + place / "factors.wasm" + " " + source +
                                " --detach --listen tcp://127.0.0.1:0 --data " + place / "home" + " " + options});
  REQUIRE_MESSAGE(shell.exit_code() == 0, shell.story());
  REQUIRE_MESSAGE(shell.out().size() == 65, shell.story());
  return shell.out().substr(0, 64);
}

std::size_t spooled(const Place& place) {
  std::size_t directories = 0;
  for (const auto& each : std::filesystem::directory_iterator(place / "home/spool")) directories += each.is_directory();
  return directories;
}

}  // namespace

TEST_CASE("a detached program keeps its units from standard input, and outlives its file, its terminal and its worker") {
  const Place place;
  const auto bring = [&] { std::filesystem::copy_file(std::string(DUGNAD_GUEST_DIR) + "/factors.wasm", place / "factors.wasm"); };
  bring();
  std::string job;
  {
    // Nobody else is there to agree, so that the job has to wait for the second worker.
    Worker alone = start_worker(place, "home");
    job = left(place, "printf '12\\n97\\n1001\\n' | ", "-", "--copies 3");
    alone.process.signal(SIGTERM);
    REQUIRE_MESSAGE(alone.process.exit_code() == 0, alone.process.story());
  }
  std::filesystem::remove(place / "factors.wasm");
  CHECK(spooled(place) == 1);
  Process waits = look(place, "jobs");
  CHECK_MESSAGE(waits.says("waiting"), waits.story());
  CHECK_MESSAGE(waits.says("factors.wasm, its units kept here"), waits.story());

  const Worker other = start_worker(place, "other");
  Worker home = start_worker(place, "home", {"--join", other.contact});
  Process results = look(place, "results --wait " + job);
  CHECK_MESSAGE(results.exit_code() == 0, results.story());
  CHECK(results.out() == "12: 2 2 3\n97: 97\n1001: 7 11 13\n");
  Process waited(words(program("dugnad") + " status " + job + " --data " + place / "home"));
  CHECK_MESSAGE(waited.says("state     done"), waited.story());

  // The same again is another job, and has its outputs written where they are wanted.
  bring();
  const std::string again = left(place, "printf '12\\n97\\n1001\\n' | ", "-", "--copies 3 --out " + place / "made");
  CHECK(again != job);
  Process written = look(place, "results --wait " + again);
  CHECK_MESSAGE(written.exit_code() == 0, written.story());
  std::ifstream first(place / "made/000000.out");
  std::string line;
  CHECK(std::getline(first, line));
  CHECK(line == "12: 2 2 3");
  CHECK_MESSAGE(home.process.says("job " + again.substr(0, 8) + " has ended"), home.process.story());
  CHECK(spooled(place) == 0);
}

TEST_CASE("the files of a detached program are those of the moment when it was left to the worker") {
  const Place place;
  std::filesystem::copy_file(std::string(DUGNAD_GUEST_DIR) + "/factors.wasm", place / "factors.wasm");
  std::filesystem::create_directory(place / "in");
  const auto write = [&](const std::string& name, const std::string& text) { std::ofstream(place / ("in/" + name)) << text; };
  write("b", "12");
  write("c", "97");
  std::string job;
  {
    Worker alone = start_worker(place, "home");
    job = left(place, "cd " + place / "in" + " && ", "--files '*'", "--copies 2 --local 0");
    alone.process.signal(SIGTERM);
    REQUIRE_MESSAGE(alone.process.exit_code() == 0, alone.process.story());
  }
  write("a", "1001");
  write("b", "13");
  std::filesystem::remove(place / "in/c");
  const Worker other = start_worker(place, "other");
  const Worker home = start_worker(place, "home", {"--join", other.contact});
  Process results = look(place, "results --wait " + job);
  CHECK_MESSAGE(results.exit_code() == 0, results.story());
  CHECK(results.out() == "12: 2 2 3\n97: 97\n");
}

TEST_CASE("what cannot run is refused before it is left to the worker") {
  const Place place;
  const Worker home = start_worker(place, "home");
  const auto refused = [&](const std::string& line, int code) {
    Process submitter = finished(words(program("dugnad") + " submit " + line + " --detach --data " + place / "home"));
    CHECK_MESSAGE(submitter.exit_code() == code, submitter.story());
    CHECK_MESSAGE(std::count(submitter.err().begin(), submitter.err().end(), '\n') == 1, submitter.story());
  };
  const std::string guest = std::string(DUGNAD_GUEST_DIR) + "/factors.wasm";
  refused(guest + " --lines " + place / "missing", 1);
  refused(guest + " --files " + place / "missing*", 2);
  refused(place / "missing.wasm" + " -", 2);
  refused("primes --to 1000 --confidence 0.99 --local 0", 5);
  refused("primes --to 1000 --out " + place / "missing/file", 1);
  refused("--resume 3f2a", 2);
  CHECK(spooled(place) == 0);
  Process jobs = look(place, "jobs");
  CHECK_MESSAGE(jobs.says("no jobs yet"), jobs.story());
}

}  // namespace dugnad::e2e
