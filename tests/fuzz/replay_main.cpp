// Replay: a fuzz target without libFuzzer. Mutations of valid inputs, drawn from fixed seeds, so that a failure comes again.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "coordinatorless/base/crypto.h"
#include "tests/fuzz/fuzz_target.h"

using namespace dugnad;

namespace {

constexpr std::uint64_t rounds_default = 100;  // seeds; a target whose inputs are slow has fewer
constexpr std::size_t mutants = 1000;          // of each seed

/// Changes `bytes` in one of the ways that break parsers.
void mutate(Bytes& bytes, const std::vector<Bytes>& others, Generator& generator) {
  const auto position = [&] { return static_cast<std::ptrdiff_t>(generator.below(bytes.size() + 1)); };
  const auto any_byte = [&] { return static_cast<std::uint8_t>(generator.next()); };
  if (bytes.empty()) bytes.push_back(any_byte());
  switch (generator.below(7)) {
    case 0: bytes[generator.below(bytes.size())] ^= static_cast<std::uint8_t>(1u << generator.below(8)); break;
    case 1: bytes[generator.below(bytes.size())] = any_byte(); break;
    case 2: bytes.resize(generator.below(bytes.size())); break;
    case 3: bytes.insert(bytes.begin() + position(), any_byte()); break;
    case 4: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(generator.below(bytes.size()))); break;
    case 5: {  // a number or a header at its edge
      constexpr std::uint8_t edges[] = {0x00, 0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xc0, 0xc4, 0xc6, 0xcc, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf, 0xff};
      bytes[generator.below(bytes.size())] = edges[generator.below(std::size(edges))];
      break;
    }
    default: {  // the tail of another
      const Bytes& other = others[generator.below(others.size())];
      const auto from = static_cast<std::ptrdiff_t>(generator.below(other.size() + 1));
      bytes.resize(static_cast<std::size_t>(position()));
      bytes.insert(bytes.end(), other.begin() + from, other.end());
      break;
    }
  }
}

void run(const Bytes& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

void replay_mutations(std::uint64_t first, std::uint64_t rounds) {
  for (std::uint64_t round = first; round < first + rounds; ++round) {
    auto generator = Generator::from_seed(round);
    const std::vector<Bytes> inputs = fuzz::seeds(generator);
    for (const Bytes& input : inputs) run(input);
    for (std::size_t i = 0; i < mutants; ++i) {
      Bytes input = inputs[generator.below(inputs.size())];
      for (std::uint64_t changes = 1 + generator.below(4); changes > 0; --changes) mutate(input, inputs, generator);
      run(input);
    }
  }
}

void write_corpus(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  auto generator = Generator::from_seed(0);
  std::size_t number = 0;
  for (const Bytes& input : fuzz::seeds(generator)) {
    std::ofstream file(folder / ("valid-" + std::to_string(number++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (!sodium_ready()) return 1;
  if (argc == 3 && std::strcmp(argv[1], "--write") == 0) {
    write_corpus(argv[2]);
    return 0;
  }
  if (argc == 4 && std::strcmp(argv[1], "--rounds") == 0) {  // --rounds FIRST COUNT
    replay_mutations(std::stoull(argv[2]), std::stoull(argv[3]));
    return 0;
  }
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    run(Bytes(std::istreambuf_iterator<char>(file), {}));
  }
  if (argc == 1) replay_mutations(0, rounds_default);
  return 0;
}
