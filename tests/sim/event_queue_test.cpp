#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/sim/event_queue.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

TEST_CASE("actions run in the order of their times, and those of one instant as they were scheduled") {
  EventQueue queue;
  Generator generator = Generator::from_seed(1);
  std::vector<std::pair<VirtualTime, int>> expected, ran;
  for (int i = 0; i < 10000; ++i) {
    const VirtualTime when = std::chrono::milliseconds(generator.below(500));
    expected.emplace_back(when, i);
    queue.at(when, [&, i] { ran.emplace_back(queue.now(), i); });
  }
  std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  while (queue.next()) queue.step();
  CHECK(ran == expected);
  CHECK(queue.executed() == 10000);
}

TEST_CASE("an action may schedule another for the same instant, and it still runs") {
  EventQueue queue;
  std::vector<int> ran;
  queue.after(5ms, [&] {
    ran.push_back(1);
    queue.after(0ms, [&] { ran.push_back(3); });
  });
  queue.after(5ms, [&] { ran.push_back(2); });
  while (queue.next()) queue.step();
  CHECK(ran == std::vector<int>{1, 2, 3});
  CHECK(queue.now() == 5ms);
}
