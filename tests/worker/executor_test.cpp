#include "worker/executor.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <time.h>

#include <condition_variable>
#include <cstring>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace dugnad::worker {
namespace {

using namespace std::chrono_literals;
using tasks::RunUnit;
using tasks::StopToken;

/// A door that units wait at until the test opens it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_until_reached_by(int units) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, units] { return waiting_ >= units; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

/// What an executor says to its owner.
class Bell {
 public:
  std::function<void()> ringer() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++rings_;
      changed_.notify_all();
    };
  }
  void wait_for_ring() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return rings_ > heard_; });
    heard_ = rings_;
  }
  [[nodiscard]] int rings() {
    const std::lock_guard lock(mutex_);
    return rings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int rings_ = 0;
  int heard_ = 0;
};

/// Collects as an owner does, only when told to, until `count` attempts are in.
std::vector<FinishedAttempt> collect(Executor& executor, Bell& bell, std::size_t count) {
  std::vector<FinishedAttempt> all;
  while (all.size() < count) {
    bell.wait_for_ring();
    for (FinishedAttempt& one : executor.collect()) all.push_back(std::move(one));
  }
  return all;
}

std::vector<Attempt> one(std::uint64_t id, const RunUnit& run, std::string_view input = "", Duration limit = {}) {
  std::vector<Attempt> attempts;
  attempts.push_back({{id}, &run, to_bytes(input), limit});
  return attempts;
}

const RunUnit echo = [](ByteView input, const StopToken&) { return Bytes(input.begin(), input.end()); };
const RunUnit until_stopped = [](ByteView, const StopToken& token) -> Bytes {
  while (!token.requested()) std::this_thread::yield();
  throw tasks::Stopped();
};

TEST_CASE("an attempt runs and its output comes back under its id") {
  Bell bell;
  Executor executor({.slots = 1, .wake = bell.ringer()});
  CHECK(executor.slots() == 1);
  CHECK(executor.active() == 0);
  executor.start(one(7, echo, "hello"));
  CHECK(executor.active() == 1);
  const auto finished = collect(executor, bell, 1);
  REQUIRE(finished.size() == 1);
  CHECK(finished[0].attempt.value == 7);
  CHECK(finished[0].outcome == Outcome::ok);
  CHECK(finished[0].output == to_bytes("hello"));
  CHECK(finished[0].cpu >= 0s);
  CHECK(executor.active() == 0);
  CHECK(executor.collect().empty());
}

TEST_CASE("a unit that throws fails alone, and its slot goes on") {
  Bell bell;
  Executor executor({.slots = 1, .wake = bell.ringer()});
  const RunUnit fails = [](ByteView, const StopToken&) -> Bytes { throw tasks::UnitFailed("bad input"); };
  const RunUnit starves = [](ByteView, const StopToken&) -> Bytes { throw std::bad_alloc(); };
  executor.start(one(1, fails));
  executor.start(one(2, starves));
  executor.start(one(3, echo, "fine"));
  std::map<std::uint64_t, FinishedAttempt> by_id;
  for (auto& finished : collect(executor, bell, 3)) by_id[finished.attempt.value] = finished;
  CHECK(by_id[1].outcome == Outcome::failed);
  CHECK(by_id[1].output == to_bytes("bad input"));
  CHECK(by_id[2].outcome == Outcome::donor_fault);
  CHECK(by_id[3].outcome == Outcome::ok);
}

TEST_CASE("a check says whether a claimed output is right; one that throws or runs over its time says nothing") {
  Bell bell;
  Executor executor({.slots = 1, .wake = bell.ringer()});
  const tasks::CheckUnit is_echo = [](ByteView input, ByteView output, const StopToken&) { return std::ranges::equal(input, output); };
  const tasks::CheckUnit breaks = [](ByteView, ByteView, const StopToken&) -> bool { throw std::runtime_error("no"); };
  const tasks::CheckUnit endless = [](ByteView, ByteView, const StopToken& stop) {
    for (;;) stop.throw_if_requested();
    return true;
  };
  const auto check = [&](const tasks::CheckUnit& with, const char* claimed) {
    std::vector<Attempt> attempts(1);
    attempts.front() = {.id = AttemptId{1}, .input = to_bytes("in"), .limit = 50ms, .claimed = Value(to_bytes(claimed)), .check = &with};
    executor.start(std::move(attempts));
    return collect(executor, bell, 1).front();
  };
  CHECK(check(is_echo, "in").output == Bytes{1});
  CHECK(check(is_echo, "out").outcome == Outcome::ok);
  CHECK(check(is_echo, "out").output == Bytes{0});
  CHECK(check(breaks, "in").outcome == Outcome::failed);
  CHECK(check(endless, "in").outcome == Outcome::donor_fault);
}

