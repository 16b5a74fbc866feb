// The one engine of a test program, and guests for it, from text through the guest pass.
#pragma once

#include <string>
#include <string_view>

#include "tasks/wasm/command_unit.h"
#include "tasks/wasm/guest_pass.h"
#include "tasks/wasm/wasi_names.h"
#include "tests/wasm/wat.h"
#include "worker/cage/engine.h"

namespace dugnad::tests {

inline worker::cage::Engine& engine() {
#ifdef ENGINE_FLAGS
  static const auto started = worker::cage::Engine::start({.v8_flags = ENGINE_FLAGS});
#else
  static const auto started = worker::cage::Engine::start();
#endif
  return *started.value();
}

inline tasks::wasm::Guest prepared(std::string_view text, const tasks::wasm::GuestLimits& limits = {}) {
  return tasks::wasm::prepare(wat(text), limits).value();
}

inline worker::cage::Engine& loaded(std::string_view text, const tasks::wasm::GuestLimits& limits = {}) {
  const Result<void> done = engine().load(prepared(text, limits));
  DUGNAD_ASSERT(done.ok(), done.error().message);
  return engine();
}

/// A reactor whose dugnad_run is `body`, of the parameters $at and $length.
inline std::string running(std::string_view body, std::string_view fields = "",
                           std::string_view memory = "(memory (export \"memory\") 1 100)") {
  return "(module (import \"dugnad\" \"log\" (func $log (param i32 i32)))" + std::string(memory) + std::string(fields) +
         "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const 1024))"
         "(func (export \"dugnad_run\") (param $at i32) (param $length i32) (result i64) " +
         std::string(body) + "))";
}

inline std::string text_of(const worker::cage::UnitOutcome& outcome) { return to_text(outcome.output); }

}  // namespace dugnad::tests
