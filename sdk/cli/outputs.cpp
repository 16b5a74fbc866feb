#include "sdk/cli/outputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>

#include "coordinatorless/base/value.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/store/files.h"

namespace dugnad::sdk::cli {
namespace {

constexpr std::size_t digits = 6;  // of a file's name, at least

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Error cannot_write(const std::string& what) { return {"cannot write " + what + ": " + store::reason_of(errno)}; }

class InOrder final : public Outputs {
 public:
  explicit InOrder(std::size_t memory_most) : memory_most_(memory_most) {}

  Result<void> take(UnitResult result) override {
    const std::uint64_t unit = result.unit;
    if (unit != next_) return hold(unit, std::move(result.output));
    if (const auto written = write(result.output); !written) return written;
    for (++next_; !held_.empty() && held_.begin()->first == next_; ++next_) {
      const auto output = let_go(std::move(held_.begin()->second));
      held_.erase(held_.begin());
      if (!output) return output.error();
      if (const auto written = write(*output); !written) return written;
    }
    if (in_file_ == 0) spilled_.reset();
    return {};
  }

  Result<void> flush() override {
    if (std::fflush(stdout) != 0) return cannot_write("to standard output");
    return {};
  }

 private:
  struct Held {
    Bytes bytes;  // empty where it is in the file
    long at = 0;
    std::size_t size = 0;
  };

  static Result<void> write(ByteView bytes) {
    if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) return cannot_write("to standard output");
    return {};
  }

  Result<void> hold(std::uint64_t unit, Bytes output) {
    const std::size_t size = output.size();
    if (in_memory_ + size <= memory_most_) {
      in_memory_ += size;
      held_[unit] = {std::move(output), 0, size};
      return {};
    }
    if (!spilled_) spilled_.reset(std::tmpfile());
    if (!spilled_ || std::fseek(spilled_.get(), 0, SEEK_END) != 0) return cannot_write("a temporary file");
    const long at = std::ftell(spilled_.get());
    if (size > 0 && std::fwrite(output.data(), 1, size, spilled_.get()) != size) return cannot_write("a temporary file");
    held_[unit] = {{}, at, size};
    ++in_file_;
    return {};
  }

  Result<Bytes> let_go(Held held) {
    if (held.bytes.size() == held.size) {
      in_memory_ -= held.size;
      return std::move(held.bytes);
    }
    Bytes bytes(held.size);
    if (std::fseek(spilled_.get(), held.at, SEEK_SET) != 0 || std::fread(bytes.data(), 1, held.size, spilled_.get()) != held.size) {
      return Error{"cannot read a temporary file again: " + store::reason_of(errno)};
    }
    --in_file_;
    return bytes;
  }

  const std::size_t memory_most_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Held> held_;
  std::size_t in_memory_ = 0;
  std::size_t in_file_ = 0;  // outputs
  File spilled_{nullptr, &std::fclose};
};

class InDirectory final : public Outputs {
 public:
  InDirectory(std::string directory, std::function<void(const std::vector<std::uint64_t>&)> stored)
      : directory_(std::move(directory)), stored_(std::move(stored)) {}

  Result<void> take(UnitResult result) override {
    const std::string path = output_file(directory_, result.unit);
    if (!result.ok) {
      std::remove(path.c_str());  // of an earlier job
      return {};
    }
    const bool is_there = result.earlier && result.output.size() > small_bytes_max && stored_output(directory_, result.unit) == result.output;
    if (!is_there) {
      if (const auto written = write(path, result.output); !written) return written;
    }
    // A small one is in the journal too.
    if (result.output.size() <= small_bytes_max) return {};
    pending_.push_back(result.unit);
    pending_bytes_ += result.output.size();
    return pending_.size() < pending_most && pending_bytes_ < pending_bytes_most ? Result<void>{} : flush();
  }

  /// Many files together, since a disk takes as long for one.
  Result<void> flush() override {
    if (pending_.empty()) return {};
    for (const std::uint64_t unit : pending_) {
      const std::string path = output_file(directory_, unit);
      const store::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!file.valid() && errno == ENOENT) continue;  // whoever waits for it has moved it away
      if (!file.valid() || ::fsync(file.get()) != 0) return cannot_write(path);
    }
    if (!store::sync_directory(directory_)) return cannot_write("into " + directory_);
    if (stored_) stored_(pending_);
    pending_.clear();
    pending_bytes_ = 0;
    return {};
  }

 private:
  static constexpr std::size_t pending_most = 256, pending_bytes_most = 64 << 20;

  static Result<void> write(const std::string& path, const Bytes& output) {
    const std::string part = path + ".part";
    File file(std::fopen(part.c_str(), "wbe"), &std::fclose);
    if (!file) return cannot_write(part);
    const bool whole = output.empty() || std::fwrite(output.data(), 1, output.size(), file.get()) == output.size();
    if (std::fclose(file.release()) != 0 || !whole || std::rename(part.c_str(), path.c_str()) != 0) {
      const Error error = cannot_write(path);
      std::remove(part.c_str());
      return error;
    }
    return {};
  }

  const std::string directory_;
  const std::function<void(const std::vector<std::uint64_t>&)> stored_;
  std::vector<std::uint64_t> pending_;  // units whose files a power cut may take yet
  std::size_t pending_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Outputs> outputs_in_order(std::size_t memory_most) { return std::make_unique<InOrder>(memory_most); }

Result<std::unique_ptr<Outputs>> outputs_in(const std::string& directory, std::function<void(const std::vector<std::uint64_t>&)> stored) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return Error{"--out: cannot make " + directory + ": " + failed.message()};
  if (::access(directory.c_str(), W_OK | X_OK) != 0) return cannot_write("into " + directory);
  return std::unique_ptr<Outputs>(std::make_unique<InDirectory>(directory, std::move(stored)));
}

std::optional<Bytes> stored_output(const std::string& directory, std::uint64_t unit) {
  const store::Descriptor file(::open(output_file(directory, unit).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size > core::limits::blob_bytes_max) return std::nullopt;
  Bytes bytes(size);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string output_file(const std::string& directory, std::uint64_t unit) {
  std::string number = std::to_string(unit);
  if (number.size() < digits) number.insert(0, digits - number.size(), '0');
  return directory + "/" + number + ".out";
}

}  // namespace dugnad::sdk::cli