TEST_CASE("as many attempts as there are slots run at the same time, in the class of idle threads") {
  Bell bell;
  Gate gate;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::vector<int> policies;
  const RunUnit meets = [&](ByteView, const StopToken&) {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      policies.push_back(::sched_getscheduler(0));
    }
    gate.wait();
    return Bytes();
  };
  Executor executor({.slots = 3, .wake = bell.ringer()});
  for (std::uint64_t id = 0; id < 3; ++id) executor.start(one(id, meets));
  gate.wait_until_reached_by(3);
  gate.open();
  CHECK(collect(executor, bell, 3).size() == 3);
  CHECK(threads.size() == 3);
  CHECK(policies == std::vector<int>(3, SCHED_IDLE));
  CHECK(::sched_getscheduler(0) == SCHED_OTHER);
}

TEST_CASE("two executors in one process each have their slots") {
  Bell first_bell, second_bell;
  Gate gate;
  const RunUnit meets = [&](ByteView, const StopToken&) {
    gate.wait();
    return Bytes();
  };
  Executor first({.slots = 2, .wake = first_bell.ringer()});
  Executor second({.slots = 2, .wake = second_bell.ringer()});
  for (std::uint64_t id = 0; id < 2; ++id) {
    first.start(one(id, meets));
    second.start(one(id, meets));
  }
  gate.wait_until_reached_by(4);
  gate.open();
  CHECK(collect(first, first_bell, 2).size() == 2);
  CHECK(collect(second, second_bell, 2).size() == 2);
}

TEST_CASE("queued attempts that are cancelled end at once, behind one that runs") {
  Bell bell;
  Gate gate;
  const RunUnit waits = [&](ByteView, const StopToken&) {
    gate.wait();
    return Bytes();
  };
  Executor executor({.slots = 1, .wake = bell.ringer()});
  executor.start(one(1, waits));
  gate.wait_until_reached_by(1);
  for (std::uint64_t id = 2; id <= 5; ++id) executor.start(one(id, echo));
  const AttemptId unwanted[] = {{5}, {2}, {3}, {99}};
  executor.cancel(unwanted);
  std::set<std::uint64_t> cancelled;
  for (const auto& finished : collect(executor, bell, 3)) {
    CHECK(finished.outcome == Outcome::cancelled);
    cancelled.insert(finished.attempt.value);
  }
  CHECK(cancelled == std::set<std::uint64_t>{2, 3, 5});
  CHECK(executor.active() == 2);
  gate.open();
  for (const auto& finished : collect(executor, bell, 2)) CHECK(finished.outcome == Outcome::ok);
}

TEST_CASE("a running attempt that is cancelled ends as cancelled when it sees its token") {
  Bell bell;
  Gate reached;
  reached.open();
  const RunUnit runs = [&](ByteView input, const StopToken& token) -> Bytes {
    reached.wait();
    return until_stopped(input, token);
  };
  Executor executor({.slots = 2, .wake = bell.ringer()});
  executor.start(one(1, runs));
  executor.start(one(2, runs));
  reached.wait_until_reached_by(2);
  const AttemptId first[] = {{1}};
  executor.cancel(first);
  const auto finished = collect(executor, bell, 1);
  REQUIRE(finished.size() == 1);
  CHECK(finished[0].attempt.value == 1);
  CHECK(finished[0].outcome == Outcome::cancelled);
  CHECK(executor.active() == 1);
  const AttemptId second[] = {{2}};
  executor.cancel(second);
  CHECK(collect(executor, bell, 1)[0].attempt.value == 2);
}

TEST_CASE("a token that was set for one attempt is clear for the next") {
  Bell bell;
  Executor executor({.slots = 1, .wake = bell.ringer()});
  executor.start(one(1, until_stopped, "", 1ms));
  const RunUnit asks = [](ByteView, const StopToken& token) { return to_bytes(token.requested() ? "set" : "clear"); };
  executor.start(one(2, asks, "", 1h));
  std::map<std::uint64_t, FinishedAttempt> by_id;
  for (auto& finished : collect(executor, bell, 2)) by_id[finished.attempt.value] = finished;
  CHECK(by_id[1].outcome == Outcome::donor_fault);
  CHECK(by_id[2].output == to_bytes("clear"));
}

