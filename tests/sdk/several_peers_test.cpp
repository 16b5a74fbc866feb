// A submitter among donors, all in this process, over ZeroMQ on loopback.
#include <thread>

#include "tests/sdk/swarms.h"
#include "worker/control_server.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

tasks::TaskTable lying() {
  auto table = test_tasks();
  table.add(task_of<std::uint64_t, std::uint64_t>("square", 1, [](std::uint64_t n) { return n * n + 1; }));
  return table;
}

}  // namespace

TEST_CASE("a unit counts once two peers agree on it") {
  const auto neighbour = donor(test_tasks());
  Swarm swarm = joined(joining(neighbour->contact()));
  Job job = good(swarm.map("square", numbers(2000)));
  const auto results = rest_of(job);
  REQUIRE(results.size() == 2000);
  for (const UnitResult& result : results) CHECK(number_in(result.output) == result.unit * result.unit);
  CHECK(job.progress().attempts >= 4000);
  CHECK(job.progress().donors == 2);
  const auto peers = swarm.peers();
  CHECK(std::any_of(peers.begin(), peers.end(), [&](const Peer& p) { return p.id == neighbour->id().hex() && p.connected && p.donates; }));
}

TEST_CASE("a donor that lies is outvoted, and the user hears of it") {
  const auto honest = donor(test_tasks());
  const auto liar = donor(lying(), {honest->contact()});
  SwarmOptions options = joining(honest->contact());
  options.join.push_back(liar->contact());
  Swarm swarm = joined(std::move(options));

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> outvoted;
  Job job = good(swarm.open("square", {.copies = 2}));
  job.on_notice([&](const Notice& notice) {
    if (notice.kind != Notice::Kind::outvoted) return;
    const std::lock_guard lock(mutex);
    outvoted.push_back(notice.peer);
    changed.notify_all();
  });
  // Whoever comes first gets the units, so they go on until the liar has had one.
  const auto caught = [&] {
    const std::lock_guard lock(mutex);
    return !outvoted.empty();
  };
  std::uint64_t units = 0;
  while (!caught()) {
    units += 10;
    REQUIRE(good(job.submit(numbers(10))) == units - 10);
    for (int i = 0; i < 10; ++i) {
      const auto result = job.next();
      REQUIRE(result.has_value());
      const std::uint64_t n = result->unit % 10;
      REQUIRE(number_in(result->output) == n * n);
    }
  }
  job.close_input();
  CHECK_FALSE(job.next().has_value());
  const std::lock_guard lock(mutex);
  for (const std::string& peer : outvoted) CHECK(peer == liar->id().hex());
}

TEST_CASE("a submitter that computes nothing itself uses what others offer") {
  const auto neighbour = donor(test_tasks());
  SwarmOptions options = joining(neighbour->contact());
  options.local = 0;
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("square", numbers(10), one_copy));
  CHECK(rest_of(job).size() == 10);
}

TEST_CASE("whom an earlier run met is found again without being told") {
  const Scratch scratch;
  const auto neighbour = donor(test_tasks());
  {
    SwarmOptions options = joining(neighbour->contact());
    options.journal = true;
    options.data = scratch.path();
    options.local = 0;
    Swarm swarm = joined(std::move(options));
    Job job = good(swarm.map("square", numbers(1), one_copy));
    CHECK(rest_of(job).size() == 1);
  }
  SwarmOptions options = joining("");
  options.join.clear();
  options.journal = true;
  options.data = scratch.path();
  options.local = 0;
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("square", numbers(1), one_copy));
  CHECK(rest_of(job).size() == 1);
}

TEST_CASE("without a contact, this machine's worker is asked") {
  const Scratch scratch;
  const auto neighbour = donor(test_tasks());
  const auto control = good(worker::ControlServer::open(worker::control_path(scratch.path()), [&](const worker::ControlRequest& asked) {
    CHECK(asked.word == "contact");
    return worker::ControlAnswer{true, neighbour->contact()};
  }));
  SwarmOptions options = alone_in(scratch);
  options.alone = false;
  options.local = 0;
  Swarm submitter = joined(std::move(options));
  Job job = good(submitter.map("square", numbers(3), one_copy));
  CHECK(rest_of(job).size() == 3);
}

TEST_CASE("nobody to compute is said, and that somebody has come") {
  // The submitter listens and computes nothing; a donor comes once the user was told that there is none.
  SwarmOptions options = alone();
  options.listen = "tcp://127.0.0.1:0";
  options.local = 0;
  Swarm swarm = joined(std::move(options));
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Notice::Kind> heard;
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return heard.size() >= count; });
  };
  Job job = good(swarm.map("square", numbers(5), one_copy));
  job.on_notice([&](const Notice& notice) {
    const std::lock_guard lock(mutex);
    heard.push_back(notice.kind);
    changed.notify_all();
  });
  wait_for(1);
  const auto helper = donor(test_tasks(), {swarm.contact()});
  CHECK(rest_of(job).size() == 5);
  wait_for(2);
  CHECK(heard == std::vector{Notice::Kind::nobody_to_compute, Notice::Kind::donors_back});
}
