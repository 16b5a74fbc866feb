#include "tests/wasm/tiers.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "coordinatorless/base/panic.h"

namespace dugnad::tests {

Lines in_v8(const std::string& flags, ByteView module, std::size_t size, std::size_t chunk, std::optional<std::uint64_t> fuel) {
  const auto path = std::filesystem::temp_directory_path() / ("dugnad-tier-" + std::to_string(::getpid()) + ".wasm");
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(module.data()), static_cast<std::streamsize>(module.size()));
  const std::string command =
      std::string(DUGNAD_TIER_PROGRAM) + " '" + flags + "' " + path.string() + " " + std::to_string(size) + " " + std::to_string(chunk) +
      (fuel ? " " + std::to_string(*fuel) : "");
  std::FILE* pipe = ::popen(command.c_str(), "r");
  DUGNAD_ASSERT(pipe, "the tier program can be started");
  Lines lines;
  char line[256];
  while (std::fgets(line, sizeof line, pipe)) lines.emplace_back(line, std::string_view(line).find_last_not_of('\n') + 1);
  ::pclose(pipe);
  std::filesystem::remove(path);
  return lines;
}

}  // namespace dugnad::tests
