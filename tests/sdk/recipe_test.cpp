// Recipes as bytes: what is written is read, and nothing else is.
#include <doctest/doctest.h>

#include "sdk/recipe.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

Recipe sample() {
  Recipe recipe{.kind = Recipe::Kind::run,
                .task = "golomb",
                .task_version = 3,
                .copies = 2,
                .unit_timeout = std::chrono::milliseconds(90'000),
                .parameters = {{"n", 11}, {"width", 1ull << 40}},
                .inputs = {}};
  recipe.inputs.bytes.fill(7);
  return recipe;
}

}  // namespace

TEST_CASE("a recipe is read as it was written") {
  CHECK(decode_recipe(encode(sample())) == sample());
  Recipe other = sample();
  other.kind = Recipe::Kind::open;
  other.parameters.clear();
  CHECK(decode_recipe(encode(other)) == other);
  other.module = blob_id_of(to_bytes(std::string("a program")));
  other.memory_bytes = 1 << 20;
  other.fuel = 77;
  other.source = "/home/ada/prog.wasm --lines /home/ada/units.txt";
  CHECK(decode_recipe(encode(other)) == other);
  other.source.assign(source_max + 1, 'x');
  CHECK_FALSE(decode_recipe(encode(other)).has_value());
}

TEST_CASE("a recipe of the version before modules is still read") {
  Bytes old = encode(sample());
  old[0] = 1;
  old.resize(old.size() - 1 - 8 - 8 - 4 - 1 - 1);  // no module, no memory, no fuel, no source, no confidence, no stewards
  CHECK(decode_recipe(old) == sample());
}

TEST_CASE("a recipe of the version before confidences is still read, and one with a confidence is itself") {
  Bytes old = encode(sample());
  old[0] = 2;
  old.resize(old.size() - 2);  // nor stewards
  CHECK(decode_recipe(old) == sample());
  Recipe sure = sample();
  sure.confidence = core::WantedConfidence{1000, true, 200000, false};
  CHECK(decode_recipe(encode(sure)) == sure);
  CHECK(encode(sure) != encode(sample()));
}

TEST_CASE("a recipe of the version before stewards is still read") {
  Recipe sure = sample();
  sure.confidence = core::WantedConfidence{1000, true, 200000, false};
  Bytes old = encode(sure);
  old[0] = 3;
  old.pop_back();
  CHECK(decode_recipe(old) == sure);
}

TEST_CASE("recipes differ wherever their jobs do") {
  const Bytes bytes = encode(sample());
  for (const auto& change : std::vector<void (*)(Recipe&)>{
           [](Recipe& r) { r.kind = Recipe::Kind::map; }, [](Recipe& r) { r.task = "golomb2"; }, [](Recipe& r) { r.task_version = 4; },
           [](Recipe& r) { r.copies = 3; }, [](Recipe& r) { r.unit_timeout += std::chrono::milliseconds(1); },
           [](Recipe& r) { r.parameters["n"] = 12; }, [](Recipe& r) { r.inputs.bytes[31] = 8; }, [](Recipe& r) { r.module = BlobId{}; },
           [](Recipe& r) { r.memory_bytes = 1; }, [](Recipe& r) { r.fuel = 1; }, [](Recipe& r) { r.source = "x"; },
           [](Recipe& r) { r.stewards = 3; }}) {
    Recipe changed = sample();
    change(changed);
    CHECK(encode(changed) != bytes);
  }
}

TEST_CASE("bytes that no recipe is written as are refused") {
  const Bytes bytes = encode(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(decode_recipe(ByteView(bytes).first(length)).has_value());
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_recipe(longer).has_value());
  Bytes newer = bytes;
  newer[0] = 5;
  CHECK_FALSE(decode_recipe(newer).has_value());
  Bytes unknown_kind = bytes;
  unknown_kind[1] = 4;
  CHECK_FALSE(decode_recipe(unknown_kind).has_value());
  // Every other byte flipped is another recipe or none; it is never a crash.
  for (std::size_t at = 2; at < bytes.size(); ++at) {
    Bytes flipped = bytes;
    flipped[at] ^= 0xff;
    const auto read = decode_recipe(flipped);
    if (read) CHECK(encode(*read) == flipped);
  }
}
