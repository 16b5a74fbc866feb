// Two nodes on loopback in one process, and every way in which a node refuses to open.
#include "worker/node.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include "coordinatorless/core/contact.h"
#include "coordinatorless/zmq/clocks.h"
#include "tests/scratch.h"
#include "worker/owner.h"

namespace dugnad::worker {
namespace {

constexpr auto patience = std::chrono::seconds(30);

/// What a node's hooks and log have said, to be waited for.
class Heard {
 public:
  NodeHooks hooks() {
    return {.notice = [this](core::Effect effect) { note(std::move(effect)); },
            .link = [this](const core::Event& event) { note(event); },
            .stuck = {}};
  }
  Log log() {
    return [this](LogLevel, const std::string& line) { change([&] { lines_.push_back(line); }); };
  }

  [[nodiscard]] bool line_with(std::string_view part) {
    return wait([&] { return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) { return contains(line, part); }); });
  }
  /// So far.
  [[nodiscard]] bool has_line_with(std::string_view part) {
    const std::lock_guard lock(mutex_);
    return std::any_of(lines_.begin(), lines_.end(), [&](const std::string& line) { return contains(line, part); });
  }
  [[nodiscard]] bool linked() {
    return wait([&] { return linked_; });
  }
  [[nodiscard]] std::optional<JobState> job_ended() {
    (void)wait([&] { return ended_.has_value(); });
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  [[nodiscard]] std::map<std::uint64_t, AcceptedUnit> units() {
    const std::lock_guard lock(mutex_);
    return units_;
  }

 private:
  void note(core::Effect effect) {
    change([&] {
      if (auto* results = std::get_if<core::DeliverResults>(&effect)) {
        for (AcceptedUnit& unit : results->units) CHECK(units_.emplace(unit.unit.value, std::move(unit)).second);
      }
      if (const auto* ended = std::get_if<core::JobEnded>(&effect)) ended_ = ended->state;
    });
  }
  void note(const core::Event& event) {
    change([&] { linked_ = linked_ || std::holds_alternative<core::PeerConnected>(event); });
  }
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::map<std::uint64_t, AcceptedUnit> units_;
  std::optional<JobState> ended_;
  bool linked_ = false;
};

Bytes twice(ByteView input, const tasks::StopToken&) {
  Bytes output(input.begin(), input.end());
  output.insert(output.end(), input.begin(), input.end());
  return output;
}

tasks::TaskTable own_tasks() {
  tasks::TaskTable table;
  table.add({.name = "twice", .version = 3, .help = "says it twice", .parameters = {}, .run = twice, .plan = {}});
  return table;
}

/// In memory, on loopback.
NodeOptions light(Heard& heard) {
  NodeOptions options;
  options.swarm = "node-test:0";
  options.listen = "tcp://127.0.0.1:0";
  options.journal = false;
  options.log = heard.log();
  return options;
}

NodeOptions donor(Heard& heard) {
  NodeOptions options = light(heard);
  options.donates = true;
  options.slots = 1;
  options.tasks = own_tasks();
  return options;
}

NodeOptions in_directory(Heard& heard, const std::string& data) {
  NodeOptions options = light(heard);
  options.journal = true;
  options.data = data;
  return options;
}

std::unique_ptr<Node> opened(NodeOptions options) {
  auto node = Node::open(std::move(options));
  REQUIRE_MESSAGE(node.ok(), (node.ok() ? "" : node.error().message));
  return *std::move(node);
}

std::string refusal(NodeOptions options) {
  const auto node = Node::open(std::move(options));
  REQUIRE_FALSE(node.ok());
  CHECK(is_one_line(node.error().message));
  return node.error().message;
}

SignedJob submit(Node& node, JobOrder order, unsigned units) {
  const auto owner = node.owner_keys();
  REQUIRE(owner.ok());
  auto job = make_job(order, *owner, node.id(), node.swarm(), zmq::read_clocks().wall);
  REQUIRE(job.ok());
  core::UnitsAppended appended{job->id, {}, true};
  for (unsigned i = 0; i < units; ++i) appended.units.push_back({{i}, to_bytes(std::to_string(i))});
  node.post({job->event, appended});
  return *std::move(job);
}

void check_twice(const std::map<std::uint64_t, AcceptedUnit>& units, unsigned count) {
  CHECK(units.size() == count);
  for (const auto& [index, unit] : units) {
    CHECK(unit.outcome == Outcome::ok);
    CHECK(to_text(unit.output.bytes) == std::to_string(index) + std::to_string(index));
  }
}

TEST_CASE("a donor computes what a submitter that joined it submits") {
  Heard at_donor, at_submitter;
  const auto working = opened(donor(at_donor));
  working->start(at_donor.hooks());
  NodeOptions options = light(at_submitter);
  options.join = {working->contact()};
  const auto submitting = opened(options);
  submitting->start(at_submitter.hooks());

  const SignedJob job = submit(*submitting, {.task = "twice", .task_version = 3, .copies = 1, .unit_limit = {}, .recipe = {}}, 500);

  CHECK(at_submitter.job_ended() == JobState::done);
  check_twice(at_submitter.units(), 500);
  const auto progress = submitting->progress(job.id);
  REQUIRE(progress);
  CHECK(progress->units_accepted == 500);
  CHECK(submitting->peers().size() == 1);
  CHECK(working->counters().units_computed >= 500);
  CHECK(at_submitter.line_with("joined the swarm"));
  submitting->leave();
  CHECK(submitting->wait());
  working->leave();
  CHECK(working->wait());
}

TEST_CASE("two copies take the submitter's own slot beside the donor, and the journal holds what was accepted") {
  Scratch scratch;
  Heard at_donor, at_submitter;
  const auto working = opened(donor(at_donor));
  working->start(at_donor.hooks());
  NodeOptions options = in_directory(at_submitter, scratch.path());
  options.role = "submitter";
  options.listen = "none";
  options.join = {working->contact()};
  options.slots = 1;
  options.tasks = own_tasks();
  auto submitting = opened(options);
  CHECK_FALSE(submitting->dialable());
  submitting->start(at_submitter.hooks());

  const SignedJob job = submit(*submitting, {.task = "twice", .task_version = 3, .copies = 2, .unit_limit = {}, .recipe = {}}, 50);

  CHECK(at_submitter.job_ended() == JobState::done);
  check_twice(at_submitter.units(), 50);
  submitting->store()->flush();
  const auto jobs = submitting->store()->jobs();
  REQUIRE(jobs.ok());
  REQUIRE(jobs->size() == 1);
  CHECK(jobs->front().job == job.id);
  CHECK(jobs->front().units_accepted == 50);
  const auto again = take_up_job(jobs->front().manifest, {}, *submitting->owner_keys(), submitting->id(), submitting->swarm(), 2);
  REQUIRE(again.ok());
  CHECK(again->id == job.id);
  CHECK(again->event.manifest == job.event.manifest);
}

TEST_CASE("two donors that know each other's jobs through a third alone hear of one once its submitter has a proof, which is kept") {
  Scratch scratch;
  Heard at_middle, at_donor, at_submitter, at_next;
  const auto in_swarm = [](NodeOptions options, const std::vector<std::string>& join) {
    options.swarm = "node-test:5";
    options.join = join;
    if (!join.empty()) options.listen = "none";
    return options;
  };
  const auto middle = opened(in_swarm(light(at_middle), {}));
  middle->start(at_middle.hooks());
  const auto working = opened(in_swarm(donor(at_donor), {middle->contact()}));
  working->start(at_donor.hooks());
  REQUIRE(at_donor.linked());
  const NodeOptions options = in_swarm(in_directory(at_submitter, scratch.path()), {middle->contact()});
  auto submitting = opened(options);
  submitting->start(at_submitter.hooks());
  (void)submit(*submitting, {.task = "twice", .task_version = 3, .copies = 1, .unit_limit = {}, .recipe = {}}, 20);
  CHECK(at_submitter.job_ended() == JobState::done);
  CHECK(at_submitter.line_with("found a proof of work"));
  CHECK(std::filesystem::exists(scratch.file("worker.proof")));

  submitting.reset();
  NodeOptions again = options;
  again.log = at_next.log();
  submitting = opened(again);
  submitting->start(at_next.hooks());
  (void)submit(*submitting, {.task = "twice", .task_version = 3, .copies = 1, .unit_limit = {}, .recipe = {}}, 20);
  CHECK(at_next.job_ended() == JobState::done);
  CHECK_FALSE(at_next.has_line_with("found a proof of work"));
}

TEST_CASE("a version of a task that the donor lacks is not computed as if it were its own") {
  Heard at_donor, at_submitter;
  const auto working = opened(donor(at_donor));
  working->start(at_donor.hooks());
  NodeOptions options = light(at_submitter);
  options.join = {working->contact()};
  const auto submitting = opened(options);
  submitting->start(at_submitter.hooks());
  REQUIRE(at_submitter.linked());
  (void)submit(*submitting, {.task = "twice", .task_version = 4, .copies = 1, .unit_limit = {}, .recipe = {}}, 1);
  (void)submit(*submitting, {.task = "twice", .task_version = 3, .copies = 1, .unit_limit = {}, .recipe = {}}, 1);
  CHECK(at_submitter.job_ended() == JobState::done);
  CHECK(at_submitter.units().size() == 1);
  CHECK(working->counters().units_computed == 1);
}

TEST_CASE("a contact of another swarm is named in one line, and so is one where nobody answers") {
  Heard heard_first, heard_stranger, heard_lonely;
  auto first = opened(light(heard_first));
  first->start(heard_first.hooks());
  const std::string contact = first->contact();
  NodeOptions options = light(heard_stranger);
  options.swarm = "another";
  options.join = {contact};
  const auto stranger = opened(options);
  stranger->start(heard_stranger.hooks());
  CHECK(heard_stranger.line_with("belongs to another swarm"));

  first.reset();
  options = light(heard_lonely);
  options.join = {contact};
  const auto lonely = opened(options);
  lonely->start(heard_lonely.hooks());
  CHECK(heard_lonely.line_with("cannot join: cannot reach 127.0.0.1:"));
}

TEST_CASE("a node keeps its identity, its port and its place in the data directory") {
  Scratch scratch;
  Heard heard;
  NodeOptions options = in_directory(heard, scratch.path());
  options.listen.clear();
  auto node = opened(options);
  const std::string contact = node->contact();
  CHECK(contains(refusal(options), "another worker is using the data directory"));

  options.role_most = 2;
  auto second = opened(options);
  CHECK(second->id() != node->id());

  node.reset();
  second.reset();
  options.role_most = 1;
  CHECK(opened(options)->contact() == contact);
}

/// A link is heard of before the record of whom it leads to: asks until that has come. Each question waits for the node's answer.
bool knows_somebody(Node& node) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (node.peers().empty()) {
    if (std::chrono::steady_clock::now() > until) return false;
  }
  return true;
}

