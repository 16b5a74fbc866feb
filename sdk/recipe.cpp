#include "sdk/recipe.h"

#include <algorithm>
#include <utility>

#include "tasks/wire.h"

namespace dugnad::sdk {
namespace {

constexpr std::uint8_t version = 4;
constexpr std::uint8_t version_without_modules = 1;
constexpr std::uint8_t version_without_confidence = 2;
constexpr std::uint8_t version_without_stewards = 3;
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

void put_bytes(tasks::Writer& out, ByteView bytes) {
  for (const std::uint8_t byte : bytes) out.u8(byte);
}

void put_module(tasks::Writer& out, const Recipe& recipe) {
  out.u8(recipe.module ? 1 : 0);
  if (recipe.module) put_bytes(out, to_bytes(*recipe.module));
  out.u64(recipe.memory_bytes).u64(recipe.fuel).u32(static_cast<std::uint32_t>(recipe.source.size()));
  put_bytes(out, to_bytes(recipe.source));
}

/// False where it is nothing that put_module() writes.
bool read_module(tasks::Reader& in, Recipe& recipe) {
  if (in.u8() == 1) {
    Bytes id(blob_id_bytes);
    for (std::uint8_t& byte : id) byte = in.u8();
    recipe.module = blob_id_from(id);
    if (!recipe.module) return false;
  }
  recipe.memory_bytes = in.u64();
  recipe.fuel = in.u64();
  const std::uint32_t size = in.u32();
  if (size > source_max) return false;
  recipe.source.resize(size);
  for (char& c : recipe.source) c = static_cast<char>(in.u8());
  return true;
}

void put_confidence(tasks::Writer& out, const Recipe& recipe) {
  out.u8(recipe.confidence ? 1 : 0);
  if (!recipe.confidence) return;
  const auto flag = [](bool set) { return static_cast<std::uint8_t>(set ? 1 : 0); };
  out.u32(recipe.confidence->error_ppb).u8(flag(recipe.confidence->combined));
  out.u32(recipe.confidence->assumed_ppm).u8(flag(recipe.confidence->stream));
}

void read_confidence(tasks::Reader& in, Recipe& recipe) {
  if (in.u8() != 1) return;
  core::WantedConfidence wanted;
  wanted.error_ppb = in.u32();
  wanted.combined = in.u8() == 1;
  wanted.assumed_ppm = in.u32();
  wanted.stream = in.u8() == 1;
  recipe.confidence = wanted;
}

Bytes encode_as(const Recipe& recipe, std::uint8_t as) {
  tasks::Writer out;
  out.u8(as).u8(static_cast<std::uint8_t>(recipe.kind));
  put_text(out, recipe.task);
  out.u32(recipe.task_version).u32(recipe.copies).u64(static_cast<std::uint64_t>(recipe.unit_timeout.count()));
  out.u32(static_cast<std::uint32_t>(recipe.parameters.size()));
  for (const auto& [name, value] : recipe.parameters) {
    put_text(out, name);
    out.u64(value);
  }
  put_bytes(out, recipe.inputs.bytes);
  if (as != version_without_modules) put_module(out, recipe);
  if (as > version_without_confidence) put_confidence(out, recipe);
  if (as > version_without_stewards) out.u8(static_cast<std::uint8_t>(recipe.stewards));
  return out.take();
}

}  // namespace

std::optional<Confidence> confidence_of(const Recipe& recipe) {
  if (!recipe.confidence) return std::nullopt;
  const core::WantedConfidence& wanted = *recipe.confidence;
  const bool per_unit = recipe.kind == Recipe::Kind::run && !wanted.combined;
  return Confidence{1 - wanted.error_ppb / 1e9, per_unit, wanted.assumed_ppm / 1e6, wanted.stream};
}

Bytes encode(const Recipe& recipe) { return encode_as(recipe, version); }

std::optional<Recipe> decode_recipe(ByteView bytes) {
  tasks::Reader in(bytes);
  Recipe recipe;
  const std::uint8_t written = in.u8();
  if (written < version_without_modules || written > version) return std::nullopt;
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
  if (written != version_without_modules && !read_module(in, recipe)) return std::nullopt;
  if (written > version_without_confidence) read_confidence(in, recipe);
  if (written > version_without_stewards) recipe.stewards = in.u8();
  // A name twice, or out of order, is nothing that we wrote.
  const Bytes again = encode_as(recipe, written);
  if (!in.complete() || !std::equal(bytes.begin(), bytes.end(), again.begin(), again.end())) return std::nullopt;
  return recipe;
}

}  // namespace dugnad::sdk
