// Whatever is wrong with what the user typed or with the machine: one clear line and the exit code that is promised, never a crash.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "coordinatorless/base/crypto.h"
#include "tests/e2e/swarm.h"

namespace dugnad::e2e {
namespace {

std::size_t lines_of(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

/// Ends with `code` and one line on stderr in which `part` stands.
void check_refused(Process process, int code, const std::string& part) {
  CHECK_MESSAGE(process.exit_code() == code, process.story());
  CHECK_MESSAGE(process.err().find(part) != std::string::npos, process.story());
  CHECK_MESSAGE(lines_of(process.err()) == 1, process.story());
  CHECK_MESSAGE(process.out().empty(), process.story());
}

/// A port of loopback that nobody listens on.
std::string free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(fd);
  return std::to_string(ntohs(address.sin_port));
}

/// Connects to tcp://127.0.0.1:PORT and sends what no peer would.
void send_garbage(const std::string& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1))));
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  for (int i = 0; i < 64; ++i) {
    const auto noise = fresh_seed();
    if (::send(fd, noise.data(), noise.size(), MSG_NOSIGNAL) < 0) break;  // thrown out, as it should be
  }
  ::close(fd);
}

}  // namespace

TEST_CASE("what is typed wrong is told in one line, with exit code 2") {
  const Place place;
  const std::string data = place / "data";
  struct Case {
    std::string typed;
    std::string told;
  };
  for (const auto& [typed, told] : {
           Case{"submit nquens --n 8", "did you mean nqueens?"},
           Case{"submit", "which task?"},
           Case{"submit nqueens", "needs n"},
           Case{"submit nqueens --n many", "--n wants a whole number, 1 to 21"},
           Case{"submit nqueens --n 22", "1 to 21"},
           Case{"submit nqueens --n -8", "'-8' is none"},
           Case{"submit nqueens --n 99999999999999999999", "is none"},
           Case{"submit nqueens --m 8", "nqueens has no parameter --m"},
           Case{"submit nqueens --n 8 --n 9", "--n is given twice"},
           Case{"submit nqueens --n 8 --copys 3", "did you mean --copies?"},
           Case{"submit nqueens --n 8 --copies 0", "--copies"},
           Case{"submit nqueens --n 8 --copies 17", "--copies"},
           Case{"submit nqueens --n 8 --wait -1", "--wait"},
           Case{"submit nqueens --n 8 --cache -5", "--cache: '-5' is no size"},
           Case{"submit nqueens --n 8 --upload 3X", "--upload: '3X' is no size"},
           Case{"submit nqueens --n 8 --join tcp://127.0.0.1:4210", "is no contact"},
           Case{"submit nqueens --n 8 --join garbage", "--join"},
           Case{"submit nqueens --n 8 --listen 127.0.0.1", "listen"},
           Case{"submit nqueens --n 8 --listen none --advertise tcp://192.0.2.1:4210", "--advertise"},
           Case{"submit nqueens --n 8 --confidence 1", "--confidence lies between 0 and"},
           Case{"submit nqueens --n 8 --confidence 0.9 --copies 2", "give one of"},
           Case{"submit nqueens --n 8 --assume 0.99", "--assume lies between"},
           Case{"submit nqueens --n 8 --copies 2 --final stream", "--final is of a confidence"},
           Case{"submit nqueens --n 8 --final soon", "--final"},
           Case{"submit module.wasm --lines units.txt", "cannot read module.wasm"},
           Case{"submit --resume 3f2a", "no job 3f2a"},
           Case{"sbmit nqueens", "did you mean submit?"},
           Case{"status 3f2a", "no job 3f2a"},
           Case{"status --all", "JOB is required"},
           Case{"jobs --all", "--all"},
           Case{"cancel xyz", "'xyz' is no job"},
       }) {
    CAPTURE(typed);
    Words arguments = Words{program("dugnad")} + words(typed);
    if (!typed.starts_with("sbmit")) arguments = arguments + Words{"--data", data};
    check_refused(finished(arguments), 2, told);
  }
  check_refused(finished(Words{program("dugnad-worker"), "--join", "garbage", "--data", data}), 2, "--join");
  check_refused(finished(Words{program("dugnad-worker"), "--corse", "1"}), 2, "--corse");
}

