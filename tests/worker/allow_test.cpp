#include "worker/allow.h"

#include <doctest/doctest.h>

namespace dugnad::worker {

TEST_CASE("without --allow nothing is said, and the cage decides") {
  const auto allow = parse_allow({});
  REQUIRE(allow);
  CHECK_FALSE(allow->given);
  CHECK_FALSE(allow->modules());
}

TEST_CASE("--allow builtin runs nobody's modules, any runs everybody's, and keys add up") {
  const std::string first(64, 'a'), second(64, '0');
  const auto builtin = parse_allow({"builtin"});
  REQUIRE(builtin);
  CHECK(builtin->given);
  CHECK_FALSE(builtin->modules());

  const auto any = parse_allow({"any"});
  REQUIRE(any);
  CHECK(any->any);

  const auto keys = parse_allow({first, second});
  REQUIRE(keys);
  CHECK_FALSE(keys->any);
  CHECK(keys->modules());
  REQUIRE(keys->owners.size() == 2);
  CHECK(keys->owners[0].hex() == first);
  CHECK(keys->owners[1].hex() == second);
}

TEST_CASE("what is neither a word nor a key is named, and so is a contradiction") {
  for (const std::string& word : {std::string("all"), std::string(63, 'a'), std::string(64, 'A'), std::string()}) {
    const auto allow = parse_allow({word});
    REQUIRE_FALSE(allow);
    CHECK(allow.error().message.find("'" + word + "'") != std::string::npos);
  }
  CHECK_FALSE(parse_allow({"builtin", "any"}));
}

}  // namespace dugnad::worker
