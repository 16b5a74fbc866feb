#include "worker/node_files.h"

#include <fstream>
#include <utility>

#include "coordinatorless/store/keys.h"

namespace dugnad::worker {

Result<NodeFiles> NodeFiles::open(const std::string& data, const std::string& role, unsigned most) {
  auto dir = store::DataDir::open(data);
  if (!dir) return dir.error();
  std::optional<Error> taken;
  for (unsigned number = 1; number <= most; ++number) {
    const std::string name = number == 1 ? role : role + "-" + std::to_string(number);
    auto lock = dir->lock(name);
    if (!lock) {
      if (!taken) taken = lock.error();
      continue;
    }
    const auto keys = store::load_or_make_keys(dir->file(name + ".key"));
    if (!keys) return keys.error();
    return NodeFiles(*std::move(dir), name, *std::move(lock), *keys);
  }
  return taken.value_or(Error{"no " + role + " may use the data directory " + dir->path()});
}

std::optional<std::uint16_t> NodeFiles::last_port() const {
  std::ifstream in(dir_.file(name_ + ".port"));
  unsigned port = 0;
  if (!(in >> port) || port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

void NodeFiles::remember_port(std::uint16_t port) const {
  if (last_port() == port) return;
  std::ofstream(dir_.file(name_ + ".port"), std::ios::trunc) << port << '\n';
}

}  // namespace dugnad::worker
