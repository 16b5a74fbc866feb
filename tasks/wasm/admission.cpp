#include "tasks/wasm/admission.h"

#include <algorithm>

#include "tasks/wasm/read_module.h"
#include "tasks/wasm/wasi_names.h"

namespace dugnad::tasks::wasm {
namespace {

constexpr std::string_view reserved = "__dugnad_";

Signature parse(std::string_view letters) {
  Signature signature;
  std::vector<ValType>* into = &signature.params;
  for (const char letter : letters) {
    switch (letter) {
      case 'i': into->push_back(ValType::i32); break;
      case 'I': into->push_back(ValType::i64); break;
      case 'F': into->push_back(ValType::f64); break;
      default: into = &signature.results;
    }
  }
  return signature;
}

std::string quoted(std::string_view name) { return "\"" + std::string(name.substr(0, 64)) + "\""; }

std::optional<std::string> against_import(const Module& module, const Import& import, GuestKind kind) {
  const std::string name = quoted(import.module + "." + import.name);
  if (kind == GuestKind::reactor && import.module != dugnad_module) {
    return "it imports " + name + "; a reactor imports from \"dugnad\" alone";
  }
  for (const HostFunction& function : host_functions(import.module)) {
    if (function.name != import.name) continue;
    const Signature wanted = parse(function.signature);
    if (module.types[import.type] == wanted) return std::nullopt;
    return "it imports " + name + " as " + to_text(module.types[import.type]) + ", and it is " + to_text(wanted);
  }
  return "it imports " + name + ", which guests are not given";
}

const Export* find(const Module& module, std::string_view name) {
  const auto found = std::ranges::find(module.exports, name, &Export::name);
  return found == module.exports.end() ? nullptr : &*found;
}

std::optional<std::string> against_export(const Module& module, std::string_view name, std::string_view letters) {
  const Export* found = find(module, name);
  if (!found) return "it does not export " + quoted(name);
  if (found->kind != Kind::function) return "its export " + quoted(name) + " is no function";
  const Signature wanted = parse(letters);
  if (module.signature_of(found->index) == wanted) return std::nullopt;
  return "its " + quoted(name) + " is " + to_text(module.signature_of(found->index)) + ", and it has to be " + to_text(wanted);
}

std::optional<std::string> against_exports(const Module& module, GuestKind kind) {
  for (const Export& found : module.exports) {
    if (std::string_view(found.name).starts_with(reserved)) return "it exports " + quoted(found.name) + "; names with __dugnad_ are ours";
  }
  const Export* memory = find(module, "memory");
  if (!memory || memory->kind != Kind::memory) return "it does not export its memory as \"memory\"";
  if (kind == GuestKind::command) return against_export(module, "_start", ":");
  if (auto why = against_export(module, "dugnad_alloc", "i:i")) return why;
  if (auto why = against_export(module, "dugnad_run", "ii:I")) return why;
  if (find(module, "dugnad_check")) {
    if (auto why = against_export(module, "dugnad_check", "iiii:i")) return why;
  }
  return find(module, "_initialize") ? against_export(module, "_initialize", ":") : std::nullopt;
}

std::optional<std::string> against_sizes(const Module& module, const GuestLimits& limits) {
  const std::uint64_t pages = std::min(limits.memory_bytes, limits::memory_bytes_most) / limits::page_bytes;
  if (module.memories.front().pages.initial > pages) {
    return "its memory begins with " + std::to_string(module.memories.front().pages.initial) + " pages of 64 KiB, and it is given " +
           std::to_string(pages);
  }
  std::uint64_t elements = 0;
  for (const Table& table : module.tables) elements += table.size.initial;
  if (elements > limits::table_elements_max) {
    return "its tables begin with " + std::to_string(elements) + " elements, and at most " + std::to_string(limits::table_elements_max) +
           " are allowed";
  }
  for (std::size_t i = 0; i < module.functions.size(); ++i) {
    const std::uint64_t weight = frame_weight(module, module.functions[i]);
    if (weight <= limits::frame_bytes_max) continue;
    return "function " + std::to_string(module.imported_functions.size() + i) + " may take " + std::to_string(weight) +
           " bytes of stack for one call, and at most " + std::to_string(limits::frame_bytes_max) + " are allowed";
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t frame_weight(const Module& module, const Function& function) {
  const std::uint64_t slots = module.types[function.type].params.size() + function.locals_total + function.operands_max;
  const std::uint64_t code = std::min<std::uint64_t>(function.body.size() * 2 / 3, limits::frame_of_code_max);
  return limits::frame_bytes + code + slots * limits::slot_bytes * (function.has_vectors ? 2 : 1);
}

Result<Guest> admit(const Module& module, const GuestLimits& limits) {
  const bool command = find(module, "_start") != nullptr;
  const bool reactor = find(module, "dugnad_run") != nullptr;
  if (command && reactor) return Error{"it exports both \"_start\" and \"dugnad_run\"; a guest is a command or a reactor"};
  if (!command && !reactor) {
    return Error{"it exports neither \"_start\", as a WASI command does, nor \"dugnad_run\", as a reactor does"};
  }
  Guest guest;
  guest.kind = command ? GuestKind::command : GuestKind::reactor;
  for (const Import& import : module.imports) {
    if (auto why = against_import(module, import, guest.kind)) return Error{*why};
  }
  if (auto why = against_exports(module, guest.kind)) return Error{*why};
  // It would run before the engine has set anything up: fuel, the time limit, the memory that host functions look into. Compilers for the
  // web make one; C, C++ and Rust for wasm32-wasi do not.
  if (module.has_start) return Error{"it has a start function; export it as \"_initialize\" instead"};
  if (auto why = against_sizes(module, limits)) return Error{*why};
  const Sizes& pages = module.memories.front().pages;
  const std::uint64_t given = std::min(limits.memory_bytes, limits::memory_bytes_most) / limits::page_bytes;
  guest.memory_pages_max = static_cast<std::uint32_t>(std::min(pages.max.value_or(given), given));
  guest.has_check = reactor && find(module, "dugnad_check");
  guest.has_initialize = reactor && find(module, "_initialize");
  return guest;
}

}  // namespace dugnad::tasks::wasm
