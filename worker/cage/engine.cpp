#include "worker/cage/engine.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>

#include "tasks/wasm/limits.h"
#include "worker/cage/engine_imports.h"
#include "worker/cage/engine_reasons.h"
#include "worker/cage/engine_v8.h"
#include "worker/cage/limits.h"
#include "worker/run_attempt.h"

namespace dugnad::worker::cage {
namespace {

using tasks::wasm::Guest;
using tasks::wasm::GuestKind;

/// What the loaded module is, and V8's handles to it.
struct Loaded {
  v8::Global<v8::WasmModuleObject> module;
  GuestKind kind = GuestKind::reactor;
  bool has_check = false;
  std::uint64_t memory_bytes = 0;  // that an instance may come to have
};

/// Whether the process could get that much now: its limit on data counts what is mapped for writing, whether or not it is ever touched.
bool could_get(std::uint64_t bytes) {
  void* const probe = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  munmap(probe, bytes);
  return true;
}

/// One instance and the calls into it. `ended` holds the outcome as soon as one call did not return.
class Instance {
 public:
  Instance(v8::Isolate* isolate, v8::Local<v8::Context> context, HostUnit& unit) : isolate_(isolate), context_(context), unit_(unit) {}

  bool make(v8::Local<v8::Function> constructor, v8::Local<v8::Value> module, v8::Local<v8::Object> imports, std::uint64_t fuel) {
    v8::TryCatch caught(isolate_);
    v8::Local<v8::Value> arguments[] = {module, imports};
    v8::Local<v8::Object> instance;
    if (!constructor->NewInstance(context_, 2, arguments).ToLocal(&instance)) {
      ended = outcome_of_instantiation(message_of(caught));
      return false;
    }
    exports_ = v8_get(context_, instance, "exports").As<v8::Object>();
    const auto memory = v8_get(context_, exports_, "memory");
    if (memory->IsWasmMemoryObject()) unit_.memory = memory.As<v8::WasmMemoryObject>();
    const auto tank = v8_get(context_, exports_, tasks::wasm::fuel_global);
    if (tank->IsObject()) {
      const auto filled = v8::BigInt::New(isolate_, static_cast<std::int64_t>(std::min<std::uint64_t>(fuel, fuel_most)));
      if (!tank.As<v8::Object>()->Set(context_, v8_text(isolate_, "value"), filled).FromMaybe(false)) {
        ended = donor_fault("the engine could not set the fuel");
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool exports(std::string_view name) { return v8_get(context_, exports_, name)->IsFunction(); }

  /// What the exported function answers; empty where it did not return.
  template <class... Arguments>
  v8::MaybeLocal<v8::Value> call(std::string_view name, Arguments... numbers) {
    const auto function = v8_get(context_, exports_, name);
    if (!function->IsFunction()) {
      ended = failed("the module exports no function " + std::string(name));
      return {};
    }
    v8::TryCatch caught(isolate_);
    std::array<v8::Local<v8::Value>, sizeof...(Arguments) + 1> arguments{v8::Integer::NewFromUnsigned(isolate_, numbers)...};
    v8::Local<v8::Value> answer;
    if (function.As<v8::Function>()->Call(context_, v8::Undefined(isolate_), sizeof...(Arguments), arguments.data()).ToLocal(&answer))
      return answer;
    ended = outcome_of(caught);
    return {};
  }

  /// Copies bytes to where dugnad_alloc says; nullopt where it did not return, or named memory that is not there.
  std::optional<std::uint32_t> place(ByteView bytes) {
    if (bytes.size() > std::numeric_limits<std::uint32_t>::max()) {
      ended = failed("the unit is larger than a guest's memory");
      return std::nullopt;
    }
    v8::Local<v8::Value> answer;
    if (!call("dugnad_alloc", static_cast<std::uint32_t>(bytes.size())).ToLocal(&answer)) return std::nullopt;
    const std::uint32_t at = answer->Uint32Value(context_).FromMaybe(0);
    const auto to = memory().range(at, bytes.size());
    if (!to) {
      ended = failed("dugnad_alloc names memory that is not there");
      return std::nullopt;
    }
    std::copy(bytes.begin(), bytes.end(), to->begin());
    return at;
  }

  [[nodiscard]] GuestMemory memory() const { return memory_of(unit_.memory); }

  UnitOutcome ended;

 private:
  static constexpr std::uint64_t fuel_most = std::numeric_limits<std::int64_t>::max();

  std::string message_of(const v8::TryCatch& caught) {
    if (!caught.HasCaught() || caught.HasTerminated() || caught.Exception().IsEmpty() || !caught.Exception()->IsObject()) return {};
    const v8::String::Utf8Value text(isolate_, v8_get(context_, caught.Exception().As<v8::Object>(), "message"));
    return *text ? std::string(*text, static_cast<std::size_t>(text.length())) : std::string();
  }

  UnitOutcome outcome_of(const v8::TryCatch& caught) {
    if (unit_.wasi && unit_.wasi->output_too_large()) return failed("its output is larger than 64 MiB");
    if (unit_.wasi && unit_.wasi->exit_code()) {
      const std::uint32_t code = *unit_.wasi->exit_code();
      if (code == 0) return {Outcome::ok, {}};
      return failed("exited with code " + std::to_string(code));
    }
    if (caught.HasTerminated()) return donor_fault("the engine ran out of memory of its own");
    v8::Local<v8::Value> stopped = v8_get(context_, exports_, tasks::wasm::stopped_global);
    if (stopped->IsObject()) {
      switch (v8_get(context_, stopped.As<v8::Object>(), "value")->Int32Value(context_).FromMaybe(0)) {
        case static_cast<int>(tasks::wasm::Stopped::depth): return failed("stack depth exceeded");
        case static_cast<int>(tasks::wasm::Stopped::fuel): return failed("out of fuel");
        case static_cast<int>(tasks::wasm::Stopped::memory): return donor_fault("this donor cannot give the memory that the guest grows into");
        default: break;
      }
    }
    return outcome_of_trap(message_of(caught));
  }

  v8::Isolate* isolate_;
  v8::Local<v8::Context> context_;
  HostUnit& unit_;
  v8::Local<v8::Object> exports_;
};

}  // namespace

struct Engine::State {
  std::unique_ptr<EngineV8> v8;
  v8::Global<v8::Context> context;
  v8::Global<v8::Function> constructor;  // WebAssembly.Instance
  std::unique_ptr<EngineImports> imports;
  std::optional<Loaded> loaded;
  std::size_t units_since_collection = 0;
  std::uint64_t bytes_since_collection = 0;

  ~State() {
    // Handles end before their isolate.
    loaded.reset();
    imports.reset();
    constructor.Reset();
    context.Reset();
  }

  void collect() {
    v8->collect();
    units_since_collection = 0;
    bytes_since_collection = 0;
  }

  /// Makes an instance and runs `body` in it; what it was and used is counted towards the next collection.
  template <class Body>
  UnitOutcome in_fresh_instance(HostUnit& unit, std::uint64_t fuel, Body body) {
    if (units_since_collection >= units_between_collections || bytes_since_collection >= bytes_between_collections) collect();
    // Growing is then not refused half-way: the guest would see -1 where others see memory, and answer differently.
    const std::uint64_t needed = loaded->memory_bytes + memory_headroom;
    if (!could_get(needed)) {
      collect();
      if (!could_get(needed)) return donor_fault("this donor cannot give " + std::to_string(loaded->memory_bytes >> 20) + " MiB of memory");
    }
    ++units_since_collection;
    v8::Isolate* const isolate = v8->isolate();
    const v8::HandleScope handles(isolate);
    const auto here = context.Get(isolate);
    const v8::Context::Scope entered(here);
    imports->begin(unit);
    Instance instance(isolate, here, unit);
    UnitOutcome outcome = instance.make(constructor.Get(isolate), loaded->module.Get(isolate), imports->object(isolate), fuel)
                              ? body(instance)
                              : std::move(instance.ended);
    imports->end();
    isolate->CancelTerminateExecution();
    bytes_since_collection += instance.memory().size();
    unit.memory.Clear();
    return outcome;
  }

  UnitOutcome run_reactor(ByteView input, std::uint64_t fuel);
  UnitOutcome run_command(ByteView raw, std::uint64_t fuel);
};

UnitOutcome Engine::State::run_reactor(ByteView input, std::uint64_t fuel) {
  HostUnit unit;
  UnitOutcome outcome = in_fresh_instance(unit, fuel, [&](Instance& instance) -> UnitOutcome {
    if (instance.exports("_initialize") && instance.call("_initialize").IsEmpty()) return std::move(instance.ended);
    const auto at = instance.place(input);
    if (!at) return std::move(instance.ended);
    v8::Local<v8::Value> answer;
    if (!instance.call("dugnad_run", *at, static_cast<std::uint32_t>(input.size())).ToLocal(&answer)) return std::move(instance.ended);
    if (!answer->IsBigInt()) return failed("dugnad_run does not answer with an i64");
    const std::uint64_t where = answer.As<v8::BigInt>()->Uint64Value();
    const std::uint64_t length = where & 0xffff'ffff;
    if (length > output_max) return failed("its output is larger than 64 MiB");
    const auto output = instance.memory().range(where >> 32, length);
    if (!output) return failed("claims an output outside its memory");
    return {Outcome::ok, Bytes(output->begin(), output->end())};
  });
  return outcome.outcome == Outcome::ok ? std::move(outcome) : with_tail(std::move(outcome), unit.log);
}

UnitOutcome Engine::State::run_command(ByteView raw, std::uint64_t fuel) {
  auto decoded = tasks::wasm::decode_command_unit(raw);
  if (!decoded) return failed("the unit is no arguments and standard input");
  HostUnit unit;
  unit.wasi.emplace(std::move(*decoded), raw);
  UnitOutcome outcome = in_fresh_instance(unit, fuel, [&](Instance& instance) -> UnitOutcome {
    if (instance.call("_start").IsEmpty()) return std::move(instance.ended);
    return {Outcome::ok, {}};
  });
  if (outcome.outcome != Outcome::ok) return with_tail(std::move(outcome), unit.wasi->error_tail());
  outcome.output = unit.wasi->take_output();
  return outcome;
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::start(const EngineOptions& options) {
  auto v8 = EngineV8::start(options);
  if (!v8) return v8.error();
  auto state = std::make_unique<State>();
  state->v8 = std::move(*v8);
  v8::Isolate* const isolate = state->v8->isolate();
  const v8::HandleScope handles(isolate);
  const auto context = v8::Context::New(isolate);
  const v8::Context::Scope entered(context);
  const auto web_assembly = v8_get(context, context->Global(), "WebAssembly");
  if (!web_assembly->IsObject()) return Error{"this V8 has no WebAssembly"};
  const auto constructor = v8_get(context, web_assembly.As<v8::Object>(), "Instance");
  if (!constructor->IsFunction()) return Error{"this V8 has no WebAssembly.Instance"};
  state->context.Reset(isolate, context);
  state->constructor.Reset(isolate, constructor.As<v8::Function>());
  state->imports = std::make_unique<EngineImports>(isolate, context);
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

Result<void> Engine::load(const Guest& guest) {
  state_->loaded.reset();
  state_->collect();
  v8::Isolate* const isolate = state_->v8->isolate();
  const v8::HandleScope handles(isolate);
  const auto context = state_->context.Get(isolate);
  const v8::Context::Scope entered(context);
  const v8::TryCatch caught(isolate);
  v8::Local<v8::WasmModuleObject> module;
  if (!v8::WasmModuleObject::Compile(isolate, {guest.code.data(), guest.code.size()}).ToLocal(&module)) {
    const v8::String::Utf8Value text(isolate, caught.Exception());
    return Error{"V8 does not compile the module: " + std::string(*text ? *text : "no reason given")};
  }
  state_->loaded = Loaded{.module = v8::Global<v8::WasmModuleObject>(isolate, module),
                          .kind = guest.kind,
                          .has_check = guest.has_check,
                          .memory_bytes = guest.memory_pages_max * tasks::wasm::limits::page_bytes};
  return {};
}

UnitOutcome Engine::run(ByteView unit, std::uint64_t fuel) {
  DUGNAD_ASSERT(state_->loaded, "a unit without a module");
  return state_->loaded->kind == GuestKind::reactor ? state_->run_reactor(unit, fuel) : state_->run_command(unit, fuel);
}

UnitOutcome Engine::check(ByteView input, ByteView claimed, std::uint64_t fuel) {
  DUGNAD_ASSERT(state_->loaded && state_->loaded->has_check, "a check without a module that has one");
  HostUnit unit;
  UnitOutcome outcome = state_->in_fresh_instance(unit, fuel, [&](Instance& instance) -> UnitOutcome {
    if (instance.exports("_initialize") && instance.call("_initialize").IsEmpty()) return std::move(instance.ended);
    const auto input_at = instance.place(input);
    if (!input_at) return std::move(instance.ended);
    const auto claimed_at = instance.place(claimed);
    if (!claimed_at) return std::move(instance.ended);
    v8::Local<v8::Value> answer;
    if (!instance
             .call("dugnad_check", *input_at, static_cast<std::uint32_t>(input.size()), *claimed_at,
                   static_cast<std::uint32_t>(claimed.size()))
             .ToLocal(&answer)) {
      return std::move(instance.ended);
    }
    // The ABI says 1, and nothing else is a yes.
    const bool right = answer->IsInt32() && answer.As<v8::Int32>()->Value() == 1;
    return {Outcome::ok, Bytes{static_cast<std::uint8_t>(right)}};
  });
  return outcome.outcome == Outcome::ok ? std::move(outcome) : with_tail(std::move(outcome), unit.log);
}

}  // namespace dugnad::worker::cage
