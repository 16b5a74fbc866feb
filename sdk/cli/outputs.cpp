#include "sdk/cli/outputs.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>

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
  explicit InDirectory(std::string directory) : directory_(std::move(directory)) {}

  Result<void> take(UnitResult result) override {
    const std::string path = output_file(directory_, result.unit);
    if (!result.ok) {
      std::remove(path.c_str());  // of an earlier job
      return {};
    }
    const std::string part = path + ".part";
    File file(std::fopen(part.c_str(), "wbe"), &std::fclose);
    if (!file) return cannot_write(part);
    const bool whole = result.output.empty() || std::fwrite(result.output.data(), 1, result.output.size(), file.get()) == result.output.size();
    if (std::fclose(file.release()) != 0 || !whole || std::rename(part.c_str(), path.c_str()) != 0) {
      const Error error = cannot_write(path);
      std::remove(part.c_str());
      return error;
    }
    return {};
  }

 private:
  const std::string directory_;
};

}  // namespace

std::unique_ptr<Outputs> outputs_in_order(std::size_t memory_most) { return std::make_unique<InOrder>(memory_most); }

Result<std::unique_ptr<Outputs>> outputs_in(const std::string& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return Error{"--out: cannot make " + directory + ": " + failed.message()};
  if (::access(directory.c_str(), W_OK | X_OK) != 0) return cannot_write("into " + directory);
  return std::unique_ptr<Outputs>(std::make_unique<InDirectory>(directory));
}

std::string output_file(const std::string& directory, std::uint64_t unit) {
  std::string number = std::to_string(unit);
  if (number.size() < digits) number.insert(0, digits - number.size(), '0');
  return directory + "/" + number + ".out";
}

}  // namespace dugnad::sdk::cli
