#include "worker/cage/engine_imports.h"

#include <algorithm>

#include "worker/cage/engine_v8.h"
#include "worker/cage/limits.h"

namespace dugnad::worker::cage {
namespace {

// A guest's numbers arrive as what its signature makes of them: an i32 as a number, an i64 as a BigInt.
std::uint64_t argument(const v8::Local<v8::Value>& value, char type, v8::Local<v8::Context> context) {
  if (type == 'I') return value.As<v8::BigInt>()->Uint64Value();
  return value->Uint32Value(context).FromMaybe(0);
}

}  // namespace

GuestMemory memory_of(v8::Local<v8::WasmMemoryObject> memory) {
  if (memory.IsEmpty()) return {};
  const v8::Local<v8::ArrayBuffer> buffer = memory->Buffer();
  return {static_cast<std::uint8_t*>(buffer->Data()), buffer->ByteLength()};
}

EngineImports::EngineImports(v8::Isolate* isolate, v8::Local<v8::Context> context) {
  const auto imports = v8::Object::New(isolate);
  for (const std::string_view module : {tasks::wasm::wasi_module, tasks::wasm::dugnad_module}) {
    imports->Set(context, v8_text(isolate, module), functions_of(isolate, context, module)).Check();
  }
  object_.Reset(isolate, imports);
}

v8::Local<v8::Object> EngineImports::functions_of(v8::Isolate* isolate, v8::Local<v8::Context> context, std::string_view module) {
  const auto functions = v8::Object::New(isolate);
  for (const tasks::wasm::HostFunction& function : tasks::wasm::host_functions(module)) {
    bindings_.push_back({this, function, module == tasks::wasm::wasi_module ? Wasi::answer_of(function.name) : nullptr});
    const auto data = v8::External::New(isolate, &bindings_.back());
    const auto callable = v8::Function::New(context, called, data, 0, v8::ConstructorBehavior::kThrow).ToLocalChecked();
    functions->Set(context, v8_text(isolate, function.name), callable).Check();
  }
  return functions;
}

void EngineImports::called(const v8::FunctionCallbackInfo<v8::Value>& info) {
  const auto& binding = *static_cast<const Binding*>(info.Data().As<v8::External>()->Value());
  DUGNAD_ASSERT(binding.owner->unit_, "a guest calls while no unit runs");
  if (binding.answer)
    binding.owner->answer_wasi(binding, info);
  else
    binding.owner->answer_own(binding, info);
}

void EngineImports::answer_wasi(const Binding& binding, const v8::FunctionCallbackInfo<v8::Value>& info) {
  Wasi::Arguments arguments{};
  const auto context = info.GetIsolate()->GetCurrentContext();
  const std::string_view signature = binding.function.signature;
  for (std::size_t i = 0; signature[i] != ':'; ++i) arguments[i] = argument(info[static_cast<int>(i)], signature[i], context);
  if (!unit_->wasi) {  // a reactor has no system below it; the guest pass refuses these imports there
    info.GetReturnValue().Set(static_cast<std::uint32_t>(Errno::nosys));
    return;
  }
  const Errno error = binding.answer(*unit_->wasi, memory_of(unit_->memory), arguments);
  // Guests cannot catch: any exception unwinds them.
  if (unit_->wasi->ended())
    info.GetIsolate()->ThrowException(v8::Undefined(info.GetIsolate()));
  else
    info.GetReturnValue().Set(static_cast<std::uint32_t>(error));
}

void EngineImports::answer_own(const Binding& binding, const v8::FunctionCallbackInfo<v8::Value>& info) {
  // progress() is for a person at the donor's machine, whom nobody shows it to yet; it changes no result.
  if (binding.function.name != "log") return;
  const auto context = info.GetIsolate()->GetCurrentContext();
  const auto text = memory_of(unit_->memory).range(argument(info[0], 'i', context), argument(info[1], 'i', context));
  if (!text) return;
  const std::size_t kept = std::min(text->size(), log_max - unit_->log.size());
  unit_->log.append(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(kept));
  if (kept == text->size() && unit_->log.size() < log_max) unit_->log.push_back('\n');
}

}  // namespace dugnad::worker::cage
