// What any program of this user may do to a control socket.
#include "worker/control_server.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "tests/scratch.h"

namespace dugnad::worker {
namespace {

/// Somebody who is connected and does as they like.
class Rude {
 public:
  explicit Rude(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~Rude() { ::close(fd_); }
  Rude(const Rude&) = delete;
  Rude& operator=(const Rude&) = delete;

  void send(const std::string& bytes) const { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); }
  /// All that comes until the server closes; nullopt where it does not within ten seconds.
  [[nodiscard]] std::optional<std::string> rest() const {
    std::string all;
    for (;;) {
      pollfd watched{fd_, POLLIN, 0};
      if (::poll(&watched, 1, 10'000) != 1) return std::nullopt;
      char part[4096];
      const ssize_t got = ::recv(fd_, part, sizeof part, 0);
      if (got <= 0) return all;
      all.append(part, static_cast<std::size_t>(got));
    }
  }

 private:
  int fd_;
};

struct Served {
  explicit Served(ControlLimits limits = {}) {
    auto opened = ControlServer::open(
        path,
        [this](const ControlRequest& asked) {
          ++answered;
          return ControlAnswer{true, asked.argument == "much" ? std::string(control_answer_max, 'x') : asked.word};
        },
        limits);
    REQUIRE(opened.ok());
    server = *std::move(opened);
  }
  /// Everybody else is still served.
  void check_alive() const {
    const Asked asked = ask(path, {"status"});
    REQUIRE_MESSAGE(asked.answer, asked.reason);
    CHECK(asked.answer->text == "status");
  }

  Scratch scratch;
  std::string path = control_path(scratch.path());
  std::atomic<int> answered{0};
  std::unique_ptr<ControlServer> server;
};

const ControlLimits impatient{.connections_max = 4, .patience = std::chrono::milliseconds(50)};

TEST_CASE("half a question is waited for, and not for ever") {
  const Served served(impatient);
  const Rude half(served.path);
  half.send("dugnad/1 sta");
  CHECK(half.rest() == "");
  CHECK(served.answered == 0);
  served.check_alive();
}

TEST_CASE("a question may come in pieces") {
  const Served served;
  const Rude slow(served.path);
  for (const char* piece : {"dug", "nad/1 st", "atus", "\n"}) slow.send(piece);
  CHECK(slow.rest() == "ok status\n");
}

TEST_CASE("a question without an end is cut off at 4 KiB") {
  const Served served;
  const Rude endless(served.path);
  endless.send(std::string(control_request_max, 'a'));
  const auto said = endless.rest();
  REQUIRE(said);
  CHECK(said->starts_with("no a question has at most 4096 bytes"));
  const Rude more(served.path);
  more.send(std::string(1 << 16, 'a') + "\n");
  CHECK(more.rest());
  CHECK(served.answered == 0);
  served.check_alive();
}

TEST_CASE("what is no question is answered with the reason, and reaches nobody") {
  const Served served;
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\n"), std::string("dugnad/1 status\0\n", 17),
                                   std::string("\xff\xfe\x00\x01\n", 5), std::string("dugnad/9 status\n")}) {
    const Rude rude(served.path);
    rude.send(bytes);
    const auto said = rude.rest();
    REQUIRE(said);
    CHECK(said->starts_with("no "));
    CHECK(said->back() == '\n');
  }
  CHECK(served.answered == 0);
}

TEST_CASE("of two questions on one connection the first is answered") {
  const Served served;
  const Rude rude(served.path);
  rude.send("dugnad/1 one\ndugnad/1 two\n");
  CHECK(rude.rest() == "ok one\n");
  CHECK(served.answered == 1);
}

TEST_CASE("whoever hangs up, or does not take the answer, costs others nothing") {
  const Served served(impatient);
  { const Rude gone(served.path); }
  {
    const Rude gone(served.path);
    gone.send("dugnad/1 status\n");
  }
  const Rude deaf(served.path);
  for (int i = 0; i < 4; ++i) deaf.send("dugnad/1 status much\n");
  served.check_alive();
}

TEST_CASE("more connections than are served at once wait for their turn") {
  const Served served(impatient);
  std::vector<std::unique_ptr<Rude>> idle;
  for (int i = 0; i < 12; ++i) idle.push_back(std::make_unique<Rude>(served.path));
  served.check_alive();
  for (const auto& each : idle) CHECK(each->rest() == "");
}

TEST_CASE("many ask at once and each gets its answer") {
  const Served served;
  std::atomic<int> good{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i) {
    askers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const Asked asked = ask(served.path, {"status"});
        if (asked.answer && asked.answer->text == "status") ++good;
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  CHECK(good == 400);
  CHECK(served.answered == 400);
}

TEST_CASE("a server ends at once, whoever is connected") {
  Served served;
  const Rude idle(served.path);
  served.check_alive();  // the idle one was accepted before
  const auto asked = std::chrono::steady_clock::now();
  served.server.reset();
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(2));
  CHECK(idle.rest() == "");
}

}  // namespace
}  // namespace dugnad::worker
