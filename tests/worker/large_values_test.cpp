// Large inputs and outputs between nodes on loopback: 200 KiB in, 5 MiB out, and a donor that is gone once it has voted.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/store/kept_outputs.h"
#include "coordinatorless/zmq/clocks.h"
#include "tests/scratch.h"
#include "worker/node.h"
#include "worker/owner.h"

namespace dugnad::worker {
namespace {

constexpr auto patience = std::chrono::seconds(60);
constexpr std::size_t input_bytes = 200 << 10, output_bytes = 5 << 20;

Bytes pattern(std::size_t size, std::size_t seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>((i + seed) * 7 + i / 251);
  return bytes;
}

/// The input over and over, up to `size`.
Bytes grown(ByteView input, std::size_t size) {
  Bytes output(size);
  for (std::size_t i = 0; i < size; ++i) output[i] = static_cast<std::uint8_t>(input[i % input.size()] + i / input.size());
  return output;
}

/// Held shut, it keeps attempts waiting.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

NodeOptions light() {
  NodeOptions options;
  options.swarm = "large-values-test:0";
  options.listen = "tcp://127.0.0.1:0";
  options.journal = false;
  return options;
}

/// Which donor has computed which input: of these it has fetched all.
class Tally {
 public:
  void note(std::size_t donor, ByteView input) {
    const std::lock_guard lock(mutex_);
    inputs_.insert(hash_of(input));
    computed_.emplace(donor, hash_of(input));
    changed_.notify_all();
  }
  /// Inputs that differ, and computations, each donor's of an input once.
  std::pair<std::size_t, std::size_t> counts() {
    const std::lock_guard lock(mutex_);
    return {inputs_.size(), computed_.size()};
  }
  bool await(std::size_t inputs, std::size_t computed) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return inputs_.size() >= inputs && computed_.size() >= computed; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Hash> inputs_;
  std::set<std::pair<std::size_t, Hash>> computed_;
};

NodeOptions donating(Gate& gate, std::size_t size, Tally* tally = nullptr, std::size_t donor = 0) {
  NodeOptions options = light();
  options.donates = true;
  options.slots = 1;
  const auto run = [&gate, size, tally, donor](ByteView input, const tasks::StopToken&) {
    gate.pass();
    if (tally != nullptr) tally->note(donor, input);
    return grown(input, size);
  };
  options.tasks.add({.name = "grow", .version = 1, .help = "grows", .parameters = {}, .run = run, .plan = {}, .check = {}});
  return options;
}

std::unique_ptr<Node> opened(NodeOptions options) {
  auto node = Node::open(std::move(options));
  REQUIRE_MESSAGE(node.ok(), (node.ok() ? "" : node.error().message));
  return *std::move(node);
}

/// A submitter, which computes nothing unless its options say so, and what came of its one job.
class Submitter {
 public:
  explicit Submitter(const std::string& contact, NodeOptions options = light()) : node_([&] {
    options.join = {contact};
    return opened(options);
  }()) {
    node_->start({.notice = [this](core::Effect effect) { note(std::move(effect)); }, .link = {}, .stuck = {}});
  }
  Node& node() { return *node_; }

  JobId submit(unsigned copies, const std::vector<Bytes>& inputs, std::optional<core::WantedConfidence> confidence = {}) {
    JobOrder order{.task = "grow", .copies = copies, .unit_limit = std::chrono::seconds(60), .recipe = {}};
    order.confidence = confidence;
    const auto job = make_job(order, *node_->owner_keys(), node_->id(), node_->swarm(), zmq::read_clocks().wall);
    REQUIRE(job.ok());
    core::UnitsAppended appended{job->id, {}, true};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto kept = inputs[i].size() > small_bytes_max ? node_->keep(inputs[i]) : Result<BlobId>(BlobId{});
      REQUIRE(kept.ok());
      appended.units.push_back({UnitIndex{i}, inputs[i].size() > small_bytes_max ? Value(*kept) : Value(inputs[i])});
    }
    node_->post({job->event, std::move(appended)});
    return job->id;
  }

