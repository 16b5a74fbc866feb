#include "sdk/read_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "coordinatorless/store/files.h"

namespace dugnad::sdk {

Result<Bytes> read_file(const std::string& path, std::size_t most) {
  const auto cannot = [&](const std::string& reason) { return Error{"cannot read " + path + ": " + reason}; };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return cannot(store::reason_of(errno));
  Bytes bytes;
  constexpr std::size_t step = 1 << 20;
  for (;;) {
    const std::size_t had = bytes.size();
    bytes.resize(had + step);
    const std::size_t got = std::fread(bytes.data() + had, 1, step, file.get());
    bytes.resize(had + got);
    if (bytes.size() > most) return cannot("it has more than " + std::to_string(most) + " bytes");
    if (got == step) continue;
    if (std::ferror(file.get()) != 0) return cannot(store::reason_of(errno));
    return bytes;
  }
}

}  // namespace dugnad::sdk
