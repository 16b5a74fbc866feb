#include "worker/control_socket.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "tests/worker/scratch.h"

namespace dugnad::worker {
namespace {

/// Serves the first who comes.
std::thread serving(ControlSocket& socket) {
  return std::thread([&socket] {
    pollfd watched{socket.descriptor(), POLLIN, 0};
    if (::poll(&watched, 1, 10'000) == 1) (void)socket.serve();
  });
}

TEST_CASE("whoever asks the control socket is told the line") {
  Scratch scratch;
  auto socket = ControlSocket::open(control_path(scratch.path()), "tcp://127.0.0.1:4210/ab/cd");
  REQUIRE(socket.ok());
  struct stat status {};
  REQUIRE(::stat(control_path(scratch.path()).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  std::thread server = serving(*socket);
  const auto answer = ask(control_path(scratch.path()));
  server.join();
  REQUIRE(answer.ok());
  CHECK(*answer == "tcp://127.0.0.1:4210/ab/cd");
}

TEST_CASE("with nobody waiting, serving is over at once") {
  Scratch scratch;
  auto socket = ControlSocket::open(control_path(scratch.path()), "line");
  REQUIRE(socket.ok());
  CHECK(socket->serve());
}

TEST_CASE("a socket that a killed worker left behind is said to be nobody's, and is replaced") {
  Scratch scratch;
  const std::string path = control_path(scratch.path());
  {
    auto killed = ControlSocket::open(path, "old");
    REQUIRE(killed.ok());
    std::filesystem::create_hard_link(path, scratch.file("kept"));  // survives the orderly end that a kill would not give
  }
  std::filesystem::rename(scratch.file("kept"), path);
  const auto nobody = ask(path);
  REQUIRE_FALSE(nobody.ok());
  CHECK(contains(nobody.error().message, "no worker is running"));

  auto socket = ControlSocket::open(path, "new");
  REQUIRE(socket.ok());
  std::thread server = serving(*socket);
  const auto answer = ask(path);
  server.join();
  REQUIRE(answer.ok());
  CHECK(*answer == "new");
}

TEST_CASE("a control socket goes with its worker") {
  Scratch scratch;
  { REQUIRE(ControlSocket::open(control_path(scratch.path()), "line").ok()); }
  CHECK_FALSE(std::filesystem::exists(control_path(scratch.path())));
  CHECK_FALSE(ask(control_path(scratch.path())).ok());
}

TEST_CASE("a control socket takes no other file's place, and no path that is too long") {
  Scratch scratch;
  put_content(control_path(scratch.path()), "precious");
  const auto taken = ControlSocket::open(control_path(scratch.path()), "line");
  REQUIRE_FALSE(taken.ok());
  CHECK(is_one_line(taken.error().message));
  CHECK(std::filesystem::file_size(control_path(scratch.path())) == 8);
  CHECK_FALSE(ControlSocket::open(scratch.path() + std::string(120, 'x'), "line").ok());
}

}  // namespace
}  // namespace dugnad::worker
