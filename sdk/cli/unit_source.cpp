#include "sdk/cli/unit_source.h"

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "coordinatorless/store/files.h"
#include "sdk/cli/file_list.h"
#include "sdk/cli/words.h"
#include "sdk/read_file.h"

namespace dugnad::sdk::cli {
namespace {

Error cannot(const std::string& path, int error) { return {"cannot read " + path + ": " + store::reason_of(error)}; }

std::string whole_path(const std::string& path, bool pattern = false) {
  std::error_code unknown;
  if (pattern) {
    if (path.starts_with("/") || path.starts_with("~")) return path;
    const auto here = std::filesystem::current_path(unknown);
    return unknown ? path : (here / path).string();  // as it is: `*/..` is no way back
  }
  const auto whole = std::filesystem::absolute(path, unknown);
  return unknown ? path : whole.lexically_normal().string();
}

/// The lines of a descriptor, without their breaks.
class Lines {
 public:
  Lines(int fd, std::string name, const Stop& stop) : file_(fd), name_(std::move(name)), stop_(stop) {}

  Result<std::optional<std::string>> next() {
    std::string line;
    for (;;) {
      const std::size_t rest = filled_ - at_;
      const void* found = std::memchr(buffer_.data() + at_, '\n', rest);
      const std::size_t size = found == nullptr ? rest : static_cast<std::size_t>(static_cast<const char*>(found) - (buffer_.data() + at_));
      if (line.size() + size > input_bytes_most) return Error{place() + " has more than 64 MiB"};
      line.append(buffer_.data() + at_, size);
      at_ += size;
      if (found != nullptr) {
        ++at_;
        ++number_;
        return std::optional(std::move(line));
      }
      if (ended_) {
        if (line.empty()) return std::optional<std::string>();
        ++number_;
        return std::optional(std::move(line));
      }
      if (const auto filled = fill(); !filled) return filled.error();
    }
  }

  /// The line that next() gave, or is about to.
  [[nodiscard]] std::string place() const { return name_ + ", line " + std::to_string(number_ + 1); }
  [[nodiscard]] std::string last_place() const { return name_ + ", line " + std::to_string(number_); }

 private:
  Result<void> fill() {
    if (!stop_.wait(file_.get())) return Error{"interrupted"};
    const ssize_t got = ::read(file_.get(), buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) return {};
    if (got < 0) return cannot(name_, errno);
    at_ = 0;
    filled_ = static_cast<std::size_t>(got);
    ended_ = got == 0;
    return {};
  }

  const store::Descriptor file_;
  const std::string name_;
  const Stop& stop_;
  std::array<char, 256 << 10> buffer_{};
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  bool ended_ = false;
  std::uint64_t number_ = 0;  // lines given
};

/// In a regular file; nullopt for anything else, which can be read only once.
std::optional<std::uint64_t> count_lines(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  std::vector<char> buffer(1 << 20);
  std::uint64_t lines = 0;
  char last = '\n';
  off_t at = std::max<off_t>(0, ::lseek(fd, 0, SEEK_CUR));  // whoever gave it to us may have read some of it
  for (;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), at);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    lines += static_cast<std::uint64_t>(std::count(buffer.begin(), buffer.begin() + got, '\n'));
    last = buffer[static_cast<std::size_t>(got) - 1];
    at += got;
  }
  return last == '\n' ? lines : lines + 1;
}

class LineReader final : public UnitReader {
 public:
  LineReader(int fd, const std::string& name, Module::Kind kind, bool arguments, const Stop& stop)
      : expected_(count_lines(fd)), lines_(fd, name, stop), kind_(kind), arguments_(arguments) {}

  Result<std::optional<CommandUnit>> next() override {
    auto line = lines_.next();
    if (!line) return line.error();
    if (!*line) return std::optional<CommandUnit>();
    CommandUnit unit;
    if (arguments_) {
      auto words = split_words(**line);
      if (!words) return Error{lines_.last_place() + ": " + words.error().message};
      if ((*line)->find('\0') != std::string::npos) return Error{lines_.last_place() + ": an argument cannot hold a zero byte"};
      unit.arguments = *std::move(words);
    } else {
      // A program that reads lines wants their end; a function of bytes wants the bytes.
      if (kind_ == Module::Kind::command) **line += '\n';
      unit.standard_input = to_bytes(**line);
    }
    return std::optional(std::move(unit));
  }
  std::optional<std::uint64_t> expected() const override { return expected_; }

