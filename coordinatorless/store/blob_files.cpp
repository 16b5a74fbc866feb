#include "coordinatorless/store/blob_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>

#include "coordinatorless/store/files.h"

namespace dugnad::store {
namespace {

constexpr std::int64_t fresh_seconds = 600;  // BlobStore::touch_pinned_within
constexpr std::int64_t old_seconds = 30 * 86400;

class Directory final : public BlobFiles {
 public:
  explicit Directory(std::string path) : path_(std::move(path)) {}

  std::vector<Entry> list() override {
    struct Dated {
      Entry entry;
      std::int64_t seconds;
      std::int64_t nanoseconds;
    };
    std::vector<Dated> found;
    std::error_code ignored;
    const std::int64_t now = ::time(nullptr);
    for (const auto& file : std::filesystem::directory_iterator(path_, ignored)) {
      struct stat facts {};
      if (::stat(file.path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
      const std::int64_t age = now - facts.st_mtim.tv_sec;
      found.push_back({{file.path().filename().string(), static_cast<std::uint64_t>(facts.st_size), age<fresh_seconds, age> old_seconds},
                       facts.st_mtim.tv_sec,
                       facts.st_mtim.tv_nsec});
    }
    std::sort(found.begin(), found.end(), [](const Dated& a, const Dated& b) {
      return std::tie(a.seconds, a.nanoseconds, a.entry.name) < std::tie(b.seconds, b.nanoseconds, b.entry.name);
    });
    std::vector<Entry> entries;
    for (Dated& each : found) entries.push_back(std::move(each.entry));
    return entries;
  }

  std::optional<std::uint64_t> size(const std::string& name) override {
    struct stat facts {};
    if (::stat(file(name).c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(facts.st_size);
  }

  std::optional<Bytes> read(const std::string& name, std::uint64_t offset, std::uint64_t length) override {
    const Descriptor fd(::open(file(name).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat facts {};
    if (!fd.valid() || ::fstat(fd.get(), &facts) != 0) return std::nullopt;
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    if (offset > size || length > size - offset) return std::nullopt;  // before that much memory is asked for
    Bytes bytes(length);
    for (std::size_t done = 0; done < length;) {
      const ssize_t got = ::pread(fd.get(), bytes.data() + done, length - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      done += static_cast<std::size_t>(got);
    }
    return bytes;
  }

  Result<void> append(const std::string& name, ByteView bytes) override {
    const Descriptor fd(open_for_writing(name, O_APPEND));
    if (!fd.valid() || !write_all(fd.get(), bytes)) return cannot_write(name);
    return {};
  }

  Result<void> write(const std::string& name, std::uint64_t offset, ByteView bytes) override {
    const Descriptor fd(open_for_writing(name, 0));
    if (!fd.valid()) return cannot_write(name);
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t put = ::pwrite(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return cannot_write(name);
      done += static_cast<std::size_t>(put);
    }
    return {};
  }

  Result<void> stretch(const std::string& name, std::uint64_t size) override {
    const Descriptor fd(open_for_writing(name, 0));
    if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return cannot_write(name);
    return {};
  }

  Result<void> publish(const std::string& part, const std::string& name) override {
    const Descriptor fd(::open(file(part).c_str(), O_WRONLY | O_CLOEXEC));
    const bool done = fd.valid() && ::fsync(fd.get()) == 0 && ::rename(file(part).c_str(), file(name).c_str()) == 0 && sync_directory(path_);
    if (!done) return Error{"cannot keep " + file(name) + ": " + reason_of(errno)};
    return {};
  }

  bool is_full(std::uint64_t bytes) override {
    struct statvfs facts {};
    return ::statvfs(path_.c_str(), &facts) == 0 && std::uint64_t{facts.f_bavail} * facts.f_frsize < bytes;
  }
  void remove(const std::string& name) override { ::unlink(file(name).c_str()); }
  void touch(const std::string& name) override { ::utimensat(AT_FDCWD, file(name).c_str(), nullptr, 0); }

 private:
  /// A cache may be deleted at any time: then it begins anew.
  int open_for_writing(const std::string& name, int flags) const {
    const int how = O_WRONLY | O_CREAT | O_CLOEXEC | flags;
    const int fd = ::open(file(name).c_str(), how, 0600);
    if (fd >= 0 || errno != ENOENT || ::mkdir(path_.c_str(), 0700) != 0) return fd;
    return ::open(file(name).c_str(), how, 0600);
  }
  Error cannot_write(const std::string& name) const { return Error{"cannot write " + file(name) + ": " + reason_of(errno)}; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string path_;
};

class Memory final : public BlobFiles {
 public:
  std::vector<Entry> list() override {
    std::vector<std::pair<std::uint64_t, Entry>> dated;
    for (const auto& [name, file] : files_) dated.push_back({file.used, {name, file.bytes.size()}});
    std::sort(dated.begin(), dated.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Entry> entries;
    for (auto& each : dated) entries.push_back(std::move(each.second));
    return entries;
  }
  std::optional<std::uint64_t> size(const std::string& name) override {
    const auto at = files_.find(name);
    return at == files_.end() ? std::nullopt : std::optional<std::uint64_t>(at->second.bytes.size());
  }
  std::optional<Bytes> read(const std::string& name, std::uint64_t offset, std::uint64_t length) override {
    const auto at = files_.find(name);
    if (at == files_.end() || offset > at->second.bytes.size() || length > at->second.bytes.size() - offset) return std::nullopt;
    const auto from = at->second.bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return Bytes(from, from + static_cast<std::ptrdiff_t>(length));
  }
  Result<void> append(const std::string& name, ByteView bytes) override {
    Bytes& file = files_[name].bytes;
    file.insert(file.end(), bytes.begin(), bytes.end());
    touch(name);
    return {};
  }
  Result<void> write(const std::string& name, std::uint64_t offset, ByteView bytes) override {
    Bytes& file = files_[name].bytes;
    file.resize(std::max<std::size_t>(file.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
    touch(name);
    return {};
  }
  Result<void> stretch(const std::string& name, std::uint64_t size) override {
    files_[name].bytes.resize(size);
    touch(name);
    return {};
  }
  Result<void> publish(const std::string& part, const std::string& name) override {
    files_[name] = std::move(files_[part]);
    files_.erase(part);
    return {};
  }
  bool is_full(std::uint64_t) override { return false; }
  void remove(const std::string& name) override { files_.erase(name); }
  void touch(const std::string& name) override {
    if (const auto at = files_.find(name); at != files_.end()) at->second.used = ++clock_;
  }

 private:
  struct File {
    Bytes bytes;
    std::uint64_t used = 0;
  };
  std::map<std::string, File> files_;
  std::uint64_t clock_ = 0;
};

}  // namespace

Result<std::unique_ptr<BlobFiles>> files_in(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return Error{"cannot make " + directory + ": " + reason_of(errno)};
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) return Error{"cannot use " + directory + ": " + reason_of(errno)};
  return std::unique_ptr<BlobFiles>(std::make_unique<Directory>(directory));
}

std::unique_ptr<BlobFiles> files_to_read(const std::string& directory) { return std::make_unique<Directory>(directory); }

std::unique_ptr<BlobFiles> files_in_memory() { return std::make_unique<Memory>(); }

}  // namespace dugnad::store
