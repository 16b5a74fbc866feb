// Module: a program in WebAssembly whose units a swarm computes, in its donors' cages.
//
//   auto module = dugnad::sdk::Module::load("prog.wasm");       // refuses what donors would refuse, and says why
//   if (!module) return complain(module.error().message);
//   auto job = swarm->map(*module, inputs);                     // one unit an input
//
// Of either kind: a WASI command, an ordinary program that reads standard input and arguments and writes standard output; or a reactor, a
// function from bytes to bytes (dugnad_guest.h, dugnad_guest.hpp), which is faster where units are small. PROTOCOL.md has what both may rely on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"
#include "tasks/wasm/command_unit.h"

namespace dugnad::sdk {

/// One unit of a command: `arguments`, without the program's own name, and `standard_input`.
using CommandUnit = tasks::wasm::CommandUnit;

/// A checked program. A handle: copies share the bytes.
class Module {
 public:
  enum class Kind : std::uint8_t { command, reactor };

  /// A .wasm file of at most 32 MiB, named by the file. An error in one line: it cannot be read, or what donors refuse about it.
  [[nodiscard]] static Result<Module> load(const std::string& path);
  /// The same from memory; donors and the journal know it by `name`, whose letters a job's name may not have are replaced.
  [[nodiscard]] static Result<Module> from_bytes(ByteView wasm, const std::string& name);

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] const std::string& name() const;
  /// Whether it has a check of its own (DUGNAD_GUEST_CHECK): results are then checked instead of audited, where a job wants a confidence.
  [[nodiscard]] bool has_check() const;
  /// Whether donors take it with these limits of its job: 0 is the default memory, and fuel that is not counted. An error says why not.
  [[nodiscard]] Result<void> check(std::uint64_t memory_bytes, std::uint64_t fuel) const;

  struct Image;  // the SDK's own
  [[nodiscard]] const Image& image() const { return *image_; }

 private:
  explicit Module(std::shared_ptr<const Image> image) : image_(std::move(image)) {}
  std::shared_ptr<const Image> image_;
};

}  // namespace dugnad::sdk
