#include "coordinatorless/store/data_dir.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "coordinatorless/store/files.h"

namespace dugnad::store {
namespace {

constexpr const char* remedy = "; choose another with --data";

Error cannot(const std::string& what, const std::string& path, int error) {
  return {"cannot " + what + " the data directory " + path + ": " + reason_of(error) + remedy};
}

std::optional<std::string> absolute_variable(const char* name) {
  // The XDG specification has relative paths ignored: they would mean another directory at every start.
  const char* value = std::getenv(name);
  if (value == nullptr || value[0] != '/') return std::nullopt;
  return std::string(value);
}

std::optional<std::string> home() {
  if (auto set = absolute_variable("HOME")) return set;
  const passwd* user = ::getpwuid(::geteuid());
  if (user == nullptr || user->pw_dir == nullptr || user->pw_dir[0] != '/') return std::nullopt;
  return std::string(user->pw_dir);
}

Result<std::string> default_path() {
  if (const auto data = absolute_variable("XDG_DATA_HOME")) return *data + "/dugnad";
  if (const auto base = home()) return *base + "/.local/share/dugnad";
  return Error{"there is no home directory to keep the data directory in; name one with --data"};
}

/// As `mkdir -p`, but nobody else may look into what it makes. 0 or an errno.
int make_private(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return 0;
  const std::filesystem::path parent = path.parent_path();
  if (errno != ENOENT || parent.empty() || parent == path) return errno;
  if (const int error = make_private(parent)) return error;
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

/// access() does not know of quotas, read-only mounts under root, or /proc; making a file does. 0 or an errno.
int try_writing(const std::string& path) {
  std::string probe = path + "/.probe.XXXXXX";
  const Descriptor fd(::mkostemp(probe.data(), O_CLOEXEC));
  if (!fd.valid()) return errno;
  ::unlink(probe.c_str());
  return 0;
}

/// Empty: the default. Without the slashes behind it.
Result<std::string> resolved(std::string path) {
  if (path.empty()) {
    Result<std::string> fallback = default_path();
    if (!fallback) return fallback.error();
    path = *std::move(fallback);
  }
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

Result<DataDir> DataDir::open(std::string wanted) {
  const Result<std::string> path = resolved(std::move(wanted));
  if (!path) return path.error();
  if (const int error = make_private(*path)) return cannot("make", *path, error);
  Result<DataDir> dir = open_for_reading(*path);
  if (!dir) return dir;
  if (const int error = try_writing(*path)) return cannot("write to", *path, error);
  return dir;
}

Result<DataDir> DataDir::open_for_reading(std::string wanted) {
  Result<std::string> path = resolved(std::move(wanted));
  if (!path) return path.error();
  struct stat status {};
  if (::stat(path->c_str(), &status) != 0) {
    if (errno != ENOENT) return cannot("read", *path, errno);
  } else {
    if (!S_ISDIR(status.st_mode)) return cannot("use", *path, ENOTDIR);
    if (::access(path->c_str(), R_OK | X_OK) != 0) return cannot("read", *path, errno);
  }
  return DataDir(*std::move(path));
}

Result<std::shared_ptr<void>> DataDir::lock(const std::string& name) const {
  const std::string lock_path = file(name + ".lock");
  auto held = std::make_shared<Descriptor>(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!held->valid()) return Error{"cannot open " + lock_path + ": " + reason_of(errno) + remedy};
  // The file stays when the lock goes: removing it would let a third process lock a new file while a second holds the old one.
  if (::flock(held->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{"another " + name + " is using the data directory " + path_ + "; stop it, or choose another with --data"};
    }
    return Error{"cannot lock " + lock_path + ": " + reason_of(errno) + remedy};
  }
  return std::shared_ptr<void>(std::move(held));
}

}  // namespace dugnad::store
