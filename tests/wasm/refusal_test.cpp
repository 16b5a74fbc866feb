// What is refused, with the line that says why: the submitter reads it before the job starts, and the same line names it on every donor.
#include <doctest/doctest.h>

#include <algorithm>

#include "tasks/wasm/guest_pass.h"
#include "tests/wasm/wat.h"

using namespace dugnad;
using namespace dugnad::tasks::wasm;
using namespace dugnad::tests;

namespace {

std::string answer(ByteView module, const GuestLimits& limits = {}) {
  const Result<Guest> guest = prepare(module, limits);
  return guest ? "accepted" : guest.error().message;
}
std::string answer(const std::string& text, const GuestLimits& limits = {}) { return answer(wat(text), limits); }

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("names in a module cannot write lines or colours of their own, nor a refusal without end") {
  const std::string refusal = answer(reactor(R"((import "dugnad" "pro\0agress\1b[31m" (func)))"));
  CHECK_MESSAGE(refusal.find("\"dugnad.pro?gress?[31m\"") != std::string::npos, refusal);
  const std::string endless = answer(reactor("(import \"dugnad\" \"" + repeated("long", 1000) + "\" (func))"));
  CHECK(endless != "accepted");
  CHECK(endless.size() <= 300);
}

TEST_CASE("a plain reactor and a plain command are accepted, and told apart") {
  const auto plain = prepare(wat(reactor("")), {});
  REQUIRE(plain.ok());
  CHECK(plain->kind == GuestKind::reactor);
  CHECK_FALSE(plain->has_check);
  CHECK_FALSE(plain->has_initialize);
  CHECK(plain->memory_pages_max == 4096);
  const auto whole = prepare(wat(reactor("(func (export \"dugnad_check\") (param i32 i32 i32 i32) (result i32) (i32.const 1))"
                                         "(func (export \"_initialize\"))",
                                         "(memory (export \"memory\") 1 5)")),
                             {});
  REQUIRE(whole.ok());
  CHECK(whole->has_check);
  CHECK(whole->has_initialize);
  CHECK(whole->memory_pages_max == 5);
  const auto program = prepare(wat(command("")), {});
  REQUIRE(program.ok());
  CHECK(program->kind == GuestKind::command);
}

TEST_CASE("what is no module is refused") {
  CHECK(answer(Bytes{}) == "it is no WebAssembly module");
  CHECK(answer(to_bytes("#!/bin/sh\nexit 0\n")) == "it is no WebAssembly module");
  CHECK(answer(Bytes{0, 'a', 's', 'm', 13, 0, 1, 0}) == "it is no WebAssembly module of version 1 (a component, maybe)");
  CHECK(answer(Bytes{0, 'a', 's', 'm', 1, 0, 0, 0, 1, 100}) == "it is no valid WebAssembly module: it ends within a section");
  CHECK(answer(Bytes{0, 'a', 's', 'm', 1, 0, 0, 0, 20, 0}) == "it is no valid WebAssembly module: there is no section 20");
  CHECK(answer(Bytes((32u << 20) + 1)) == "it has 33554433 bytes, and at most 32 MiB are allowed");
  const std::string ill_typed = answer(reactor("(func (result i32) (f64.const 0))"));
  CHECK(ill_typed.starts_with("it is no valid WebAssembly module: type mismatch"));
  CHECK(ill_typed.find('\n') == std::string::npos);
  CHECK(answer(Bytes{0, 'a', 's', 'm', 1, 0, 0, 0}) ==
        "it exports neither \"_start\", as a WASI command does, nor \"dugnad_run\", as a reactor does");
}

TEST_CASE("imports are the ABI's, each with its one right signature") {
  CHECK(answer(reactor("(import \"dugnad\" \"log\" (func (param i32 i32))) (import \"dugnad\" \"progress\" (func (param f64)))")) == "accepted");
  CHECK(answer(command("(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32)))"
                       "(import \"dugnad\" \"log\" (func (param i32 i32)))")) == "accepted");
  CHECK(answer(reactor("(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32)))")) ==
        "it imports \"wasi_snapshot_preview1.fd_write\"; a reactor imports from \"dugnad\" alone");
  CHECK(answer(reactor("(import \"dugnad\" \"log\" (func (param i32)))")) ==
        "it imports \"dugnad.log\" as (i32) -> nothing, and it is (i32, i32) -> nothing");
  CHECK(answer(command("(import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32) (result i32)))")) ==
        "it imports \"wasi_snapshot_preview1.proc_exit\" as (i32) -> i32, and it is (i32) -> nothing");
  CHECK(answer(command("(import \"env\" \"system\" (func (param i32) (result i32)))")) == "it imports \"env.system\", which guests are not given");
  CHECK(answer(command("(import \"dugnad\" \"spawn\" (func))")) == "it imports \"dugnad.spawn\", which guests are not given");
  CHECK(answer("(module (import \"env\" \"memory\" (memory 1)) (func (export \"_start\")))") ==
        "it imports its memory, \"env.memory\"; a guest defines its memory and exports it");
  CHECK(answer(command("(import \"env\" \"table\" (table 1 funcref))")) ==
        "it imports a table, \"env.table\"; a guest's tables are its own");
  CHECK(answer(command("(import \"env\" \"base\" (global i32))")) == "it imports a global, \"env.base\"; there are none to be had");
  CHECK(answer(command("(import \"env\" \"error\" (tag))")) ==
        "it is no valid WebAssembly module: invalid import tag kind: exceptions not allowed");
}

TEST_CASE("proposals that differ between machines or have no place in the ABI are named") {
  CHECK(answer(reactor("(func (drop (i32.atomic.load (i32.const 0))))")) == "it uses threads (i32.atomic.load)");
  CHECK(answer(reactor("(func (atomic.fence))")) == "it uses threads (atomic.fence)");
  CHECK(answer(reactor("(func (try (do) (catch_all)))")) == "it uses exceptions (try)");
  CHECK(answer(reactor("(tag)")) == "it uses exceptions (a tag section)");
  CHECK(answer(reactor("(func $f (return_call $f))")) == "it uses tail calls (return_call)");
  CHECK(answer(reactor("(func (param v128) (drop (f32x4.relaxed_min (local.get 0) (local.get 0))))")) ==
        "it uses relaxed vector instructions (f32x4.relaxed_min)");
  CHECK(answer(reactor("", "(memory (export \"memory\") 1 1 shared)")) == "its memory is shared, which is for threads");
  CHECK(answer(reactor("", "(memory (export \"memory\") i64 1 1)")) == "its memory is a 64-bit one");
  CHECK(answer(reactor("(memory 1)")) == "it has 2 memories; a guest has one");
}

TEST_CASE("the ABI's exports have to be there, and be what they are meant to be") {
  CHECK(answer(reactor("(func (export \"_start\"))")) ==
        "it exports both \"_start\" and \"dugnad_run\"; a guest is a command or a reactor");
  CHECK(answer("(module (memory (export \"memory\") 1) (func (export \"dugnad_run\") (param i32 i32) (result i64) (i64.const 0)))") ==
        "it does not export \"dugnad_alloc\"");
  CHECK(answer("(module (memory 1) (func (export \"_start\")))") == "it does not export its memory as \"memory\"");
  CHECK(answer("(module (memory (export \"memory\") 1) (func (export \"_start\") (param i32)))") ==
        "its \"_start\" is (i32) -> nothing, and it has to be () -> nothing");
  CHECK(answer("(module (memory (export \"memory\") 1) (global (export \"_start\") i32 (i32.const 0)))") == "its export \"_start\" is no function");
  CHECK(answer(reactor("(func (export \"dugnad_check\") (param i32) (result i32) (i32.const 0))")) ==
        "its \"dugnad_check\" is (i32) -> i32, and it has to be (i32, i32, i32, i32) -> i32");
  CHECK(answer(reactor("(func (export \"_initialize\") (param i32))")) ==
        "its \"_initialize\" is (i32) -> nothing, and it has to be () -> nothing");
  CHECK(answer(reactor("(global (export \"__dugnad_fuel\") (mut i64) (i64.const 0))")) ==
        "it exports \"__dugnad_fuel\"; names with __dugnad_ are ours");
  CHECK(answer(reactor("(func $main) (start $main)")) == "it has a start function; export it as \"_initialize\" instead");
}

TEST_CASE("a memory or a table that begins too large is refused") {
  CHECK(answer(reactor("", "(memory (export \"memory\") 4097)")) == "its memory begins with 4097 pages of 64 KiB, and it is given 4096");
  CHECK(answer(reactor("", "(memory (export \"memory\") 4096 65536)")) == "accepted");
  CHECK(answer(reactor("", "(memory (export \"memory\") 17)"), {.memory_bytes = 1 << 20}) ==
        "its memory begins with 17 pages of 64 KiB, and it is given 16");
  CHECK(answer(reactor("(table 100001 funcref)")) == "its tables begin with 100001 elements, and at most 100000 are allowed");
  CHECK(answer(reactor(repeated("(table 1 funcref)", 17))) == "it has 17 tables, and at most 16 are allowed");
}

TEST_CASE("counts that are small in the module and large in memory are refused") {
  CHECK(answer(reactor("(func (local " + repeated("i32 ", 10001) + "))")) == "function 0 has 10001 locals, and at most 10000 are allowed");
  CHECK(answer(reactor("(func " + repeated("block ", 10001) + repeated("end ", 10001) + ")")) ==
        "function 0 has 10001 blocks inside blocks, and at most 10000 are allowed");
  CHECK(answer(reactor("(func (local " + repeated("i32 ", 9999) + ")" + repeated("block end ", 900) + ")")) ==
        "function 0 has 9000000 blocks times locals, and at most 8388608 are allowed");
  CHECK(answer(reactor("(func (param " + repeated("i32 ", 129) + "))")) == "it has 129 parameters of one function, and at most 128 are allowed");
  CHECK(answer(reactor("(func " + repeated("i32.const 0 ", 40000) + repeated("drop ", 40000) + ")")) ==
        "function 0 may take 336464 bytes of stack for one call, and at most 262144 are allowed");
  CHECK(answer(reactor("(func" + repeated(" nop", (4u << 20) + 1) + ")")).starts_with("function 0 has 41943"));
  CHECK(answer(reactor(repeated("(global i32 (i32.const 0))", 10001))) == "it has 10001 globals, and at most 10000 are allowed");
  CHECK(answer(reactor(repeated("(data \"\")", 10001))) == "it has 10001 data segments, and at most 10000 are allowed");
  CHECK(answer(reactor("(func $f) (elem func " + repeated("$f ", 200001) + ")")) ==
        "it has 200001 elements of tables, and at most 200000 are allowed");
}

TEST_CASE("eight bytes that declare two hundred million locals are refused") {
  const Bytes one_run_of_locals{1, 0xff, 0xff, 0xff, 0x7f, 0x7f, 0x0b};
  const Bytes module = with_body(wat(reactor("(func $other unreachable)")), one_run_of_locals);
  CHECK(answer(module) == "function 0 has 268435455 locals, and at most 10000 are allowed");
}

namespace {

/// `module` with `as` in place of the one byte at `at` of that section.
Bytes with_bytes(Bytes module, std::uint8_t section, std::size_t at, ByteView as) {
  auto found = module.begin() + 8;
  while (*found != section) found += 2 + found[1];  // small ones, whose size is one byte
  found[1] = static_cast<std::uint8_t>(found[1] + as.size() - 1);
  const auto place = module.erase(found + 2 + static_cast<std::ptrdiff_t>(at));
  module.insert(place, as.begin(), as.end());
  return module;
}

}  // namespace

TEST_CASE("code behind a function's end is refused, whether or not it is any code") {
  const auto behind_the_end = [](Bytes body) { return answer(with_body(wat(reactor("(func $other unreachable)")), body)); };
  const std::string refused = "it is no valid WebAssembly module: function 0 goes on behind its end";
  CHECK(behind_the_end({0, 0x01, 0x0b}) == "accepted");
  CHECK(behind_the_end({0, 0x0b, 0x01, 0x0b}) == refused);              // nop
  CHECK(behind_the_end({0, 0x0b, 0x0b}) == refused);                    // a second end
  CHECK(behind_the_end({0, 0x0b, 0x02, 0x40, 0x0b, 0x0b}) == refused);  // a block
  CHECK(behind_the_end({0, 0x00, 0x0b, 0x41, 0x00, 0x1a, 0x0b}) == refused);
  CHECK(behind_the_end({0, 0x0b, 0x01}) == refused);
  CHECK(behind_the_end({0, 0x02, 0x40, 0x0b}) == "it is no valid WebAssembly module: function 0 has no end");  // the block has it
}

TEST_CASE("a type in more than one byte is refused as V8 would, wherever it stands, and a reserved byte that is none") {
  const auto with = [](Bytes body) { return answer(with_body(wat(reactor("(func $other unreachable)")), body)); };
  const std::string refused = "it is no valid WebAssembly module: a type in it is written in several bytes";
  CHECK(with({0x01, 0x01, 0xff, 0x7f, 0x0b}) == refused);                                                          // a local
  CHECK(with({0, 0x02, 0xc0, 0x7f, 0x0b, 0x0b}) == refused);                                                       // a block without results
  CHECK(with({0, 0x03, 0xfe, 0x7f, 0x42, 0x00, 0x0b, 0x1a, 0x0b}) == refused);                                     // a loop with one
  CHECK(with({0, 0xd0, 0xf0, 0x7f, 0x1a, 0x0b}) == refused);                                                       // ref.null
  CHECK(with({0, 0xd0, 0x70, 0x1a, 0x0b}) == "accepted");
  CHECK(with({0, 0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 0x01, 0xff, 0x7f, 0x1a, 0x0b}) == refused);                      // select
  CHECK(with({0, 0x3f, 0x80, 0x00, 0x1a, 0x0b}).ends_with("memory.size reserved value must be 0"));
  const Bytes module = wat(reactor("(global i64 (i64.const 0))"));
  const auto longer = [&module](std::uint8_t section, std::size_t at, Bytes as) { return answer(with_bytes(module, section, at, as)); };
  CHECK(longer(6, 1, {0x7e}) == "accepted");
  CHECK(longer(6, 1, {0xfe, 0x7f}) == refused);  // a global
  CHECK(longer(1, 3, {0xff, 0x7f}) == refused);  // a parameter
  CHECK(longer(1, 1, {0xe0, 0x7f}).ends_with("unexpected type form (got 0xe0)"));
}

TEST_CASE("initialisers end, and nothing stands behind") {
  const Bytes module = wat(reactor("(global i32 (i32.const 7)) (data (i32.const 0) \"x\")"));
  const std::string invalid = "it is no valid WebAssembly module: ";
  CHECK(answer(with_bytes(module, 6, 4, Bytes{9})) == "accepted");
  CHECK(answer(with_bytes(module, 6, 4, Bytes{0x80})) == invalid + "an initialiser in it has no end");  // i32.const 0x580
  CHECK(answer(with_bytes(module, 6, 4, Bytes{7, 0x0b})).starts_with(invalid));
  CHECK(answer(with_bytes(module, 6, 4, Bytes{7, 0x41, 8})) != "accepted");
  CHECK(answer(with_bytes(module, 11, 1, Bytes{4})).starts_with(invalid));  // a kind of data segment
}

TEST_CASE("a select with types has one") {
  const auto with = [](Bytes body) { return answer(with_body(wat(reactor("(func $other unreachable)")), body)); };
  CHECK(with({0, 0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 0x01, 0x7f, 0x1a, 0x0b}) == "accepted");
  CHECK(with({0, 0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 0x00, 0x1a, 0x0b}) == "it is no valid WebAssembly module: a select in it has 0 types");
  CHECK(with({0, 0x41, 0, 0x41, 0, 0x41, 0, 0x1c, 0x02, 0x7f, 0x7f, 0x1a, 0x0b}) != "accepted");
}
