#include "sdk/cli/out_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "coordinatorless/store/files.h"
#include "dugnad/picture_png.h"

namespace dugnad::sdk::cli {
namespace {

Error cannot(const std::string& path, int error) { return {"cannot write " + path + ": " + store::reason_of(error)}; }

}  // namespace

Result<void> check_out_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return cannot(path, EISDIR);
  std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  if (::access(directory.c_str(), W_OK | X_OK) != 0) return cannot(path, errno);
  return {};
}

Result<void> write_out_file(const tasks::Answer& answer, const std::string& path) {
  if (answer.picture) return write_png(*answer.picture, path);
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::trunc);
  out << answer.text << '\n';
  out.close();
  if (!out || std::rename(part.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(part.c_str());
    return cannot(path, error);
  }
  return {};
}

}  // namespace dugnad::sdk::cli