TEST_CASE("an attempt that runs over its limit is told to stop and counts as the donor's fault") {
  Bell bell;
  Executor executor({.slots = 1, .wake = bell.ringer()});
  executor.start(one(1, until_stopped, "", 20ms));
  const auto finished = collect(executor, bell, 1);
  CHECK(finished[0].outcome == Outcome::donor_fault);
  CHECK(to_text(finished[0].output.bytes) == "ran over its time limit of 0.02 s");
  CHECK(finished[0].cpu >= 20ms);
}

TEST_CASE("a short limit is kept while the watchdog sleeps towards a long one") {
  Bell bell;
  Executor executor({.slots = 2, .wake = bell.ringer()});
  Gate reached;
  reached.open();
  const RunUnit runs = [&](ByteView input, const StopToken& token) -> Bytes {
    reached.wait();
    return until_stopped(input, token);
  };
  executor.start(one(1, runs, "", 1h));
  reached.wait_until_reached_by(1);
  executor.start(one(2, runs, "", 5ms));
  const auto finished = collect(executor, bell, 1);
  CHECK(finished[0].attempt.value == 2);
  CHECK(finished[0].outcome == Outcome::donor_fault);
}

TEST_CASE("an attempt that ignores its token is complained of once, and others still run") {
  Bell bell;
  Gate gate;
  std::promise<std::pair<AttemptId, std::string>> stuck;
  std::atomic<int> complaints = 0;
  const RunUnit deaf = [&](ByteView, const StopToken&) {
    gate.wait();
    return to_bytes("late");
  };
  Executor executor({.slots = 3, .wake = bell.ringer(), .stuck =
                                                            [&](AttemptId id, const std::string& what) {
                                                              if (complaints++ == 0) stuck.set_value({id, what});
                                                            },
                     .grace = 10ms});
  executor.start(one(1, deaf, "", 10ms));
  const auto [id, what] = stuck.get_future().get();
  CHECK(id.value == 1);
  CHECK(what == "ignored its stop token for 0.01 s after its time limit of 0.01 s");
  executor.start(one(2, deaf, "", 1ms));        // deaf as well
  executor.start(one(3, until_stopped, "", 50ms));  // ends after the second one's grace
  const auto third = collect(executor, bell, 1);
  CHECK(third[0].attempt.value == 3);
  gate.open();
  for (const auto& finished : collect(executor, bell, 2)) CHECK(finished.outcome == Outcome::donor_fault);
  CHECK(complaints == 1);
}

TEST_CASE("an attempt that ignores its cancellation is complained of, without any limit") {
  Bell bell;
  Gate gate;
  std::promise<std::string> stuck;
  const RunUnit deaf = [&](ByteView, const StopToken&) {
    gate.wait();
    return to_bytes("all the same");
  };
  Executor executor({.slots = 1, .wake = bell.ringer(), .stuck = [&](AttemptId, const std::string& what) { stuck.set_value(what); }, .grace = 5ms});
  executor.start(one(1, deaf));
  gate.wait_until_reached_by(1);
  const AttemptId unwanted[] = {{1}};
  executor.cancel(unwanted);
  CHECK(stuck.get_future().get() == "ignored its stop token for 0.005 s after it was cancelled");
  gate.open();
  const auto finished = collect(executor, bell, 1);
  CHECK(finished[0].outcome == Outcome::ok);
  CHECK(finished[0].output == to_bytes("all the same"));
}

TEST_CASE("an executor that ends cancels what runs and forgets what waits") {
  Gate reached;
  reached.open();
  std::atomic<int> ran = 0;
  std::atomic<int> stopped = 0;
  const RunUnit runs = [&](ByteView, const StopToken& token) -> Bytes {
    ++ran;
    reached.wait();
    while (!token.requested()) std::this_thread::yield();
    ++stopped;
    throw tasks::Stopped();
  };
  {
    Executor executor({.slots = 2});
    for (std::uint64_t id = 0; id < 100; ++id) executor.start(one(id, runs));
    reached.wait_until_reached_by(2);
  }
  CHECK(ran == 2);
  CHECK(stopped == 2);
}

TEST_CASE("an executor may end before any of its threads came up") {
  for (int i = 0; i < 200; ++i) Executor executor({.slots = 2});
}

