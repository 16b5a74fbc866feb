#include "worker/hosted_orders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace dugnad::worker {
namespace {

constexpr std::string_view header = "dugnad order 1\n";
constexpr std::string_view ending = ".order";
constexpr std::size_t bytes_max = 64 << 10;
constexpr std::size_t orders_max = 4096;  // each is somebody's job: more are a mistake, and would be processes

/// Closes itself.
struct File {
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

}  // namespace

Result<void> HostedOrders::put(const JobId& job, const std::vector<std::string>& arguments) const {
  const std::string path = file_of(job), beside = path + ".new";
  const auto cannot = [&](const std::string& reason) { return Error{"cannot write " + path + ": " + reason}; };
  std::string text(header);
  for (const std::string& argument : arguments) text += argument + '\0';
  if (text.size() > bytes_max) return cannot("so many arguments are no order");
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) return cannot(std::strerror(errno));
  {
    const File file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    const bool whole =
        file.fd >= 0 && ::write(file.fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file.fd) == 0;
    if (!whole || std::rename(beside.c_str(), path.c_str()) != 0) {
      const int error = errno;
      std::remove(beside.c_str());
      return cannot(std::strerror(error));
    }
  }
  const File directory{::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd < 0 || ::fsync(directory.fd) != 0) return cannot(std::strerror(errno));
  return {};
}

std::optional<std::vector<std::string>> HostedOrders::get(const JobId& job) const {
  const File file{::open(file_of(job).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (file.fd < 0) return std::nullopt;
  std::string text(bytes_max + 1, '\0');
  const ssize_t got = ::read(file.fd, text.data(), text.size());
  if (got < 0 || static_cast<std::size_t>(got) > bytes_max) return std::nullopt;
  text.resize(static_cast<std::size_t>(got));
  std::string_view rest = text;
  if (!rest.starts_with(header)) return std::nullopt;
  rest.remove_prefix(header.size());
  std::vector<std::string> arguments;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == rest.npos) return std::nullopt;
    arguments.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return arguments;
}

bool HostedOrders::has(const JobId& job) const { return ::access(file_of(job).c_str(), F_OK) == 0; }

void HostedOrders::remove(const JobId& job) const { std::remove(file_of(job).c_str()); }

std::vector<JobId> HostedOrders::all() const {
  std::vector<JobId> jobs;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(directory_, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(ending)) continue;
    const auto job = JobId::from_hex(std::string_view(name).substr(0, name.size() - ending.size()));
    if (job) jobs.push_back(*job);
  }
  std::sort(jobs.begin(), jobs.end());
  if (jobs.size() > orders_max) jobs.resize(orders_max);
  return jobs;
}

}  // namespace dugnad::worker
