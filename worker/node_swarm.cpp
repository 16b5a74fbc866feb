#include "worker/node_swarm.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "coordinatorless/store/files.h"

namespace dugnad::worker {
namespace {

constexpr std::size_t secret_least = 16;
constexpr std::size_t secret_most = 4096;

Result<std::string> read_secret(const std::string& path) {
  const auto cannot = [&path](int error) { return Error{"cannot read the swarm's secret " + path + ": " + store::reason_of(error)}; };
  const store::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // not to hang on a pipe of that name
  if (!fd.valid()) return cannot(errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return cannot(errno);
  if (!S_ISREG(status.st_mode)) return Error{"the swarm's secret " + path + " is not a regular file"};
  if ((status.st_mode & 077) != 0) return Error{"the swarm's secret " + path + " is open to others; run: chmod 600 " + path};

  std::string secret(secret_most + 2, '\0');
  std::size_t size = 0;
  while (size < secret.size()) {
    const ssize_t got = ::read(fd.get(), secret.data() + size, secret.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  secret.resize(size);
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.size() < secret_least || secret.size() > secret_most) {
    return Error{"the swarm's secret " + path + " wants " + std::to_string(secret_least) + " to " + std::to_string(secret_most) +
                 " bytes, as `head -c 24 /dev/urandom | base64` makes them"};
  }
  return secret;
}

}  // namespace

Result<core::SwarmName> read_swarm(const std::string& name, const std::string& secret_file) {
  if (secret_file.empty()) return core::SwarmName::parse(name);
  auto secret = read_secret(secret_file);
  if (!secret) return secret.error();
  return core::SwarmName::parse(name, *std::move(secret));
}

}  // namespace dugnad::worker
