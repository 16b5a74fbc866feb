#include "worker/cage/engine_reasons.h"

#include <algorithm>
#include <array>

#include "worker/cage/limits.h"
#include "worker/run_attempt.h"

namespace dugnad::worker::cage {
namespace {

struct Trap {
  std::string_view v8_says;  // contained in its message
  std::string_view reason;
};

// The specification's own words where it has some (WebAssembly core 2.0, section 4.4 and its test suite).
constexpr std::array traps{
    Trap{"memory access out of bounds", "out of bounds memory access"},
    Trap{"divide by zero", "integer divide by zero"},
    Trap{"remainder by zero", "integer divide by zero"},
    Trap{"divide result unrepresentable", "integer overflow"},
    Trap{"float unrepresentable in integer range", "invalid conversion to integer"},
    Trap{"null function or function signature mismatch", "indirect call to a function that is not there or of another type"},
    // V8 does not tell an indirect call outside its table from any other access outside a table.
    Trap{"table index is out of bounds", "out of bounds table access"},
    Trap{"table access out of bounds", "out of bounds table access"},
    Trap{"element segment has been dropped", "out of bounds table access"},
    Trap{"data segment out of bounds", "out of bounds memory access"},
    Trap{"unreachable", "unreachable executed"},
};

}  // namespace

UnitOutcome failed(std::string_view reason) { return {Outcome::failed, to_bytes(reason)}; }
UnitOutcome donor_fault(std::string_view reason) { return {Outcome::donor_fault, to_bytes(reason)}; }

UnitOutcome outcome_of_trap(std::string_view v8_says) {
  for (const Trap& trap : traps) {
    if (v8_says.find(trap.v8_says) != v8_says.npos) return failed(trap.reason);
  }
  // The guest pass counts depth so that a guest's own recursion ends long before this.
  if (v8_says.find("Maximum call stack size exceeded") != v8_says.npos) return donor_fault("the engine's own stack ran out");
  return donor_fault("the engine gave up: " + std::string(v8_says));
}

UnitOutcome outcome_of_instantiation(std::string_view v8_says) {
  if (v8_says.find("Out of memory") != v8_says.npos) return donor_fault("this donor cannot give the memory that the module starts with");
  if (v8_says.find("data segment") != v8_says.npos) return failed("out of bounds memory access");
  if (v8_says.find("table initializer") != v8_says.npos) return failed("out of bounds table access");
  return outcome_of_trap(v8_says);
}

UnitOutcome with_tail(UnitOutcome outcome, std::string_view tail) {
  std::string text(tail.substr(tail.size() - std::min(tail.size(), error_tail_max)));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  while (text.ends_with(' ')) text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  std::string reason = to_text(outcome.output);
  if (!text.empty()) reason += ": " + text;
  reason.resize(std::min(reason.size(), reason_max));
  outcome.output = to_bytes(reason);
  return outcome;
}

}  // namespace dugnad::worker::cage