TEST_CASE("peers met once are found again without a contact") {
  Scratch scratch;
  Heard heard_seed, heard, heard_again;
  const auto seed = opened(light(heard_seed));
  seed->start(heard_seed.hooks());
  {
    NodeOptions options = in_directory(heard, scratch.path());
    options.join = {seed->contact()};
    const auto node = opened(options);
    node->start(heard.hooks());
    REQUIRE(heard.linked());
    REQUIRE(knows_somebody(*node));
    node->leave();
    CHECK(node->wait());
  }
  const auto again = opened(in_directory(heard_again, scratch.path()));
  again->start(heard_again.hooks());
  CHECK(heard_again.linked());
}

TEST_CASE("whatever keeps a node from opening is one line that names it") {
  Scratch scratch;
  Heard heard;
  NodeOptions options = light(heard);

  SUBCASE("a port in use") {
    const auto node = opened(options);
    const auto contact = core::Contact::parse(node->contact());
    REQUIRE(contact.ok());
    options.listen = "tcp://" + contact->host_port;
    CHECK(contains(refusal(options), contact->host_port));
  }
  SUBCASE("--listen that is none") {
    options.listen = "localhost";
    CHECK(contains(refusal(options), "--listen wants"));
  }
  SUBCASE("--advertise for a node that does not listen") {
    options.listen = "none";
    options.advertise = "tcp://198.51.100.1:4210";
    CHECK(contains(refusal(options), "--advertise"));
  }
  SUBCASE("a swarm whose difficulty is none") {
    options.swarm = "public:many";
    CHECK(contains(refusal(options), "public:many"));
  }
  SUBCASE("a private swarm without its secret") {
    options.swarm_secret = scratch.file("secret");
    CHECK(contains(refusal(options), scratch.file("secret")));
  }
  SUBCASE("a contact that is none") {
    options.join = {"tcp://127.0.0.1:4210"};
    CHECK(contains(refusal(options), "is no contact"));
  }
  SUBCASE("a name that does not resolve") {
    Heard other;
    const auto node = opened(light(other));
    std::string contact = node->contact();
    contact.replace(contact.find("127.0.0.1"), 9, "no-such-host.invalid");
    options.join = {contact};
    CHECK(contains(refusal(options), "no-such-host.invalid"));
  }
  SUBCASE("a data directory that is a file") {
    put_content(scratch.file("data"), "x");
    CHECK(contains(refusal(in_directory(heard, scratch.file("data"))), scratch.file("data")));
  }
  SUBCASE("a damaged key") {
    put_content(scratch.file("worker.key"), "dugnad key 1\nsign 00\n");
    REQUIRE(::chmod(scratch.file("worker.key").c_str(), 0600) == 0);
    CHECK(contains(refusal(in_directory(heard, scratch.path())), "worker.key is damaged"));
  }
  SUBCASE("a journal that is none") {
    put_content(scratch.file("worker.journal"), std::string(4096, 'x'));
    CHECK(contains(refusal(in_directory(heard, scratch.path())), "is not a dugnad journal"));
  }
}

