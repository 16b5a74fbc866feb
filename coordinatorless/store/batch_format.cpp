#include "coordinatorless/store/batch_format.h"

namespace dugnad::store {
namespace {

constexpr std::uint8_t version = 1;
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
  for (const AcceptedUnit& unit : units) size += unit.output.size() + unit_size_min + 8;
  Bytes out;
  out.reserve(size);
  out.push_back(version);
  put_varint(out, units.size());
  for (const AcceptedUnit& unit : units) {
    put_varint(out, unit.unit.value);
    put_u64(out, unit.input_tag);
    out.push_back(static_cast<std::uint8_t>(unit.outcome));
    put_varint(out, unit.output.size());
    out.insert(out.end(), unit.output.begin(), unit.output.end());
  }
  return out;
}

std::optional<std::vector<AcceptedUnit>> decode_batch(ByteView bytes) {
  Reader in(bytes);
  if (in.byte() != version) return std::nullopt;
  const auto count = in.varint();
  // Checked before anything is reserved: a damaged count must not ask for all memory.
  if (!count || *count > in.left() / unit_size_min) return std::nullopt;
  std::vector<AcceptedUnit> units;
  units.reserve(static_cast<std::size_t>(*count));
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto index = in.varint();
    const auto tag = in.u64();
    const auto outcome = in.byte();
    const auto length = in.varint();
    if (!index || !tag || !outcome || *outcome > outcome_last || !length) return std::nullopt;
    const auto output = in.take(*length);
    if (!output) return std::nullopt;
    units.push_back({{*index}, *tag, static_cast<Outcome>(*outcome), Bytes(output->begin(), output->end())});
  }
  if (in.left() != 0) return std::nullopt;
  return units;
}

}  // namespace dugnad::store
