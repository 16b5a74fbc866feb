// dugnad-worker as a process: what it prints, when it ends, and with which code.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "coordinatorless/core/contact.h"
#include "tests/worker/program.h"
#include "tests/scratch.h"
#include "worker/control_socket.h"
#include "worker/hosted_orders.h"

namespace dugnad::worker {
namespace {

std::vector<std::string> worker(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), DUGNAD_WORKER);
  return arguments;
}

std::vector<std::string> on_loopback(const Scratch& scratch, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"--data", scratch.path(), "--listen", "tcp://127.0.0.1:0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return worker(std::move(arguments));
}

/// The next line of the log behind what a worker says of itself when it starts: whose code it runs.
std::optional<std::string> log_line(Program& program) {
  const auto line = program.error_line();
  REQUIRE(line);
  const bool says_whose = line->find("built-in tasks alone") != std::string::npos || line->find("too, caged: ") != std::string::npos;
  CHECK_MESSAGE(says_whose, *line);
  return program.error_line();
}

std::string ready(Program& program) {
  const auto line = program.line();
  REQUIRE(line);
  REQUIRE(line->starts_with("ready "));
  return line->substr(6);
}

/// The one line that such arguments lead to.
std::string refusal(std::vector<std::string> arguments, int code) {
  Program program(worker(std::move(arguments)));
  const auto line = program.error_line();
  REQUIRE(line);
  CHECK_FALSE(program.error_line());
  CHECK_FALSE(program.line());
  CHECK(program.exit_code() == code);
  return *line;
}

TEST_CASE("a worker says that it is ready, answers at its control socket, and leaves within five seconds of a signal") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Scratch scratch;
    Program program(on_loopback(scratch));
    const std::string contact = ready(program);
    CHECK(core::Contact::parse(contact).ok());
    const auto answer = ask_contact(scratch.path());
    REQUIRE(answer.ok());
    CHECK(*answer == contact);
    const Asked strange = ask(control_path(scratch.path()), {"dance"});
    REQUIRE(strange.answer);
    CHECK_FALSE(strange.answer->ok);

    const auto asked = Program::Clock::now();
    program.signal(signal);
    CHECK(program.exit_code() == 0);
    CHECK(Program::Clock::now() - asked < std::chrono::seconds(5));
    CHECK_FALSE(ask_contact(scratch.path()).ok());
  }
}

TEST_CASE("a worker hosts what has an order, takes up those that it finds at its start, and gives up what makes no sense") {
  Scratch scratch;
  const HostedOrders orders(scratch.path());
  JobId first, second, third;
  first.bytes.fill(1), second.bytes.fill(2), third.bytes.fill(3);
  REQUIRE(orders.put(first, {}).ok());
  Program program(on_loopback(scratch));
  (void)ready(program);
  const auto says = [&](const std::string& part) {
    for (auto line = program.error_line(); line; line = program.error_line()) {
      if (contains(*line, part)) return true;
    }
    return false;
  };
  CHECK(says("job 01010101 cannot be run"));  // it is in no journal
  CHECK_FALSE(orders.has(first));

  const auto host = [&](const std::string& argument) { return ask(control_path(scratch.path()), {"host", argument}); };
  for (const std::string& argument : {std::string(), std::string("../../etc"), third.hex()}) {
    const Asked refused = host(argument);
    REQUIRE(refused.answer);
    CHECK_FALSE(refused.answer->ok);
  }
  REQUIRE(orders.put(second, {"--no-such-option"}).ok());
  const Asked taken = host(second.hex());
  REQUIRE(taken.answer);
  CHECK(taken.answer->ok);
  CHECK(says("job 02020202 cannot be run"));
  program.signal(SIGTERM);
  CHECK(program.exit_code() == 0);
}

TEST_CASE("a worker that cannot be dialled is ready all the same, with a contact that none can join through") {
  Scratch scratch;
  Program program(worker({"--data", scratch.path(), "--listen", "none"}));
  const std::string contact = ready(program);
  CHECK(contact.starts_with("tcp://0.0.0.0:0/"));
  CHECK_FALSE(core::Contact::parse(contact).ok());
  program.signal(SIGTERM);
  CHECK(program.exit_code() == 0);
}

TEST_CASE("two workers find each other by a contact") {
  Scratch first_data, second_data;
  Program first(on_loopback(first_data));
  const std::string contact = ready(first);
  Program second(on_loopback(second_data, {"--join", contact}));
  (void)ready(second);
  const auto said = log_line(second);
  REQUIRE(said);
  CHECK(contains(*said, "joined the swarm through 127.0.0.1:"));
}

TEST_CASE("a log in JSON is an object a line, whatever the message") {
  Scratch first_data, second_data;
  Program first(on_loopback(first_data));
  const std::string contact = ready(first);
  Program stranger(on_loopback(second_data, {"--log-json", "--swarm", "another", "--join", contact}));
  const auto said = log_line(stranger);
  REQUIRE(said);
  CHECK(said->starts_with("{\"time\":\""));
  CHECK(contains(*said, "\"level\":\"warning\",\"message\":\"cannot join: 127.0.0.1:"));
  CHECK(said->ends_with("\"}"));
}

