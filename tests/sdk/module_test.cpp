// Programs of one's own through the SDK, computed in this process's cages.
#include <fstream>
#include <iterator>

#include "dugnad/typed.h"
#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

Module guest(const std::string& name) { return good(Module::load(std::string(DUGNAD_GUEST_DIR) + "/" + name + ".wasm")); }

Bytes bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_bytes(text);
}

std::vector<Bytes> texts(const std::vector<std::string>& all) {
  std::vector<Bytes> bytes;
  for (const std::string& text : all) bytes.push_back(to_bytes(text));
  return bytes;
}

}  // namespace

TEST_CASE("a module tells what it is, and what donors would refuse is refused") {
  const Module reactor = guest("reversed");
  CHECK(reactor.kind() == Module::Kind::reactor);
  CHECK(reactor.name() == "reversed.wasm");
  CHECK(guest("arguments").kind() == Module::Kind::command);
  CHECK(reactor.check(0, 0));
  CHECK_FALSE(reactor.check(65536, 0));
  CHECK_FALSE(reactor.check(std::uint64_t{1} << 40, 0));

  Bytes wasm = bytes_of_file(std::string(DUGNAD_GUEST_DIR) + "/reversed.wasm");
  CHECK(good(Module::from_bytes(wasm, "My Program!")).name() == "my_program_");
  wasm.resize(wasm.size() / 2);
  const auto half = Module::from_bytes(wasm, "half");
  REQUIRE_FALSE(half.ok());
  CHECK(is_one_line(half.error().message));
  CHECK_FALSE(Module::from_bytes({}, "nothing").ok());
  CHECK_FALSE(Module::load("/nowhere/x.wasm").ok());
}

TEST_CASE("a module is mapped over inputs, typed or in bytes") {
  Swarm swarm = joined(alone());
  auto job = good(map<std::string>(swarm, guest("reversed"), std::vector<std::string>{"abc", "", "dugnad"}, one_copy));
  CHECK(good(job.all()) == std::vector<std::string>{"cba", "", "dangud"});

  Job failing = good(swarm.map(guest("moody"), texts({"fine", "fails", "fine"}), one_copy));
  const auto results = rest_of(failing);
  REQUIRE(results.size() == 3);
  CHECK(results[0].ok);
  CHECK_FALSE(results[1].ok);
  CHECK(contains(results[1].reason, "in no mood"));
  CHECK(good(failing.end()).kind == EndKind::units_failed);
}

TEST_CASE("a command gets its inputs as standard input, and arguments where units have them") {
  Swarm swarm = joined(alone());
  const Module arguments = guest("arguments");
  Job mapped = good(swarm.map(arguments, texts({"one two\n", "same same\n"}), one_copy));
  auto results = rest_of(mapped);
  REQUIRE(results.size() == 2);
  CHECK(to_text(results[0].output) == "\none two\n");

  unsigned given = 0;
  Job streamed = good(swarm.map_commands(
      arguments,
      [&given]() -> std::optional<CommandUnit> {
        if (given == 3) return std::nullopt;
        return CommandUnit{.arguments = {std::to_string(given++), "b c"}, .standard_input = {}};
      },
      one_copy));
  results = rest_of(streamed);
  REQUIRE(results.size() == 3);
  CHECK(to_text(results[2].output) == "[2][b c]\n");

  Job opened = good(swarm.open(arguments, one_copy));
  CHECK(good(opened.submit(CommandUnit{.arguments = {"x"}, .standard_input = {}})) == 0);
  CHECK(good(opened.submit(to_bytes("standard input"))) == 1);
  opened.close_input();
  results = rest_of(opened);
  REQUIRE(results.size() == 2);
  CHECK(to_text(results[0].output) == "[x]\n");
  CHECK(to_text(results[1].output) == "\nstandard input");

  Job reactor = good(swarm.open(guest("reversed"), one_copy));
  CHECK_FALSE(reactor.submit(CommandUnit{}).ok());
  reactor.close_input();
  CHECK_FALSE(swarm
                  .map_commands(
                      guest("reversed"), [] { return std::optional<CommandUnit>(); }, one_copy)
                  .ok());
}

TEST_CASE("a source of inputs that fails interrupts its job, and the next run goes on with it") {
  const Scratch scratch;
  const auto run = [&](bool fails) {
    Swarm swarm = joined(alone_in(scratch));
    unsigned given = 0;
    Job job = good(swarm.map(
        guest("reversed"),
        [&given, fails]() -> Result<std::optional<Bytes>> {
          if (given == 4) return std::optional<Bytes>();
          if (given == 3 && fails) return Error{"the disk is gone"};
          return std::optional(to_bytes("input " + std::to_string(given++)));
        },
        one_copy));
    std::size_t results = 0;
    if (fails) {
      CHECK(good(job.end()).kind == EndKind::inputs_failed);
      CHECK(good(job.end()).reason == "the disk is gone");
    } else {
      results = rest_of(job).size();
      CHECK(good(job.end()).kind == EndKind::complete);
    }
    return std::pair(job.id(), results);
  };
  const auto [first, none] = run(true);
  const auto [again, all] = run(false);
  CHECK(again == first);
  CHECK(all == 4);
}

TEST_CASE("limits of modules are refused for tasks, and others' limits make another job") {
  const Scratch scratch;
  Swarm swarm = joined(alone_in(scratch));
  CHECK_FALSE(swarm.map("square", numbers(1), {.copies = 1, .fuel = 1}).ok());
  CHECK_FALSE(swarm.map(guest("reversed"), texts({"a"}), {.copies = 1, .memory_bytes = std::uint64_t{5} << 30}).ok());
  Job plain = good(swarm.map(guest("reversed"), texts({"a"}), one_copy));
  Job limited = good(swarm.map(guest("reversed"), texts({"a"}), {.copies = 1, .memory_bytes = 32u << 20, .fuel = 1'000'000}));
  CHECK(plain.id() != limited.id());
  CHECK(rest_of(limited).at(0).ok);
  CHECK(rest_of(plain).at(0).ok);
  Job starved = good(swarm.map(guest("reversed"), texts({std::string(1000, 'a')}), {.copies = 1, .fuel = 10}));
  const auto results = rest_of(starved);
  REQUIRE(results.size() == 1);
  CHECK_FALSE(results[0].ok);
  CHECK(contains(results[0].reason, "fuel"));
  const auto absent = swarm.map(guest("reversed"), texts({"a"}), {.copies = 1, .resume_only = std::string(64, '0')});
  CHECK_FALSE(absent.ok());
}
