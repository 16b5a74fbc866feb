// Inputs come from whoever submitted the job, outputs from whoever computed the unit: neither can be believed.
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>

#include "coordinatorless/base/generator.h"
#include "tests/tasks/in_process.h"

using namespace dugnad;
using namespace dugnad::tasks;

namespace {

/// A stop token that is set once a time has passed, unless it is gone before.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds after) {
    thread_ = std::jthread([this, after] {
      std::unique_lock lock(mutex_);
      if (!gone_.wait_for(lock, after, [this] { return over_; })) flag_ = true;
    });
  }
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    gone_.notify_all();
  }
  [[nodiscard]] StopToken token() const { return StopToken(flag_); }

 private:
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  std::condition_variable gone_;
  bool over_ = false;
  std::jthread thread_;
};

enum class End { done, failed, stopped };

/// Any end is fine but a crash, another exception, or more than a quarter of a second of CPU time after the token was set.
End run_hostile(const Task& task, const Bytes& input, const StopToken& stop) {
  const std::clock_t began = std::clock();
  End end = End::done;
  try {
    const Bytes output = task.run(input, stop);
    CHECK(output.size() <= 1u << 20);
  } catch (const UnitFailed& failure) {
    end = End::failed;
    CHECK(std::string(failure.what()).size() > 10);
  } catch (const Stopped&) {
    end = End::stopped;
  }
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  CHECK_MESSAGE(seconds < 0.25, task.name, " took ", seconds, " s for ", to_hex(input));
  return end;
}

/// Some valid units of each task, small and large.
std::vector<Bytes> valid_units(const Task& task) {
  std::vector<Bytes> units;
  for (const bool large : {false, true}) {
    Parameters parameters;
    for (const Parameter& parameter : task.parameters) {
      parameters[parameter.name] = large ? parameter.most : std::min<std::uint64_t>(parameter.most, 9);
    }
    const auto plan = task.plan(parameters);
    for (int i = 0; i < 3; ++i) {
      if (auto input = plan->next()) units.push_back(std::move(*input));
    }
  }
  return units;
}

Bytes random_bytes(Generator& generator, std::size_t size) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator.next());
  return bytes;
}

