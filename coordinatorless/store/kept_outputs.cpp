#include "coordinatorless/store/kept_outputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "coordinatorless/store/files.h"

namespace dugnad::store {
namespace {

constexpr std::string_view untaken_suffix = ".untaken";
constexpr std::string_view read_suffix = ".read";

}  // namespace

std::string KeptOutputs::file(const JobId& job, const BlobId& output, std::string_view suffix) const {
  return directory_ + "/" + to_text(output) + "." + job.hex() + std::string(suffix);
}

void KeptOutputs::keep(const JobId& job, const BlobId& output) const {
  if (directory_.empty()) return;
  const Descriptor made(::open(file(job, output, untaken_suffix).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

void KeptOutputs::taken(const JobId& job, const BlobId& output) const {
  if (directory_.empty()) return;
  ::rename(file(job, output, untaken_suffix).c_str(), file(job, output, read_suffix).c_str());
}

void KeptOutputs::drop(const JobId& job, bool untaken) const {
  if (directory_.empty()) return;
  const std::string part = "." + job.hex() + ".";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    const std::string name = entry.path().filename().string();
    const Kind kind = kind_of(name);
    if (kind == Kind::none || kind == Kind::held || (kind == Kind::untaken && !untaken) || name.find(part) == std::string::npos) continue;
    ::unlink(entry.path().c_str());
  }
}

KeptOutputs::Kind KeptOutputs::kind_of(std::string_view name) {
  if (name.ends_with(untaken_suffix)) return Kind::untaken;
  if (name.ends_with(read_suffix)) return Kind::read;
  return name.ends_with(held_suffix) ? Kind::held : Kind::none;
}

}  // namespace dugnad::store
