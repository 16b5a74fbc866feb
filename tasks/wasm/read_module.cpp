#include "tasks/wasm/read_module.h"

#include <wabt/binary-reader-nop.h>
#include <wabt/binary-reader.h>
#include <wabt/shared-validator.h>

#include <algorithm>
#include <exception>

#include "tasks/wasm/binary.h"
#include "tasks/wasm/limits.h"
#include "tasks/wasm/opcode_facts.h"

namespace dugnad::tasks::wasm {
namespace {

using wabt::Address;
using wabt::Index;
using wabt::Offset;
using wabt::Opcode;
using wabt::Type;
using wabt::Var;

ValType val_type(Type type) { return static_cast<ValType>(static_cast<std::uint8_t>(static_cast<std::int32_t>(type) & 0x7f)); }

std::string number(std::uint64_t value) { return std::to_string(value); }

// The specification has a type in one byte. libwabt reads it as a number, of which there are longer ways to write it; V8 does not.
constexpr std::string_view long_type = "it is no valid WebAssembly module: a type in it is written in several bytes";

/// In the section of types, which libwabt reports one function at a time.
bool has_long_types(ByteView section) {
  Reader reader(section);
  for (std::uint32_t count = reader.u32(); count > 0 && reader.ok(); --count) {
    reader.byte();  // that it is a function
    for (int list = 0; list < 2; ++list) {  // parameters, results
      for (std::uint32_t types = reader.u32(); types > 0 && reader.ok(); --types) {
        if ((reader.byte() & 0x80) != 0) return true;
      }
    }
  }
  return false;
}

/// Feeds each instruction to libwabt's validator, whose stack also tells how deep a function's operands get.
class Noting final : public wabt::BinaryReaderNop {
 public:
  explicit Noting(Module& module) : module_(module), validator_(&errors_, wabt::ValidateOptions(wabt::Features())) {}

  [[nodiscard]] std::string why() const {
    if (!refused_.empty()) return refused_;
    if (errors_.empty()) return "it is no valid WebAssembly module";
    std::string message = errors_.front().message.substr(0, 200);
    std::ranges::replace(message, '\n', ' ');
    return "it is no valid WebAssembly module: " + message;
  }

  bool OnError(const wabt::Error& error) override { return errors_.push_back(error), true; }
  wabt::Result EndModule() override { return validator_.EndModule(); }

  // --- Sections before the code ---
  wabt::Result OnTypeCount(Index count) override { return at_most(count, limits::types_max, "types"); }
  wabt::Result OnFuncType(Index index, Index param_count, Type* params, Index result_count, Type* results) override {
    if (!ok(at_most(param_count, limits::params_max, "parameters of one function"))) return wabt::Result::Error;
    if (!ok(at_most(result_count, limits::results_max, "results of one function"))) return wabt::Result::Error;
    Signature& signature = module_.types.emplace_back();
    std::transform(params, params + param_count, std::back_inserter(signature.params), val_type);
    std::transform(results, results + result_count, std::back_inserter(signature.results), val_type);
    return validator_.OnFuncType(here(), param_count, params, result_count, results, index);
  }
  wabt::Result OnStructType(Index, Index, wabt::TypeMut*) override { return refuse("it uses garbage-collected types"); }
  wabt::Result OnArrayType(Index, wabt::TypeMut) override { return refuse("it uses garbage-collected types"); }

  wabt::Result OnImportCount(Index count) override { return at_most(count, limits::imports_max, "imports"); }
  wabt::Result OnImportFunc(Index, std::string_view from, std::string_view name, Index, Index type) override {
    if (!ok(validator_.OnFunction(here(), var(type)))) return wabt::Result::Error;
    module_.imports.push_back({std::string(from), std::string(name), Kind::function, type});
    module_.imported_functions.push_back(type);
    return wabt::Result::Ok;
  }
  wabt::Result OnImportTable(Index, std::string_view from, std::string_view name, Index, Type, const wabt::Limits*) override {
    return refuse("it imports a table, " + quoted(from, name) + "; a guest's tables are its own");
  }
  wabt::Result OnImportMemory(Index, std::string_view from, std::string_view name, Index, const wabt::Limits*) override {
    return refuse("it imports its memory, " + quoted(from, name) + "; a guest defines its memory and exports it");
  }
  wabt::Result OnImportGlobal(Index, std::string_view from, std::string_view name, Index, Type, bool) override {
    return refuse("it imports a global, " + quoted(from, name) + "; there are none to be had");
  }