 private:
  const std::optional<std::uint64_t> expected_;
  Lines lines_;
  const Module::Kind kind_;
  const bool arguments_;
};

class FileReader final : public UnitReader {
 public:
  explicit FileReader(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  Result<std::optional<CommandUnit>> next() override {
    if (at_ == paths_.size()) return std::optional<CommandUnit>();
    auto bytes = read_file(paths_[at_++], input_bytes_most);
    if (!bytes) return bytes.error();
    return std::optional(CommandUnit{.arguments = {}, .standard_input = *std::move(bytes)});
  }
  std::optional<std::uint64_t> expected() const override { return paths_.size(); }
  std::string name_of(std::uint64_t unit) const override { return unit < paths_.size() ? paths_[unit] : ""; }

 private:
  const std::vector<std::string> paths_;
  std::size_t at_ = 0;
};

class ListReader final : public UnitReader {
 public:
  explicit ListReader(std::vector<ListedFile> files) : files_(std::move(files)) {}

  Result<std::optional<CommandUnit>> next() override {
    if (at_ == files_.size()) return std::optional<CommandUnit>();
    auto bytes = read_listed(files_[at_++], input_bytes_most);
    if (!bytes) return bytes.error();
    return std::optional(CommandUnit{.arguments = {}, .standard_input = *std::move(bytes)});
  }
  std::optional<std::uint64_t> expected() const override { return files_.size(); }
  std::string name_of(std::uint64_t unit) const override { return unit < files_.size() ? files_[unit].name : ""; }

 private:
  const std::vector<ListedFile> files_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<std::string>> matching_files(const std::string& pattern) {
  glob_t found{};
  const int failed = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_TILDE, nullptr, &found);
  std::vector<std::string> paths;
  for (std::size_t i = 0; failed == 0 && i < found.gl_pathc; ++i) {
    std::error_code unknown;
    if (!std::filesystem::is_directory(found.gl_pathv[i], unknown)) paths.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  if (paths.empty()) return Error{"--files: no file matches '" + pattern + "'"};
  std::sort(paths.begin(), paths.end());  // by their bytes: the same in every locale
  for (const std::string& path : paths) {
    if (::access(path.c_str(), R_OK) != 0) return cannot(path, errno);
  }
  return paths;
}

std::string UnitSource::text() const {
  switch (kind) {
    case Kind::lines: return "--lines " + quoted(whole_path(what));
    case Kind::arguments: return "--args " + quoted(whole_path(what));
    case Kind::files: return "--files " + quoted(whole_path(what, true));
    case Kind::standard_input: return "-";
    case Kind::listed: return "--listed " + quoted(whole_path(what));
  }
  return {};
}

Stop::Stop() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { DUGNAD_ASSERT(event_ >= 0, "no eventfd is left"); }
Stop::~Stop() { ::close(event_); }
void Stop::stop() const {
  const std::uint64_t one = 1;
  (void)!::write(event_, &one, sizeof one);
}
bool Stop::wait(int fd) const {
  std::array<pollfd, 2> watched{pollfd{event_, POLLIN, 0}, pollfd{fd, POLLIN, 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {}
  return watched[0].revents == 0;
}

Result<std::unique_ptr<UnitReader>> UnitReader::open(const UnitSource& source, Module::Kind kind, const Stop& stop) {
  const bool arguments = source.kind == UnitSource::Kind::arguments;
  if (arguments && kind == Module::Kind::reactor)
    return Error{"--args: the module is a reactor, whose units have no arguments; --lines gives it lines"};
  if (source.kind == UnitSource::Kind::files) {
    auto paths = matching_files(source.what);
    if (!paths) return paths.error();
    return std::unique_ptr<UnitReader>(std::make_unique<FileReader>(*std::move(paths)));
  }
  if (source.kind == UnitSource::Kind::listed) {
    auto files = read_file_list(source.what);
    if (!files) return files.error();
    return std::unique_ptr<UnitReader>(std::make_unique<ListReader>(*std::move(files)));
  }
  const bool standard = source.kind == UnitSource::Kind::standard_input;
  const std::string name = standard ? "standard input" : source.what;
  const int fd = standard ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(source.what.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot(name, errno);
  std::error_code unknown;
  if (!standard && std::filesystem::is_directory(source.what, unknown)) {
    ::close(fd);
    return cannot(name, EISDIR);
  }
  return std::unique_ptr<UnitReader>(std::make_unique<LineReader>(fd, name, kind, arguments, stop));
}

}  // namespace dugnad::sdk::cli
