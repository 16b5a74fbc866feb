// A session by itself: its node does not run, and the test plays the protocol's part. What is pinned in the store, and for how long.
#include "sdk/session.h"

#include <functional>
#include <set>
#include <thread>

#include "coordinatorless/core/limits.h"
#include "sdk/request.h"
#include "sdk/resume.h"
#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

constexpr std::size_t mebibyte = 1 << 20;

std::unique_ptr<worker::Node> idle_node() {
  worker::NodeOptions options;
  options.listen = "none";
  options.journal = false;
  options.tasks = test_tasks();
  return good(worker::Node::open(std::move(options)));
}

/// Inputs by a function of the unit's index, and what is done with outputs.
class TestPlan final : public tasks::Plan {
 public:
  std::function<Bytes(std::uint64_t unit)> input;
  std::function<void(std::uint64_t unit)> accepted = [](std::uint64_t) {};
  std::uint64_t units = 0;

  [[nodiscard]] std::optional<Bytes> next() override { return exhausted() ? std::nullopt : std::optional(input(next_++)); }
  Result<void> accept(UnitIndex unit, ByteView) override {
    accepted(unit.value);
    return {};
  }
  [[nodiscard]] bool exhausted() const override { return next_ == units; }
  [[nodiscard]] std::optional<std::uint64_t> units_expected() const override { return units; }
  [[nodiscard]] tasks::Answer answer() override { return {}; }

 private:
  std::uint64_t next_ = 0;
};

struct Bench {
  std::unique_ptr<worker::Node> node = idle_node();
  std::shared_ptr<store::BlobStore> store = node->blob_store();
  std::unique_ptr<TestPlan> plan = std::make_unique<TestPlan>();
  KeptUnits kept;
  std::unique_ptr<Session> session;

  void make(bool combines = false) {
    Recipe recipe;
    recipe.kind = Recipe::Kind::stream;
    recipe.task = "echo";
    recipe.copies = 1;
    recipe.unit_timeout = std::chrono::seconds(1);
    auto prepared = good(prepare_new(*node, recipe));
    kept.done();
    prepared.kept = std::move(kept);
    session = std::make_unique<Session>(*node, std::move(prepared), Source{.plan = std::move(plan), .combines = combines});
  }
  void begin(bool combines = false) {
    make(combines);
    session->start();
  }
  void accept(std::uint64_t unit) {
    session->accepted({{.unit = {unit}, .outcome = Outcome::ok, .output = Bytes{1}}});
  }
  /// Fills the store with what nobody may evict, up to `left`.
  std::vector<BlobId> fill(std::uint64_t left) {
    std::vector<BlobId> all;
    std::uint8_t byte = 200;
    while (store->bytes_held() + 16 * mebibyte + left <= store->quota()) all.push_back(good(store->put(Bytes(16 * mebibyte, byte++))));
    return all;
  }
  /// Others may have its place.
  [[nodiscard]] bool is_evictable(const BlobId& blob) {
    const auto pinned = fill(0);
    const bool evictable = store->make_room_for(store->quota() - pinned.size() * 16 * mebibyte);
    for (const BlobId& each : pinned) store->unpin(each);
    return evictable && !store->holds(blob);
  }
};

}  // namespace

TEST_CASE("large inputs are cut only as far as they have room in the store, whatever was cut before, and all of them come") {
  Bench bench;
  constexpr std::uint64_t small = 1000, large = 40, large_bytes = 6 * mebibyte;
  constexpr std::uint64_t fit = store::BlobStore::memory_quota / core::limits::blob_uses / large_bytes;
  bench.plan->units = small + large;
  bench.plan->input = [](std::uint64_t unit) { return unit < small ? Bytes(1024) : Bytes(large_bytes, static_cast<std::uint8_t>(unit)); };
  bench.begin();
  Session& session = *bench.session;
  while (session.progress().units_known < small + fit) std::this_thread::yield();
  for (std::uint64_t unit = 0; unit < small; ++unit) {
    bench.accept(unit);
    REQUIRE(session.progress().units_known == small + fit);
  }
  for (std::uint64_t unit = small; unit < small + large; ++unit) {
    while (session.progress().units_known <= unit) std::this_thread::yield();
    REQUIRE(session.progress().units_known <= unit + fit);
    bench.accept(unit);
  }
  session.ended(JobState::done);
  CHECK(session.progress().units_failed == 0);
  CHECK(session.progress().units_done == small + large);
}