  wabt::Result OnFunctionCount(Index count) override { return at_most(count, limits::functions_max, "functions"); }
  wabt::Result OnFunction(Index, Index type) override {
    module_.functions.emplace_back().type = type;
    return validator_.OnFunction(here(), var(type));
  }
  wabt::Result OnTableCount(Index count) override { return at_most(count, limits::tables_max, "tables"); }
  wabt::Result OnTable(Index, Type element, const wabt::Limits* size) override {
    module_.tables.push_back({val_type(element), sizes(*size)});
    return validator_.OnTable(here(), element, *size);
  }
  wabt::Result OnMemoryCount(Index count) override {
    return count > 1 ? refuse("it has " + number(count) + " memories; a guest has one") : wabt::Result(wabt::Result::Ok);
  }
  wabt::Result OnMemory(Index, const wabt::Limits* size) override {
    module_.memories.push_back({sizes(*size), size->is_shared, size->is_64});
    if (size->is_shared) return refuse("its memory is shared, which is for threads");
    if (size->is_64) return refuse("its memory is a 64-bit one");
    return validator_.OnMemory(here(), *size);
  }
  wabt::Result OnGlobalCount(Index count) override { return at_most(count, limits::globals_max, "globals"); }
  wabt::Result BeginGlobal(Index, Type type, bool is_mutable) override {
    if (is_long(2)) return refuse(std::string(long_type));  // whether it is mutable stands behind
    module_.globals.push_back(val_type(type));
    init_ = type;
    return validator_.OnGlobal(here(), type, is_mutable);
  }
  wabt::Result BeginGlobalInitExpr(Index) override { return begin_initialiser(init_); }
  wabt::Result EndGlobalInitExpr(Index) override { return end_initialiser(); }
  wabt::Result OnTagCount(Index) override { return refuse("it uses exceptions (a tag section)"); }
  wabt::Result OnExportCount(Index count) override { return at_most(count, limits::exports_max, "exports"); }
  wabt::Result OnExport(Index, wabt::ExternalKind kind, Index item, std::string_view name) override {
    module_.exports.push_back({std::string(name), static_cast<Kind>(kind), item});
    return validator_.OnExport(here(), kind, var(item), name);
  }
  wabt::Result OnStartFunction(Index function) override {
    module_.has_start = true;
    return validator_.OnStart(here(), var(function));
  }

  // --- Segments ---
  wabt::Result OnElemSegmentCount(Index count) override { return at_most(count, limits::segments_max, "element segments"); }
  wabt::Result BeginElemSegment(Index, Index table, std::uint8_t flags) override {
    if (flags > 7) return refuse("it is no valid WebAssembly module: there is no element segment of kind " + number(flags));
    return validator_.OnElemSegment(here(), var(table), segment_kind(flags));
  }
  wabt::Result BeginElemSegmentInitExpr(Index) override { return begin_initialiser(Type::I32); }
  wabt::Result EndElemSegmentInitExpr(Index) override { return end_initialiser(); }
  wabt::Result OnElemSegmentElemType(Index, Type type) override {
    return is_long(1) ? refuse(std::string(long_type)) : validator_.OnElemSegmentElemType(here(), type);
  }
  wabt::Result OnElemSegmentElemExprCount(Index, Index count) override {
    module_.elements += count;
    return at_most(module_.elements, limits::elements_max, "elements of tables");
  }
  wabt::Result OnElemSegmentElemExpr_RefNull(Index, Type type) override { return validator_.OnElemSegmentElemExpr_RefNull(here(), type); }
  wabt::Result OnElemSegmentElemExpr_RefFunc(Index, Index function) override {
    module_.addressed.push_back(function);
    return validator_.OnElemSegmentElemExpr_RefFunc(here(), var(function));
  }
  wabt::Result OnDataCount(Index count) override { return validator_.OnDataCount(count), wabt::Result::Ok; }
  wabt::Result OnDataSegmentCount(Index count) override { return at_most(count, limits::segments_max, "data segments"); }
  wabt::Result BeginDataSegment(Index, Index memory, std::uint8_t flags) override {
    if (flags > 2) return refuse("it is no valid WebAssembly module: there is no data segment of kind " + number(flags));
    return validator_.OnDataSegment(here(), var(memory), segment_kind(flags));
  }
  wabt::Result BeginDataSegmentInitExpr(Index) override { return begin_initialiser(Type::I32); }
  wabt::Result EndDataSegmentInitExpr(Index) override { return end_initialiser(); }

