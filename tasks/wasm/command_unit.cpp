#include "tasks/wasm/command_unit.h"

#include <algorithm>

namespace dugnad::tasks::wasm {
namespace {

void append(Bytes& bytes, std::size_t number) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(number >> shift));
}

/// Takes a number off the front; nullopt where fewer than 4 bytes are left.
std::optional<std::uint32_t> take_number(ByteView& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8 | rest[static_cast<std::size_t>(i)];
  rest = rest.subspan(4);
  return number;
}

}  // namespace

Bytes encode(const CommandUnit& unit) {
  Bytes bytes;
  append(bytes, unit.arguments.size());
  for (const std::string& argument : unit.arguments) {
    append(bytes, argument.size());
    bytes.insert(bytes.end(), argument.begin(), argument.end());
  }
  bytes.insert(bytes.end(), unit.standard_input.begin(), unit.standard_input.end());
  return bytes;
}

std::optional<CommandUnit> decode_command_unit(ByteView bytes) {
  const auto count = take_number(bytes);
  // Each argument takes 4 bytes at least, so that a count cannot make us reserve more than was sent.
  if (!count || *count > bytes.size() / 4) return std::nullopt;
  CommandUnit unit;
  unit.arguments.reserve(*count);
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto length = take_number(bytes);
    if (!length || *length > bytes.size()) return std::nullopt;
    const ByteView argument = bytes.first(*length);
    if (std::find(argument.begin(), argument.end(), 0) != argument.end()) return std::nullopt;
    unit.arguments.push_back(to_text(argument));
    bytes = bytes.subspan(*length);
  }
  unit.standard_input.assign(bytes.begin(), bytes.end());
  return unit;
}

}  // namespace dugnad::tasks::wasm
