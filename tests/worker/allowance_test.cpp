#include "worker/allowance.h"

#include <doctest/doctest.h>

namespace dugnad::worker {
namespace {

TEST_CASE("without preferences every processor is lent") {
  CHECK(allowance_of({}, {1}).slots == 1);
  CHECK(allowance_of({}, {8}).slots == 8);
}

TEST_CASE("cores cap the slots, and the processors cap the cores") {
  CHECK(allowance_of({.cores = 3}, {8}).slots == 3);
  CHECK(allowance_of({.cores = 16}, {8}).slots == 8);
  CHECK(allowance_of({.cores = 4}, {0}).slots == 1);  // a host that does not know its processors has one
}

TEST_CASE("a percentage lets that share of the slots run, rounded down, and at least one") {
  CHECK(allowance_of({.cpu_percent = 50}, {8}).slots == 4);
  CHECK(allowance_of({.cpu_percent = 50}, {3}).slots == 1);
  CHECK(allowance_of({.cores = 4, .cpu_percent = 75}, {8}).slots == 3);
  CHECK(allowance_of({.cpu_percent = 1}, {8}).slots == 1);
  CHECK(allowance_of({.cpu_percent = 99}, {8}).slots == 7);
  CHECK(allowance_of({.cpu_percent = 0}, {8}).slots == 0);
}

TEST_CASE("memory is shared among the slots, and by default a half of the host's is") {
  constexpr std::uint64_t gib = 1ull << 30;
  CHECK(allowance_of({.cores = 4, .memory_bytes = 2 * gib}, {8, 64 * gib}).unit_memory_bytes == gib / 2);
  CHECK(allowance_of({.cores = 4}, {8, 64 * gib}).unit_memory_bytes == 8 * gib);
  CHECK(allowance_of({}, {64, 8 * gib}).unit_memory_bytes == gib / 4);
  CHECK(allowance_of({}, {1}).unit_memory_bytes == gib / 4);  // a host that does not know its memory
  CHECK(check_preferences(1, 100, 1 << 20).ok());
  CHECK(check_preferences(1, 100, 512).error().message == "--memory takes a size from 1M on, as in 512M or 2GiB, not 512");
}

TEST_CASE("more preference never lends less, and never more than the host has") {
  for (unsigned processors = 1; processors <= 9; ++processors) {
    for (unsigned cores = 0; cores <= 10; ++cores) {
      unsigned before = 0;
      for (unsigned percent = 0; percent <= 100; ++percent) {
        const unsigned slots = allowance_of({cores, percent}, {processors}).slots;
        CHECK(slots >= before);
        CHECK(slots <= processors);
        CHECK((percent == 0) == (slots == 0));
        before = slots;
      }
    }
  }
}

TEST_CASE("a preference out of range names the option and its range") {
  CHECK(check_preferences(0, 100).ok());
  CHECK(check_preferences(1024, 0).ok());
  CHECK(check_preferences(1, 101).error().message == "--cpu takes a percentage from 0 to 100, not 101");
  CHECK(check_preferences(1025, 100).error().message == "--cores takes 0 (all) to 1024, not 1025");
}

}  // namespace
}  // namespace dugnad::worker