  // --- Bodies ---
  wabt::Result BeginFunctionBody(Index index, Offset size) override {
    if (size > limits::function_bytes_max) return too_much("bytes of code in one function", size, limits::function_bytes_max, index);
    index_ = index;
    function_ = &module_.functions[index - module_.imported_functions.size()];
    function_->body = ByteView(state->data + state->offset, size);
    nesting_ = 0;
    ended_ = false;
    return validator_.BeginFunctionBody(here(), index);
  }
  wabt::Result OnLocalDecl(Index, Index count, Type type) override {
    function_->locals_total += count;
    if (function_->locals_total > limits::locals_max) return too_much("locals", function_->locals_total, limits::locals_max, index_);
    if (is_long(1)) return refuse(std::string(long_type));
    function_->locals.emplace_back(count, val_type(type));
    if (type == Type::V128) function_->has_vectors = true;
    return validator_.OnLocalDecl(here(), count, type);
  }
  wabt::Result EndFunctionBody(Index) override {
    note_depth();
    sort_once(function_->calls);
    sort_once(function_->indirect_calls);
    const std::uint64_t copied = function_->blocks * (function_->locals_total + 1);
    if (copied > limits::blocks_times_locals_max) {
      return too_much("blocks times locals", copied, limits::blocks_times_locals_max, index_);
    }
    if (!ended_) return refuse("it is no valid WebAssembly module: function " + number(index_) + " has no end");
    function_ = nullptr;
    return validator_.EndFunctionBody(here());
  }

  /// Comes before each instruction, of initialisers too.
  wabt::Result OnOpcode(Opcode opcode) override {
    if (const std::string_view proposal = proposal_of(opcode); !proposal.empty()) {
      return refuse("it uses " + std::string(proposal) + " (" + opcode.GetName() + ")");
    }
    // libwabt's reader reads on to the end of the body or the section.
    if (ended_) {
      const std::string what = function_ ? "function " + number(index_) : "an initialiser";
      return refuse("it is no valid WebAssembly module: " + what + " goes on behind its end");
    }
    if (!function_) return is_constant(opcode) ? wabt::Result(wabt::Result::Ok) : refuse("an initialiser in it is no constant");
    note_depth();
    function_->grows_memory |= opcode == Opcode::MemoryGrow;
    function_->has_vectors |= touches(opcode, Type::V128);
    function_->has_floats |= is_float(opcode);
    return wabt::Result::Ok;
  }

  wabt::Result OnBlockExpr(Type type) override { return opened(type, validator_.OnBlock(here(), type)); }
  wabt::Result OnLoopExpr(Type type) override { return opened(type, validator_.OnLoop(here(), type)); }
  wabt::Result OnIfExpr(Type type) override { return opened(type, validator_.OnIf(here(), type)); }
  wabt::Result OnElseExpr() override {
    ++function_->blocks;
    return validator_.OnElse(here());
  }
  wabt::Result OnEndExpr() override {
    if (!function_ || nesting_ == 0) {  // of an initialiser or a body; the validator hears of those as such
      ended_ = true;
      return wabt::Result::Ok;
    }
    --nesting_;
    return validator_.OnEnd(here());
  }
  wabt::Result OnBrExpr(Index depth) override { return validator_.OnBr(here(), var(depth)); }
  wabt::Result OnBrIfExpr(Index depth) override {
    ++function_->blocks;
    return validator_.OnBrIf(here(), var(depth));
  }
  wabt::Result OnBrTableExpr(Index count, Index* depths, Index otherwise) override {
    if (!ok(validator_.BeginBrTable(here()))) return wabt::Result::Error;
    for (Index i = 0; i < count; ++i) {
      if (!ok(validator_.OnBrTableTarget(here(), var(depths[i])))) return wabt::Result::Error;
    }
    function_->blocks += count + 1;
    if (!ok(validator_.OnBrTableTarget(here(), var(otherwise)))) return wabt::Result::Error;
    return validator_.EndBrTable(here());
  }
  wabt::Result OnCallExpr(Index function) override {
    function_->calls.push_back(function);
    return validator_.OnCall(here(), var(function));
  }
  wabt::Result OnCallIndirectExpr(Index type, Index table) override {
    function_->indirect_calls.push_back(type);
    return validator_.OnCallIndirect(here(), var(type), var(table));
  }
  wabt::Result OnRefFuncExpr(Index function) override {
    module_.addressed.push_back(function);
    return validator_.OnRefFunc(here(), var(function));
  }

