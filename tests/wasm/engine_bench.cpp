// How many units a second one engine runs, without a socket or a cage around it.
#include <chrono>
#include <cstdio>

#include "tests/wasm/engine.h"

namespace {

void measure(const char* what, std::string_view text, const dugnad::Bytes& unit) {
  auto& engine = dugnad::tests::loaded(text);
  constexpr int count = 20'000;
  int right = 0;
  for (int i = 0; i < count / 10; ++i) right += engine.run(unit, 0).outcome == dugnad::Outcome::ok;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) right += engine.run(unit, 0).outcome == dugnad::Outcome::ok;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%-10s %8.0f units/s  %6.1f us a unit  %d of %d right\n", what, count / took.count(), took.count() / count * 1e6, right,
              count + count / 10);
}

}  // namespace

int main() {
  using namespace dugnad;
  measure("reactor",
          tests::running("(i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length)))"),
          to_bytes("sixteen bytes..."));
  measure("command",
          "(module (import \"wasi_snapshot_preview1\" \"fd_read\" (func $fd_read (param i32 i32 i32 i32) (result i32)))"
          "(import \"wasi_snapshot_preview1\" \"fd_write\" (func $fd_write (param i32 i32 i32 i32) (result i32)))"
          "(memory (export \"memory\") 2) (func (export \"_start\") (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) "
          "(i32.const 4096))"
          "(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))"
          "(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))",
          tasks::wasm::encode({{"-n", "4"}, to_bytes("a line of input\n")}));
}
