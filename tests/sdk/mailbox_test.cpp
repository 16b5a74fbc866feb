// The mailbox between a job and its user: order, back-pressure, the end; and the rate that progress shows.
#include <doctest/doctest.h>

#include <atomic>
#include <numeric>
#include <set>
#include <thread>

#include "sdk/mailbox.h"
#include "sdk/rate.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

Mailbox::Batch batch_of(std::uint64_t first, std::size_t count) {
  Mailbox::Batch batch(count);
  for (UnitResult& result : batch) result.unit = first++;
  return batch;
}

constexpr std::size_t full_at = 64 << 10;

}  // namespace

TEST_CASE("results come in the order of their batches, and end after the last") {
  Mailbox mailbox([] {});
  mailbox.deliver(batch_of(0, 3));
  mailbox.deliver({});
  mailbox.deliver(batch_of(3, 1));
  mailbox.finish({EndKind::complete, 0}, std::nullopt);
  for (std::uint64_t unit = 0; unit < 4; ++unit) CHECK(mailbox.next()->unit == unit);
  CHECK_FALSE(mailbox.next().has_value());
  mailbox.deliver(batch_of(9, 1));
  CHECK_FALSE(mailbox.next().has_value());
}

TEST_CASE("the first end counts") {
  Mailbox mailbox([] {});
  CHECK_FALSE(mailbox.finished());
  mailbox.finish({EndKind::cancelled, 2}, std::nullopt);
  mailbox.finish({EndKind::complete, 0}, std::nullopt);
  CHECK(mailbox.wait_end().kind == EndKind::cancelled);
  CHECK(mailbox.finished());
}

TEST_CASE("several takers get every result once") {
  Mailbox mailbox([] {});
  std::vector<std::vector<std::uint64_t>> taken(4);
  std::vector<std::thread> takers;
  for (auto& mine : taken) {
    takers.emplace_back([&] {
      while (auto result = mailbox.next()) mine.push_back(result->unit);
    });
  }
  for (std::uint64_t unit = 0; unit < 3000; unit += 1 + unit % 7) mailbox.deliver(batch_of(unit, 1 + unit % 7));
  mailbox.finish({}, std::nullopt);
  for (std::thread& taker : takers) taker.join();
  std::vector<std::uint64_t> all;
  for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> expected(all.size());
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(all.size() >= 3000);
  CHECK(all == expected);
}

TEST_CASE("a full mailbox says when it has room again") {
  int drained = 0;
  Mailbox mailbox([&] { ++drained; });
  mailbox.deliver(batch_of(0, full_at));
  CHECK(mailbox.full());
  std::size_t taken = 0;
  for (; drained == 0; ++taken) REQUIRE(mailbox.next().has_value());
  CHECK(taken == full_at / 2);
  CHECK_FALSE(mailbox.full());
  while (taken++ < full_at) CHECK(mailbox.next().has_value());
  CHECK(drained == 1);
}

TEST_CASE("whoever waits for the end is not kept waiting by a full mailbox") {
  std::mutex mutex;
  std::condition_variable changed;
  bool drained = false;
  Mailbox mailbox([&] {
    const std::lock_guard lock(mutex);
    drained = true;
    changed.notify_all();
  });
  mailbox.deliver(batch_of(0, full_at));
  REQUIRE(mailbox.full());
  std::thread waiter([&] { CHECK(mailbox.wait_end().kind == EndKind::complete); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return drained; });
  }
  CHECK_FALSE(mailbox.full());
  mailbox.finish({}, std::nullopt);
  waiter.join();
  CHECK(mailbox.next()->unit == 0);
}

TEST_CASE("whoever wants the answer gives up the results, and still hears of the first that failed") {
  Mailbox mailbox([] {});
  mailbox.deliver({{.unit = 7, .ok = false, .output = {}, .reason = "no luck"}});
  mailbox.deliver(batch_of(8, 2));
  mailbox.finish({EndKind::units_failed, 1}, tasks::Answer{"42", std::nullopt});
  const Mailbox::Outcome outcome = mailbox.wait_answer();
  CHECK(outcome.end.units_failed == 1);
  CHECK(outcome.answer->text == "42");
  CHECK(outcome.first_failed->unit == 7);
  CHECK_FALSE(mailbox.next().has_value());
}