TEST_CASE("what the machine refuses is told in one line, with exit code 1") {
  const Place place;
  std::ofstream(place / "file") << "not a directory";
  const Worker worker = start_worker(place, "worker");
  const Words task = words("submit nqueens --n 8");
  const Words join{"--join", worker.contact};

  SUBCASE("a data directory that cannot be") {
    const Words data{"--data", place / "file/data"};
    check_refused(finished(Words{program("dugnad")} + task + join + data), 1, "data directory");
    check_refused(finished(Words{program("dugnad"), "jobs"} + data), 1, "data directory");
    check_refused(finished(Words{program("dugnad-worker")} + data), 1, "data directory");
  }
  SUBCASE("a damaged key") {
    REQUIRE(std::filesystem::create_directory(place / "data"));
    for (const char* name : {"worker.key", "submitter.key"}) {
      std::ofstream(place / "data/" + name) << "dugnad key 1\nsign 00\n";
      std::filesystem::permissions(place / "data/" + name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    const Words data{"--data", place / "data"};
    check_refused(finished(Words{program("dugnad")} + task + join + data), 1, "submitter.key");
    check_refused(finished(Words{program("dugnad-worker")} + data), 1, "worker.key");
  }
  SUBCASE("a port that is taken") {
    const Words taken{"--data", place / "data", "--listen", worker.address()};
    check_refused(finished(Words{program("dugnad")} + task + join + taken), 1, worker.address().substr(6));
    check_refused(finished(Words{program("dugnad-worker")} + taken), 1, worker.address().substr(6));
  }
  SUBCASE("a data directory in use by another worker") {
    check_refused(finished(Words{program("dugnad-worker"), "--data", place / "worker"}), 1, place / "worker");
  }
  SUBCASE("a file for the answer that cannot be") {
    check_refused(finished(submit(place, "nqueens --n 8", join + Words{"--out", place / "nowhere/answer"})), 1, "nowhere/answer");
  }
  SUBCASE("nobody known to join") {
    check_refused(finished(Words{program("dugnad")} + task + words("--listen tcp://127.0.0.1:0") + Words{"--data", place / "data"}), 1,
                  "--join");
  }
}

TEST_CASE("a contact that does not answer is named, and --wait ends the waiting") {
  const Place place;
  const Worker worker = start_worker(place, "worker");
  const std::string nobody = "127.0.0.1:" + free_port();
  const std::string contact = "tcp://" + nobody + worker.contact.substr(worker.contact.find('/', 6));
  Process submitter = finished(submit(place, "nqueens --n 8", {"--join", contact, "--local", "0", "--wait", "4"}));
  CHECK_MESSAGE(submitter.exit_code() == 4, submitter.story());
  CHECK_MESSAGE(submitter.says(nobody), submitter.story());
  CHECK_MESSAGE(submitter.says("nobody to compute"), submitter.story());
}

TEST_CASE("a submitter of another swarm is not served") {
  const Place place;
  const Worker worker = start_worker(place, "worker");
  Process submitter =
      finished(submit(place, "nqueens --n 8", {"--join", worker.contact, "--swarm", "another", "--local", "0", "--wait", "4"}));
  CHECK_MESSAGE(submitter.exit_code() == 4, submitter.story());
  CHECK_MESSAGE(submitter.says("swarm"), submitter.story());
}

TEST_CASE("copies out of reach are told after --wait, with what is possible") {
  const Place place;
  const Worker worker = start_worker(place, "worker");
  Process submitter = finished(submit(place, "nqueens --n 8", {"--join", worker.contact, "--copies", "3", "--wait", "3"}));
  CHECK_MESSAGE(submitter.exit_code() == 5, submitter.story());
  CHECK_MESSAGE(submitter.says("--copies 2 is possible"), submitter.story());
}

TEST_CASE("a confidence is out of reach where this program computes nothing, which is told with what is possible") {
  const Place place;
  const Worker worker = start_worker(place, "worker");
  Process submitter = finished(submit(place, "nqueens --n 8", {"--join", worker.contact, "--confidence", "0.99", "--local", "0"}));
  CHECK_MESSAGE(submitter.exit_code() == 5, submitter.story());
  CHECK_MESSAGE(submitter.says("--copies 3 is possible"), submitter.story());
}

TEST_CASE("two donors that disagree put two copies out of reach, which is told after --wait, with what is possible") {
  const Place place;
  const Worker honest = start_worker(place, "honest");
  const Worker liar = start_worker(place, "liar", {"--join", honest.contact}, "lying_worker");
  Process submitter = finished(submit(place, "nqueens --n 8", {"--join", honest.contact, "--copies", "2", "--local", "0", "--wait", "3"}));
  CHECK_MESSAGE(submitter.exit_code() == 5, submitter.story());
  CHECK_MESSAGE(submitter.says("2 copies are out of reach: for 3 s there were 2 peers, who disagree"), submitter.story());
  CHECK_MESSAGE(submitter.says("--copies 1 is possible"), submitter.story());
}

TEST_CASE("random bytes on a worker's port disturb nobody") {
  const Place place;
  Worker worker = start_worker(place, "worker");
  Process submitter(submit(place, long_job, {"--join", worker.contact, "--copies", "2", "--json"}));
  middle(submitter);
  for (int i = 0; i < 32; ++i) send_garbage(worker.address());
  answers(submitter, long_answer);
  worker.process.signal(SIGTERM);
  CHECK_MESSAGE(worker.process.exit_code() == 0, worker.process.story());
}

}  // namespace dugnad::e2e
