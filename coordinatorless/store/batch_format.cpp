#include "coordinatorless/store/batch_format.h"

#include "coordinatorless/base/packed.h"

namespace dugnad::store {

using packed::put_u64;
using packed::put_varint;

namespace {

constexpr std::uint8_t version_small = 1;
constexpr std::uint8_t version_large = 2;
constexpr std::uint8_t large_mark = 0x80;
constexpr std::size_t unit_size_min = 1 + 8 + 1 + 1;

}  // namespace

Bytes encode_batch(std::span<const AcceptedUnit> units) {
  std::size_t size = 16;
  bool any_large = false;
  for (const AcceptedUnit& unit : units) {
    size += unit.output.bytes.size() + unit_size_min + 8;
    any_large = any_large || unit.output.large;
  }
  Bytes out;
  out.reserve(size);
  out.push_back(any_large ? version_large : version_small);
  put_varint(out, units.size());
  for (const AcceptedUnit& unit : units) {
    put_varint(out, unit.unit.value);
    put_u64(out, unit.input_tag);
    const Bytes& output = unit.output.bytes;
    out.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(unit.outcome) | (unit.output.large ? large_mark : 0U)));
    put_varint(out, output.size());
    out.insert(out.end(), output.begin(), output.end());
  }
  return out;
}

std::optional<std::vector<AcceptedUnit>> decode_batch(ByteView bytes) {
  packed::Reader in(bytes);
  const auto version = in.byte();
  if (version != version_small && version != version_large) return std::nullopt;
  const auto count = in.varint();
  // Checked before anything is reserved: a damaged count must not ask for all memory.
  if (!count || *count > in.left() / unit_size_min) return std::nullopt;
  std::vector<AcceptedUnit> units;
  units.reserve(static_cast<std::size_t>(*count));
  bool any_large = false;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto index = in.varint();
    const auto tag = in.u64();
    const auto marked = in.byte();
    const auto length = in.varint();
    if (!index || !tag || !marked || !length) return std::nullopt;
    const bool large = version == version_large && (*marked & large_mark) != 0;
    const unsigned outcome = *marked & ~(large ? large_mark : 0U);
    const auto output = in.take(*length);
    if (outcome > outcome_last || !output || (large && !blob_id_from(*output))) return std::nullopt;
    any_large = any_large || large;
    units.push_back({{*index}, *tag, static_cast<Outcome>(outcome), Bytes(output->begin(), output->end())});
    units.back().output.large = large;
  }
  if (in.left() != 0 || any_large != (version == version_large)) return std::nullopt;
  return units;
}

}  // namespace dugnad::store
