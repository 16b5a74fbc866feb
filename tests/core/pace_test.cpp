#include "coordinatorless/core/pace.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A donor that keeps its window full and returns `batch` units at a time.
struct SteadyDonor {
  Pace pace;
  BootTime now{};

  SteadyDonor(unsigned slots, Duration unit, Duration trip) {
    pace.slots(slots);
    pace.became_busy(now);
    for (int i = 0; i < 200; ++i) {
      const std::size_t batch = std::max<std::size_t>(pace.window() / 2, 1);
      const Duration busy = unit * static_cast<long>(batch) / slots;
      now += busy;
      pace.returned(batch, busy + trip, busy, now);
    }
  }
};

}  // namespace

TEST_CASE("a newcomer gets one unit a slot") {
  Pace pace;
  pace.slots(4);
  CHECK(pace.window() == 4);
  pace.slots(0);
  CHECK(pace.window() == 0);
}

TEST_CASE("the window settles at the horizon's worth of work, whatever a unit costs") {
  for (const Duration unit : {Duration(microseconds(5)), Duration(microseconds(100)), Duration(milliseconds(1)), Duration(milliseconds(5))}) {
    const SteadyDonor donor(2, unit, microseconds(300));
    const double held = seconds_of(unit) * static_cast<double>(donor.pace.window()) / 2;
    CHECK(held == doctest::Approx(seconds_of(limits::horizon)).epsilon(0.1));
  }
}

TEST_CASE("a long round trip widens the window, so that work never runs out on the way") {
  const SteadyDonor donor(1, milliseconds(1), milliseconds(200));
  CHECK(seconds_of(milliseconds(1)) * static_cast<double>(donor.pace.window()) >= 0.4);
}

TEST_CASE("long units are not hoarded: one a slot, and one to go on with while they are short against the round trip") {
  CHECK(SteadyDonor(3, milliseconds(100), milliseconds(1)).pace.window() == 6);
  CHECK(SteadyDonor(3, seconds(100), milliseconds(1)).pace.window() == 3);
}

TEST_CASE("a lapsed lease sends a donor back to small windows") {
  SteadyDonor donor(2, microseconds(100), microseconds(300));
  const std::size_t before = donor.pace.window();
  donor.pace.lapsed();
  CHECK(donor.pace.window() < before / 8);
}

TEST_CASE("a donor gets no more than it wants") {
  SteadyDonor donor(1, milliseconds(1), milliseconds(500));
  donor.pace.wanted(milliseconds(50));
  CHECK(donor.pace.window() <= 51);
}

TEST_CASE("results that a link held up and delivers all at once are not taken for speed") {
  SteadyDonor donor(1, milliseconds(10), milliseconds(40));
  const std::size_t before = donor.pace.window();
  donor.now += milliseconds(200);
  for (int i = 0; i < 5; ++i) donor.pace.returned(4, milliseconds(240), milliseconds(40), donor.now);
  CHECK(donor.pace.window() < 2 * before);
  CHECK(donor.pace.unit_seconds() > 0.005);
}
