#include "coordinatorless/store/data_dir.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "tests/scratch.h"

namespace dugnad::store {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

/// Sets an environment variable, or unsets it, for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST_CASE("a missing data directory is made with its parents, for its owner alone") {
  const Scratch scratch;
  const auto dir = DataDir::open(scratch.file("deep/er/data/"));
  REQUIRE(dir.ok());
  CHECK(dir->path() == scratch.file("deep/er/data"));
  CHECK(dir->file("journal") == scratch.file("deep/er/data/journal"));
  CHECK(mode_of(dir->path()) == 0700);
  CHECK(mode_of(scratch.file("deep")) == 0700);
  CHECK(std::filesystem::is_empty(dir->path()));
}

TEST_CASE("an existing data directory is taken as it is") {
  const Scratch scratch;
  REQUIRE(::mkdir(scratch.file("data").c_str(), 0750) == 0);
  CHECK(DataDir::open(scratch.file("data")).ok());
  CHECK(mode_of(scratch.file("data")) == 0750);
}

TEST_CASE("without a path the XDG rules decide, and relative variables are ignored") {
  const Scratch scratch;
  const Variable home("HOME", scratch.file("home").c_str());
  {
    const Variable data("XDG_DATA_HOME", scratch.file("xdg").c_str());
    const auto dir = DataDir::open("");
    REQUIRE(dir.ok());
    CHECK(dir->path() == scratch.file("xdg/dugnad"));
  }
  for (const char* useless : {static_cast<const char*>(nullptr), "", "relative/path"}) {
    const Variable data("XDG_DATA_HOME", useless);
    const auto dir = DataDir::open("");
    REQUIRE(dir.ok());
    CHECK(dir->path() == scratch.file("home/.local/share/dugnad"));
  }
}

TEST_CASE("a data directory that cannot be is one clear line with what to do") {
  const Scratch scratch;
  put_content(scratch.file("file"), "in the way");

  const auto at_file = DataDir::open(scratch.file("file"));
  REQUIRE_FALSE(at_file.ok());
  CHECK(at_file.error().message == "cannot use the data directory " + scratch.file("file") + ": not a directory; choose another with --data");

  const auto under_file = DataDir::open(scratch.file("file/data"));
  REQUIRE_FALSE(under_file.ok());
  CHECK(under_file.error().message ==
        "cannot make the data directory " + scratch.file("file/data") + ": not a directory; choose another with --data");

  const auto in_proc = DataDir::open("/proc");
  REQUIRE_FALSE(in_proc.ok());
  CHECK(contains(in_proc.error().message, "cannot write to the data directory /proc: "));
  CHECK(contains(in_proc.error().message, "; choose another with --data"));
  CHECK(is_one_line(in_proc.error().message));
}

TEST_CASE("a locked data directory keeps the second one out until the first is gone") {
  const Scratch scratch;
  const auto dir = DataDir::open(scratch.path());
  REQUIRE(dir.ok());
  {
    const auto first = dir->lock("dugnad-worker");
    REQUIRE(first.ok());
    const auto second = dir->lock("dugnad-worker");
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().message == "another dugnad-worker is using the data directory " + scratch.path() +
                                        "; stop it, or choose another with --data");
    CHECK(dir->lock("something-else").ok());
  }
  CHECK(dir->lock("dugnad-worker").ok());
}

TEST_CASE("the lock of a process that was killed is gone with it") {
  const Scratch scratch;
  const auto dir = DataDir::open(scratch.path());
  REQUIRE(dir.ok());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto held = dir->lock("dugnad-worker");
    const char answer = held.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK_FALSE(dir->lock("dugnad-worker").ok());
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(dir->lock("dugnad-worker").ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace dugnad::store
