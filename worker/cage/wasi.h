// Wasi: the system that a command sees, one per unit: three streams, arguments, and clocks and random numbers that are the same everywhere.
// There are no files, no network and no environment; a call for any of these gets the error that a system without them gives.
// Deterministic by construction: nothing here asks the machine. Source of the calls: WebAssembly/WASI, legacy/preview1/docs.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "coordinatorless/base/generator.h"
#include "tasks/wasm/command_unit.h"
#include "worker/cage/guest_memory.h"

namespace dugnad::worker::cage {

/// Those of preview 1's error numbers that we answer with.
enum class Errno : std::uint16_t {
  success = 0,
  badf = 8,
  fault = 21,
  inval = 28,
  nosys = 52,
  notdir = 54,
  notsock = 57,
  notsup = 58,
  spipe = 70,
};

class Wasi {
 public:
  /// Arguments of a call as they came, widened to 64 bits without sign; the memory is the caller's.
  using Arguments = std::array<std::uint64_t, 9>;
  using Answer = Errno (*)(Wasi&, const GuestMemory&, const Arguments&);

  /// `raw` is the unit as it travelled, which must outlive this: the random numbers are seeded with its hash.
  Wasi(tasks::wasm::CommandUnit unit, ByteView raw) : unit_(std::move(unit)), raw_(raw) {
    unit_.arguments.insert(unit_.arguments.begin(), "guest");
  }

  /// What answers the function of that name; it answers every one of tasks/wasm/wasi_names.h.
  [[nodiscard]] static Answer answer_of(std::string_view name);

  /// The guest is to be unwound: it has called proc_exit, or has written more than an output may be.
  [[nodiscard]] bool ended() const { return exit_code_ || output_too_large_; }
  [[nodiscard]] std::optional<std::uint32_t> exit_code() const { return exit_code_; }
  [[nodiscard]] bool output_too_large() const { return output_too_large_; }
  [[nodiscard]] Bytes take_output() { return std::move(output_); }
  /// The end of standard error.
  [[nodiscard]] std::string_view error_tail() const { return error_tail_; }

 private:
  friend struct WasiAnswers;

  [[nodiscard]] bool is_open(std::uint64_t descriptor) const { return descriptor < open_.size() && open_[descriptor]; }
  Errno write_out(ByteView bytes, std::uint64_t descriptor);
  std::uint64_t read_clock();

  tasks::wasm::CommandUnit unit_;
  ByteView raw_;
  std::array<bool, 3> open_{true, true, true};
  std::size_t input_read_ = 0;
  Bytes output_;
  std::string error_tail_;
  std::uint64_t clock_ns_ = 0;
  std::optional<Generator> random_;  // made on first use: most programs draw none
  std::optional<std::uint32_t> exit_code_;
  bool output_too_large_ = false;
};

}  // namespace dugnad::worker::cage
