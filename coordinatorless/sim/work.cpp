#include "coordinatorless/sim/work.h"

#include "coordinatorless/base/hash.h"
#include "coordinatorless/sim/mix.h"

namespace dugnad::sim {

Bytes input_of(UnitIndex unit) {
  Bytes input(8);
  for (int i = 0; i < 8; ++i) input[i] = static_cast<std::uint8_t>(unit.value >> (8 * i));
  return input;
}

UnitIndex unit_of(ByteView input) {
  UnitIndex unit;
  for (std::size_t i = 0; i < input.size() && i < 8; ++i) unit.value |= std::uint64_t{input[i]} << (8 * i);
  return unit;
}

Bytes honest_output(ByteView input) {
  const Hash hash = hash_of(view_of("sim/unit"), input);
  return Bytes(hash.bytes.begin(), hash.bytes.end());
}

Duration cost_of(UnitIndex unit, Duration mean) {
  const double share = static_cast<double>(mix(0, unit.value) >> 11) * 0x1.0p-53;
  return from_seconds(seconds_of(mean) * (0.5 + share));
}

}  // namespace dugnad::sim