  /// The next unit's output, read and let go of as a program does it.
  std::optional<std::pair<std::uint64_t, Bytes>> next(const JobId& job) {
    AcceptedUnit unit;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, patience, [this] { return !units_.empty(); })) return std::nullopt;
      unit = std::move(units_.back());
      units_.pop_back();
    }
    CHECK(unit.outcome == Outcome::ok);
    if (!unit.output.large) return std::pair(unit.unit.value, unit.output.bytes);
    const auto bytes = node_->blob(unit.output.blob());
    REQUIRE(bytes);
    node_->post(core::OutputTaken{job, unit.output.blob()});
    return std::pair(unit.unit.value, *bytes);
  }
  std::optional<JobState> ended() {
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, patience, [this] { return state_.has_value(); });
    return state_;
  }
  /// Until so many results have come in.
  bool counted(const JobId& job, std::uint64_t attempts) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
      const auto progress = node_->progress(job);
      if (progress && progress->attempts >= attempts) return true;
      std::unique_lock lock(mutex_);
      (void)changed_.wait_for(lock, std::chrono::milliseconds(2));  // nothing says that a vote was counted
    }
    return false;
  }

 private:
  void note(core::Effect effect) {
    const std::lock_guard lock(mutex_);
    if (auto* results = std::get_if<core::DeliverResults>(&effect)) {
      std::move(results->units.begin(), results->units.end(), std::back_inserter(units_));
    }
    if (const auto* ended = std::get_if<core::JobEnded>(&effect)) state_ = ended->state;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AcceptedUnit> units_;
  std::optional<JobState> state_;
  std::unique_ptr<Node> node_;
};

}  // namespace

TEST_CASE("two donors compute units of 200 KiB in and 5 MiB out, and more of them than the submitter has room for at once") {
  Gate open;
  open.open();
  const auto first = opened(donating(open, output_bytes));
  first->start({});
  NodeOptions options = donating(open, output_bytes);
  options.join = {first->contact()};
  const auto second = opened(options);
  second->start({});
  Submitter submitter(first->contact());
  std::vector<Bytes> inputs;
  for (std::size_t i = 0; i < 20; ++i) inputs.push_back(pattern(input_bytes, i));
  const JobId job = submitter.submit(2, inputs);
  std::map<std::uint64_t, bool> seen;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto unit = submitter.next(job);
    REQUIRE(unit);
    CHECK(unit->second == grown(inputs.at(unit->first), output_bytes));
    CHECK(seen.emplace(unit->first, true).second);
  }
  CHECK(submitter.ended() == JobState::done);
  CHECK(submitter.node().progress(job)->units_reopened == 0);
  CHECK(first->counters().dropped_unasked + second->counters().dropped_unasked == 0);
}

TEST_CASE("a holder that is killed after its vote, while its output is fetched, is replaced by the other one that agreed") {
  constexpr std::size_t size = 48 << 20;  // more than goes over a link before the holder is gone
  Gate open;
  Gate shut;
  open.open();
  const auto first = opened(donating(open, size));
  first->start({});
  Submitter submitter(first->contact());
  const Bytes input = pattern(input_bytes, 3);
  const JobId job = submitter.submit(2, {input});
  REQUIRE(submitter.counted(job, 1));
  NodeOptions options = donating(shut, size);
  options.join = {first->contact()};
  auto second = opened(options);
  second->start({});
  shut.open();
  REQUIRE(submitter.counted(job, 2));
  second.reset();  // it voted last, so it was asked first
  const auto unit = submitter.next(job);
  REQUIRE(unit);
  CHECK(unit->second == grown(input, size));
  CHECK(submitter.ended() == JobState::done);
  CHECK(submitter.node().progress(job)->units_reopened == 0);
}

TEST_CASE("a submitter's own slots read large inputs from its store, and their outputs are not fetched from anywhere") {
  Gate open;
  open.open();
  NodeOptions options = donating(open, output_bytes);
  options.donates = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<AcceptedUnit> accepted;
  const auto node = opened(options);
  node->start({.notice =
                   [&](core::Effect effect) {
                     auto* results = std::get_if<core::DeliverResults>(&effect);
                     if (results == nullptr) return;
                     const std::lock_guard lock(mutex);
                     accepted = results->units.at(0);
                     changed.notify_all();
                   },
               .link = {},
               .stuck = {}});
  const Bytes input = pattern(input_bytes, 1);
  const auto kept = node->keep(input);
  REQUIRE(kept);
  const JobOrder order{.task = "grow", .copies = 1, .unit_limit = std::chrono::seconds(60), .recipe = {}};
  const auto job = make_job(order, *node->owner_keys(), node->id(), node->swarm(), zmq::read_clocks().wall);
  node->post({job->event, core::UnitsAppended{job->id, {{{0}, Value(*kept)}}, true}});
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, patience, [&] { return accepted.has_value(); }));
  const auto bytes = node->blob(accepted->output.blob());
  REQUIRE(bytes);
  CHECK(*bytes == grown(input, output_bytes));
}

