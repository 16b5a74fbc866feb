#include "worker/control_protocol.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/generator.h"
#include "tests/scratch.h"

namespace dugnad::worker {
namespace {

std::string_view without_break(const std::string& line) { return std::string_view(line).substr(0, line.size() - 1); }

TEST_CASE("a question and an answer come back from their lines") {
  const std::string question = encode(ControlRequest{"status", "3f2a and more"});
  CHECK(question == "dugnad/1 status 3f2a and more\n");
  const auto request = decode_request(without_break(question));
  REQUIRE(request.ok());
  CHECK(request->word == "status");
  CHECK(request->argument == "3f2a and more");
  CHECK(decode_request("dugnad/1 contact").value().argument.empty());

  CHECK(encode(ControlAnswer{true, {}}) == "ok\n");
  CHECK(encode(ControlAnswer{false, "no such job"}) == "no no such job\n");
  CHECK(decode_answer("ok").value().text.empty());
  CHECK(decode_answer("no no such job").value().text == "no such job");
  CHECK_FALSE(decode_answer("no no such job").value().ok);
}

TEST_CASE("a line holds no control characters and is never too long, whatever is put into it") {
  const std::string line = encode(ControlAnswer{true, "a\nb\x1b[2J" + std::string(control_answer_max, 'x')});
  CHECK(line.size() == control_answer_max);
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.starts_with("ok a b [2J"));
  CHECK(encode(ControlRequest{"status", std::string(control_request_max, 'y')}).size() == control_request_max);
}

TEST_CASE("a question of another version is told what is spoken here") {
  const auto later = decode_request("dugnad/2 status 3f2a");
  REQUIRE_FALSE(later.ok());
  CHECK(contains(later.error().message, "version 1"));
}

TEST_CASE("what is no question is refused with the reason") {
  for (const char* line : {"", "dugnad/1", "dugnad/1 ", "dugnad/1  status", "status", "GET / HTTP/1.1", "dugnad/1 Status",
                           "dugnad/1 sta\ttus", "dugnad/1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "dugnad/1 status a\rb"}) {
    const auto request = decode_request(line);
    CHECK_MESSAGE(!request.ok(), line);
    CHECK(is_one_line(request.error().message));
  }
  for (const char* line : {"", "o", "okay", "yes", "ok\x01", "nope"}) CHECK_MESSAGE(!decode_answer(line).ok(), line);
}

TEST_CASE("random bytes are refused, or are a question that encodes to themselves") {
  Generator generator = Generator::from_seed(7);
  int understood = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string line = "dugnad/1 status 3f2a";
    const std::uint64_t changes = generator.below(4);
    for (std::uint64_t change = 0; change < changes; ++change) {
      line[static_cast<std::size_t>(generator.below(line.size()))] = static_cast<char>(generator.below(256));
    }
    const auto request = decode_request(line);
    if (!request) continue;
    ++understood;
    CHECK(without_break(encode(*request)).starts_with(line.substr(0, line.find_last_not_of(' ') + 1)));
  }
  CHECK(understood > 1000);
}

}  // namespace
}  // namespace dugnad::worker
