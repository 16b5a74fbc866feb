// The hostile corpus, from inside: what a stranger's code can do once it has taken over V8.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <set>
#include <sstream>
#include <utility>

#include "tests/cage/caged.h"

namespace dugnad::worker {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// A process with an attacker in it and one layer alone.
class OneLayer {
 public:
  explicit OneLayer(const std::string& layer) {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      const int null = ::open("/dev/null", O_RDWR);
      for (const int standard : {0, 1, 2}) ::dup2(null, standard);
      ::dup2(pair[1], 3);
      ::execl(PROBE_LIBEXEC "/dugnad-cage", "dugnad-cage", layer.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(pair[1]);
    socket_ = pair[0];
    const auto hello = heard();
    REQUIRE(hello);
    REQUIRE_MESSAGE(hello->body.front() == 1, to_text(hello->body));
  }
  ~OneLayer() {
    ::close(socket_);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }
  OneLayer(const OneLayer&) = delete;
  OneLayer& operator=(const OneLayer&) = delete;

  /// What the unit led to; "killed" where the system ended the process for it.
  std::string ask(const std::string& unit) {
    Bytes frame;
    cage::append_frame(frame, cage::Kind::unit, Bytes(8, 0), to_bytes(unit));
    REQUIRE(::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size()));
    if (const auto answer = heard()) return to_text(ByteView(answer->body).subspan(1));
    int status = 0;
    REQUIRE(::waitpid(std::exchange(child_, -1), &status, 0) > 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "ended with status " + std::to_string(status);
  }

 private:
  std::optional<cage::Frame> heard() {
    for (;;) {
      if (auto frame = reader_.next()) return frame;
      std::uint8_t part[4096];
      const ssize_t got = ::recv(socket_, part, sizeof part, 0);
      if (got <= 0) return std::nullopt;
      reader_.feed(ByteView(part, static_cast<std::size_t>(got)));
    }
  }

  pid_t child_ = -1;
  int socket_ = -1;
  cage::FrameReader reader_{cage::FrameReader::Side::worker};
};

/// What each attack comes to in a process with one layer alone.
std::map<std::string, std::string> with_layer(const std::string& layer) {
  std::map<std::string, std::string> came_to;
  const bool all = layer == "seccomp";
  std::optional<OneLayer> prober(layer);
  for (const std::string& attack : lines_of(prober->ask("list"))) {
    // Where nothing stops them, these would change the prober, or disturb the machine.
    static const std::set<std::string> left_out{"exec", "be traced", "new namespaces", "another root", "signal everybody", "go elsewhere"};
    if (!all && left_out.contains(attack)) continue;
    const std::string what = came_to[attack] = prober->ask(attack);
    if (what == "killed") prober.emplace(layer);
  }
  prober.reset();
  ::unlink("/tmp/dugnad-probe-was-here");
  ::rmdir("/tmp/dugnad-probe-was-here");
  return came_to;
}

/// What only an attack would try ends the process; what a library might is refused.
const std::set<std::string> ends_the_process{
    "a TCP socket", "a UDP socket", "an IPv6 socket", "a Unix socket", "a netlink socket", "a packet socket", "a vsock socket", "an ALG socket",
    "a socket of any family", "a socket pair", "fork", "vfork", "exec", "signal its launcher", "signal everybody", "trace its launcher",
    "be traced", "read another's memory", "a file in memory", "mount", "new namespaces", "another root", "bpf", "io_uring", "userfaultfd",
    "perf", "the keyring", "become root", "another architecture's system calls"};

bool refused(const std::string& what) { return what.starts_with("refused: "); }

}  // namespace

TEST_CASE("every required layer of the cage holds on this machine, and the launcher names them") {
  const auto launcher = probe_launcher();
  const auto layers = launcher->check();
  REQUIRE_MESSAGE(layers, (layers ? "" : layers.error().message));
  for (const char* layer : {"seccomp", "Landlock", "rlimits", "no_new_privs", "namespaces with an empty root"}) {
    CHECK(layers->find(layer) != std::string::npos);
  }
}

TEST_CASE("in a cage every attack is refused, or the end of it, and another slot's units are unharmed") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher), other(*launcher);
  const Guest guest = guest_of("attacks");
  ::rmdir("/tmp/dugnad-probe-was-here");  // of a run that was broken off
  const auto attacks = lines_of(text(run_all(slot, guest, {"list"})[0]));
  REQUIRE(attacks.size() > 45);
  std::size_t ended = 0;
  for (const std::string& attack : attacks) {
    INFO(attack);
    auto beside = std::async(std::launch::async, [&] { return run_all(other, guest_of("honest"), {"1", "2", "3"}); });
    const Ran ran = run_all(slot, guest, {attack})[0];
    if (ends_the_process.contains(attack)) {
      CHECK(ran.outcome == Outcome::donor_fault);
      CHECK(text(ran) == "its cage died");
      ++ended;
    } else {
      CHECK(ran.outcome == Outcome::ok);
      CHECK_MESSAGE(refused(text(ran)), text(ran));
    }
    const auto honest = beside.get();
    for (std::size_t i = 0; i < honest.size(); ++i) CHECK(text(honest[i]) == std::to_string(i + 1));
  }
  CHECK(ended >= ends_the_process.size() - 1);  // one of them is there on x86-64 alone
  CHECK(::access("/tmp/dugnad-probe-was-here", F_OK) != 0);
}

TEST_CASE("seccomp alone refuses all that is not memory, time or the one socket, and ends who tries what only an attack would") {
  auto came_to = with_layer("seccomp");
  REQUIRE(came_to.size() > 45);
  for (const auto& [attack, what] : came_to) {
    INFO(attack);
    if (ends_the_process.contains(attack)) CHECK(what == "killed");
    else CHECK_MESSAGE(refused(what), what);
  }
}

TEST_CASE("an empty root alone leaves no file to be looked at, and the namespaces no network device to be used") {
  auto came_to = with_layer("namespaces");
  for (const char* attack : {"look at a file", "change a file's owner", "read a file", "write a file", "read /proc", "write its own memory file",
                             "remove a file", "make a directory"}) {
    INFO(attack);
    CHECK_MESSAGE(refused(came_to.at(attack)), came_to.at(attack));
  }
  CHECK(came_to.at("a pipe") == "done");  // the test sees this layer alone
}

TEST_CASE("Landlock alone refuses files") {
  auto came_to = with_layer("Landlock");
  for (const char* attack : {"read a file", "write a file", "read a directory", "read /proc", "write its own memory file", "make a directory"}) {
    INFO(attack);
    CHECK_MESSAGE(refused(came_to.at(attack)), came_to.at(attack));
  }
  CHECK(came_to.at("look at a file") == "done");  // for what the empty root is there
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
