// The example guests, each as a user's units would have it.
#include "tests/guests/module.h"

using namespace dugnad;
using namespace dugnad::tests;

TEST_CASE("the reactor in C++ factors numbers, and fails a unit that is none") {
  worker::cage::Engine& engine = engine_with("factors");
  CHECK(text_of(engine.run(view_of("1"), 0)) == "1:\n");
  CHECK(text_of(engine.run(view_of("360"), 0)) == "360: 2 2 2 3 3 5\n");
  CHECK(text_of(engine.run(view_of("18446744073709551557"), 0)) == "18446744073709551557: 18446744073709551557\n");
  CHECK(engine.run(view_of("0"), 0).outcome == Outcome::failed);
  CHECK(engine.run(view_of("twelve"), 0).outcome == Outcome::failed);
  CHECK(text_of(engine.run(view_of("12"), 0)) == "12: 2 2 3\n");
}

TEST_CASE("the reactor's check knows its own lines from all others") {
  worker::cage::Engine& engine = engine_with("factors");
  const auto says = [&](const char* unit, const char* claimed) {
    const auto outcome = engine.check(view_of(unit), view_of(claimed), 0);
    REQUIRE(outcome.outcome == Outcome::ok);
    return outcome.output == dugnad::Bytes{1};
  };
  CHECK(says("1", "1:\n"));
  CHECK(says("360", "360: 2 2 2 3 3 5\n"));
  CHECK(says("18446744073709551557", "18446744073709551557: 18446744073709551557\n"));
  CHECK(says("18446744065119617025", "18446744065119617025: 3 3 5 5 17 17 257 257 65537 65537\n"));
  for (const char* wrong : {"360: 2 2 2 3 3 5", "360: 2 2 2 9 5\n", "360: 2 2 3 2 3 5\n", "360: 360\n", "360: 1 2 2 2 3 3 5\n", "",
                            "360: 2 2 2 3 3  5\n", "361: 2 2 2 3 3 5\n", "360: 2 2 2 3 3 5 \n", "360: 02 2 2 3 3 5\n", "360:"}) {
    CAPTURE(wrong);
    CHECK_FALSE(says("360", wrong));
  }
  CHECK(engine.check(view_of("twelve"), view_of("12: 2 2 3\n"), 0).outcome == Outcome::failed);  // a trap says nothing
}

TEST_CASE("the command in C measures the distance of words") {
  worker::cage::Engine& engine = engine_with("distance");
  CHECK(text_of(run_command(engine, {}, "kitten sitting\n")) == "kitten sitting 3\n");
  CHECK(text_of(run_command(engine, {}, "a a\nflaw lawn\n")) == "a a 0\nflaw lawn 2\n");
  CHECK(text_of(run_command(engine, {}, "")).empty());
  const auto alone = run_command(engine, {}, "alone\n");
  CHECK(alone.outcome == Outcome::failed);
  CHECK(text_of(alone).find("not two words: alone") != std::string::npos);
}

TEST_CASE("the command in Rust finds the most frequent word" * doctest::skip(!std::filesystem::exists(module_path("frequent")))) {
  worker::cage::Engine& engine = engine_with("frequent");
  CHECK(text_of(run_command(engine, {}, "The one who knows the one who knows The way\n")) == "the 3\n");
  CHECK(text_of(run_command(engine, {}, "")).empty());
}