  wabt::Result OnBinaryExpr(Opcode opcode) override { return validator_.OnBinary(here(), opcode); }
  wabt::Result OnCompareExpr(Opcode opcode) override { return validator_.OnCompare(here(), opcode); }
  wabt::Result OnConvertExpr(Opcode opcode) override { return validator_.OnConvert(here(), opcode); }
  wabt::Result OnUnaryExpr(Opcode opcode) override { return validator_.OnUnary(here(), opcode); }
  wabt::Result OnTernaryExpr(Opcode opcode) override { return validator_.OnTernary(here(), opcode); }
  wabt::Result OnDropExpr() override { return validator_.OnDrop(here()); }
  wabt::Result OnNopExpr() override { return validator_.OnNop(here()); }
  wabt::Result OnReturnExpr() override { return validator_.OnReturn(here()); }
  wabt::Result OnSelectExpr(Index count, Type* types) override {
    constexpr std::uint8_t select = 0x1b;
    const bool has_types = state->data[state->offset - 1] != select;
    if (has_types && count != 1) return refuse("it is no valid WebAssembly module: a select in it has " + number(count) + " types");
    if (has_types && is_long(1)) return refuse(std::string(long_type));
    return validator_.OnSelect(here(), count, types);
  }
  wabt::Result OnUnreachableExpr() override { return validator_.OnUnreachable(here()); }
  wabt::Result OnI32ConstExpr(std::uint32_t) override { return validator_.OnConst(here(), Type::I32); }
  wabt::Result OnI64ConstExpr(std::uint64_t) override { return validator_.OnConst(here(), Type::I64); }
  wabt::Result OnF32ConstExpr(std::uint32_t) override { return validator_.OnConst(here(), Type::F32); }
  wabt::Result OnF64ConstExpr(std::uint64_t) override { return validator_.OnConst(here(), Type::F64); }
  wabt::Result OnV128ConstExpr(v128) override { return validator_.OnConst(here(), Type::V128); }
  wabt::Result OnGlobalGetExpr(Index index) override { return validator_.OnGlobalGet(here(), var(index)); }
  wabt::Result OnGlobalSetExpr(Index index) override { return validator_.OnGlobalSet(here(), var(index)); }
  wabt::Result OnLocalGetExpr(Index index) override { return validator_.OnLocalGet(here(), var(index)); }
  wabt::Result OnLocalSetExpr(Index index) override { return validator_.OnLocalSet(here(), var(index)); }
  wabt::Result OnLocalTeeExpr(Index index) override { return validator_.OnLocalTee(here(), var(index)); }
  wabt::Result OnLoadExpr(Opcode opcode, Index memory, Address align, Address) override {
    return validator_.OnLoad(here(), opcode, var(memory), alignment(align));
  }
  wabt::Result OnStoreExpr(Opcode opcode, Index memory, Address align, Address) override {
    return validator_.OnStore(here(), opcode, var(memory), alignment(align));
  }
  wabt::Result OnLoadSplatExpr(Opcode opcode, Index memory, Address align, Address) override {
    return validator_.OnLoadSplat(here(), opcode, var(memory), alignment(align));
  }
  wabt::Result OnLoadZeroExpr(Opcode opcode, Index memory, Address align, Address) override {
    return validator_.OnLoadZero(here(), opcode, var(memory), alignment(align));
  }
  wabt::Result OnSimdLaneOpExpr(Opcode opcode, std::uint64_t lane) override { return validator_.OnSimdLaneOp(here(), opcode, lane); }
  wabt::Result OnSimdShuffleOpExpr(Opcode opcode, v128 lanes) override { return validator_.OnSimdShuffleOp(here(), opcode, lanes); }
  wabt::Result OnSimdLoadLaneExpr(Opcode opcode, Index memory, Address align, Address, std::uint64_t lane) override {
    return validator_.OnSimdLoadLane(here(), opcode, var(memory), alignment(align), lane);
  }
  wabt::Result OnSimdStoreLaneExpr(Opcode opcode, Index memory, Address align, Address, std::uint64_t lane) override {
    return validator_.OnSimdStoreLane(here(), opcode, var(memory), alignment(align), lane);
  }
  wabt::Result OnMemoryCopyExpr(Index from, Index to) override { return validator_.OnMemoryCopy(here(), var(from), var(to)); }
  wabt::Result OnMemoryFillExpr(Index memory) override { return validator_.OnMemoryFill(here(), var(memory)); }
  wabt::Result OnMemoryGrowExpr(Index memory) override { return validator_.OnMemoryGrow(here(), var(memory)); }
  wabt::Result OnMemorySizeExpr(Index memory) override { return validator_.OnMemorySize(here(), var(memory)); }
  wabt::Result OnMemoryInitExpr(Index segment, Index memory) override { return validator_.OnMemoryInit(here(), var(segment), var(memory)); }
  wabt::Result OnDataDropExpr(Index segment) override { return validator_.OnDataDrop(here(), var(segment)); }
  wabt::Result OnTableCopyExpr(Index to, Index from) override { return validator_.OnTableCopy(here(), var(to), var(from)); }
  wabt::Result OnTableInitExpr(Index segment, Index table) override { return validator_.OnTableInit(here(), var(segment), var(table)); }
  wabt::Result OnTableGetExpr(Index table) override { return validator_.OnTableGet(here(), var(table)); }
  wabt::Result OnTableSetExpr(Index table) override { return validator_.OnTableSet(here(), var(table)); }
  wabt::Result OnTableGrowExpr(Index table) override { return validator_.OnTableGrow(here(), var(table)); }
  wabt::Result OnTableSizeExpr(Index table) override { return validator_.OnTableSize(here(), var(table)); }
  wabt::Result OnTableFillExpr(Index table) override { return validator_.OnTableFill(here(), var(table)); }
  wabt::Result OnElemDropExpr(Index segment) override { return validator_.OnElemDrop(here(), var(segment)); }
  wabt::Result OnRefNullExpr(Type type) override {
    constexpr std::uint8_t ref_null = 0xd0;
    return state->data[state->offset - 2] != ref_null ? refuse(std::string(long_type)) : validator_.OnRefNull(here(), type);
  }
  wabt::Result OnRefIsNullExpr() override { return validator_.OnRefIsNull(here()); }

