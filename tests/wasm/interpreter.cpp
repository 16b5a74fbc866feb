// In C++17: the interpreter's headers are none of C++20 to GCC.
#include "tests/wasm/interpreter.h"

#include <wabt/binary-reader.h>
#include <wabt/interp/binary-reader-interp.h>
#include <wabt/interp/interp.h>

#include "coordinatorless/base/panic.h"

namespace dugnad::tests {

Lines interpreted(const std::vector<std::uint8_t>& module, std::size_t size, std::size_t chunk, std::optional<std::uint64_t> fuel) {
  using namespace wabt;
  using namespace wabt::interp;
  Errors errors;
  ModuleDesc description;
  const ReadBinaryOptions options(Features(), nullptr, false, true, true);
  DUGNAD_ASSERT(Succeeded(ReadBinaryInterp("test", module.data(), module.size(), options, &errors, &description)),
                errors.empty() ? "?" : errors[0].message);
  Store store;
  Trap::Ptr trap;
  const auto compiled = interp::Module::New(store, description);
  const auto instance = Instance::Instantiate(store, compiled.ref(), {}, &trap);
  DUGNAD_ASSERT(instance, "it needs no imports");
  Lines lines(2);
  const auto exported = [&](std::string_view name) {
    for (std::size_t i = 0; i < description.exports.size(); ++i) {
      if (description.exports[i].type.name == name) return instance->exports()[i];
    }
    return Ref::Null;
  };
  const auto global = [&](std::string_view name) { return store.UnsafeGet<Global>(exported(name)); };
  const auto memory = store.UnsafeGet<Memory>(exported("memory"));
  if (fuel) global("__dugnad_fuel")->UnsafeSet(Value::Make(static_cast<u64>(*fuel)));
  Values results;
  const auto run = store.UnsafeGet<Func>(exported("dugnad_run"));
  const auto called = run->Call(store, {Value::Make(static_cast<u32>(size)), Value::Make(u32{0})}, results, &trap);
  lines[0] = Succeeded(called) ? "returned " + std::to_string(results[0].Get<u64>()) : "trapped";
  // A module that the pass has not seen has no such global.
  lines[1] = exported("__dugnad_stopped") == Ref::Null ? "0" : std::to_string(global("__dugnad_stopped")->Get().Get<u32>());
  DUGNAD_ASSERT(size <= memory->ByteSize(), "the memory is as large as is looked at");
  for (std::size_t from = 0; from < size; from += chunk) {
    std::uint32_t hash = 0x811c9dc5;
    for (std::size_t i = from; i < from + chunk; ++i) hash = (hash ^ memory->UnsafeData()[i]) * 0x01000193;
    lines.push_back(std::to_string(hash));
  }
  if (fuel) lines.push_back(std::to_string(static_cast<std::int64_t>(global("__dugnad_fuel")->Get().Get<u64>())));
  return lines;
}

}  // namespace dugnad::tests
