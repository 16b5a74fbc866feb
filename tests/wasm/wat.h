// Modules from text, with libwabt's own parser.
#pragma once

#include <wabt/binary-writer.h>
#include <wabt/stream.h>
#include <wabt/wast-lexer.h>
#include <wabt/wast-parser.h>

#include <string>
#include <string_view>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/panic.h"

namespace dugnad::tests {

/// The binary module of `text`, which begins with "(module". Every proposal is enabled, and nothing but the syntax is checked.
inline Bytes wat(std::string_view text) {
  wabt::Features features;
  features.EnableAll();
  wabt::Errors errors;
  const auto lexer = wabt::WastLexer::CreateBufferLexer("test.wat", text.data(), text.size(), &errors);
  std::unique_ptr<wabt::Module> module;
  wabt::WastParseOptions options(features);
  const wabt::Result parsed = wabt::ParseWatModule(lexer.get(), &module, &errors, &options);
  DUGNAD_ASSERT(Succeeded(parsed), errors.empty() ? std::string("?") : errors[0].message + " in " + std::string(text));
  wabt::MemoryStream stream;
  wabt::WriteBinaryOptions writing;
  writing.features = features;
  DUGNAD_ASSERT(Succeeded(wabt::WriteBinaryModule(&stream, module.get(), writing)), "a test's module can be written");
  return stream.output_buffer().data;
}

/// A reactor with `fields` in it besides what the ABI asks for.
inline std::string reactor(std::string_view fields, std::string_view memory = "(memory (export \"memory\") 1)") {
  return "(module " + std::string(fields) + std::string(memory) +
         "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const 1024))"
         "(func (export \"dugnad_run\") (param i32 i32) (result i64) (i64.const 0)))";
}

inline std::string command(std::string_view fields) {
  return "(module " + std::string(fields) + "(memory (export \"memory\") 1) (func (export \"_start\")))";
}

}  // namespace dugnad::tests
