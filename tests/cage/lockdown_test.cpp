// The hostile corpus, from inside: what a stranger's code can do once it has taken over V8.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "tests/cage/caged.h"

namespace dugnad::worker {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What each attack comes to in a process with one layer alone.
std::map<std::string, std::string> with_layer(const std::string& layer) {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR);
    for (const int standard : {0, 1, 2}) ::dup2(null, standard);
    ::dup2(pair[1], 3);
    ::execl(PROBE_LIBEXEC "/dugnad-cage", "dugnad-cage", layer.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pair[1]);
  const auto exchange = [&](cage::Kind kind, ByteView head, ByteView tail) {
    Bytes frame;
    cage::append_frame(frame, kind, head, tail);
    REQUIRE(::send(pair[0], frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size()));
  };
  cage::FrameReader reader(cage::FrameReader::Side::worker);
  const auto heard = [&] {
    for (;;) {
      if (auto frame = reader.next()) return *std::move(frame);
      std::uint8_t part[4096];
      const ssize_t got = ::recv(pair[0], part, sizeof part, 0);
      REQUIRE(got > 0);
      reader.feed(ByteView(part, static_cast<std::size_t>(got)));
    }
  };
  REQUIRE(heard().body.front() == 1);
  const auto ask = [&](const std::string& unit) {
    exchange(cage::Kind::unit, Bytes(8, 0), to_bytes(unit));
    const auto frame = heard();
    return to_text(ByteView(frame.body).subspan(1));
  };
  std::map<std::string, std::string> came_to;
  for (const std::string& attack : lines_of(ask("list"))) {
    // These would change the prober, or disturb the machine.
    if (attack == "exec" || attack == "be traced" || attack == "new namespaces" || attack == "another root" || attack == "signal everybody") continue;
    came_to[attack] = ask(attack);
  }
  ::close(pair[0]);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  ::unlink("/tmp/dugnad-probe-was-here");
  ::rmdir("/tmp/dugnad-probe-was-here");
  return came_to;
}

bool refused(const std::string& what) { return what.starts_with("refused: "); }

}  // namespace

TEST_CASE("every required layer of the cage holds on this machine, and the launcher names them") {
  const auto launcher = probe_launcher();
  const auto layers = launcher->check();
  REQUIRE_MESSAGE(layers, (layers ? "" : layers.error().message));
  for (const char* layer : {"seccomp", "Landlock", "rlimits", "no_new_privs", "namespaces"}) CHECK(layers->find(layer) != std::string::npos);
}

TEST_CASE("in a cage every attack is refused") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const Guest guest = guest_of("attacks");
  ::rmdir("/tmp/dugnad-probe-was-here");  // of a run that was broken off
  const auto attacks = lines_of(text(run_all(slot, guest, {"list"})[0]));
  REQUIRE(attacks.size() > 40);
  const auto came_to = run_all(slot, guest, attacks);
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    INFO(attacks[i]);
    CHECK(came_to[i].outcome == Outcome::ok);
    CHECK_MESSAGE(refused(text(came_to[i])), text(came_to[i]));
  }
  CHECK(::access("/tmp/dugnad-probe-was-here", F_OK) != 0);
}

TEST_CASE("seccomp alone refuses all that is not memory, time or the one socket") {
  auto came_to = with_layer("seccomp");
  REQUIRE(came_to.size() >= 40);
  for (const auto& [attack, what] : came_to) {
    INFO(attack);
    CHECK_MESSAGE(refused(what), what);
  }
}

TEST_CASE("Landlock alone refuses files") {
  auto came_to = with_layer("Landlock");
  for (const char* attack : {"read a file", "write a file", "read a directory", "read /proc", "write its own memory file", "make a directory"}) {
    INFO(attack);
    CHECK_MESSAGE(refused(came_to.at(attack)), came_to.at(attack));
  }
  CHECK(came_to.at("a pipe") == "done");  // it is there for files alone, so the test sees that the others are what refuses the rest
}

TEST_CASE("the limits alone refuse further descriptors") {
  auto came_to = with_layer("rlimits");
  for (const char* attack : {"read a file", "write a file", "read /proc", "a TCP socket", "a UDP socket", "a Unix socket", "a pipe",
                             "a file in memory", "another descriptor"}) {
    INFO(attack);
    CHECK_MESSAGE(refused(came_to.at(attack)), came_to.at(attack));
  }
}

TEST_CASE("without privileges alone there is no way back to root, and nobody else's memory") {
  auto came_to = with_layer("privileges");
  for (const char* attack : {"become root", "mount", "read another's memory", "trace its launcher", "a packet socket"}) {
    INFO(attack);
    CHECK_MESSAGE(refused(came_to.at(attack)), came_to.at(attack));
  }
}

}  // namespace dugnad::worker