TEST_CASE("a hundred thousand attempts come back exactly once each") {
  Bell bell;
  Executor executor({.slots = 4, .wake = bell.ringer()});
  constexpr std::uint64_t count = 100'000;
  std::uint64_t next = 0;
  std::vector<bool> seen(count, false);
  std::size_t collected = 0;
  const auto start_batch = [&] {
    std::vector<Attempt> batch;
    for (int i = 0; i < 700 && next < count; ++i, ++next) {
      Bytes input(8);
      std::memcpy(input.data(), &next, 8);
      batch.push_back({{next}, &echo, std::move(input), 1h});
    }
    executor.start(std::move(batch));
  };
  for (int i = 0; i < 4; ++i) start_batch();
  while (collected < count) {
    bell.wait_for_ring();
    for (const FinishedAttempt& finished : executor.collect()) {
      std::uint64_t said = 0;
      REQUIRE(finished.output.bytes.size() == 8);
      std::memcpy(&said, finished.output.bytes.data(), 8);
      REQUIRE(said == finished.attempt.value);
      REQUIRE(finished.outcome == Outcome::ok);
      REQUIRE_FALSE(seen[said]);
      seen[said] = true;
      ++collected;
    }
    start_batch();
  }
  CHECK(executor.active() == 0);
  CHECK(executor.collect().empty());
}

TEST_CASE("attempts that are cancelled as they run past come back exactly once each") {
  Bell bell;
  Executor executor({.slots = 3, .wake = bell.ringer()});
  constexpr std::uint64_t rounds = 200, each = 50;
  std::vector<int> seen(rounds * each, 0);
  std::size_t collected = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    std::vector<Attempt> batch;
    std::vector<AttemptId> unwanted;
    for (std::uint64_t i = 0; i < each; ++i) {
      const AttemptId id{round * each + i};
      batch.push_back({id, i % 10 == 9 ? &until_stopped : &echo, {}, {}});
      if (i % 3 == 0 || i % 10 == 9) unwanted.push_back(id);
    }
    executor.start(std::move(batch));
    executor.cancel(unwanted);
    for (const auto& finished : executor.collect()) ++seen[finished.attempt.value], ++collected;
  }
  while (collected < rounds * each) {
    bell.wait_for_ring();
    for (const auto& finished : executor.collect()) ++seen[finished.attempt.value], ++collected;
  }
  CHECK(seen == std::vector<int>(rounds * each, 1));
  CHECK(executor.active() == 0);
}

TEST_CASE("a short attempt is reported although a long one has begun in its slot") {
  Bell bell;
  Gate gate;
  // The same function for all: what the short ones cost says nothing of the long one.
  const RunUnit waits_if_told = [&](ByteView input, const StopToken&) {
    if (!input.empty()) gate.wait();
    return Bytes();
  };
  Executor executor({.slots = 1, .wake = bell.ringer(), .gather = 5ms});
  executor.start(one(0, waits_if_told));
  REQUIRE(collect(executor, bell, 1).size() == 1);  // the cost is known now, and small

  std::vector<Attempt> batch;
  batch.push_back({{1}, &waits_if_told, {}, {}});
  batch.push_back({{2}, &waits_if_told, to_bytes("long"), {}});
  executor.start(std::move(batch));
  const auto finished = collect(executor, bell, 1);  // the long one runs until the gate opens, below
  REQUIRE(finished.size() == 1);
  CHECK(finished[0].attempt.value == 1);
  CHECK(executor.active() == 1);
  gate.open();
  CHECK(collect(executor, bell, 1)[0].attempt.value == 2);
}

TEST_CASE("what waits behind an unexpectedly long attempt is run by another slot") {
  Bell bell;
  Gate gate;
  const RunUnit waits_if_told = [&](ByteView input, const StopToken&) {
    if (!input.empty()) gate.wait();
    return Bytes();
  };
  Executor executor({.slots = 2, .wake = bell.ringer()});
  executor.start(one(0, waits_if_told));
  REQUIRE(collect(executor, bell, 1).size() == 1);
  std::vector<Attempt> batch;
  batch.push_back({{1}, &waits_if_told, to_bytes("long"), {}});
  for (std::uint64_t id = 2; id < 1000; ++id) batch.push_back({{id}, &waits_if_told, {}, {}});
  executor.start(std::move(batch));
  for (const auto& finished : collect(executor, bell, 998)) CHECK(finished.attempt.value != 1);
  CHECK(executor.active() == 1);
  gate.open();
  CHECK(collect(executor, bell, 1)[0].attempt.value == 1);
}

