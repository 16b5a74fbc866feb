// What sdk/guest promises to those who include it.
#include "tests/guests/module.h"

using namespace dugnad;
using namespace dugnad::tests;

namespace {

Outcome mood(std::string_view word) { return engine_with("moody").run(view_of(word), 0).outcome; }

}  // namespace

TEST_CASE("a guest in C++ and one in C are functions from bytes to bytes, empty ones too") {
  CHECK(text_of(engine_with("reversed").run(view_of("dugnad"), 0)) == "dangud");
  CHECK(text_of(engine_with("reversed").run({}, 0)).empty());
  CHECK(text_of(engine_with("shout").run(view_of("neighbours!"), 0)) == "NEIGHBOURS!");
  CHECK(engine_with("shout").run({}, 0).outcome == Outcome::ok);
}

TEST_CASE("a guest's check tells a right output from a wrong one") {
  worker::cage::Engine& engine = engine_with("reversed");
  CHECK(engine.check(view_of("ab"), view_of("ba"), 0).output == Bytes{1});
  CHECK(engine.check(view_of("ab"), view_of("ab"), 0).output == Bytes{0});
}

TEST_CASE("global objects are made once in each instance") {
  CHECK(text_of(engine_with("moody").run(view_of("well"), 0)) == "made 1");
  CHECK(text_of(engine_with("moody").run(view_of("well"), 0)) == "made 1");
}

TEST_CASE("a guest that fails, aborts, exits, throws or recurses without end fails its unit") {
  CHECK(mood("fails") == Outcome::failed);
  CHECK(mood("aborts") == Outcome::failed);
  CHECK(mood("exits") == Outcome::failed);
  CHECK(mood("misses") == Outcome::failed);
  CHECK(mood("recurses") == Outcome::failed);
}

TEST_CASE("what a reactor prints is no failure, and no output either") {
  CHECK(text_of(engine_with("moody").run(view_of("prints"), 0)) == "made 1");
}
