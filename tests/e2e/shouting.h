// A job whose inputs and outputs are blobs: files of lower-case text, and the same in capitals, as the guest `shout` makes it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/e2e/swarm.h"

namespace dugnad::e2e {

class Shouting {
 public:
  /// So many files of so many bytes in `place`/in.
  Shouting(const Place& place, std::size_t files, std::size_t file_bytes) : place_(place), files_(files), file_bytes_(file_bytes) {
    std::filesystem::create_directory(place / "in");
    for (std::size_t unit = 0; unit < files_; ++unit) std::ofstream(place / ("in/" + name_of(unit))) << text_of(unit);
  }

  [[nodiscard]] std::string guest() const { return std::string(DUGNAD_GUEST_DIR) + "/shout.wasm"; }
  [[nodiscard]] Words source() const { return {"--files", place_ / "in/*"}; }
  [[nodiscard]] Words out() const { return {"--out", place_ / "out"}; }
  [[nodiscard]] std::string output(std::size_t unit) const { return place_ / ("out/" + name_of(unit) + ".out"); }

  /// Every output is there, and right.
  void check_outputs() const {
    for (std::size_t unit = 0; unit < files_; ++unit) {
      std::string expected = text_of(unit);
      for (char& letter : expected) letter = static_cast<char>(letter - 'a' + 'A');
      std::ifstream file(output(unit), std::ios::binary);
      const bool right = std::string(std::istreambuf_iterator<char>(file), {}) == expected;
      CHECK_MESSAGE(right, "unit " << unit);
    }
  }

 private:
  static std::string name_of(std::size_t unit) {
    const std::string digits = std::to_string(unit);
    return std::string(6 - digits.size(), '0') + digits;
  }
  /// Differs from file to file, and from chunk to chunk.
  [[nodiscard]] std::string text_of(std::size_t unit) const {
    std::string text(file_bytes_, 'a');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + (i / 7 + i / 1000 * unit) % 26);
    return text;
  }

  const Place& place_;
  const std::size_t files_, file_bytes_;
};

}  // namespace dugnad::e2e