TEST_CASE("a donor that ends at once after it has voted gives what it had promised when it runs again, and forgets it once that is fetched") {
  const Scratch scratch;
  std::atomic<unsigned> computed{0};
  NodeOptions options = light();
  options.journal = true;
  options.data = scratch.path();
  options.donates = true;
  options.slots = 1;
  const auto run = [&computed](ByteView input, const tasks::StopToken&) {
    ++computed;
    return grown(input, output_bytes);
  };
  options.tasks.add({.name = "grow", .version = 1, .help = "grows", .parameters = {}, .run = run, .plan = {}, .check = {}});
  const auto marks = [&] {
    const auto files = std::filesystem::directory_iterator(scratch.path() + "/blobs");
    return std::count_if(begin(files), end(files), [](const auto& file) {
      return store::KeptOutputs::kind_of(file.path().filename().string()) == store::KeptOutputs::Kind::held;
    });
  };
  auto donor = opened(options);
  options.listen = donor->contact().substr(0, donor->contact().find('/', 6));
  donor->start({});
  // Slow enough that the fetch is under way for seconds.
  NodeOptions slow = light();
  slow.download_per_second = 2 << 20;
  Submitter submitter(donor->contact(), std::move(slow));
  const Bytes input = pattern(100, 5);
  const JobId job = submitter.submit(1, {input});
  REQUIRE(submitter.counted(job, 1));
  CHECK(marks() == 1);
  donor->stop();
  donor->wait();
  donor.reset();
  CHECK(marks() == 1);
  donor = opened(options);
  donor->start({});
  const auto unit = submitter.next(job);
  REQUIRE(unit);
  CHECK(unit->second == grown(input, output_bytes));
  CHECK(submitter.ended() == JobState::done);
  CHECK(computed == 1);
  CHECK(submitter.node().moved().down >= output_bytes);
  // In order, so that what the submitter had to say has come.
  donor->leave();
  CHECK(donor->wait());
  CHECK(marks() == 0);
}

TEST_CASE("64 MiB of inputs of eight donors leave the submitter at most one and a half times, of two copies each as of units that are audited") {
  constexpr std::size_t inputs_count = 32, each = 2 << 20;
  for (const bool audited : {false, true}) {
    CAPTURE(audited);
    Gate gate, own_gate;
    gate.open();
    Tally tally;
    std::vector<std::unique_ptr<Node>> donors;
    for (std::size_t i = 0; i < 8; ++i) {
      NodeOptions options = donating(gate, 100, &tally, i);
      if (!donors.empty()) options.join = {donors.front()->contact()};
      donors.push_back(opened(options));
      donors.back()->start({});
    }
    NodeOptions own = donating(own_gate, 100);
    own.donates = false;
    Submitter submitter(donors.front()->contact(), audited ? std::move(own) : light());
    std::vector<Bytes> inputs;
    for (std::size_t i = 0; i < inputs_count; ++i) inputs.push_back(pattern(each, i));
    const JobId job = audited ? submitter.submit(1, inputs, core::WantedConfidence{.error_ppb = 2'000'000}) : submitter.submit(2, inputs);
    // The submitter's own slot fetches nothing, and is fast: it would leave the donors as little as chance has it. Now it takes no more than its
    // first lease until the donors have had the most of the job.
    if (audited) REQUIRE(tally.await(inputs_count / 2, 8 * inputs_count / 5));
    own_gate.open();
    for (std::size_t i = 0; i < inputs_count; ++i) {
      const auto unit = submitter.next(job);
      REQUIRE(unit);
      CHECK(unit->second == grown(inputs[unit->first], 100));
    }
    CHECK(submitter.ended() == JobState::done);
    const auto [computed_inputs, computed] = tally.counts();
    if (!audited) CHECK(computed_inputs == inputs_count);
    if (!audited) CHECK(computed >= 2 * inputs_count);
    std::uint64_t fetched = 0;
    for (const auto& donor : donors) fetched += donor->moved().down;
    const std::uint64_t sent = submitter.node().moved().up;
    const auto times = [](std::uint64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(inputs_count * each); };
    MESSAGE("donors fetched the inputs ", times(fetched), " times, of which the submitter sent ", times(sent), "; they computed ",
            computed_inputs, " of them, ", computed, " times in all");
    // A donor has all of what it computes, and what any of them has came from the submitter once.
    CHECK(fetched >= computed * each);
    CHECK(sent >= computed_inputs * each);
    CHECK(times(sent) <= 1.5);
  }
}

}  // namespace dugnad::worker
