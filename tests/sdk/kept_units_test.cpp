#include "sdk/kept_units.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

AcceptedUnit accepted(std::uint64_t unit, std::uint64_t tag, const char* output) {
  return {UnitIndex{unit}, tag, Outcome::ok, to_bytes(output)};
}

TEST_CASE("what was kept is there once, and of a unit that was accepted twice the later output") {
  KeptUnits kept;
  kept.add(accepted(7, 70, "first"));
  kept.add(accepted(3, 30, "three"));
  kept.add(accepted(7, 71, "second"));
  AcceptedUnit large = accepted(5, 50, "");
  large.output = Value(BlobId{100'000, {}});
  kept.add(large);
  kept.done();
  CHECK(kept.size() == 3);
  const auto tags = kept.tags();
  REQUIRE(tags.size() == 3);
  CHECK(tags[2].unit == UnitIndex{7});
  CHECK(tags[2].input_tag == 71);
  CHECK(kept.large_bytes(5) == 100'000);
  CHECK(kept.large_bytes(7) == 0);
  const auto seven = kept.take(7);
  REQUIRE(seven.has_value());
  CHECK(to_text(seven->output.bytes) == "second");
  CHECK_FALSE(kept.take(7).has_value());
  CHECK_FALSE(kept.take(4).has_value());
  CHECK(kept.size() == 2);
  CHECK(kept.tags().size() == 2);
  CHECK(kept.take(5)->output.large);
  CHECK(to_text(kept.take(3)->output.bytes) == "three");
  CHECK(kept.size() == 0);
  CHECK_FALSE(kept.take(3).has_value());
}

}  // namespace
