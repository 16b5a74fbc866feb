#include "tasks/wasm/guest_pass.h"

#include <algorithm>

#include "tasks/wasm/admission.h"
#include "tasks/wasm/code.h"
#include "tasks/wasm/read_module.h"
#include "tasks/wasm/rewrite.h"

namespace dugnad::tasks::wasm {
namespace {

void append_name(Bytes& out, std::string_view name) {
  append_u32(out, name.size());
  append(out, view_of(name));
}

void append_sizes(Bytes& out, std::uint64_t initial, std::uint64_t max) {
  out.push_back(0x01);
  append_u32(out, initial);
  append_u32(out, max);
}

/// The module's sections again, in order, with what the pass adds to each.
class Rebuilding {
 public:
  Rebuilding(const Module& module, const Guest& guest, const GuestLimits& limits) : module_(module), guest_(guest), plan_(plan_depth(module)) {
    const auto first = static_cast<std::uint32_t>(module.globals.size());
    globals_ = {first, first + 1, limits.fuel ? std::optional(first + 2) : std::nullopt, guest.memory_pages_max};
    for (const Export& found : module.exports) {
      if (is_of_the_abi(found)) exports_.push_back(found);
    }
    // Calls from outside begin at depth zero.
    for (Export& found : exports_) {
      if (found.kind != Kind::function || plan_.roles[found.index] == DepthPlan::Role::free) continue;
      wrapped_.push_back(found.index);
      found.index = static_cast<std::uint32_t>(module.functions_total() + wrapped_.size() - 1);
    }
  }

  Bytes run() {
    out_ = {0, 'a', 's', 'm', 1, 0, 0, 0};
    copy(Section::type);
    copy(Section::import);
    write(Section::function, functions());
    if (!module_.tables.empty()) write(Section::table, tables());
    write(Section::memory, memory());
    write(Section::global, globals());
    write(Section::exports, exports());
    copy(Section::element);
    copy(Section::data_count);
    write(Section::code, code());
    copy(Section::data);
    return std::move(out_);
  }

 private:
  /// Nobody calls another; each would cost every instance the making of an object.
  [[nodiscard]] bool is_of_the_abi(const Export& found) const {
    if (found.kind == Kind::memory) return found.name == "memory";
    if (found.kind != Kind::function) return false;
    if (guest_.kind == GuestKind::command) return found.name == "_start";
    return found.name == "_initialize" || found.name == "dugnad_alloc" || found.name == "dugnad_run" || found.name == "dugnad_check";
  }

  void write(Section section, const Bytes& payload) {
    out_.push_back(static_cast<std::uint8_t>(section));
    append_u32(out_, payload.size());
    append(out_, payload);
  }
  void copy(Section section) {
    if (const auto& payload = module_.section(section)) write(section, Bytes(payload->begin(), payload->end()));
  }

  Bytes functions() const {
    Bytes out;
    append_u32(out, module_.functions.size() + wrapped_.size());
    for (const Function& function : module_.functions) append_u32(out, function.type);
    for (const std::uint32_t function : wrapped_) append_u32(out, module_.type_of(function));
    return out;
  }
  Bytes tables() const {
    Bytes out;
    std::uint64_t spare = limits::table_elements_max;
    for (const Table& table : module_.tables) spare -= table.size.initial;
    append_u32(out, module_.tables.size());
    for (const Table& table : module_.tables) {  // each may grow by its part of what is left
      const std::uint64_t most = table.size.initial + spare / module_.tables.size();
      out.push_back(static_cast<std::uint8_t>(table.element));
      append_sizes(out, table.size.initial, std::min(table.size.max.value_or(most), most));
    }
    return out;
  }
  Bytes memory() const {
    Bytes out{1};
    append_sizes(out, module_.memories.front().pages.initial, guest_.memory_pages_max);
    return out;
  }
  Bytes globals() const {
    Bytes out;
    append_u32(out, module_.globals.size() + (globals_.fuel ? 3 : 2));
    if (const auto& payload = module_.section(Section::global)) {
      Reader reader(*payload);
      reader.u32();
      append(out, reader.rest());
    }
    const Code zero = Code().i32_const(0).op(0x0b);
    for (int i = 0; i < 2; ++i) append(out, Code().op(0x7f).op(0x01).raw(zero.bytes()).bytes());  // i32, mutable
    if (globals_.fuel) append(out, Code().op(0x7e).op(0x01).i64_const(0).op(0x0b).bytes());
    return out;
  }
  Bytes exports() const {
    Bytes out;
    append_u32(out, exports_.size() + (globals_.fuel ? 2 : 1));
    const auto add = [&](std::string_view name, Kind kind, std::uint32_t index) {
      append_name(out, name);
      out.push_back(static_cast<std::uint8_t>(kind));
      append_u32(out, index);
    };
    for (const Export& found : exports_) add(found.name, found.kind, found.index);
    add(stopped_global, Kind::global, globals_.stopped);
    if (globals_.fuel) add(fuel_global, Kind::global, *globals_.fuel);
    return out;
  }
  Bytes code() const {
    Bytes out;
    append_u32(out, module_.functions.size() + wrapped_.size());
    const auto imported = static_cast<std::uint32_t>(module_.imported_functions.size());
    for (std::uint32_t i = 0; i < module_.functions.size(); ++i) append(out, rewritten(module_, imported + i, plan_, globals_));
    for (const std::uint32_t function : wrapped_) {
      Code body;
      body.op(0x00).i32_const(0).global_set(globals_.depth);
      for (std::uint32_t i = 0; i < module_.signature_of(function).params.size(); ++i) body.local_get(i);
      body.call(function).op(0x0b);
      append_u32(out, body.bytes().size());
      append(out, body.bytes());
    }
    return out;
  }

  const Module& module_;
  const Guest& guest_;
  const DepthPlan plan_;
  OurGlobals globals_;
  std::vector<Export> exports_;
  std::vector<std::uint32_t> wrapped_;  // functions, in the order of their wrappers
  Bytes out_;
};

Result<Guest> prepared(ByteView raw_module, const GuestLimits& limits) {
  if (raw_module.size() > limits::module_bytes_max) {
    return Error{"it has " + std::to_string(raw_module.size()) + " bytes, and at most 32 MiB are allowed"};
  }
  const Result<Bytes> plain = without_custom_sections(raw_module);
  if (!plain) return plain.error();
  const Result<Module> module = read_module(*plain);
  if (!module) return module.error();
  Result<Guest> guest = admit(*module, limits);
  if (!guest) return guest;
  guest->code = Rebuilding(*module, *guest, limits).run();
  return guest;
}

/// A refusal names what it refuses in the module's own words, which may be any bytes: none of them may write a line of its own, or a colour, into
/// a log or on somebody's screen.
Error printable(Error refusal) {
  constexpr std::size_t most = 300;
  refusal.message.resize(std::min(refusal.message.size(), most));
  std::ranges::replace_if(refusal.message, [](char c) { return c < ' ' || c > '~'; }, '?');
  return refusal;
}

}  // namespace

Result<Guest> prepare(ByteView raw_module, const GuestLimits& limits) {
  Result<Guest> guest = prepared(raw_module, limits);
  if (!guest) return printable(guest.error());
  return guest;
}

}  // namespace dugnad::tasks::wasm
