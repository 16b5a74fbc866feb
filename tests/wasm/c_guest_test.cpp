// A C program that clang-19 and wasi-libc compiled, through the guest pass and the engine.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/wasm/engine.h"

namespace dugnad::tests {
namespace {

using tasks::wasm::CommandUnit;

worker::cage::Engine& with_ordinary() {
  std::ifstream file(ORDINARY_WASM, std::ios::binary);
  const Bytes raw((std::istreambuf_iterator<char>(file)), {});
  const auto guest = tasks::wasm::prepare(raw, {});
  REQUIRE_MESSAGE(guest.ok(), guest.error().message);
  const auto done = engine().load(*guest);
  REQUIRE(done.ok());
  return engine();
}

TEST_CASE("an ordinary C program runs, and says the same each time") {
  auto& engine = with_ordinary();
  const Bytes unit = tasks::wasm::encode({{"one", "two"}, to_bytes("a line\nand another\n")});
  const auto outcome = engine.run(unit, 0);
  CHECK(outcome.outcome == Outcome::ok);
  CHECK(text_of(outcome) ==
        "3 arguments, the last is two\n2 lines, 19 letters\n0 ns, then 3.001000000 s\n"
        "file: Capabilities insufficient, terminal: 0, home: none\nrandom: 0\n100 MiB: given\n0.30000000000000004\n");
  CHECK(engine.run(unit, 0).output == outcome.output);
}

TEST_CASE("a C program's exit code and its last words reach the submitter") {
  auto& engine = with_ordinary();
  CHECK(text_of(engine.run(tasks::wasm::encode({{"exit"}, {}}), 0)) == "exited with code 7: cannot go on");
  CHECK(text_of(engine.run(tasks::wasm::encode({{"abort"}, {}}), 0)) == "unreachable executed");
}

}  // namespace
}  // namespace dugnad::tests