TEST_CASE("a second worker in the same data directory is refused in one line") {
  Scratch scratch;
  Program program(on_loopback(scratch));
  (void)ready(program);
  CHECK(contains(refusal({"--data", scratch.path()}, 1), "another worker is using the data directory"));
}

TEST_CASE("options may come from a file, and the command line wins") {
  Scratch scratch;
  put_content(scratch.file("worker.toml"), "listen = \"none\"\ncores = 1\nlog-json = true\n");
  {
    Program program(worker({"--data", scratch.path(), "--config", scratch.file("worker.toml")}));
    CHECK(ready(program).starts_with("tcp://0.0.0.0:0/"));
    program.signal(SIGTERM);
    const auto said = program.error_line();
    REQUIRE(said);
    CHECK(said->starts_with("{"));
    CHECK(program.exit_code() == 0);
  }
  Program program(on_loopback(scratch, {"--config", scratch.file("worker.toml")}));
  CHECK(ready(program).starts_with("tcp://127.0.0.1:"));
}

TEST_CASE("bad usage is one line and exit code 2") {
  CHECK(contains(refusal({"--no-such-option"}, 2), "--no-such-option"));
  CHECK(contains(refusal({"--listen", "localhost"}, 2), "--listen wants"));
  CHECK(contains(refusal({"--join", "tcp://127.0.0.1:1"}, 2), "is no contact"));
  CHECK(contains(refusal({"--cpu", "101"}, 2), "--cpu"));
  for (const char* option : {"--steward", "--memory", "--upload", "--download", "--cache"}) {
    for (const std::string wrong : {"-5", "lots", "3X", "1.5G", "-1K", "99999999999999999999", "99999999T", ""}) {
      const std::string told = refusal({option, wrong}, 2);
      CHECK_MESSAGE(contains(told, option + std::string(": '") + wrong + "' is no size"), told);
    }
  }
  for (const char* option : {"--cores", "--cpu"}) {
    for (const std::string wrong : {"many", "-1", "1.5", "2x", "99999999999", ""}) {
      const std::string told = refusal({option, wrong}, 2);
      CHECK_MESSAGE(contains(told, option + std::string(": '") + wrong + "' is no whole number"), told);
    }
  }
  CHECK(contains(refusal({"--http", "127.0.0.1:80"}, 2), "not in this version"));
  CHECK(contains(refusal({"--memory", "512"}, 2), "--memory takes a size"));
  CHECK(contains(refusal({"--allow", "builtin", "--allow", "any"}, 2), "--allow builtin"));
  CHECK(contains(refusal({"--allow", "friends"}, 2), "'friends'"));
  CHECK(contains(refusal({"--config", "/nonexistent/file"}, 2), "/nonexistent/file"));
  CHECK(contains(refusal({"--listen", "none", "--advertise", "tcp://198.51.100.1:4210"}, 2), "--advertise"));
}

TEST_CASE("a worker says whose code it runs, and why") {
  Scratch scratch;
  Program worker(on_loopback(scratch, {"--allow", "builtin"}));
  const auto said = worker.error_line();
  REQUIRE(said);
  CHECK(contains(*said, "runs built-in tasks alone, as --allow builtin says"));
  ready(worker);
  worker.signal(SIGTERM);
  CHECK(worker.exit_code() == 0);
}

TEST_CASE("what the machine refuses is one line and exit code 1") {
  Scratch scratch;
  SUBCASE("a data directory that is a file") {
    put_content(scratch.file("data"), "x");
    CHECK(contains(refusal({"--data", scratch.file("data")}, 1), scratch.file("data")));
  }
  SUBCASE("a damaged key") {
    put_content(scratch.file("worker.key"), "not a key\n");
    REQUIRE(::chmod(scratch.file("worker.key").c_str(), 0600) == 0);
    CHECK(contains(refusal({"--data", scratch.path()}, 1), "worker.key is damaged"));
  }
  SUBCASE("a port in use") {
    Scratch other;
    Program program(on_loopback(scratch));
    const auto contact = core::Contact::parse(ready(program));
    REQUIRE(contact.ok());
    CHECK(contains(refusal({"--data", other.path(), "--listen", "tcp://" + contact->host_port}, 1), contact->host_port));
  }
}

TEST_CASE("--help and --version end well") {
  Program help(worker({"--help"}));
  const auto first = help.line();
  REQUIRE(first);
  CHECK(contains(*first, "dugnad-worker"));
  CHECK(help.exit_code() == 0);
  Program version(worker({"--version"}));
  const auto number = version.line();
  REQUIRE(number);
  CHECK(number->starts_with("dugnad-worker "));
  CHECK(version.exit_code() == 0);
}

}  // namespace
}  // namespace dugnad::worker
