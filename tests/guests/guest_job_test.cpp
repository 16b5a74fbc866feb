// A stranger's program, all the way: kept by its submitter, announced, fetched by donors that have never heard of her, run in their cages, and
// agreed upon.
#include <doctest/doctest.h>
#include <zstd.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include "coordinatorless/zmq/clocks.h"
#include "worker/launcher.h"
#include "worker/node.h"
#include "worker/owner.h"

namespace dugnad::worker {
namespace {

constexpr auto patience = std::chrono::seconds(120);

class Heard {
 public:
  NodeHooks hooks() {
    return {.notice = [this](core::Effect effect) { note(std::move(effect)); }, .link = {}, .stuck = {}};
  }
  std::optional<JobState> ended() {
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, patience, [this] { return state_.has_value(); });
    return state_;
  }
  std::map<std::uint64_t, AcceptedUnit> units() {
    const std::lock_guard lock(mutex_);
    return units_;
  }

 private:
  void note(core::Effect effect) {
    const std::lock_guard lock(mutex_);
    if (auto* results = std::get_if<core::DeliverResults>(&effect)) {
      for (AcceptedUnit& unit : results->units) CHECK(units_.emplace(unit.unit.value, std::move(unit)).second);
    }
    if (const auto* ended = std::get_if<core::JobEnded>(&effect)) state_ = ended->state;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, AcceptedUnit> units_;
  std::optional<JobState> state_;
};

/// Two donors with a cage a slot, and a submitter that computes nothing itself.
struct GuestSwarm {
  GuestSwarm() {
    auto started = Launcher::start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
    launcher = *std::move(started);
    for (int i = 0; i < 2; ++i) {
      NodeOptions options = light();
      options.donates = true;
      options.slots = 1;
      options.code = {.modules = true, .any = true};
      options.launcher = launcher.get();
      if (i > 0) options.join = {donors.front()->contact()};
      donors.push_back(opened(options));
      donors.back()->start({});
    }
    NodeOptions options = light();
    options.join = {donors.front()->contact()};
    submitter = opened(options);
    submitter->start(heard.hooks());
  }

  static NodeOptions light() {
    NodeOptions options;
    options.swarm = "guest-job-test:0";
    options.listen = "tcp://127.0.0.1:0";
    options.journal = false;
    return options;
  }
  static std::unique_ptr<Node> opened(NodeOptions options) {
    auto node = Node::open(std::move(options));
    REQUIRE_MESSAGE(node, (node ? "" : node.error().message));
    return *std::move(node);
  }

  void submit(ByteView packed, const std::vector<std::string>& units) {
    const auto kept = submitter->keep(packed);
    REQUIRE(kept);
    JobOrder order{.task = "guest", .copies = 2, .unit_limit = std::chrono::seconds(60), .recipe = {}};
    order.module = *kept;
    const auto job = make_job(order, *submitter->owner_keys(), submitter->id(), submitter->swarm(), zmq::read_clocks().wall);
    REQUIRE(job);
    core::UnitsAppended appended{job->id, {}, true};
    for (std::size_t i = 0; i < units.size(); ++i) appended.units.push_back({UnitIndex{i}, value_for(to_bytes(units[i]))});
    submitter->post({job->event, std::move(appended)});
  }

  Value value_for(Bytes input) {
    if (input.size() <= small_bytes_max) return input;
    const auto kept = submitter->keep(input);
    REQUIRE(kept);
    return Value(*kept);
  }
  Bytes bytes_of(const Value& output) {
    if (!output.large) return output.bytes;
    const auto bytes = submitter->blob(output.blob());
    REQUIRE(bytes);
    return *bytes;
  }

  std::unique_ptr<Launcher> launcher;  // outlives the donors
  Heard heard;
  std::vector<std::unique_ptr<Node>> donors;
  std::unique_ptr<Node> submitter;
};

Bytes packed_guest(const std::string& name) {
  std::ifstream file(std::string(DUGNAD_GUEST_DIR) + "/" + name + ".wasm", std::ios::binary);
  REQUIRE(file);
  const std::string raw{std::istreambuf_iterator<char>(file), {}};
  Bytes packed(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), 3);
  REQUIRE_FALSE(ZSTD_isError(size));
  packed.resize(size);
  return packed;
}

}  // namespace

TEST_CASE("two strangers run a program that they have never seen, and agree on each of its thousand units") {
  GuestSwarm swarm;
  std::vector<std::string> units;
  for (int i = 0; i < 1000; ++i) units.push_back("unit number " + std::to_string(i));
  swarm.submit(packed_guest("reversed"), units);
  CHECK(swarm.heard.ended() == JobState::done);
  const auto accepted = swarm.heard.units();
  REQUIRE(accepted.size() == units.size());
  for (const auto& [index, unit] : accepted) {
    CHECK(unit.outcome == Outcome::ok);
    CHECK(to_text(unit.output.bytes) == std::string(units[index].rbegin(), units[index].rend()));
  }
}

TEST_CASE("a guest's large inputs and outputs travel beside the messages, and into the cage and out of it") {
  GuestSwarm swarm;
  std::vector<std::string> units{"small"};
  for (const std::size_t size : {std::size_t{64} << 10, (std::size_t{64} << 10) + 1, std::size_t{200} << 10, std::size_t{5} << 20}) {
    std::string unit(size, ' ');
    for (std::size_t i = 0; i < size; ++i) unit[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    units.push_back(std::move(unit));
  }
  swarm.submit(packed_guest("reversed"), units);
  CHECK(swarm.heard.ended() == JobState::done);
  const auto accepted = swarm.heard.units();
  REQUIRE(accepted.size() == units.size());
  for (const auto& [index, unit] : accepted) {
    CHECK(unit.output.large == (units[index].size() > small_bytes_max));
    CHECK(to_text(swarm.bytes_of(unit.output)) == std::string(units[index].rbegin(), units[index].rend()));
  }
}

TEST_CASE("units that fail in a guest are accepted as failed, with the reason, and the others are done") {
  GuestSwarm swarm;
  const std::vector<std::string> units{"fine", "fails", "aborts", "fine", "recurses", "fine"};
  swarm.submit(packed_guest("moody"), units);
  CHECK(swarm.heard.ended() == JobState::failed);
  const auto accepted = swarm.heard.units();
  REQUIRE(accepted.size() == units.size());
  for (const auto& [index, unit] : accepted) {
    INFO(units[index], ": ", to_text(unit.output.bytes));
    CHECK((unit.outcome == Outcome::ok) == (units[index] == "fine"));
    CHECK_FALSE(unit.output.bytes.empty());
  }
  CHECK(to_text(accepted.at(1).output.bytes).find("in no mood") != std::string::npos);
}

TEST_CASE("what is no module fails each unit once, with the reason that every donor gives") {
  GuestSwarm swarm;
  swarm.submit(to_bytes("this was never compiled"), {"one", "two"});
  CHECK(swarm.heard.ended() == JobState::failed);
  const auto accepted = swarm.heard.units();
  REQUIRE(accepted.size() == 2);
  for (const auto& [index, unit] : accepted) CHECK(unit.outcome == Outcome::failed);
  CHECK(accepted.at(0).output == accepted.at(1).output);
}

}  // namespace dugnad::worker
