// A launcher whose cages have an attacker in them (probe_cage.cpp), and batches run in one of its slots.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "worker/cage_slot.h"
#include "worker/launcher.h"

namespace dugnad::worker {

inline std::unique_ptr<Launcher> launcher_in(const char* directory) {
  ::setenv("DUGNAD_LIBEXEC", directory, 1);
  auto launcher = Launcher::start();
  REQUIRE_MESSAGE(launcher, (launcher ? "" : launcher.error().message));
  return *std::move(launcher);
}

inline std::unique_ptr<Launcher> probe_launcher() { return launcher_in(PROBE_LIBEXEC); }

inline Guest guest_of(std::string_view module) { return guest_at_hand(to_bytes(module), 64 << 20); }

/// What each unit came to, in the order of the calls.
inline std::vector<Ran> run_all(CageSlot& slot, const Guest& guest, const std::vector<std::string>& units, const CageSlot::Done& also = {}) {
  std::vector<Bytes> inputs;
  for (const std::string& unit : units) inputs.push_back(to_bytes(unit));
  const std::vector<ByteView> views(inputs.begin(), inputs.end());
  std::vector<Ran> all;
  slot.run(guest, views, [&](std::size_t index, Ran ran) {
    REQUIRE(index == all.size());
    all.push_back(ran);
    if (also) also(index, std::move(ran));
  });
  REQUIRE(all.size() == units.size());
  return all;
}

inline std::string text(const Ran& ran) { return to_text(ran.output); }

}  // namespace dugnad::worker