Bytes mutate(Generator& generator, Bytes bytes) {
  for (std::uint64_t times = 1 + generator.below(3); times > 0; --times) {
    const std::uint64_t at = generator.below(bytes.size() + 1);
    switch (generator.below(4)) {
      case 0:
        if (at < bytes.size()) bytes[at] ^= static_cast<std::uint8_t>(1u << generator.below(8));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = generator.chance(0.5) ? 0xff : static_cast<std::uint8_t>(generator.next());
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(generator.next()));
        break;
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("random bytes never crash a unit, and are refused at once or soon stopped") {
  auto generator = Generator::from_seed(11);
  for (const auto& [name, task] : builtins().all()) {
    const std::size_t usual = valid_units(task).front().size();
    int failed = 0;
    for (int round = 0; round < 500; ++round) {
      const std::size_t size = round % 2 == 0 ? usual : generator.below(64);
      const Deadline deadline(std::chrono::milliseconds(5));
      if (run_hostile(task, random_bytes(generator, size), deadline.token()) == End::failed) ++failed;
    }
    INFO(name);
    CHECK(failed > 200);
  }
}

TEST_CASE("valid units with a few bytes changed never crash, and end soon after they are told to") {
  auto generator = Generator::from_seed(12);
  for (const auto& [name, task] : builtins().all()) {
    const auto units = valid_units(task);
    int failed = 0;
    for (int round = 0; round < 200; ++round) {
      const Bytes input = mutate(generator, units[generator.below(units.size())]);
      const Deadline deadline(std::chrono::milliseconds(5));
      if (run_hostile(task, input, deadline.token()) == End::failed) ++failed;
    }
    INFO(name);
    CHECK(failed > 20);
  }
}

TEST_CASE("an empty unit and one with a byte too many fail with a reason") {
  for (const auto& [name, task] : builtins().all()) {
    Bytes longer = valid_units(task).front();
    longer.push_back(0);
    INFO(name);
    CHECK(run_hostile(task, {}, StopToken()) == End::failed);
    CHECK(run_hostile(task, longer, StopToken()) == End::failed);
  }
}

TEST_CASE("a long unit stops when it is told to") {
  for (const auto& [name, task] : builtins().all()) {
    const Bytes input = dearest_unit(task);
    const std::atomic<bool> before{true};
    INFO(name);
    CHECK(run_hostile(task, input, StopToken(before)) == End::stopped);
    const Deadline deadline(std::chrono::milliseconds(1));
    CHECK(run_hostile(task, input, deadline.token()) == End::stopped);
  }
}

TEST_CASE("a plan refuses outputs that are not what its task returns, and then still takes the right one") {
  auto generator = Generator::from_seed(13);
  const std::map<std::string, Parameters> jobs{
      {"collatz", {{"to", 1'000}}}, {"factors", {{"from", 1'000}, {"count", 5}}},
      {"golomb", {{"n", 8}}},       {"mandelbrot", {{"width", 20}, {"height", 10}}},
      {"nqueens", {{"n", 8}}},      {"pi", {{"samples", 500}}}, {"primes", {{"to", 1'000}}},
      {"twinprimes", {{"to", 1'000}}}, {"walks", {{"n", 8}}}};
  for (const auto& [name, task] : builtins().all()) {
    INFO(name);
    REQUIRE(jobs.contains(name));
    const auto plan = plan_of(name, jobs.at(name));
    const Bytes input = plan->next().value();
    const Bytes right = task.run(input, StopToken());
    Bytes longer = right;
    longer.push_back(0);
    Bytes shorter = right;
    shorter.pop_back();
    CHECK_FALSE(plan->accept(UnitIndex{0}, {}).ok());
    CHECK_FALSE(plan->accept(UnitIndex{0}, longer).ok());
    CHECK_FALSE(plan->accept(UnitIndex{0}, shorter).ok());
    CHECK_FALSE(plan->accept(UnitIndex{0}, Bytes(right.size(), 0xff)).ok());
    for (int round = 0; round < 200; ++round) {
      CHECK_FALSE(plan->accept(UnitIndex{0}, random_bytes(generator, right.size() + generator.below(3))).ok());
    }
    CHECK_FALSE(plan->accept(UnitIndex{1}, right).ok());
    CHECK(plan->accept(UnitIndex{0}, right).ok());
    CHECK_FALSE(plan->accept(UnitIndex{0}, right).ok());
    CHECK(plan->exhausted());
    CHECK(plan->answer().text == answer(name, jobs.at(name)));
  }
}

TEST_CASE("a Golomb plan refuses rulers that are none and places that do not lie ahead") {
  const auto plan = plan_of("golomb", {{"n", 4}});
  REQUIRE(plan->next().has_value());
  const auto accepts = [&plan](const Bytes& output) { return plan->accept(UnitIndex{0}, output).ok(); };
  CHECK_FALSE(accepts({3, 1, 2, 4, 0}));     // two marks one apart, twice
  CHECK_FALSE(accepts({3, 1, 3, 8, 0}));     // not below the first bound, which is one above 7
  CHECK_FALSE(accepts({2, 1, 3, 0}));        // too few marks
  CHECK_FALSE(accepts({3, 4, 1, 6, 0}));     // not in order
  CHECK_FALSE(accepts({3, 1, 4, 200, 0}));   // beyond any bound
  CHECK_FALSE(accepts({0, 3, 1, 2, 3}));     // no place has so many marks
  CHECK_FALSE(accepts({0, 2, 2, 2}));        // nor the same one twice
  CHECK_FALSE(accepts({0, 1, 0}));           // nor one at the left end
  CHECK(accepts({3, 1, 4, 6, 0}));
}
