#include "sdk/recipe.h"

#include <algorithm>
#include <utility>

#include "tasks/wire.h"

namespace dugnad::sdk {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t kind_last = 3;

void put_text(tasks::Writer& out, const std::string& text) {
  out.u8(static_cast<std::uint8_t>(text.size()));
  for (const char c : text) out.u8(static_cast<std::uint8_t>(c));
}

std::string read_text(tasks::Reader& in) {
  std::string text(in.u8(), '\0');
  for (char& c : text) c = static_cast<char>(in.u8());
  return text;
}

}  // namespace

Bytes encode(const Recipe& recipe) {
  tasks::Writer out;
  out.u8(version).u8(static_cast<std::uint8_t>(recipe.kind));
  put_text(out, recipe.task);
  out.u32(recipe.task_version).u32(recipe.copies).u64(static_cast<std::uint64_t>(recipe.unit_timeout.count()));
  out.u32(static_cast<std::uint32_t>(recipe.parameters.size()));
  for (const auto& [name, value] : recipe.parameters) {
    put_text(out, name);
    out.u64(value);
  }
  for (const std::uint8_t byte : recipe.inputs.bytes) out.u8(byte);
  return out.take();
}

std::optional<Recipe> decode_recipe(ByteView bytes) {
  tasks::Reader in(bytes);
  Recipe recipe;
  if (in.u8() != version) return std::nullopt;
  const std::uint8_t kind = in.u8();
  if (kind > kind_last) return std::nullopt;
  recipe.kind = static_cast<Recipe::Kind>(kind);
  recipe.task = read_text(in);
  recipe.task_version = in.u32();
  recipe.copies = in.u32();
  recipe.unit_timeout = std::chrono::milliseconds(in.u64());
  const std::uint32_t parameters = in.u32();
  if (parameters > bytes.size()) return std::nullopt;  // each is longer than a byte
  for (std::uint32_t i = 0; i < parameters; ++i) {
    std::string name = read_text(in);
    recipe.parameters[std::move(name)] = in.u64();
  }
  for (std::uint8_t& byte : recipe.inputs.bytes) byte = in.u8();
  // A name twice, or out of order, is nothing that we wrote.
  const Bytes again = encode(recipe);
  if (!in.complete() || !std::equal(bytes.begin(), bytes.end(), again.begin(), again.end())) return std::nullopt;
  return recipe;
}

}  // namespace dugnad::sdk
