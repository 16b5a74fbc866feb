// Jobs that a worker keeps running: their orders on disk, and the processes that run them. A shell stands in for `dugnad`.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <iterator>

#include "tests/scratch.h"
#include "worker/hosted_jobs.h"
#include "worker/hosted_orders.h"

namespace dugnad::worker {
namespace {

JobId job_of(std::uint8_t number) {
  JobId job;
  job.bytes.fill(number);
  return job;
}

std::string order_file(const Scratch& scratch, const JobId& job) { return scratch.file("hosted/" + job.hex() + ".order"); }

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A program that is called as `dugnad` is: $3 is the job, $5 the data directory, $8 the first argument of the order.
std::string shell(const Scratch& scratch, const std::string& script) {
  const std::string path = scratch.file("stand-in");
  put_content(path, "#!/bin/sh\n" + script + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

struct Host {
  explicit Host(const std::string& script, std::size_t running_max = 8)
      : jobs({.data_dir = scratch.path(),
              .program = shell(scratch, script),
              .say = [this](const std::string& line) { said += line + "\n"; },
              .running_max = running_max,
              .first_pause = std::chrono::milliseconds(1),
              .longest_pause = std::chrono::milliseconds(8)}) {}
  void order(std::uint8_t number, const std::vector<std::string>& arguments = {"first"}) const {
    REQUIRE(orders.put(job_of(number), arguments).ok());
  }
  /// Turns as the worker does, until `done` or a minute is over.
  void turn_until(const std::function<bool()>& done) {
    for (const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1); !done();) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, said);
      std::vector<pollfd> watched;
      jobs.watched(watched);
      const int left = jobs.milliseconds_left();
      (void)::poll(watched.data(), watched.size(), left < 0 ? 100 : std::min(left, 100));
      jobs.turn();
    }
  }
  [[nodiscard]] std::size_t times(const std::string& line) const {
    std::size_t found = 0;
    for (std::size_t at = said.find(line); at != said.npos; at = said.find(line, at + 1)) ++found;
    return found;
  }

  Scratch scratch;
  HostedOrders orders{scratch.path()};
  std::string said;
  HostedJobs jobs;
};

TEST_CASE("an order comes back as it was given, and nobody else can read it") {
  Scratch scratch;
  const HostedOrders orders(scratch.path());
  CHECK(orders.all().empty());
  CHECK_FALSE(orders.get(job_of(1)));
  const std::vector<std::string> arguments{"--out", "a directory\nwith a break", "", "--wait", "3"};
  REQUIRE(orders.put(job_of(2), arguments).ok());
  REQUIRE(orders.put(job_of(1), {}).ok());
  CHECK(orders.get(job_of(2)) == arguments);
  CHECK(orders.get(job_of(1)) == std::vector<std::string>{});
  CHECK(orders.all() == std::vector<JobId>{job_of(1), job_of(2)});
  struct stat status {};
  REQUIRE(::stat(order_file(scratch, job_of(2)).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  orders.remove(job_of(2));
  CHECK_FALSE(orders.has(job_of(2)));
  CHECK(orders.has(job_of(1)));
}

TEST_CASE("what is no order is none, and too long a one is refused") {
  Scratch scratch;
  const HostedOrders orders(scratch.path());
  REQUIRE(orders.put(job_of(1), {}).ok());
  for (const std::string& text : {std::string(), std::string("dugnad order 2\n"), std::string("dugnad order 1\nopen end"),
                                  "dugnad order 1\n" + std::string(70'000, 'x')}) {
    put_content(order_file(scratch, job_of(1)), text);
    CHECK_FALSE(orders.get(job_of(1)));
  }
  put_content(scratch.file("hosted/notes.order"), "dugnad order 1\n");
  put_content(scratch.file("hosted/" + job_of(3).hex()), "dugnad order 1\n");
  CHECK(orders.all() == std::vector<JobId>{job_of(1)});
  const auto refused = orders.put(job_of(4), {std::string(70'000, 'x')});
  REQUIRE_FALSE(refused.ok());
  CHECK(is_one_line(refused.error().message));
  CHECK_FALSE(orders.has(job_of(4)));
}

TEST_CASE("an order is carried out with its arguments, and is done with once its program has removed it") {
  Host host(R"(echo "$1 $2 $4 $6 $8" >&2; [ "$7" = $PPID ] && rm "$5/hosted/$3.order")");
  host.order(1, {"two words"});
  host.jobs.look();
  host.turn_until([&] { return host.times("has ended") == 1; });
  CHECK(content_of(host.orders.log_of(job_of(1))) == "submit --resume --data --hosted two words\n");
  CHECK_FALSE(host.jobs.any_running());
  CHECK(host.jobs.milliseconds_left() == -1);
}

TEST_CASE("a program that ends before its job does is started again, until the order is gone") {
  Host host(R"(echo x >> "$5/starts"; [ $(wc -l < "$5/starts") -lt 5 ] && exit 130; rm "$5/hosted/$3.order")");
  host.order(1);
  host.jobs.look();
  host.turn_until([&] { return host.times("has ended") == 1; });
  CHECK(content_of(host.scratch.file("starts")) == "x\nx\nx\nx\nx\n");
  CHECK(host.times("is taken up again in 1 ms") == 1);
  CHECK(host.times("is taken up again in 8 ms") == 1);
}

TEST_CASE("an order that makes no sense to its program, or is damaged, is not tried again") {
  Host host("exit 2");
  host.order(1);
  host.order(2);
  put_content(order_file(host.scratch, job_of(2)), "dugnad order 9\n");
  host.jobs.look();
  host.turn_until([&] { return !host.orders.has(job_of(1)) && !host.orders.has(job_of(2)); });
  CHECK(host.times("cannot be run") == 2);
  host.turn_until([&] { return host.jobs.milliseconds_left() == -1; });
  CHECK(host.times("runs here") == 1);
}

TEST_CASE("beyond so many at once, jobs wait for their turn, and one that is cancelled meanwhile is never started") {
  Host host(R"(echo x >> "$5/starts"; exec sleep 600)", 2);
  for (std::uint8_t number = 1; number <= 4; ++number) host.order(number);
  host.jobs.look();
  CHECK(host.times("runs here") == 2);
  CHECK(host.jobs.milliseconds_left() == -1);
  for (std::uint8_t number = 2; number <= 4; ++number) host.orders.remove(job_of(number));
  host.jobs.leave();
  CHECK(host.jobs.any_running());
  host.turn_until([&] { return !host.jobs.any_running(); });
  CHECK(host.times("runs here") == 2);
  CHECK(host.orders.has(job_of(1)));
}

TEST_CASE("a program that does not end when it is asked to is killed") {
  Host host(R"(trap '' TERM; echo ready >&2; while :; do sleep 1; done)");
  host.order(1);
  host.jobs.look();
  host.turn_until([&] { return content_of(host.orders.log_of(job_of(1))) == "ready\n"; });
  host.jobs.end_at_once(std::chrono::milliseconds(1));
  CHECK_FALSE(host.jobs.any_running());
  CHECK(host.orders.has(job_of(1)));
}

TEST_CASE("a program that cannot be started is tried again later") {
  Host host("exit 0");
  std::filesystem::remove(host.scratch.file("stand-in"));
  host.order(1);
  host.jobs.look();
  CHECK(host.times("cannot be started") == 1);
  CHECK(host.jobs.milliseconds_left() > 1000);
}

}  // namespace
}  // namespace dugnad::worker
