// Recipe: how a program finds a job of an earlier run again, and what a person is told of a job in the journal. Kept with the job as bytes,
// sent to nobody but stewards, where the job has some. Version 4:
//   u8 version, u8 kind, text task, u32 task_version, u32 copies, u64 unit_timeout in ms, u32 count and for each parameter text, u64;
//   32 bytes of inputs; u8 1 and 40 bytes of module, or u8 0; u64 memory_bytes, u64 fuel, long text source;
//   u8 1, u32 error_ppb, u8 combined, u32 assumed_ppm, u8 stream, or u8 0; u8 stewards.
// A text is u8 length and bytes, a long one u32 length and bytes; integers are little-endian. Version 1 ends with inputs, version 2
// with source, version 3 with the confidence; all are still read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "coordinatorless/base/blob_id.h"
#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/core/messages.h"
#include "dugnad/swarm.h"
#include "tasks/task.h"

namespace dugnad::sdk {

struct Recipe {
  enum class Kind : std::uint8_t {
    run = 0,     // cut by the task's own plan from `parameters`
    map = 1,     // one unit an input, all known: `inputs` is their hash
    stream = 2,  // one unit an input, as they come: `inputs` is the first one's hash
    open = 3,    // one unit an input, as submitted; never found again
  };

  Kind kind = Kind::run;
  std::string task;  // at most 255 bytes
  std::uint32_t task_version = 1;
  std::uint32_t copies = 2;
  std::chrono::milliseconds unit_timeout{};
  tasks::Parameters parameters;
  Hash inputs;
  std::optional<BlobId> module = {};  // its packed bytes; then `task` is what it is called
  std::uint64_t memory_bytes = 0;     // as JobOptions has these
  std::uint64_t fuel = 0;
  std::string source = {};  // at most source_max bytes
  std::optional<core::WantedConfidence> confidence = {};  // instead of copies
  unsigned stewards = 0;  // as JobOptions has it

  bool operator==(const Recipe&) const = default;
};

inline constexpr std::size_t source_max = 4096;

/// As JobOptions has it.
[[nodiscard]] std::optional<Confidence> confidence_of(const Recipe& recipe);

[[nodiscard]] Bytes encode(const Recipe& recipe);

/// nullopt for anything that encode() does not write; a later version's recipe too.
[[nodiscard]] std::optional<Recipe> decode_recipe(ByteView bytes);

}  // namespace dugnad::sdk
