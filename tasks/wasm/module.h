// A module as the pass sees it: what libwabt found valid, in the few terms that the other files need. Views point into the module's bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/bytes.h"

namespace dugnad::tasks::wasm {

/// As the binary format writes them.
enum class ValType : std::uint8_t { i32 = 0x7f, i64 = 0x7e, f32 = 0x7d, f64 = 0x7c, v128 = 0x7b, funcref = 0x70, externref = 0x6f };

/// As the binary format writes them, of imports and exports.
enum class Kind : std::uint8_t { function = 0, table = 1, memory = 2, global = 3, tag = 4 };

enum class Section : std::uint8_t { custom, type, import, function, table, memory, global, exports, start, element, code, data, data_count };
inline constexpr std::size_t sections = 13;

struct Signature {
  std::vector<ValType> params;
  std::vector<ValType> results;
  auto operator<=>(const Signature&) const = default;
};

struct Import {
  std::string module;
  std::string name;
  Kind kind = Kind::function;
  std::uint32_t type = 0;  // of a function
};

struct Sizes {
  std::uint64_t initial = 0;
  std::optional<std::uint64_t> max;
};

struct Table {
  ValType element = ValType::funcref;
  Sizes size;
};

struct Memory {
  Sizes pages;
  bool is_shared = false;
  bool is_64 = false;
};

struct Export {
  std::string name;
  Kind kind = Kind::function;
  std::uint32_t index = 0;
};

/// A function that the module defines, and what libwabt's walk through its body found.
struct Function {
  std::uint32_t type = 0;
  ByteView body;                                 // declarations of locals, then code
  std::vector<std::pair<std::uint32_t, ValType>> locals;  // runs, as declared, without parameters
  std::uint64_t locals_total = 0;
  std::uint32_t operands_max = 0;                // the deepest that its operand stack gets
  std::uint32_t blocks = 0;
  std::uint32_t nesting_max = 0;
  bool has_vectors = false;
  bool grows_memory = false;
  bool has_floats = false;                       // an instruction that takes or makes f32, f64 or lanes of them
  std::vector<std::uint32_t> calls;              // functions, each once, ascending
  std::vector<std::uint32_t> indirect_calls;     // types, each once, ascending
};

struct Module {
  std::vector<Signature> types;
  std::vector<Import> imports;
  std::vector<std::uint32_t> imported_functions;  // their types; they come first among the function indices
  std::vector<Function> functions;
  std::vector<Table> tables;
  std::vector<Memory> memories;
  std::vector<ValType> globals;
  std::vector<Export> exports;
  std::vector<std::uint32_t> addressed;           // functions that a table may hold, ascending
  std::uint64_t elements = 0;
  bool has_start = false;
  std::array<std::optional<ByteView>, sections> payload;  // of each section that there is; custom ones are dropped

  [[nodiscard]] std::size_t functions_total() const { return imported_functions.size() + functions.size(); }
  [[nodiscard]] bool is_imported(std::uint32_t function) const { return function < imported_functions.size(); }
  [[nodiscard]] std::uint32_t type_of(std::uint32_t function) const {
    return is_imported(function) ? imported_functions[function] : functions[function - imported_functions.size()].type;
  }
  [[nodiscard]] const Signature& signature_of(std::uint32_t function) const { return types[type_of(function)]; }
  [[nodiscard]] const std::optional<ByteView>& section(Section which) const { return payload[static_cast<std::size_t>(which)]; }
};

}  // namespace dugnad::tasks::wasm
