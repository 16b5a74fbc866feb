#include "coordinatorless/sim/work.h"

#include "coordinatorless/base/hash.h"
#include "coordinatorless/sim/mix.h"

namespace dugnad::sim {

Value input_of(UnitIndex unit, std::uint64_t bytes) {
  Hash name;  // no hash, since the unit must be read off it
  for (int i = 0; i < 8; ++i) name.bytes[i] = static_cast<std::uint8_t>(unit.value >> (8 * i));
  if (bytes > small_bytes_max) return Value(BlobId{bytes, name});
  return Bytes(name.bytes.begin(), name.bytes.begin() + 8);
}

UnitIndex unit_of(const Value& input) {
  const BlobId blob = input.large ? input.blob() : BlobId{};
  const ByteView bytes = input.large ? blob.root.view() : ByteView(input.bytes);
  UnitIndex unit;
  for (std::size_t i = 0; i < bytes.size() && i < 8; ++i) unit.value |= std::uint64_t{bytes[i]} << (8 * i);
  return unit;
}

Value output_of(const Hash& content, std::uint64_t bytes) {
  if (bytes > small_bytes_max) return Value(BlobId{bytes, content});
  return Bytes(content.bytes.begin(), content.bytes.end());
}

Value honest_output(const Value& input, std::uint64_t bytes) { return output_of(hash_of(view_of("sim/unit"), input.bytes), bytes); }

Duration cost_of(UnitIndex unit, Duration mean) {
  const double share = static_cast<double>(mix(0, unit.value) >> 11) * 0x1.0p-53;
  return from_seconds(seconds_of(mean) * (0.5 + share));
}

}  // namespace dugnad::sim
