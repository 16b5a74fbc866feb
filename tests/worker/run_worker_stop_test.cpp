// How a worker ends while it computes: in order, at once, and by starting itself afresh when a unit cannot be stopped.
#include <doctest/doctest.h>

#include "coordinatorless/zmq/clocks.h"
#include "tests/worker/program.h"
#include "tests/scratch.h"
#include "worker/control_socket.h"
#include "worker/node.h"
#include "worker/owner.h"

namespace dugnad::worker {
namespace {

/// A worker that has begun to compute one unit of `task`, and its submitter.
class Busy {
 public:
  explicit Busy(const std::string& task, Duration limit = {})
      : program({RUDE_WORKER, "--data", scratch_.path(), "--listen", "tcp://127.0.0.1:0", "--cores", "1"}) {
    const auto ready = program.line();
    REQUIRE(ready);
    contact = ready->substr(6);
    NodeOptions options;
    options.listen = "none";
    options.journal = false;
    options.join = {contact};
    auto opened = Node::open(options);
    REQUIRE(opened.ok());
    node_ = *std::move(opened);
    node_->start({});
    const auto job = make_job({.task = task, .task_version = 1, .copies = 1, .unit_limit = limit, .recipe = {}}, *node_->owner_keys(),
                              node_->id(), node_->swarm(), zmq::read_clocks().wall);
    REQUIRE(job.ok());
    node_->post({job->event, core::UnitsAppended{job->id, {{{0}, {}}}, true}});
    REQUIRE(says("computing " + task));
  }

  /// Whether a line with `part` comes, other lines before it.
  bool says(const std::string& part) {
    while (const auto line = program.error_line()) {
      if (contains(*line, part)) return true;
    }
    return false;
  }

  [[nodiscard]] const std::string& data() const { return scratch_.path(); }

 private:
  Scratch scratch_;

 public:
  Program program;
  std::string contact;

 private:
  std::unique_ptr<Node> node_;
};

TEST_CASE("a unit that outlasts the worker's patience is given up, and the worker has left within five seconds") {
  for (const char* task : {"endless", "deaf"}) {
    Busy busy(task);
    const auto asked = Program::Clock::now();
    busy.program.signal(SIGTERM);
    CHECK(busy.program.exit_code() == 0);
    CHECK(Program::Clock::now() - asked < std::chrono::seconds(5));
  }
}

TEST_CASE("a second signal ends the worker at once") {
  Busy busy("deaf");
  busy.program.signal(SIGTERM);
  REQUIRE(busy.says("stopping"));
  const auto asked = Program::Clock::now();
  busy.program.signal(SIGTERM);
  CHECK(busy.program.exit_code() == 0);
  CHECK(Program::Clock::now() - asked < std::chrono::seconds(1));
}

TEST_CASE("a unit that does not stop when it is asked to makes the worker start itself afresh, as the same peer") {
  Busy busy("deaf", std::chrono::milliseconds(100));
  REQUIRE(busy.says("does not stop when it is asked to"));
  REQUIRE(busy.says("restarting"));
  const auto ready = busy.program.line();
  REQUIRE(ready);
  const auto peer_of = [](const std::string& contact) { return contact.substr(contact.find('/', 6)); };
  CHECK(peer_of(ready->substr(6)) == peer_of(busy.contact));
  CHECK(ask_contact(busy.data()).value() == ready->substr(6));
  busy.program.signal(SIGTERM);
  CHECK(busy.program.exit_code() == 0);
}

}  // namespace
}  // namespace dugnad::worker
