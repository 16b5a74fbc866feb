#include "coordinatorless/core/stated_confidence.h"

#include <bit>
#include <cmath>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t combined_bit = 1;
constexpr std::uint8_t checked_bit = 2;
constexpr std::size_t block_size_min = 1 + 8 + 1 + 1;

void put(Bytes& out, double number) { packed::put_u64(out, std::bit_cast<std::uint64_t>(number)); }

/// nullopt too for what lies outside [0, most], for no number, and for -0.
std::optional<double> number_up_to(packed::Reader& in, double most) {
  const auto bits = in.u64();
  if (!bits) return std::nullopt;
  const auto number = std::bit_cast<double>(*bits);
  if (!std::isfinite(number) || std::signbit(number) || number > most) return std::nullopt;
  return number;
}

}  // namespace

Bytes encode(const StatedConfidence& stated) {
  DUGNAD_ASSERT(stated.blocks.size() <= limits::stated_blocks_max, "more blocks than anybody reads");
  Bytes out{version, static_cast<std::uint8_t>((stated.combined ? combined_bit : 0) | (stated.checked ? checked_bit : 0))};
  put(out, stated.goal);
  put(out, stated.assumed);
  put(out, stated.reached);
  packed::put_varint(out, stated.blocks.size());
  for (const StatedBlock& block : stated.blocks) {
    packed::put_varint(out, block.units);
    put(out, block.level);
    packed::put_varint(out, block.audits);
    packed::put_varint(out, block.catches);
  }
  return out;
}

std::optional<StatedConfidence> decode_stated_confidence(ByteView bytes) {
  packed::Reader in(bytes);
  if (in.byte() != version) return std::nullopt;
  const auto flags = in.byte();
  const auto goal = number_up_to(in, 1);
  const auto assumed = number_up_to(in, 1);
  const auto reached = number_up_to(in, 1);
  const auto count = in.varint();
  if (!flags || *flags > (combined_bit | checked_bit) || !goal || !assumed || !reached || !count) return std::nullopt;
  if (*count > limits::stated_blocks_max || *count > in.left() / block_size_min) return std::nullopt;
  StatedConfidence stated{*goal, (*flags & combined_bit) != 0, *assumed, *reached, {}, (*flags & checked_bit) != 0};
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto units = in.varint();
    const auto level = number_up_to(in, 1e9);
    const auto audits = in.varint();
    const auto catches = in.varint();
    if (!units || !level || !audits || !catches) return std::nullopt;
    stated.blocks.push_back({*units, *level, *audits, *catches});
  }
  if (in.left() != 0) return std::nullopt;
  return stated;
}

}  // namespace dugnad::core
