// What a command sees of the system, call by call, the same in every unit.
#include <doctest/doctest.h>

#include "tests/wasm/engine.h"

namespace dugnad::tests {
namespace {

using tasks::wasm::CommandUnit;
using worker::cage::UnitOutcome;

/// A command whose _start is `body`. $out writes memory from 4096 on to standard output; $number appends an i32 to what $out writes.
std::string command_of(std::string_view body, std::string_view imports = "", std::string_view fields = "") {
  return "(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func $fd_write (param i32 i32 i32 i32) (result i32)))"
         "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $proc_exit (param i32)))" +
         std::string(imports) + "(memory (export \"memory\") 2 2000) (global $end (mut i32) (i32.const 4096))" + std::string(fields) +
         "(func $number (param i32) (i32.store (global.get $end) (local.get 0)) (global.set $end (i32.add (global.get $end) (i32.const "
         "4))))"
         "(func $write (param $descriptor i32) (param $at i32) (param $length i32) (result i32)"
         " (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))"
         " (call $fd_write (local.get $descriptor) (i32.const 0) (i32.const 1) (i32.const 8)))"
         "(func $out (drop (call $write (i32.const 1) (i32.const 4096) (i32.sub (global.get $end) (i32.const 4096)))))"
         "(func (export \"_start\") " +
         std::string(body) + "))";
}

std::string import_of(std::string_view name, std::string_view type) {
  return "(import \"wasi_snapshot_preview1\" \"" + std::string(name) + "\" (func $" + std::string(name) + " " + std::string(type) + "))";
}

UnitOutcome ran(std::string_view text, const CommandUnit& unit = {}) { return loaded(text).run(encode(unit), 0); }

/// The output as 4-byte numbers.
std::vector<std::uint32_t> numbers(const UnitOutcome& outcome) {
  REQUIRE_MESSAGE(outcome.outcome == Outcome::ok, text_of(outcome));
  std::vector<std::uint32_t> all(outcome.output.size() / 4);
  std::memcpy(all.data(), outcome.output.data(), all.size() * 4);
  return all;
}

using Numbers = std::vector<std::uint32_t>;

TEST_CASE("standard output is the result, of exit code 0 and of a return from main") {
  const std::string_view hello = "(data (i32.const 4096) \"hello\")";
  const std::string_view write = "(drop (call $write (i32.const 1) (i32.const 4096) (i32.const 5)))";
  CHECK(text_of(ran(command_of(write, "", hello))) == "hello");
  const UnitOutcome exited = ran(command_of(std::string(write) + "(call $proc_exit (i32.const 0)) (unreachable)", "", hello));
  CHECK(exited.outcome == Outcome::ok);
  CHECK(text_of(exited) == "hello");
}

TEST_CASE("another exit code fails the unit with the tail of standard error") {
  const UnitOutcome quiet = ran(command_of("(call $proc_exit (i32.const 3))"));
  CHECK(quiet.outcome == Outcome::failed);
  CHECK(text_of(quiet) == "exited with code 3");
  const UnitOutcome loud =
      ran(command_of("(drop (call $write (i32.const 2) (i32.const 4096) (i32.const 8))) (call $proc_exit (i32.const 1))", "",
                     "(data (i32.const 4096) \"no file\\n\")"));
  CHECK(text_of(loud) == "exited with code 1: no file");
  const UnitOutcome flood =
      ran(command_of("(drop (call $write (i32.const 2) (i32.const 0) (i32.const 131072))) (call $proc_exit (i32.const 1))"));
  CHECK(flood.output.size() <= 1024);
  CHECK(text_of(ran(command_of("(unreachable)"))) == "unreachable executed");
}

TEST_CASE("more than 64 MiB on standard output fails the unit") {
  const UnitOutcome flood =
      ran(command_of("(loop $again (drop (call $write (i32.const 1) (i32.const 0) (i32.const 131072))) (br $again))"));
  CHECK(flood.outcome == Outcome::failed);
  CHECK(text_of(flood) == "its output is larger than 64 MiB");
}

TEST_CASE("standard input is read to its end, by several vectors, and then reads nothing") {
  const std::string reading = command_of(
      "(i32.store (i32.const 16) (i32.const 4096)) (i32.store (i32.const 20) (i32.const 3))"
      "(i32.store (i32.const 24) (i32.const 4099)) (i32.store (i32.const 28) (i32.const 100))"
      "(drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 32)))"
      "(drop (call $write (i32.const 1) (i32.const 4096) (i32.load (i32.const 32))))"
      "(drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 32)))"
      "(if (i32.load (i32.const 32)) (then (unreachable)))",
      import_of("fd_read", "(param i32 i32 i32 i32) (result i32)"));
  CHECK(text_of(ran(reading, {{}, to_bytes("all of it")})) == "all of it");
  CHECK(ran(reading).output.empty());
}

TEST_CASE("arguments come behind the program's name, and the environment is empty") {
  const UnitOutcome outcome =
      ran(command_of("(drop (call $args_sizes_get (i32.const 16) (i32.const 20)))"
                     "(drop (call $args_get (i32.const 64) (i32.const 4096)))"
                     "(if (i32.ne (i32.load (i32.const 16)) (i32.const 3)) (then (unreachable)))"
                     "(if (i32.ne (i32.load (i32.const 68)) (i32.const 4102)) (then (unreachable)))"
                     "(drop (call $environ_sizes_get (i32.const 24) (i32.const 28)))"
                     "(if (i32.or (i32.load (i32.const 24)) (i32.load (i32.const 28))) (then (unreachable)))"
                     "(drop (call $write (i32.const 1) (i32.const 4096) (i32.load (i32.const 20))))",
                     import_of("args_sizes_get", "(param i32 i32) (result i32)") + import_of("args_get", "(param i32 i32) (result i32)") +
                         import_of("environ_sizes_get", "(param i32 i32) (result i32)")),
          {{"-n", "two words"}, {}});
  CHECK(text_of(outcome) == std::string("guest\0-n\0two words\0", 19));
}

TEST_CASE("time starts at zero, each reading adds a millisecond, and waiting passes it at once") {
  const std::string imports = import_of("clock_time_get", "(param i32 i64 i32) (result i32)") +
                              import_of("clock_res_get", "(param i32 i32) (result i32)") +
                              import_of("poll_oneoff", "(param i32 i32 i32 i32) (result i32)");
  const std::string read =
      "(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 16))) (call $number (i32.load (i32.const 16)))";
  // One subscription at 256: clock 1, in 5 ms; the events come to 512.
  const UnitOutcome outcome =
      ran(command_of(read + read +
                         "(i32.store (i32.const 272) (i32.const 1)) (i64.store (i32.const 280) (i64.const 5000000))"
                         "(call $number (call $poll_oneoff (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 16)))"
                         "(call $number (i32.load (i32.const 16)))" +
                         read + "(call $number (call $clock_time_get (i32.const 9) (i64.const 0) (i32.const 16)))" +
                         "(drop (call $clock_res_get (i32.const 0) (i32.const 16))) (call $number (i32.load (i32.const 16)))"
                         "(call $number (call $poll_oneoff (i32.const 256) (i32.const 512) (i32.const 0) (i32.const 16)))"
                         "(call $out)",
                     imports));
  CHECK(numbers(outcome) == Numbers{0, 1'000'000, 0, 1, 7'000'000, 28, 1'000'000, 28});
}

TEST_CASE("random bytes depend on the unit alone") {
  const std::string drawing = command_of(
      "(drop (call $random_get (i32.const 4096) (i32.const 21))) (drop (call $write (i32.const 1) (i32.const 4096) (i32.const 21)))",
      import_of("random_get", "(param i32 i32) (result i32)"));
  const Bytes once = ran(drawing, {{"a"}, {}}).output;
  REQUIRE(once.size() == 21);
  CHECK(ran(drawing, {{"a"}, {}}).output == once);
  CHECK(ran(drawing, {{"b"}, {}}).output != once);
}

TEST_CASE("files are not there, streams cannot be sought, and a closed stream is closed") {
  const std::string imports = import_of("fd_prestat_get", "(param i32 i32) (result i32)") +
                              import_of("path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)") +
                              import_of("fd_seek", "(param i32 i64 i32 i32) (result i32)") +
                              import_of("fd_close", "(param i32) (result i32)") +
                              import_of("sock_accept", "(param i32 i32 i32) (result i32)") + import_of("sched_yield", "(result i32)") +
                              import_of("fd_readdir", "(param i32 i32 i32 i64 i32) (result i32)");
  const auto opening = [](std::string_view descriptor) {
    return "(call $number (call $path_open (i32.const " + std::string(descriptor) +
           ") (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16)))";
  };
  const UnitOutcome outcome =
      ran(command_of("(call $number (call $fd_prestat_get (i32.const 3) (i32.const 16)))" + opening("3") + opening("0") +
                         "(call $number (call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 16)))"
                         "(call $number (call $fd_seek (i32.const 7) (i64.const 0) (i32.const 0) (i32.const 16)))"
                         "(call $number (call $sock_accept (i32.const 0) (i32.const 0) (i32.const 16)))"
                         "(call $number (call $sched_yield))"
                         "(call $number (call $fd_readdir (i32.const 3) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 16)))"
                         "(call $number (call $fd_close (i32.const 2))) (call $number (call $fd_close (i32.const 2)))"
                         "(call $number (call $write (i32.const 2) (i32.const 0) (i32.const 1)))"
                         "(call $number (call $write (i32.const 0) (i32.const 0) (i32.const 1))) (call $out)",
                     imports));
  CHECK(numbers(outcome) == Numbers{8, 8, 54, 70, 8, 57, 0, 8, 0, 8, 8, 8});
}

TEST_CASE("a stream is no terminal, so that libc gathers what it writes") {
  const UnitOutcome outcome =
      ran(command_of("(i32.store8 (i32.const 64) (i32.const 9)) (call $number (call $fd_fdstat_get (i32.const 1) (i32.const 64)))"
                     "(call $number (i32.load8_u (i32.const 64))) (call $number (i32.and (i32.const 64) (i32.load (i32.const 72))))"
                     "(call $number (call $fd_fdstat_get (i32.const 3) (i32.const 64))) (call $out)",
                     import_of("fd_fdstat_get", "(param i32 i32) (result i32)")));
  CHECK(numbers(outcome) == Numbers{0, 0, 64, 8});
}

TEST_CASE("a pointer outside the memory is answered with EFAULT by every call that takes one") {
  const std::string imports =
      import_of("random_get", "(param i32 i32) (result i32)") + import_of("args_get", "(param i32 i32) (result i32)") +
      import_of("fd_read", "(param i32 i32 i32 i32) (result i32)") + import_of("clock_time_get", "(param i32 i64 i32) (result i32)") +
      import_of("poll_oneoff", "(param i32 i32 i32 i32) (result i32)") + import_of("fd_fdstat_get", "(param i32 i32) (result i32)");
  const UnitOutcome outcome =
      ran(command_of("(call $number (call $random_get (i32.const -1) (i32.const 2)))"
                     "(call $number (call $args_get (i32.const 64) (i32.const -4)))"
                     "(call $number (call $fd_read (i32.const 0) (i32.const -8) (i32.const 2) (i32.const 32)))"
                     "(call $number (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 131065)))"
                     "(call $number (call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 16)))"
                     "(call $number (call $fd_fdstat_get (i32.const 0) (i32.const -24)))"
                     "(call $number (call $write (i32.const 1) (i32.const -1) (i32.const 2))) (call $out)",
                     imports));
  CHECK(numbers(outcome) == Numbers{21, 21, 21, 21, 21, 21, 21});
}

TEST_CASE("every function of preview 1 can be imported, called with zeros, and answers") {
  for (const tasks::wasm::HostFunction& function : tasks::wasm::wasi_functions) {
    if (function.name == "proc_exit" || function.name == "fd_write") continue;
    std::string type = "(param";
    std::string zeros;
    const std::string_view parameters = function.signature.substr(0, function.signature.find(':'));
    for (const char kind : parameters) {
      type += kind == 'I' ? " i64" : " i32";
      zeros += kind == 'I' ? "(i64.const 0)" : "(i32.const 0)";
    }
    type += ") (result i32)";
    CAPTURE(function.name);
    const UnitOutcome outcome =
        ran(command_of("(call $number (call $" + std::string(function.name) + zeros + ")) (call $out)", import_of(function.name, type)));
    CHECK(numbers(outcome).size() == 1);
  }
}

TEST_CASE("a unit that is no encoding of one fails") {
  auto& engine = loaded(command_of(""));
  CHECK(text_of(engine.run(Bytes{9}, 0)) == "the unit is no arguments and standard input");
}

}  // namespace
}  // namespace dugnad::tests
