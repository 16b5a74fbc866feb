#include "worker/cage/engine_v8.h"

#include "tasks/wasm/limits.h"

namespace dugnad::worker::cage {
namespace {

// Liftoff is off because this V8 cannot replace a function while it runs: a unit that is one long call would stay in the slow tier. Traps
// carry no stack traces, which nobody reads. The stack is what the guest pass reckons with.
std::string flags() {
  return "--single-threaded --no-liftoff --no-wasm-async-compilation --no-wasm-lazy-compilation --no-experimental-wasm-threads"
         " --no-experimental-wasm-eh --stack-trace-limit=0 --stack-size=" +
         std::to_string(tasks::wasm::limits::native_stack_bytes >> 10);
}

v8::Platform* platform = nullptr;  // V8's own rule: one a process, and it outlives every isolate

}  // namespace

Result<std::unique_ptr<EngineV8>> EngineV8::start(const EngineOptions& options) {
  if (platform) return Error{"V8 is started once a process, and it was"};
  v8::V8::SetFlagsFromString((flags() + " " + options.v8_flags).c_str());
  platform = v8::platform::NewSingleThreadedDefaultPlatform().release();
  v8::V8::InitializePlatform(platform);
  if (!v8::V8::Initialize()) return Error{"V8 did not start"};
  // Out-of-bounds accesses are caught by the processor instead of by checks in front of each.
  if (!v8::V8::EnableWebAssemblyTrapHandler(true)) return Error{"V8's handler of out-of-bounds accesses could not be installed"};
  return std::unique_ptr<EngineV8>(new EngineV8(options));
}

EngineV8::EngineV8(const EngineOptions& options) : allocator_(v8::ArrayBuffer::Allocator::NewDefaultAllocator()) {
  v8::Isolate::CreateParams parameters;
  parameters.array_buffer_allocator = allocator_.get();
  parameters.constraints.ConfigureDefaultsFromHeapSize(0, options.heap_bytes);
  isolate_ = v8::Isolate::New(parameters);
  isolate_->Enter();
  isolate_->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
}

EngineV8::~EngineV8() {
  isolate_->Exit();
  isolate_->Dispose();
}

void EngineV8::collect() {
  isolate_->LowMemoryNotification();
  while (v8::platform::PumpMessageLoop(platform, isolate_)) {}
}

v8::Local<v8::String> v8_text(v8::Isolate* isolate, std::string_view text) {
  return v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kInternalized, static_cast<int>(text.size())).ToLocalChecked();
}

v8::Local<v8::Value> v8_get(v8::Local<v8::Context> context, v8::Local<v8::Object> object, std::string_view name) {
  v8::Local<v8::Value> value;
  if (object->Get(context, v8_text(context->GetIsolate(), name)).ToLocal(&value)) return value;
  return v8::Undefined(context->GetIsolate());
}

}  // namespace dugnad::worker::cage
