// In C++17: the interpreter's headers are none of C++20 to GCC.
#include "tests/wasm/interpreter.h"

#include <wabt/binary-reader.h>
#include <wabt/interp/binary-reader-interp.h>
#include <wabt/interp/interp.h>

#include "coordinatorless/base/panic.h"

namespace dugnad::tests {

Lines interpreted(const std::vector<std::uint8_t>& module, std::size_t size, std::size_t chunk) {
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
  Memory* memory = nullptr;
  for (std::size_t i = 0; i < description.exports.size(); ++i) {
    const std::string& name = description.exports[i].type.name;
    const Ref item = instance->exports()[i];
    if (name == "memory") memory = store.UnsafeGet<Memory>(item).get();
    if (name != "dugnad_run") continue;
    Values results;
    const auto called = store.UnsafeGet<Func>(item)->Call(store, {Value::Make(static_cast<u32>(size)), Value::Make(u32{0})}, results, &trap);
    lines[0] = Succeeded(called) ? "returned " + std::to_string(results[0].Get<u64>()) : "trapped";
  }
  for (std::size_t i = 0; i < description.exports.size(); ++i) {
    if (description.exports[i].type.name != "__dugnad_stopped") continue;
    lines[1] = std::to_string(store.UnsafeGet<Global>(instance->exports()[i])->Get().Get<u32>());
  }
  if (lines[1].empty()) lines[1] = "0";
  DUGNAD_ASSERT(memory && size <= memory->ByteSize(), "the memory is as large as is looked at");
  for (std::size_t from = 0; from < size; from += chunk) {
    std::uint32_t hash = 0x811c9dc5;
    for (std::size_t i = from; i < from + chunk; ++i) hash = (hash ^ memory->UnsafeData()[i]) * 0x01000193;
    lines.push_back(std::to_string(hash));
  }
  return lines;
}

}  // namespace dugnad::tests