TEST_CASE("completions of short attempts are gathered, not told one by one") {
  Bell bell;
  Executor executor({.slots = 2, .wake = bell.ringer(), .gather = 1h});
  std::vector<Attempt> batch;
  for (std::uint64_t id = 0; id < 10'000; ++id) batch.push_back({{id}, &echo, {}, {}});
  executor.start(std::move(batch));
  CHECK(collect(executor, bell, 10'000).size() == 10'000);
  CHECK(bell.rings() <= 4);  // at most each slot as it runs dry, twice where it found the other's rest
}

TEST_CASE("an idle executor uses no CPU time") {
  Bell bell;
  Executor executor({.slots = 2, .wake = bell.ringer()});
  executor.start(one(1, echo, "", 1h));
  CHECK(collect(executor, bell, 1).size() == 1);
  const auto process_cpu = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  // TBB's own start-up may still be under way: of several looks one must find silence.
  auto least = std::chrono::nanoseconds(1s);
  for (int i = 0; i < 20 && least > 100us; ++i) {
    const auto before = process_cpu();
    std::promise<void> never_set;
    CHECK(never_set.get_future().wait_for(20ms) == std::future_status::timeout);
    least = std::min(least, std::chrono::nanoseconds(process_cpu() - before));
  }
  CHECK(least <= 500us);
}

/// Blobs in memory, as an executor is given them.
struct Store {
  [[nodiscard]] BlobAccess access() {
    return {.read =
                [this](const BlobId& id) {
                  const std::lock_guard lock(mutex);
                  const auto at = blobs.find(id);
                  return at == blobs.end() ? nullptr : std::make_shared<const Bytes>(at->second);
                },
            .keep = [this](ByteView bytes) { return keep(bytes); }};
  }
  Result<BlobId> keep(ByteView bytes) {
    const std::lock_guard lock(mutex);
    if (full) return Error{"no room"};
    const BlobId id = blob_id_of(bytes);
    blobs[id] = Bytes(bytes.begin(), bytes.end());
    return id;
  }
  std::mutex mutex;
  std::map<BlobId, Bytes> blobs;
  bool full = false;
};

TEST_CASE("a large input is read from the store when its attempt runs, and a large output is kept there") {
  Bell bell;
  Store store;
  const Bytes large(100'000, 7);
  const Value input(store.keep(large).value());
  Executor executor({.slots = 1, .wake = bell.ringer(), .blobs = store.access()});
  executor.start({Attempt{{1}, &echo, input}});
  const auto finished = collect(executor, bell, 1);
  CHECK(finished[0].outcome == Outcome::ok);
  CHECK(finished[0].output == input);
}

TEST_CASE("an output goes into the store from one byte above the small ones on") {
  Bell bell;
  Store store;
  const RunUnit make = [](ByteView in, const StopToken&) { return Bytes(small_bytes_max + in.size()); };
  Executor executor({.slots = 1, .wake = bell.ringer(), .blobs = store.access()});
  executor.start(one(1, make, ""));
  CHECK_FALSE(collect(executor, bell, 1)[0].output.large);
  executor.start(one(2, make, "x"));
  CHECK(collect(executor, bell, 1)[0].output == Value(blob_id_of(Bytes(small_bytes_max + 1))));
}

TEST_CASE("an input that is not here, and an output that cannot be kept, are the donor's fault; a reason never goes into the store") {
  Bell bell;
  Store store;
  store.full = true;
  const RunUnit make = [](ByteView, const StopToken&) { return Bytes(small_bytes_max + 1); };
  const RunUnit fail = [](ByteView, const StopToken&) -> Bytes { throw tasks::UnitFailed(std::string(100'000, 'x')); };
  Executor executor({.slots = 1, .wake = bell.ringer(), .blobs = store.access()});
  executor.start({Attempt{{1}, &echo, Value(BlobId{100'000, {}})}});
  auto finished = collect(executor, bell, 1);
  CHECK(finished[0].outcome == Outcome::donor_fault);
  CHECK(to_text(finished[0].output.bytes) == "its input is not here any more");
  executor.start(one(2, make));
  finished = collect(executor, bell, 1);
  CHECK(finished[0].outcome == Outcome::donor_fault);
  CHECK(to_text(finished[0].output.bytes) == "its output cannot be kept: no room");
  executor.start(one(3, fail));
  finished = collect(executor, bell, 1);
  CHECK(finished[0].outcome == Outcome::failed);
  CHECK(finished[0].output.bytes.size() == reason_max);
}

TEST_CASE("an executor without a store returns no large output, and takes none for an ok one") {
  Bell bell;
  Executor executor({.slots = 1, .wake = bell.ringer()});
  const RunUnit make = [](ByteView, const StopToken&) { return Bytes(small_bytes_max + 1); };
  executor.start(one(1, make));
  CHECK(collect(executor, bell, 1)[0].outcome == Outcome::donor_fault);
}

}  // namespace
}  // namespace dugnad::worker
