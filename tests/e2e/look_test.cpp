// The commands that README shows, at a smaller size, and those that look at what came of them.
#include <algorithm>
#include <fstream>

#include "tests/e2e/swarm.h"

namespace dugnad::e2e {
namespace {

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  const auto begin = text.find_last_of('\n', end);
  return text.substr(begin + 1, end - begin);
}

}  // namespace

TEST_CASE("what README shows, and a look at it afterwards") {
  const Place place;
  const Worker one = start_worker(place, "one");
  const Worker two = start_worker(place, "two", {"--join", one.contact});
  const Words data{"--data", place / "submitter"};
  const Words join{"--join", one.contact};
  const auto run = [&](const std::string& command, const Words& options) {
    Process process = finished(Words{program("dugnad")} + words(command) + options);
    CHECK_MESSAGE(process.exit_code() == 0, process.story());
    return process;
  };

  const Process tasks = run("tasks", {});
  for (const char* name : {"primes", "nqueens", "mandelbrot", "--width"}) CHECK(tasks.out().find(name) != std::string::npos);
  const Process described = run("tasks --json", {});
  const Json first = Json::parse(described.out().substr(0, described.out().find('\n')));
  CHECK_FALSE(first["parameters"][0]["name"].get<std::string>().empty());

  CHECK(run("submit primes --to 1e8 --listen tcp://127.0.0.1:0", join + data).out() == "5761455\n");
  CHECK(run("submit nqueens --n 12 --copies 3 --listen tcp://127.0.0.1:0", join + data).out() == "14200\n");
  const std::string picture = place / "picture.png";
  const Process drawn = run("submit mandelbrot --width 320 --height 240 --listen tcp://127.0.0.1:0", join + data + Words{"--out", picture});
  std::ifstream file(picture, std::ios::binary);
  std::string signature(8, '\0');
  file.read(signature.data(), 8);
  CHECK(signature == "\x89PNG\r\n\x1a\n");

  const Process jobs = run("jobs --json", data);
  const Json last = Json::parse(last_line(jobs.out()));
  CHECK(last["task"] == "mandelbrot");
  CHECK(last["state"] == "done");
  const std::string job = last["job"].get<std::string>().substr(0, 16);
  CHECK(run("status " + job, data).out().find("state     done") != std::string::npos);
  CHECK(last_line(run("results " + job, data).out()) == last_line(drawn.out()));

  const Process peers = run("peers --listen none", join + data);
  for (const Worker* worker : {&one, &two}) CHECK_MESSAGE(peers.out().find(worker->id()) != std::string::npos, peers.story());
  const Process ids = run("id", data);
  CHECK_MESSAGE(ids.out().find("owner") != std::string::npos, ids.story());
}

TEST_CASE("a program on the worker's machine finds the swarm by itself") {
  const Place place;
  const Worker worker = start_worker(place, "shared");
  Process submitter = finished(submit(place, "nqueens --n 12", {}, "shared"));
  CHECK_MESSAGE(submitter.exit_code() == 0, submitter.story());
  CHECK_MESSAGE(submitter.out() == "14200\n", submitter.story());
}

TEST_CASE("every command explains itself") {
  for (const std::string command : {"submit", "tasks", "peers", "jobs", "status", "results", "cancel", "id", "audit"}) {
    CAPTURE(command);
    Process help = finished({program("dugnad"), command, "--help"});
    CHECK_MESSAGE(help.exit_code() == 0, help.story());
    CHECK_MESSAGE(help.says("Example"), help.story());
  }
}

}  // namespace dugnad::e2e
