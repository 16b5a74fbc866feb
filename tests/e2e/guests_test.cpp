// A program of one's own, from a .wasm file and a source of units to its outputs, computed by workers that have never seen it.
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/e2e/swarm.h"

namespace dugnad::e2e {
namespace {

std::string guest(const std::string& name) { return std::string(DUGNAD_GUEST_DIR) + "/" + name + ".wasm"; }

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(text_of(path) == text);
}

/// A submission of that module, with its units' source behind it.
Words submit_guest(const Place& place, const std::string& name, const Words& source, const Worker& joined, const Words& options = {}) {
  return submit(place, "", Words{guest(name)} + source + Words{"--join", joined.contact} + options);
}

/// A worker whose cages flip the last bit of each output.
Worker start_liar(const Place& place, const Worker& joined) {
  return start(Words{"/usr/bin/env", std::string("DUGNAD_LIBEXEC=") + LYING_LIBEXEC} + worker(place, "liar", {"--join", joined.contact}));
}

/// A thousand pairs of words, all different.
std::vector<std::string> pairs() {
  std::vector<std::string> lines;
  for (unsigned i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i * 7919 % 1000);
    lines.push_back("kitten" + number + "s sitting" + std::to_string(i));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("with one of three workers flipping bits, a thousand lines give what the program gives natively, line by line") {
  const Place place;
  const std::vector<std::string> lines = pairs();
  std::string native;
  for (const std::string& line : lines) {
    write(place / "line", line + "\n");
    Process alone = finished({"/bin/sh", "-c", "exec \"$0\" < \"$1\"", NATIVE_DISTANCE, place / "line"});
    REQUIRE_MESSAGE(alone.exit_code() == 0, alone.story());
    native += alone.out();
  }
  write(place / "pairs.txt", joined(lines));

  const Worker one = start_worker(place, "one");
  const Worker two = start_worker(place, "two", {"--join", one.contact});
  const Worker liar = start_liar(place, one);
  // The liar is heard of before the job is, so that it has its part.
  Process submitter = finished(submit_guest(place, "distance", {"--lines", place / "pairs.txt"}, liar, {"--local", "0"}));
  CHECK_MESSAGE(submitter.exit_code() == 0, submitter.story());
  CHECK(submitter.out() == native);
  CHECK_MESSAGE(submitter.err().find("outvoted: peer " + liar.id().substr(0, 8)) != std::string::npos, submitter.err());
}

TEST_CASE("units come from lines, argument lists, files or standard input, and outputs go to stdout or to files") {
  const Place place;
  const Worker one = start_worker(place, "one");
  write(place / "numbers.txt", "12\n97\n1001");
  Process lines = finished(submit_guest(place, "factors", {"--lines", place / "numbers.txt"}, one));
  CHECK_MESSAGE(lines.exit_code() == 0, lines.story());
  CHECK(lines.out() == "12: 2 2 3\n97: 97\n1001: 7 11 13\n");

  write(place / "arguments.txt", "a 'b c' d\\ e\n\n\"\" x\n");
  Process arguments = finished(submit_guest(place, "arguments", {"--args", place / "arguments.txt"}, one));
  CHECK_MESSAGE(arguments.exit_code() == 0, arguments.story());
  CHECK(arguments.out() == "[a][b c][d e]\n\n[][x]\n");

  write(place / "b.in", "kitten sitting\nsame same\n");
  write(place / "a.in", "one two\n");
  Process files = finished(submit_guest(place, "distance", {"--files", place / "*.in", "--out", place / "made/results"}, one));
  CHECK_MESSAGE(files.exit_code() == 0, files.story());
  CHECK(files.out().empty());
  CHECK(text_of(place / "made/results/000000.out") == "one two 3\n");
  CHECK(text_of(place / "made/results/000001.out") == "kitten sitting 3\nsame same 0\n");
  CHECK_FALSE(std::filesystem::exists(place / "made/results/000002.out"));

#ifdef DUGNAD_RUST_GUEST
  Process rust = finished(submit_guest(place, "frequent", {"--files", place / "*.in"}, one));
  CHECK_MESSAGE(rust.exit_code() == 0, rust.story());
  CHECK_MESSAGE(rust.out().find("same 2\n") != std::string::npos, rust.out());
#endif

  const Words command = submit_guest(place, "distance", {"-"}, one);
  std::string typed;
  for (const std::string& word : command) typed += " '" + word + "'";
  Process piped = finished({"/bin/sh", "-c", "printf 'one two\\nthree three\\n' |" + typed});
  CHECK_MESSAGE(piped.exit_code() == 0, piped.story());
  CHECK(piped.out() == "one two 3\nthree three 0\n");

  Process events = finished(submit_guest(place, "factors", {"--lines", place / "numbers.txt", "--copies", "1"}, one, {"--json"}));
  CHECK_MESSAGE(events.exit_code() == 0, events.story());
  CHECK(events.out().find("{\"event\":\"output\",\"unit\":1,\"output\":\"39373a2039370a\"}") != std::string::npos);

  Process jobs = finished(words(program("dugnad") + " jobs --data " + (place / "submitter")));
  CHECK_MESSAGE(jobs.out().find("distance.wasm --files") != std::string::npos, jobs.story());
}

TEST_CASE("units that fail are named with their reason, once, and hold nothing up") {
  const Place place;
  const Worker one = start_worker(place, "one");
  const Worker two = start_worker(place, "two", {"--join", one.contact});
  write(place / "good.in", "one two\n");
  write(place / "bad.in", "one\n");
  write(place / "other.in", "three three\n");
  Process submitter = finished(submit_guest(place, "distance", {"--files", place / "*.in"}, one));
  CHECK_MESSAGE(submitter.exit_code() == 3, submitter.story());
  CHECK(submitter.out() == "one two 3\nthree three 0\n");
  const std::string named = "dugnad: unit 0 (" + (place / "bad.in") + ") failed: ";
  const auto at = submitter.err().find(named);
  REQUIRE_MESSAGE(at != std::string::npos, submitter.story());
  CHECK(submitter.err().find(named, at + 1) == std::string::npos);
  CHECK_MESSAGE(submitter.err().find("not two words", at) != std::string::npos, submitter.err());
  CHECK_MESSAGE(submitter.err().find("dugnad: 1 unit failed\n") != std::string::npos, submitter.err());

  // Fuel ends a unit at the same place everywhere, which is agreed upon.
  Process starved = finished(submit_guest(place, "distance", {"--files", place / "good.in", "--fuel", "100"}, one));
  CHECK_MESSAGE(starved.exit_code() == 3, starved.story());
  CHECK_MESSAGE(starved.err().find("fuel") != std::string::npos, starved.err());
}

TEST_CASE("an interrupted job of one's own program goes on, by the same command and by its id") {
  const Place place;
  const Worker one = start_worker(place, "one");
  // Each a square of a prime of nine digits: a second and more.
  const std::vector<std::string> numbers(12, "999999866000004473");
  write(place / "numbers.txt", joined(numbers));
  const Words command = submit_guest(place, "factors", {"--lines", place / "numbers.txt"}, one, words("--json --copies 1 --local 0"));
  std::string job;
  {
    Process first(command);
    job = event(first, "started")["job"];
    (void)middle(first);
    first.signal(SIGKILL);
    REQUIRE(first.exit_code() == -SIGKILL);
  }
  {
    Process second(command);
    CHECK(event(second, "started")["job"] == job);
    (void)middle(second);
    second.signal(SIGINT);
    REQUIRE_MESSAGE(second.exit_code() == 130, second.story());
  }
  Process third = finished(submit(place, "", Words{"--resume", job.substr(0, 12), "--join", one.contact}));
  CHECK_MESSAGE(third.exit_code() == 0, third.story());
  CHECK(third.says("known from an earlier run"));
  std::istringstream outputs(third.out());
  std::size_t count = 0;
  for (std::string line; std::getline(outputs, line); ++count) CHECK(line.starts_with("999999866000004473: "));
  CHECK(count == numbers.size());
  Process results = finished(words(program("dugnad") + " results " + job.substr(0, 12) + " --data " + (place / "submitter")));
  CHECK(results.out() == third.out());
}

TEST_CASE("a submitter that waits for more of its standard input gives what it has, and can be interrupted") {
  const Place place;
  const Worker one = start_worker(place, "one");
  const std::string pipe = place / "pipe";
  REQUIRE(finished({"/usr/bin/mkfifo", pipe}).exit_code() == 0);
  std::string typed = "exec 3<> '" + pipe + "'; echo 12 >&3; exec 0<&3 3<&-; exec";  // which stays open, and silent
  for (const std::string& word : submit_guest(place, "factors", {"-"}, one)) typed += " '" + word + "'";
  Process waiting({"/bin/sh", "-c", typed});
  CHECK_MESSAGE(waiting.line([](const std::string& line) { return line == "12: 2 2 3"; }), waiting.story());
  waiting.signal(SIGINT);
  CHECK_MESSAGE(waiting.exit_code() == 130, waiting.story());
  CHECK_MESSAGE(waiting.err().find("the same command with the same input goes on") != std::string::npos, waiting.story());
}

TEST_CASE("a module that donors would refuse is refused before it is submitted, with the reason") {
  const Place place;
  write(place / "text.wasm", "no module\n");
  write(place / "units.txt", "one two\n");
  struct Case {
    Words typed;
    std::string told;
  };
  const std::string lines = place / "units.txt";
  for (const auto& [typed, told] : {
           Case{{place / "text.wasm", "--lines", lines}, "text.wasm: it is no WebAssembly module"},
           Case{{place / "none.wasm", "--lines", lines}, "cannot read"},
           Case{{guest("factors")}, "where are the units of"},
           Case{{guest("factors"), "--lines", place / "none"}, "cannot read"},
           Case{{guest("factors"), "--lines", lines, "-"}, "units come from one source"},
           Case{{guest("factors"), "--args", lines}, "is a reactor, whose units have no arguments"},
           Case{{guest("factors"), "--files", place / "*.none"}, "no file matches"},
           Case{{guest("factors"), "--files", lines, "b.txt"}, "Quote the pattern"},
           Case{{guest("factors"), "--lines", lines, "--n", "3"}, "what is '--n'?"},
           Case{{guest("factors"), "--lines", lines, "--memory", "64K"}, "its memory begins with"},
           Case{{guest("factors"), "--lines", lines, "--memory", "5G"}, "at most 4 GiB"},
           Case{{guest("factors"), "--lines", lines, "--fuel", "0"}, "--fuel"},
           Case{{"nqueens", "--n", "8", "--lines", lines}, "--lines is for a program of your own"},
       }) {
    Process refused = finished(Words{program("dugnad"), "submit"} + typed + Words{"--data", place / "submitter"});
    CHECK_MESSAGE(refused.exit_code() == 2, refused.story());
    CHECK_MESSAGE(refused.err().find(told) != std::string::npos, refused.story());
    CHECK_MESSAGE(std::count(refused.err().begin(), refused.err().end(), '\n') == 1, refused.story());
    CHECK(refused.out().empty());
  }
}

}  // namespace dugnad::e2e
