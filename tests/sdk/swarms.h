// Swarms of oneself, and tasks that the tests can watch and hold up.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "dugnad/swarm.h"
#include "dugnad/values.h"
#include "tasks/wire.h"
#include "tests/scratch.h"
#include "worker/node.h"

namespace dugnad::sdk {

inline Bytes number(std::uint64_t n) { return tasks::Writer().u64(n).take(); }
inline std::vector<Bytes> numbers(std::uint64_t count) {
  std::vector<Bytes> all;
  for (std::uint64_t n = 0; n < count; ++n) all.push_back(number(n));
  return all;
}
inline std::uint64_t number_in(ByteView bytes) {
  const auto n = from_unit<std::uint64_t>(bytes);
  REQUIRE(n.has_value());
  return *n;
}

/// The test's hand in a unit: counts executions by the unit's number, and lets only so many through until it is opened.
class Turnstile {
 public:
  static constexpr std::size_t units_max = 4096;

  void enter(std::uint64_t unit) {
    std::unique_lock lock(mutex_);
    ++executions_.at(unit);
    if (let_in_ == 0) {
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return let_in_ > 0; });
      --waiting_;
    }
    --let_in_;
  }
  void let_in(std::size_t units) {
    const std::lock_guard lock(mutex_);
    let_in_ += units;
    changed_.notify_all();
  }
  void wait_for_somebody_to_wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  [[nodiscard]] unsigned executions(std::uint64_t unit) {
    const std::lock_guard lock(mutex_);
    return executions_.at(unit);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t let_in_ = 0;
  unsigned waiting_ = 0;
  std::array<unsigned, units_max> executions_{};
};

inline constexpr std::size_t everybody = 1'000'000'000;

inline tasks::TaskTable test_tasks(Turnstile* turnstile = nullptr) {
  auto table = tasks::builtin_tasks();
  table.add(task_of<std::uint64_t, std::uint64_t>("square", 1, [](std::uint64_t n) { return n * n; }));
  table.add(task_of<std::uint64_t, std::uint64_t>("unlucky", 1, [](std::uint64_t n) {
    if (n == 13) throw tasks::UnitFailed("13 brings bad luck");
    return n;
  }));
  table.add(task_of<std::uint64_t, Bytes>("large", 1, [](std::uint64_t n) { return Bytes(n); }));
  table.add(task_of<Bytes, Bytes>("echo", 1, [](const Bytes& bytes) { return bytes; }));
  if (turnstile != nullptr) {
    table.add(task_of<std::uint64_t, std::uint64_t>("turnstile", 1, [turnstile](std::uint64_t n) {
      turnstile->enter(n);
      return n * n;
    }));
  }
  return table;
}

/// Nobody searches for a proof of work beside the test.
inline constexpr const char* test_swarm = "sdk-test:0";

/// Nobody can reach it, and nothing is kept, unless the test says otherwise.
inline SwarmOptions alone(tasks::TaskTable table = test_tasks()) {
  SwarmOptions options;
  options.swarm = test_swarm;
  options.alone = true;
  options.listen = "none";
  options.journal = false;
  options.tasks = std::move(table);
  return options;
}
inline SwarmOptions alone_in(const Scratch& scratch, tasks::TaskTable table = test_tasks()) {
  SwarmOptions options = alone(std::move(table));
  options.journal = true;
  options.data = scratch.path();
  return options;
}

inline SwarmOptions joining(const std::string& contact) {
  SwarmOptions options = alone();
  options.alone = false;
  options.join = {contact};
  return options;
}

inline Swarm joined(SwarmOptions options) {
  auto swarm = Swarm::join(std::move(options));
  REQUIRE_MESSAGE(swarm.ok(), (swarm.ok() ? "" : swarm.error().message));
  return *std::move(swarm);
}
template <class T>
T good(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message));
  return *std::move(result);
}

/// A worker in this process.
inline std::unique_ptr<worker::Node> donor(tasks::TaskTable table, std::vector<std::string> join = {}) {
  worker::NodeOptions options;
  options.swarm = test_swarm;
  options.listen = "tcp://127.0.0.1:0";
  options.join = std::move(join);
  options.journal = false;
  options.donates = true;
  options.slots = 1;
  options.tasks = std::move(table);
  auto node = good(worker::Node::open(std::move(options)));
  node->start({});
  return node;
}

inline const JobOptions one_copy{.copies = 1};

/// All results until the job's end, by unit; each must come once.
inline std::vector<UnitResult> rest_of(Job& job) {
  std::vector<UnitResult> results;
  while (auto result = job.next()) results.push_back(*std::move(result));
  std::sort(results.begin(), results.end(), [](const auto& a, const auto& b) { return a.unit < b.unit; });
  for (std::size_t i = 1; i < results.size(); ++i) REQUIRE(results[i - 1].unit != results[i].unit);
  return results;
}

}  // namespace dugnad::sdk
