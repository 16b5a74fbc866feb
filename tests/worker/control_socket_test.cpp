#include "worker/control_socket.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/scratch.h"
#include "worker/control_server.h"

namespace dugnad::worker {
namespace {

ControlAnswer echo(const ControlRequest& asked) { return {true, asked.word + ":" + asked.argument}; }

TEST_CASE("whoever asks at a control socket is answered, and nobody else may") {
  Scratch scratch;
  const auto server = ControlServer::open(control_path(scratch.path()), echo);
  REQUIRE(server.ok());
  struct stat status {};
  REQUIRE(::stat(control_path(scratch.path()).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const Asked asked = ask(control_path(scratch.path()), {"status", "some job"});
  REQUIRE_MESSAGE(asked.answer, asked.reason);
  CHECK(asked.answer->ok);
  CHECK(asked.answer->text == "status:some job");
}

TEST_CASE("a refusal comes with its reason") {
  Scratch scratch;
  const auto server = ControlServer::open(control_path(scratch.path()), [](const ControlRequest&) {
    return ControlAnswer{false, "not here"};
  });
  REQUIRE(server.ok());
  const Asked asked = ask(control_path(scratch.path()), {"contact"});
  REQUIRE(asked.answer);
  CHECK_FALSE(asked.answer->ok);
  CHECK(asked.answer->text == "not here");
  const auto contact = ask_contact(scratch.path());
  REQUIRE_FALSE(contact.ok());
  CHECK(contains(contact.error().message, "not here"));
}

TEST_CASE("a socket that a killed program left behind is said to be nobody's, and is replaced") {
  Scratch scratch;
  const std::string path = control_path(scratch.path());
  CHECK(ask(path, {"contact"}).why_not == NotAsked::nobody);
  {
    const auto killed = ControlSocket::open(path);
    REQUIRE(killed.ok());
    std::filesystem::create_hard_link(path, scratch.file("kept"));  // survives the orderly end that a kill would not give
  }
  std::filesystem::rename(scratch.file("kept"), path);
  const Asked asked = ask(path, {"contact"});
  CHECK_FALSE(asked.answer);
  CHECK(asked.why_not == NotAsked::stale);
  const auto nobody = ask_contact(scratch.path());
  REQUIRE_FALSE(nobody.ok());
  CHECK(contains(nobody.error().message, "no worker is running"));

  const auto server = ControlServer::open(path, echo);
  REQUIRE(server.ok());
  CHECK(ask_contact(scratch.path()).value() == "contact:");
}

TEST_CASE("a control socket goes with its program") {
  Scratch scratch;
  { REQUIRE(ControlServer::open(control_path(scratch.path()), echo).ok()); }
  CHECK_FALSE(std::filesystem::exists(control_path(scratch.path())));
  CHECK(ask(control_path(scratch.path()), {"contact"}).why_not == NotAsked::nobody);
}

TEST_CASE("a control socket takes no other file's place, and no path that is too long") {
  Scratch scratch;
  put_content(control_path(scratch.path()), "precious");
  const auto taken = ControlSocket::open(control_path(scratch.path()));
  REQUIRE_FALSE(taken.ok());
  CHECK(is_one_line(taken.error().message));
  CHECK(std::filesystem::file_size(control_path(scratch.path())) == 8);
  const std::string long_path = scratch.path() + std::string(120, 'x');
  CHECK_FALSE(ControlSocket::open(long_path).ok());
  CHECK(ask(long_path, {"contact"}).why_not == NotAsked::trouble);
}

}  // namespace
}  // namespace dugnad::worker
