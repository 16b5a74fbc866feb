#include "coordinatorless/store/batch_format.h"

namespace dugnad::store {
namespace {

constexpr std::uint8_t version_small = 1;
constexpr std::uint8_t version_large = 2;
constexpr std::uint8_t large_mark = 0x80;
constexpr std::size_t unit_size_min = 1 + 8 + 1 + 1;

void put_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put_u64(Bytes& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// Reads on until something is wrong; from then on every read is nullopt.
class Reader {
 public:
  explicit Reader(ByteView rest) : rest_(rest) {}

  std::optional<std::uint8_t> byte() {
    const auto one = take(1);
    return one ? std::optional((*one)[0]) : std::nullopt;
  }
  std::optional<std::uint64_t> u64() {
    const auto eight = take(8);
    if (!eight) return std::nullopt;
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | (*eight)[static_cast<std::size_t>(i)];
    return value;
  }
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      const std::uint64_t bits = *next & 0x7f;
      if (shift == 63 && bits > 1) return std::nullopt;      // more than 64 bits
      if (shift > 0 && *next == 0) return std::nullopt;      // not the shortest form
      value |= bits << shift;
      if (*next < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<ByteView> take(std::uint64_t count) {
    if (count > rest_.size()) {
      rest_ = {};
      return std::nullopt;
    }
    const ByteView taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
};

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
  Reader in(bytes);
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
