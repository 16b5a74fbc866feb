// The same with data: inputs and outputs that are blobs, of which each process that dies has some in its hands.
#include <fstream>

#include "tests/e2e/reaper.h"

namespace dugnad::e2e {
namespace {

constexpr std::size_t file_bytes = 600'000, files = 300;

std::string name_of(std::size_t unit) {
  const std::string digits = std::to_string(unit);
  return std::string(6 - digits.size(), '0') + digits;
}

/// Lower-case text that differs from file to file, and from chunk to chunk.
std::string text_of(std::size_t unit) {
  std::string text(file_bytes, 'a');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + (i / 7 + i / 1000 * unit) % 26);
  return text;
}

}  // namespace

TEST_CASE("submitter and workers are killed while large inputs and outputs travel: every output is right, and each unit accepted once") {
  Reaper reaper(1, 3, {"--allow", "any"});
  const Place& place = reaper.place();
  std::filesystem::create_directory(place / "in");
  for (std::size_t unit = 0; unit < files; ++unit) std::ofstream(place / ("in/" + name_of(unit))) << text_of(unit);
  const std::string guest = std::string(DUGNAD_GUEST_DIR) + "/shout.wasm";
  reaper.run({guest + " --copies 2 --files " + place / "in/*" + " --out " + place / "out", {"--out", place / "out"}, std::nullopt}, 12);
  for (std::size_t unit = 0; unit < files; ++unit) {
    std::ifstream file(place / ("out/" + name_of(unit) + ".out"), std::ios::binary);
    const std::string output(std::istreambuf_iterator<char>(file), {});
    std::string expected = text_of(unit);
    for (char& letter : expected) letter = static_cast<char>(letter - 'a' + 'A');
    CHECK_MESSAGE(output == expected, "unit " << unit);
  }
}

}  // namespace dugnad::e2e
