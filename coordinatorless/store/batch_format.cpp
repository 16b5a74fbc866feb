#include "coordinatorless/store/batch_format.h"

#include <utility>

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
  std::vector<AcceptedUnit> units;
  return decode_batch(bytes, units) ? std::optional(std::move(units)) : std::nullopt;
}

bool decode_batch(ByteView bytes, std::vector<AcceptedUnit>& units) {
  packed::Reader in(bytes);
  const auto version = in.byte();
  if (version != version_small && version != version_large) return false;
  const auto count = in.varint();
  // Checked before anything is reserved: a damaged count must not ask for all memory.
  if (!count || *count > in.left() / unit_size_min) return false;
  units.resize(static_cast<std::size_t>(*count));
  bool any_large = false;
  for (AcceptedUnit& unit : units) {
    const auto index = in.varint();
    const auto tag = in.u64();
    const auto marked = in.byte();
    const auto length = in.varint();
    if (!index || !tag || !marked || !length) return false;
    const bool large = version == version_large && (*marked & large_mark) != 0;
    const unsigned outcome = *marked & ~(large ? large_mark : 0U);
    const auto output = in.take(*length);
    if (outcome > outcome_last || !output || (large && !blob_id_from(*output))) return false;
    any_large = any_large || large;
    unit.unit = {*index};
    unit.input_tag = *tag;
    unit.outcome = static_cast<Outcome>(outcome);
    unit.output.bytes.assign(output->begin(), output->end());
    unit.output.large = large;
  }
  return in.left() == 0 && any_large == (version == version_large);
}

}  // namespace dugnad::store
