// Numbers of a module may be written longer than they need be, and linkers do so to fill them in later. However they are written, the module that
// comes out of the guest pass is the same to V8.
#include <doctest/doctest.h>

#include <vector>

#include "coordinatorless/base/generator.h"
#include "tests/wasm/engine.h"

namespace dugnad::tests {
namespace {

struct Body {
  std::string what;
  Bytes bytes;  // of dugnad_run, which returns 0x2a00000000: nothing, from address 42
};

const Bytes result{0x42, 0x80, 0x80, 0x80, 0x80, 0xa0, 0x05, 0x0b};  // i64.const, end

/// No locals, these instructions, the result.
Bytes body(Bytes instructions, Bytes locals = {0}) {
  locals.insert(locals.end(), instructions.begin(), instructions.end());
  locals.insert(locals.end(), result.begin(), result.end());
  return locals;
}

const std::vector<Body> bodies = {
    {"a block whose type is an index", body({0x02, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b})},
    {"a local's count", body({}, {0x81, 0x00, 0x81, 0x00, 0x7f})},
    {"the count of a select with a type", body({0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0x1c, 0x81, 0x00, 0x7f, 0x1a})},
    {"the number of an instruction with a prefix", body({0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0xfc, 0x8b, 0x00, 0x00})},
    {"the number of a vector instruction", body({0xfd, 0x8c, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x1a})},
    {"the type of call_indirect", body({0x41, 0x00, 0x11, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00})},
    {"the table of call_indirect", body({0x41, 0x00, 0x11, 0x00, 0x80, 0x80, 0x80, 0x80, 0x00})},
    {"the function of call", body({0x10, 0x80, 0x80, 0x80, 0x80, 0x00})},
    {"the targets of br_table", body({0x02, 0x40, 0x41, 0x00, 0x0e, 0x81, 0x00, 0x80, 0x00, 0x80, 0x80, 0x00, 0x0b})},
    {"an i32", body({0x41, 0x85, 0x80, 0x80, 0x80, 0x00, 0x1a})},
    {"a negative i32", body({0x41, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x1a})},
    {"an i64", body({0x42, 0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a})},
    {"an alignment and an offset", body({0x41, 0x00, 0x28, 0x82, 0x00, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a})},
    {"a local", body({0x20, 0x80, 0x00, 0x1a})},
    {"a global", body({0x23, 0x80, 0x80, 0x00, 0x1a})},
};

// Type 0 is that of $plain, function 0: () -> ().
constexpr const char* around = R"((module (type (func)) (func $plain (type 0)) (table 1 funcref)
  (memory (export "memory") 1 2) (global i32 (i32.const 7))
  (elem (i32.const 0) $plain)
  (func (export "dugnad_alloc") (param i32) (result i32) (i32.const 64))
  (func (export "dugnad_run") (param i32 i32) (result i64) unreachable)))";

}  // namespace

TEST_CASE("numbers that are written longer than need be mean the same to the pass and to V8") {
  for (const Body& odd : bodies) {
    CAPTURE(odd.what);
    for (const bool fuel : {false, true}) {
      CAPTURE(fuel);
      const auto guest = tasks::wasm::prepare(with_body(wat(around), odd.bytes), {.fuel = fuel});
      CHECK_MESSAGE(guest.ok(), (guest ? "" : guest.error().message));
      if (!guest) continue;
      const auto done = engine().load(*guest);
      CHECK_MESSAGE(done.ok(), (done ? "" : done.error().message));
      if (!done) continue;
      const auto outcome = engine().run({}, 1000);
      CHECK_MESSAGE(outcome.outcome == Outcome::ok, text_of(outcome));
      CHECK(outcome.output.empty());
    }
  }
}

TEST_CASE("what the guest pass accepts, V8 compiles") {
  auto generator = Generator::from_seed(1);
  std::size_t accepted = 0;
  const std::vector<Bytes> modules{wat(reactor(a_bit_of_everything)), wat(command(a_bit_of_everything)), wat(around)};
  for (int i = 0; i < 10'000; ++i) {
    CAPTURE(i);
    Bytes module = modules[generator.below(modules.size())];
    for (std::uint64_t changes = 1 + generator.below(3); changes > 0; --changes) {
      std::uint8_t& byte = module[8 + generator.below(module.size() - 8)];
      byte = generator.below(2) == 0 ? static_cast<std::uint8_t>(generator.next()) : byte ^ static_cast<std::uint8_t>(1u << generator.below(8));
    }
    const auto guest = tasks::wasm::prepare(module, {.fuel = generator.below(2) == 0});
    if (!guest) continue;
    ++accepted;
    const auto done = engine().load(*guest);
    CHECK_MESSAGE(done.ok(), (done ? "" : done.error().message));
  }
  CHECK(accepted > 400);
}

}  // namespace dugnad::tests
