// What a task is: a function from a unit's bytes to a unit's bytes, that any donor computes alike, and a plan, with which the
// submitter cuts a job into units and combines what comes back.
//
// Rules for a unit's function, since its source is to compile for wasm32 as it stands and its bytes must agree everywhere:
//   no threads, no files, no clock, no environment, no randomness but a generator seeded from the input;
//   no libm (its last bits differ between libraries); float arithmetic is compiled with -ffp-contract=off;
//   fail_unit() rather than exceptions, which a guest does not have;
//   fixed-width integers in what is returned, little-endian (wire.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"

namespace dugnad::tasks {

#ifdef __wasm__
extern "C" __attribute__((import_module("dugnad"), import_name("log"))) void dugnad_log_bytes(const void* text, std::uint32_t size);
#endif

/// Thrown by a unit that sees its token; the attempt counts as cancelled.
struct Stopped {};

/// Asked by a long unit every few milliseconds; a unit that never asks cannot be cancelled and makes its worker restart.
class StopToken {
 public:
  StopToken() = default;
  explicit StopToken(const std::atomic<bool>& flag) : flag_(&flag) {}
  [[nodiscard]] bool requested() const { return flag_ != nullptr && flag_->load(std::memory_order_relaxed); }
#ifdef __wasm__
  void throw_if_requested() const {}  // a guest is stopped from outside
#else
  void throw_if_requested() const {
    if (requested()) throw Stopped{};
  }
#endif

 private:
  const std::atomic<bool>* flag_ = nullptr;
};

/// Thrown by a unit that fails as it would anywhere. Any other exception is the same, with its what().
struct UnitFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How a unit's function fails its unit, natively and as a guest, where there are no exceptions: that logs the reason, and traps.
[[noreturn]] inline void fail_unit(const std::string& reason) {
#ifdef __wasm__
  dugnad_log_bytes(reason.data(), static_cast<std::uint32_t>(reason.size()));
  __builtin_trap();
#else
  throw UnitFailed(reason);
#endif
}

using RunUnit = std::function<Bytes(ByteView input, const StopToken&)>;

/// Whether `output` is what the task returns for `input`: where that is told at a small part of what computing it costs, so that a submitter checks
/// every result and needs no second one. The output is anybody's bytes. It must not say no of what the task itself returns, nor yes of anything else;
/// the rules for a unit's function hold.
using CheckUnit = std::function<bool(ByteView input, ByteView output, const StopToken&)>;

/// An image as a plan combines it: `width` * `height` * 3 bytes, RGB, rows from the top.
struct Picture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Bytes rgb;
};

/// What a finished job says: one line for people and scripts, and the picture where the task makes one.
struct Answer {
  std::string text;
  std::optional<Picture> picture;
};

/// The submitter's side of one job. Deterministic: the same parameters and outputs give the same units in the same order.
class Plan {
 public:
  virtual ~Plan() = default;
  /// The next unit's input; nullopt when none is to be had now: ever, or until more outputs were accepted.
  [[nodiscard]] virtual std::optional<Bytes> next() = 0;
  /// An accepted output; units come in any order. An error where the bytes are not what the task returns.
  virtual Result<void> accept(UnitIndex unit, ByteView output) = 0;
  /// Whether no further unit will come, once everything handed out was accepted.
  [[nodiscard]] virtual bool exhausted() const = 0;
  /// How many units the job will have, as far as the plan can say; for progress.
  [[nodiscard]] virtual std::optional<std::uint64_t> units_expected() const = 0;
  /// Once every unit was accepted.
  [[nodiscard]] virtual Answer answer() = 0;
};

using Parameters = std::map<std::string, std::uint64_t>;

struct Parameter {
  std::string name;
  std::string help;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::optional<std::uint64_t> fallback;  // required where there is none
};

using MakePlan = std::function<std::unique_ptr<Plan>(const Parameters&)>;

struct Task {
  std::string name;
  std::uint32_t version = 1;  // raised whenever a unit's bytes, in or out, change their meaning
  std::string help;
  std::vector<Parameter> parameters;
  RunUnit run;
  MakePlan plan;  // empty for a task that is only mapped over inputs through the SDK
  CheckUnit check;  // empty where a result is not told from a wrong one cheaply
};

/// The tasks that a program knows, by name. A value: copy the built-in ones and add your own.
class TaskTable {
 public:
  /// A second task of the same name replaces the first.
  void add(Task task);
  [[nodiscard]] const Task* find(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, Task>& all() const& { return tasks_; }
  void all() const&& = delete;  // `for (... : builtin_tasks().all())` would walk through a table that is gone

 private:
  std::map<std::string, Task> tasks_;
};

/// `given` checked against the task's parameters, with fallbacks filled in; an error names the parameter, its range and what was given.
[[nodiscard]] Result<Parameters> check_parameters(const Task& task, const Parameters& given);

/// Every task that dugnad brings along (table.cpp: one line each).
[[nodiscard]] TaskTable builtin_tasks();

}  // namespace dugnad::tasks