TEST_CASE("a large input for which others have left no room in the store waits for it, and does not fail") {
  Bench bench;
  const auto others = bench.fill(0);
  bench.plan->units = 1;
  bench.plan->input = [](std::uint64_t) { return Bytes(mebibyte, 1); };
  std::atomic<bool> asked{false};
  bench.plan->input = [&](std::uint64_t) {
    asked = true;
    return Bytes(mebibyte, 1);
  };
  bench.begin();
  while (!asked) std::this_thread::yield();
  bench.store->unpin(others.front());
  while (bench.session->progress().units_known == 0) std::this_thread::yield();
  CHECK(bench.session->progress().units_failed == 0);
  CHECK(bench.store->holds(blob_id_of(Bytes(mebibyte, 1))));
}

TEST_CASE("large outputs of an earlier run that nobody has read hold the job back, and all of them come") {
  Bench bench;
  constexpr std::uint64_t units = 30, output_bytes = 6 * mebibyte;
  constexpr std::uint64_t fit = store::BlobStore::memory_quota / core::limits::blob_uses / output_bytes;
  bench.plan->units = units;
  bench.plan->input = [](std::uint64_t unit) { return number(unit); };
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    const BlobId output = good(bench.store->put(Bytes(output_bytes, static_cast<std::uint8_t>(unit))));
    bench.store->unpin(output);
    AcceptedUnit accepted{.unit = {unit}, .outcome = Outcome::ok, .output = Value(output)};
    accepted.input_tag = input_tag_of(number(unit));
    bench.kept.add(accepted);
  }
  bench.begin();
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    while (bench.session->progress().units_known <= unit) std::this_thread::yield();
    REQUIRE(bench.session->progress().units_known <= unit + fit);
    const auto result = bench.session->mailbox().next();
    REQUIRE(result->output == Bytes(output_bytes, static_cast<std::uint8_t>(unit)));
  }
  CHECK(bench.session->progress().units_resumed == units);
}

TEST_CASE("an output of an earlier run is pinned before the plan has it: what is evicted meanwhile is not computed again") {
  Bench bench;
  const Bytes output(mebibyte, 9);
  const BlobId blob = good(bench.store->put(output));
  bench.store->unpin(blob);
  bench.plan->units = 1;
  bench.plan->input = [](std::uint64_t) { return number(3); };
  AcceptedUnit accepted{.unit = {0}, .outcome = Outcome::ok, .output = Value(blob)};
  accepted.input_tag = input_tag_of(number(3));
  bench.kept.add(accepted);
  unsigned times = 0;
  bench.plan->accepted = [&](std::uint64_t) {
    ++times;
    // Somebody takes all the room there is, just now.
    const auto others = bench.fill(0);
    (void)bench.store->make_room_for(bench.store->quota() - others.size() * 16 * mebibyte);
  };
  bench.begin(true);
  while (bench.session->progress().units_known == 0) std::this_thread::yield();
  CHECK(times == 1);
  CHECK(bench.session->progress().units_resumed == 1);
  CHECK(bench.session->mailbox().next()->output == output);
}

TEST_CASE("a large input that was being kept when the job ended is let go of") {
  Bench bench;
  const Bytes input(mebibyte, 7);
  bench.plan->units = 1;
  bench.plan->input = [&](std::uint64_t) {
    bench.session->ended(JobState::cancelled);
    return input;
  };
  bench.make();
  bench.session->start();
  while (!bench.session->over()) std::this_thread::yield();
  CHECK(bench.session->progress().units_known == 1);
  bench.session->leave();
  const auto began = std::chrono::steady_clock::now();
  bool evictable = false;  // letting go is queued
  while (!evictable && std::chrono::steady_clock::now() < began + std::chrono::seconds(10)) evictable = bench.is_evictable(blob_id_of(input));
  CHECK(evictable);
}

TEST_CASE("results that were not read when the session is gone pin nothing") {
  Bench bench;
  const BlobId output = good(bench.store->put(Bytes(mebibyte, 5)));  // the node's pin, which goes by OutputTaken
  bench.plan->units = 1;
  bench.plan->input = [](std::uint64_t) { return number(1); };
  bench.begin();
  while (bench.session->progress().units_known == 0) std::this_thread::yield();
  bench.session->accepted({{.unit = {0}, .outcome = Outcome::ok, .output = Value(output)}});
  bench.session->ended(JobState::done);
  bench.session->leave();
  bench.store->unpin(output);
  CHECK_FALSE(bench.is_evictable(output));
  bench.session.reset();
  CHECK(bench.is_evictable(output));
}