TEST_CASE("a listener hears the notices that came before it, then those that come") {
  Mailbox mailbox([] {});
  mailbox.say({.kind = Notice::Kind::outvoted, .peer = "first"});
  std::vector<std::string> heard;
  mailbox.on_notice([&](const Notice& notice) { heard.push_back(notice.peer); });
  mailbox.say({.kind = Notice::Kind::outvoted, .peer = "second"});
  CHECK(heard == std::vector<std::string>{"first", "second"});
}

TEST_CASE("the rate is that of the last seconds") {
  using std::chrono::milliseconds;
  const BootTime start{std::chrono::hours(1)};
  RateMeter meter(start);
  CHECK(meter.per_second(start) == 0);
  for (int i = 1; i <= 100; ++i) meter.add(10, start + milliseconds(100 * i));
  CHECK(meter.per_second(start + milliseconds(10'000)) == doctest::Approx(100).epsilon(0.05));
  for (int i = 101; i <= 200; ++i) meter.add(50, start + milliseconds(100 * i));
  CHECK(meter.per_second(start + milliseconds(20'000)) == doctest::Approx(500).epsilon(0.05));
  CHECK(meter.per_second(start + milliseconds(40'000)) < 10);
}

namespace {

/// A store whose blob of length n is n bytes; that of 13 is lost.
struct Store {
  [[nodiscard]] Mailbox::LargeStore access(std::uint64_t memory_max = UINT64_MAX) {
    return {.read = [this](const BlobId& blob) { return blob.length == 13 || emptied ? nullptr : std::make_shared<const Bytes>(blob.length); },
            .pin =
                [this](const BlobId& blob) {
                  const std::lock_guard lock(mutex);
                  if (blob.length != 13) own_pins.insert(blob.length);
                  return blob.length != 13;
                },
            .let_go =
                [this](const Mailbox::Large& large) {
                  const std::lock_guard lock(mutex);
                  if (large.own_pin) own_pins.erase(own_pins.find(large.blob.length));
                  else let_go.push_back(large.blob.length);
                },
            .memory_max = memory_max};
  }
  [[nodiscard]] std::vector<std::uint64_t> gone() {
    const std::lock_guard lock(mutex);
    return let_go;
  }
  std::mutex mutex;
  std::vector<std::uint64_t> let_go;       // that whoever delivered it keeps
  std::multiset<std::uint64_t> own_pins;
  std::atomic<bool> emptied{false};
};

Mailbox::Large large(std::uint64_t length) { return {BlobId{length, {}}}; }

bool contains_lost(const std::string& reason) { return reason.find("lost") != std::string::npos; }

}  // namespace

TEST_CASE("a large output is read when its result is taken, and let go of once") {
  Store store;
  Mailbox mailbox([] {}, store.access());
  mailbox.deliver(batch_of(0, 3), {{1, large(70000)}});
  CHECK(mailbox.next()->output.empty());
  CHECK(store.gone().empty());
  CHECK(mailbox.next()->output.size() == 70000);
  CHECK(mailbox.next()->output.empty());
  CHECK(store.gone() == std::vector<std::uint64_t>{70000});
}

TEST_CASE("a large output that the disk has lost is a failed result, with the reason") {
  Store store;
  Mailbox mailbox([] {}, store.access());
  mailbox.deliver(batch_of(0, 1), {{0, large(13)}});
  const auto result = mailbox.next();
  CHECK_FALSE(result->ok);
  CHECK(result->reason.find("lost") != std::string::npos);
  CHECK(store.gone().size() == 1);
}

TEST_CASE("large outputs that nobody will take are let go of: those that lie here, and those that come") {
  Store store;
  Mailbox mailbox([] {}, store.access());
  mailbox.deliver(batch_of(0, 1), {{0, large(70000)}});
  std::thread waiting([&] { (void)mailbox.wait_answer(); });
  while (store.gone().size() < 1) std::this_thread::yield();
  mailbox.deliver(batch_of(1, 1), {{1, large(80000)}});
  CHECK(store.gone() == std::vector<std::uint64_t>{70000, 80000});
  mailbox.finish({EndKind::complete, 0, {}}, std::nullopt);
  waiting.join();
  mailbox.deliver(batch_of(2, 1), {{2, large(90000)}});
  CHECK(store.gone().back() == 90000);
}

TEST_CASE("whoever waits for the end makes room in the store, and what it has read is taken later") {
  Store store;
  Mailbox mailbox([] {}, store.access());
  mailbox.deliver(batch_of(0, 1), {{0, large(70000)}});
  std::thread waiting([&] { (void)mailbox.wait_end(); });
  while (store.gone().size() < 1) std::this_thread::yield();
  mailbox.deliver(batch_of(1, 1), {{1, large(80000)}});
  while (store.gone().size() < 2) std::this_thread::yield();
  mailbox.finish({EndKind::complete, 0, {}}, std::nullopt);
  waiting.join();
  CHECK(mailbox.next()->output.size() == 70000);
  CHECK(mailbox.next()->output.size() == 80000);
  CHECK(store.gone().size() == 2);
}

TEST_CASE("outputs that nobody has read when the job is left are let go of once, and stay readable by the program's own pins") {
  Store store;
  Mailbox mailbox([] {}, store.access());
  mailbox.deliver(batch_of(0, 4), {{0, large(70000)}, {1, large(80000)}, {2, large(13)}, {3, {BlobId{90000, {}}, true}}});
  store.own_pins.insert(90000);
  CHECK(mailbox.next()->output.size() == 70000);
  mailbox.finish({}, std::nullopt);
  mailbox.keep_rest();
  CHECK(store.let_go == std::vector<std::uint64_t>{70000, 80000, 13});
  CHECK(store.own_pins == std::multiset<std::uint64_t>{80000, 90000});
  mailbox.keep_rest();
  CHECK(store.let_go.size() == 3);
  CHECK(mailbox.next()->output.size() == 80000);
  CHECK(store.own_pins == std::multiset<std::uint64_t>{90000});
  CHECK(contains_lost(mailbox.next()->reason));
  mailbox.give_up();
  CHECK(store.own_pins.empty());
  CHECK(store.let_go.size() == 3);
}

TEST_CASE("an output that is lost while the end is waited for is let go of, and its result says so") {
  Store store;
  Mailbox mailbox([] {}, store.access());
  mailbox.deliver(batch_of(0, 1), {{0, large(13)}});
  std::thread waiting([&] { (void)mailbox.wait_end(); });
  mailbox.deliver(batch_of(1, 1), {{1, large(70000)}});
  while (store.gone().size() < 1) std::this_thread::yield();
  mailbox.deliver(batch_of(2, 1), {{2, large(80000)}});
  while (store.gone().size() < 3) std::this_thread::yield();
  mailbox.finish({EndKind::complete, 0, {}}, std::nullopt);
  waiting.join();
  CHECK(store.gone() == std::vector<std::uint64_t>{13, 70000, 80000});
  CHECK(contains_lost(mailbox.next()->reason));
  CHECK(store.gone().size() == 3);
}

TEST_CASE("while the end is waited for, only so many large outputs lie in memory; the rest is found where the store still has it") {
  Store store;
  Mailbox mailbox([] {}, store.access(150000));
  mailbox.deliver(batch_of(0, 4), {{0, large(70000)}, {1, large(80000)}, {2, large(90000)}, {3, large(90001)}});
  std::thread waiting([&] { (void)mailbox.wait_end(); });
  while (store.gone().size() < 4) std::this_thread::yield();
  mailbox.finish({EndKind::complete, 0, {}}, std::nullopt);
  waiting.join();
  CHECK(mailbox.next()->output.size() == 70000);
  store.emptied = true;
  CHECK(mailbox.next()->output.size() == 80000);  // in memory
  store.emptied = false;
  CHECK(mailbox.next()->output.size() == 90000);
  store.emptied = true;
  const auto last = mailbox.next();
  CHECK_FALSE(last->ok);
  CHECK(last->reason.find("memory") != std::string::npos);
  CHECK(store.gone().size() == 4);
}
