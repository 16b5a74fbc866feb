// The bytes of a command's unit.
#include <doctest/doctest.h>

#include "tasks/wasm/command_unit.h"

namespace dugnad::tests {
namespace {

using namespace tasks::wasm;

TEST_CASE("a command's unit comes back as it was, empty arguments and empty input too") {
  const CommandUnit unit{{"a", "", "three words here"}, to_bytes("input\n")};
  const auto back = decode_command_unit(encode(unit));
  REQUIRE(back);
  CHECK(back->arguments == unit.arguments);
  CHECK(back->standard_input == unit.standard_input);
  CHECK(encode({}) == Bytes{0, 0, 0, 0});
  CHECK(decode_command_unit(encode({})));
}

TEST_CASE("a command's unit that claims more than is there is none") {
  CHECK_FALSE(decode_command_unit({}));
  CHECK_FALSE(decode_command_unit(Bytes{1, 0, 0}));
  CHECK_FALSE(decode_command_unit(Bytes{255, 255, 255, 255}));
  CHECK_FALSE(decode_command_unit(Bytes{1, 0, 0, 0, 5, 0, 0, 0, 'a'}));
  CHECK_FALSE(decode_command_unit(Bytes{1, 0, 0, 0, 255, 255, 255, 255, 'a'}));
  CHECK_FALSE(decode_command_unit(Bytes{1, 0, 0, 0, 2, 0, 0, 0, 'a', 0}));
}

}  // namespace
}  // namespace dugnad::tests
