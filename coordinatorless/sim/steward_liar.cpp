#include "coordinatorless/sim/steward_liar.h"

#include <utility>
#include <variant>

#include "coordinatorless/core/codec.h"

namespace dugnad::sim {
namespace {

void swap_inputs(core::Lease& lease) {
  for (std::size_t i = 1; i < lease.units.size(); ++i) std::swap(lease.units[i - 1].input, lease.units[i].input);
}

/// Another output, under the donor's signature of the right one; or somebody else's name under both.
void forge(core::RecordEntry& entry, Generator& generator) {
  auto message = core::decode(entry.body);
  auto* results = message ? std::get_if<core::Results>(&*message) : nullptr;
  if (results == nullptr) return;
  if (generator.below(2) == 0) {
    for (core::UnitResult& result : results->results) result.output.bytes.assign(32, 0x66);
  } else {
    entry.donor = PublicKey{generator.key()};
  }
  entry.body = core::encode(core::Message(std::move(*results)));
}

void drop_strangers(core::Record& record, const Gang& gang) {
  std::erase_if(record.entries, [&](const core::RecordEntry& entry) { return entry.donor && !gang.has(peer_id_of(*entry.donor)); });
}

}  // namespace

bool twist(Bytes& frame, const PeerId& to, StewardConduct conduct, const Gang& gang, Generator& generator) {
  auto message = core::decode(frame);
  if (!message) return true;
  if (auto* lease = std::get_if<core::Lease>(&*message)) {
    if (conduct == StewardConduct::sitting) return false;
    if (conduct == StewardConduct::favouring) return gang.has(to);
    if (conduct != StewardConduct::swapping) return true;
    swap_inputs(*lease);
  } else if (auto* record = std::get_if<core::Record>(&*message)) {
    if (conduct == StewardConduct::withholding) record->entries.clear();
    if (conduct == StewardConduct::favouring) drop_strangers(*record, gang);
    if (conduct == StewardConduct::forging) {
      for (core::RecordEntry& entry : record->entries) {
        if (entry.donor) forge(entry, generator);
      }
    }
  } else {
    return true;
  }
  frame = core::encode(*message);
  return true;
}

}  // namespace dugnad::sim
