#include "coordinatorless/store/keys.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "tests/scratch.h"

namespace dugnad::store {
namespace {

bool same(const SecretKeys& a, const SecretKeys& b) { return a.sign_seed == b.sign_seed && a.curve == b.curve; }

void make_private(const std::string& path) { REQUIRE(::chmod(path.c_str(), 0600) == 0); }

TEST_CASE("keys are made once, for their owner alone, and read again from then on") {
  const Scratch scratch;
  const auto made = load_or_make_keys(scratch.file("peer.key"));
  REQUIRE(made.ok());
  struct stat status {};
  REQUIRE(::stat(scratch.file("peer.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(content_of(scratch.file("peer.key")) ==
        "dugnad key 1\nsign " + to_hex(made->sign_seed) + "\ncurve " + to_hex(made->curve) + "\n");

  const auto read = load_or_make_keys(scratch.file("peer.key"));
  REQUIRE(read.ok());
  CHECK(same(*made, *read));
  const auto other = load_or_make_keys(scratch.file("other.key"));
  REQUIRE(other.ok());
  CHECK_FALSE(same(*made, *other));
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 2);  // nothing is left beside them
}

TEST_CASE("a key file that others can read is refused with the command that mends it") {
  const Scratch scratch;
  const std::string path = scratch.file("peer.key");
  REQUIRE(load_or_make_keys(path).ok());
  for (const mode_t mode : {0640, 0604, 0620, 0601}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto refused = load_or_make_keys(path);
    REQUIRE_FALSE(refused.ok());
    CHECK(contains(refused.error().message, "run: chmod 600 " + path));
    CHECK(is_one_line(refused.error().message));
  }
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  CHECK(load_or_make_keys(path).ok());
}

TEST_CASE("a damaged key file is one clear line, and stays as it is") {
  const Scratch scratch;
  const std::string path = scratch.file("peer.key");
  REQUIRE(load_or_make_keys(path).ok());
  const std::string good = content_of(path);

  std::vector<std::string> damaged = {"", "\n", "dugnad key", good + "\n", std::string(100'000, 'x'), std::string(154, '\0')};
  for (std::size_t size = 0; size < good.size(); size += 7) damaged.push_back(good.substr(0, size));
  damaged.push_back(good.substr(0, good.size() - 1));
  std::string upper = good;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  damaged.push_back(upper);

  for (const std::string& content : damaged) {
    put_content(path, content);
    make_private(path);
    const auto refused = load_or_make_keys(path);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message == "the key file " + path +
                                         " is damaged; restore it from a copy, or move it away to get fresh keys (and a new identity)");
    CHECK(content_of(path) == content);
  }
}

TEST_CASE("a key file of a newer version says so") {
  const Scratch scratch;
  put_content(scratch.file("peer.key"), "dugnad key 2\nsomething new\n");
  make_private(scratch.file("peer.key"));
  const auto refused = load_or_make_keys(scratch.file("peer.key"));
  REQUIRE_FALSE(refused.ok());
  CHECK(contains(refused.error().message, "newer version"));
}

TEST_CASE("a key file that cannot be is one clear line") {
  const Scratch scratch;
  const auto directory = load_or_make_keys(scratch.path());
  REQUIRE_FALSE(directory.ok());
  CHECK(contains(directory.error().message, "not a regular file"));

  put_content(scratch.file("file"), "in the way");
  const auto under_file = load_or_make_keys(scratch.file("file/peer.key"));
  REQUIRE_FALSE(under_file.ok());
  CHECK(under_file.error().message == "cannot read the key file " + scratch.file("file/peer.key") + ": not a directory");

  const auto no_directory = load_or_make_keys(scratch.file("missing/peer.key"));
  REQUIRE_FALSE(no_directory.ok());
  CHECK(no_directory.error().message == "cannot write the key file " + scratch.file("missing/peer.key") + ": no such file or directory");

  const auto in_proc = load_or_make_keys("/proc/peer.key");
  REQUIRE_FALSE(in_proc.ok());
  CHECK(contains(in_proc.error().message, "cannot write the key file /proc/peer.key: "));
}

TEST_CASE("processes that make the same key at the same time end up with the same key") {
  const Scratch scratch;
  const std::string path = scratch.file("peer.key");
  int results[2];
  REQUIRE(::pipe(results) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto keys = load_or_make_keys(path);
      const bool told = keys.ok() && ::write(results[1], keys->sign_seed.data(), 32) == 32;
      ::_exit(told ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const auto standing = load_or_make_keys(path);
  REQUIRE(standing.ok());
  for (std::size_t i = 0; i < children.size(); ++i) {
    std::array<std::uint8_t, 32> seed{};
    REQUIRE(::read(results[0], seed.data(), 32) == 32);
    CHECK(seed == standing->sign_seed);
  }
  ::close(results[0]);
  ::close(results[1]);
}

}  // namespace
}  // namespace dugnad::store