 private:
  /// What may stand in an initialiser; there is no function then to note anything of.
  static bool is_constant(Opcode opcode) {
    switch (opcode) {
      case Opcode::I32Const: case Opcode::I64Const: case Opcode::F32Const: case Opcode::F64Const: case Opcode::V128Const:
      case Opcode::GlobalGet: case Opcode::RefNull: case Opcode::RefFunc: case Opcode::End:
        return true;
      default: return false;
    }
  }
  static bool ok(wabt::Result result) { return Succeeded(result); }
  static std::string quoted(std::string_view from, std::string_view name) {
    return "\"" + std::string(from.substr(0, 64)) + "." + std::string(name.substr(0, 64)) + "\"";
  }
  static Sizes sizes(const wabt::Limits& limits) {
    return {limits.initial, limits.has_max ? std::optional<std::uint64_t>(limits.max) : std::nullopt};
  }
  static Address alignment(Address log2) { return log2 < 32 ? Address{1} << log2 : ~Address{0}; }
  static wabt::SegmentKind segment_kind(std::uint8_t flags) {
    if ((flags & wabt::SegDeclared) == wabt::SegDeclared) return wabt::SegmentKind::Declared;
    return (flags & wabt::SegPassive) ? wabt::SegmentKind::Passive : wabt::SegmentKind::Active;
  }
  static void sort_once(std::vector<std::uint32_t>& values) {
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    values.shrink_to_fit();
  }

  /// Whether the type that was just read, and ends `back` bytes before here, is written in several bytes. What stands before it is a number's last
  /// byte, or an instruction: neither has the bit that says that more follows.
  [[nodiscard]] bool is_long(std::size_t back) const { return (state->data[state->offset - back - 1] & 0x80) != 0; }

  wabt::Location here() const { return wabt::Location(state->offset); }
  Var var(Index index) const { return Var(index, here()); }

  wabt::Result begin_initialiser(Type type) {
    ended_ = false;
    return validator_.BeginInitExpr(here(), type);
  }
  wabt::Result end_initialiser() {
    if (!ended_) return refuse("it is no valid WebAssembly module: an initialiser in it has no end");
    return validator_.EndInitExpr();
  }

