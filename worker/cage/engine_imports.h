// What a guest can call: the one import object that every instance is given, and the unit whose calls it answers now. Private to the engine.
#pragma once

#include <v8.h>

#include <deque>
#include <optional>
#include <string>

#include "tasks/wasm/wasi_names.h"
#include "worker/cage/wasi.h"

namespace dugnad::worker::cage {

/// What the host knows of the unit that runs.
struct HostUnit {
  v8::Local<v8::WasmMemoryObject> memory;  // empty until the instance is made
  std::optional<Wasi> wasi;                // of a command
  std::string log;                         // of a reactor
};

class EngineImports {
 public:
  EngineImports(v8::Isolate* isolate, v8::Local<v8::Context> context);

  [[nodiscard]] v8::Local<v8::Object> object(v8::Isolate* isolate) const { return object_.Get(isolate); }
  void begin(HostUnit& unit) { unit_ = &unit; }
  void end() { unit_ = nullptr; }

 private:
  /// One function as V8 calls it back; its address is stable because V8 keeps it.
  struct Binding {
    EngineImports* owner;
    tasks::wasm::HostFunction function;
    Wasi::Answer answer;  // nullptr: one of ours
  };
  static void called(const v8::FunctionCallbackInfo<v8::Value>& info);
  void answer_wasi(const Binding& binding, const v8::FunctionCallbackInfo<v8::Value>& info);
  void answer_own(const Binding& binding, const v8::FunctionCallbackInfo<v8::Value>& info);
  v8::Local<v8::Object> functions_of(v8::Isolate* isolate, v8::Local<v8::Context> context, std::string_view module);

  std::deque<Binding> bindings_;
  v8::Global<v8::Object> object_;
  HostUnit* unit_ = nullptr;
};

/// The guest's memory as it is now; empty before there is one.
[[nodiscard]] GuestMemory memory_of(v8::Local<v8::WasmMemoryObject> memory);

}  // namespace dugnad::worker::cage