TEST_CASE("a node that was never started, was stopped, or has left, answers nobody and blocks nobody") {
  Heard heard;
  const auto node = opened(light(heard));
  CHECK_FALSE(node->wait());
  CHECK(node->peers().empty());
  node->start(heard.hooks());
  node->stop();
  CHECK_FALSE(node->wait());
  CHECK(node->counters().messages_in == 0);
}

TEST_CASE("an order that no swarm would take is refused") {
  const SecretKeys owner = fresh_keys();
  const PeerId submitter{};
  CHECK_FALSE(
      make_job({.task = "Not A Name", .task_version = 1, .copies = 1, .unit_limit = {}, .recipe = {}}, owner, submitter, {}, {}).ok());
  CHECK_FALSE(make_job({.task = "twice", .task_version = 1, .copies = 0, .unit_limit = {}, .recipe = {}}, owner, submitter, {}, {}).ok());
  const auto job = make_job({.task = "twice", .task_version = 1, .copies = 1, .unit_limit = {}, .recipe = {}}, owner, submitter, {}, {});
  REQUIRE(job.ok());
  CHECK_FALSE(take_up_job(job->event.manifest.body, {}, fresh_keys(), submitter, {}, 2).ok());
  CHECK_FALSE(take_up_job(to_bytes("damaged"), {}, owner, submitter, {}, 2).ok());
}

}  // namespace
}  // namespace dugnad::worker
