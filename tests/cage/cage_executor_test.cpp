// The executor with cages: whose time runs when.
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "tests/cage/caged.h"
#include "worker/executor.h"

namespace dugnad::worker {
namespace {

using std::chrono::milliseconds;

/// What the units of one guest come to, in order.
std::vector<FinishedAttempt> run_in(Executor& executor, std::mutex& mutex, std::condition_variable& woken, bool& awake, const Guest& guest,
                                    const std::vector<std::string>& units, Duration limit) {
  const auto shared = std::make_shared<const Guest>(guest);
  std::vector<Attempt> attempts;
  for (const std::string& unit : units) attempts.push_back({AttemptId{attempts.size()}, nullptr, to_bytes(unit), limit, shared});
  executor.start(std::move(attempts));
  std::vector<FinishedAttempt> all;
  while (all.size() < units.size()) {
    {
      std::unique_lock lock(mutex);
      REQUIRE(woken.wait_for(lock, std::chrono::seconds(30), [&awake] { return std::exchange(awake, false); }));
    }
    for (FinishedAttempt& finished : executor.collect()) all.push_back(std::move(finished));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.attempt < b.attempt; });
  return all;
}

}  // namespace

TEST_CASE("a module that takes longer to compile than a unit may take costs its units no time; a loop does") {
  const auto launcher = probe_launcher();
  std::mutex mutex;
  std::condition_variable woken;
  bool awake = false;
  Executor executor({.slots = 1,
                     .wake =
                         [&] {
                           const std::lock_guard lock(mutex);
                           awake = true;
                           woken.notify_one();
                         },
                     .launcher = launcher.get()});
  constexpr auto limit = milliseconds(2000);  // more than a unit of nothing waits on a busy machine
  const auto run = [&](const std::vector<std::string>& units) {
    return run_in(executor, mutex, woken, awake, guest_of("takes three seconds"), units, limit);
  };
  for (int round = 0; round < 2; ++round) {  // the second needs a cage again, since the loop cost the first one's
    const auto all = run({"1", "2", "loop"});
    CHECK(to_text(all[0].output.bytes) == "1");
    CHECK(all[0].cpu < limit);  // nor is what it cost counted as theirs
    CHECK(to_text(all[1].output.bytes) == "2");
    CHECK(all[2].outcome == Outcome::donor_fault);
    CHECK(to_text(all[2].output.bytes).find("2 s") != std::string::npos);
  }
}

}  // namespace dugnad::worker
