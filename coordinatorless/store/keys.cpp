#include "coordinatorless/store/keys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "coordinatorless/store/files.h"

namespace dugnad::store {
namespace {

constexpr std::string_view header = "dugnad key 1\n";
constexpr std::string_view header_of_any_version = "dugnad key ";
constexpr std::size_t size_max = 4096;  // a key file has 154 bytes; anything much longer is some other file

/// Text that holds secrets is overwritten before its memory is given back.
struct SecretText {
  std::string text;
  ~SecretText() { ::explicit_bzero(text.data(), text.size()); }
};

std::optional<std::array<std::uint8_t, 32>> take_key(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(name)) return std::nullopt;
  rest.remove_prefix(name.size());
  if (rest.size() < 65 || rest[64] != '\n') return std::nullopt;
  auto bytes = from_hex(rest.substr(0, 64));
  if (!bytes) return std::nullopt;
  rest.remove_prefix(65);
  std::array<std::uint8_t, 32> key;
  std::copy(bytes->begin(), bytes->end(), key.begin());
  ::explicit_bzero(bytes->data(), bytes->size());
  return key;
}

std::optional<SecretKeys> parse(std::string_view text) {
  if (!text.starts_with(header)) return std::nullopt;
  text.remove_prefix(header.size());
  const auto sign = take_key(text, "sign ");
  const auto curve = sign ? take_key(text, "curve ") : std::nullopt;
  if (!curve || !text.empty()) return std::nullopt;
  return SecretKeys{*sign, *curve};
}

Error cannot(const std::string& what, const std::string& path, int error) {
  return {"cannot " + what + " the key file " + path + ": " + reason_of(error)};
}

/// nullopt where there is no such file.
Result<std::optional<SecretKeys>> load(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // not to hang on a pipe of that name
  if (!fd.valid()) {
    if (errno == ENOENT) return std::optional<SecretKeys>();
    return cannot("read", path, errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return cannot("read", path, errno);
  if (!S_ISREG(status.st_mode)) return Error{"the key file " + path + " is not a regular file; move it away to get fresh keys"};
  if ((status.st_mode & 077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    return Error{"the key file " + path + " is open to others (mode " + mode + "); run: chmod 600 " + path};
  }

  SecretText content{std::string(size_max, '\0')};
  std::size_t size = 0;
  while (size < content.text.size()) {
    const ssize_t got = ::read(fd.get(), content.text.data() + size, content.text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("read", path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  const std::string_view text = std::string_view(content.text).substr(0, size);
  if (const auto keys = parse(text)) return std::optional(*keys);
  if (text.starts_with(header_of_any_version) && !text.starts_with(header)) {
    return Error{"the key file " + path + " was made by a newer version of dugnad; update dugnad, or move the file away to get fresh keys"};
  }
  return Error{"the key file " + path + " is damaged; restore it from a copy, or move it away to get fresh keys (and a new identity)"};
}

/// Writes beside and links into place, so that `path` never holds half a key and never replaces another's. False where `path` exists by now.
Result<bool> make(const std::string& path, const SecretKeys& keys) {
  SecretText hex_sign{to_hex(keys.sign_seed)};
  SecretText hex_curve{to_hex(keys.curve)};
  SecretText content;
  content.text.reserve(256);  // no second buffer with secrets in it
  content.text.append(header).append("sign ").append(hex_sign.text).append("\ncurve ").append(hex_curve.text).append("\n");

  std::string beside = path + ".XXXXXX";
  const Descriptor fd(::mkostemp(beside.data(), O_CLOEXEC));  // mode 0600, and nobody's but ours
  if (!fd.valid()) return cannot("write", path, errno);
  int error = 0;
  if (!write_all(fd.get(), view_of(content.text)) || ::fsync(fd.get()) != 0) error = errno;
  if (error == 0 && ::link(beside.c_str(), path.c_str()) != 0) error = errno;
  ::unlink(beside.c_str());
  if (error == EEXIST) return false;
  if (error != 0) return cannot("write", path, error);
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  if (!sync_directory(directory)) return cannot("write", path, errno);
  return true;
}

}  // namespace

Result<SecretKeys> load_or_make_keys(const std::string& path) {
  // Twice round where another process makes the same file in between: then the key that stands is taken.
  for (int round = 0; round < 2; ++round) {
    Result<std::optional<SecretKeys>> loaded = load(path);
    if (!loaded) return loaded.error();
    if (*loaded) return **loaded;
    if (!sodium_ready()) return Error{"this machine has no randomness to make keys with"};
    const SecretKeys keys = fresh_keys();
    const Result<bool> made = make(path, keys);
    if (!made) return made.error();
    if (*made) return keys;
  }
  return Error{"the key file " + path + " comes and goes while it is being made; start again"};
}

}  // namespace dugnad::store