  wabt::Result refuse(std::string why) {
    if (refused_.empty()) refused_ = std::move(why);
    return wabt::Result::Error;
  }
  wabt::Result at_most(std::uint64_t count, std::uint64_t most, std::string_view what) {
    if (count <= most) return wabt::Result::Ok;
    return refuse("it has " + number(count) + " " + std::string(what) + ", and at most " + number(most) + " are allowed");
  }
  wabt::Result too_much(std::string_view what, std::uint64_t count, std::uint64_t most, Index function) {
    return refuse("function " + number(function) + " has " + number(count) + " " + std::string(what) + ", and at most " + number(most) +
                  " are allowed");
  }

  void note_depth() {
    function_->operands_max = std::max(function_->operands_max, static_cast<std::uint32_t>(validator_.type_stack_size()));
  }
  wabt::Result opened(Type type, wabt::Result result) {
    if (!type.IsIndex() && is_long(1)) return refuse(std::string(long_type));
    if (++nesting_ > limits::nesting_max) return too_much("blocks inside blocks", nesting_, limits::nesting_max, index_);
    function_->nesting_max = std::max(function_->nesting_max, nesting_);
    ++function_->blocks;
    return result;
  }

  Module& module_;
  wabt::Errors errors_;
  wabt::SharedValidator validator_;
  std::string refused_;
  Type init_ = Type::Void;
  Function* function_ = nullptr;  // whose body is being read
  Index index_ = 0;
  std::uint32_t nesting_ = 0;
  bool ended_ = false;  // the body or initialiser that is being read
};

constexpr std::array<std::uint8_t, 8> magic_and_version{0, 'a', 's', 'm', 1, 0, 0, 0};

}  // namespace

Result<Bytes> without_custom_sections(ByteView raw) {
  if (raw.size() < magic_and_version.size() || !std::ranges::equal(raw.first(4), ByteView(magic_and_version).first(4))) {
    return Error{"it is no WebAssembly module"};
  }
  if (!std::ranges::equal(raw.first(8), magic_and_version)) return Error{"it is no WebAssembly module of version 1 (a component, maybe)"};
  Bytes plain(raw.begin(), raw.begin() + 8);
  Reader reader(raw.subspan(8));
  while (!reader.at_end()) {
    const std::size_t from = reader.offset();
    const std::uint8_t id = reader.byte();
    reader.take(reader.u32());
    if (!reader.ok()) return Error{"it is no valid WebAssembly module: it ends within a section"};
    if (id == 13) return Error{"it uses exceptions (a tag section)"};
    if (id >= sections) return Error{"it is no valid WebAssembly module: there is no section " + number(id)};
    if (id != 0) append(plain, raw.subspan(8 + from, reader.offset() - from));
  }
  return plain;
}

Result<Module> read_module(ByteView plain) {
  Module module;
  Noting noting(module);
  wabt::Features features;
  features.enable_threads();      // so that a shared memory gets as far as our own words for it; the instructions are refused
  features.enable_memory64();     // likewise
  const wabt::ReadBinaryOptions options(features, nullptr, false, true, false);
  try {
    if (Failed(wabt::ReadBinary(plain.data(), plain.size(), &noting, options))) return Error{noting.why()};
  } catch (const std::exception&) {  // libwabt makes room for some lists by their declared length, before it looks whether they are there
    return Error{"it is no valid WebAssembly module: a list in it is longer than any memory"};
  }
  std::ranges::sort(module.addressed);
  module.addressed.erase(std::unique(module.addressed.begin(), module.addressed.end()), module.addressed.end());
  Reader reader(plain.subspan(8));
  while (!reader.at_end()) {
    const std::uint8_t id = reader.byte();
    module.payload[id] = reader.take(reader.u32());
  }
  if (const auto& types = module.section(Section::type); types && has_long_types(*types)) return Error{std::string(long_type)};
  return module;
}

std::string to_text(const Signature& signature) {
  const auto list = [](const std::vector<ValType>& types) {
    std::string text;
    for (const ValType type : types) text += (text.empty() ? "" : ", ") + Type(static_cast<std::int32_t>(type) - 0x80).GetName();
    return text;
  };
  return "(" + list(signature.params) + ") -> " + (signature.results.empty() ? "nothing" : list(signature.results));
}

}  // namespace dugnad::tasks::wasm
