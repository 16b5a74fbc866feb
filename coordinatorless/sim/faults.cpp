#include "coordinatorless/sim/faults.h"

#include <numeric>

#include "coordinatorless/sim/draws.h"

namespace dugnad::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration down_least = seconds(5), down_most = minutes(2);
constexpr Duration sleep_least = seconds(10), sleep_most = minutes(5);
constexpr Duration parted_least = seconds(10), parted_most = minutes(3);

}  // namespace

Faults::Faults(World& world, FaultRates rates) : world_(world), rates_(rates), generator_(world.generator().key()) {
  if (rates_.crashes_per_peer_hour > 0) crash_later();
  if (rates_.suspends_per_peer_hour > 0) suspend_later();
  if (rates_.partitions_per_hour > 0) part_later();
}

void Faults::stop() {
  stopped_ = true;
  world_.heal();
}

Node Faults::anybody() { return static_cast<Node>(generator_.below(world_.size())); }

void Faults::crash_later() {
  world_.after(next_arrival(generator_, rates_.crashes_per_peer_hour * static_cast<double>(world_.size())), [this] {
    if (stopped_) return;
    const Node node = anybody();
    const Death death = generator_.chance(0.5) ? Death::killed : Death::vanished;
    if (const Host& host = world_.host(node); host.running() && !host.asleep()) {
      ++crashes_;
      world_.crash(node, death);
      bring_back(node, between(generator_, down_least, down_most));
    }
    crash_later();
  });
}

void Faults::bring_back(Node node, Duration delay) {
  world_.after(delay, [this, node] {
    if (!world_.host(node).running()) world_.restart(node);
  });
}

void Faults::suspend_later() {
  world_.after(next_arrival(generator_, rates_.suspends_per_peer_hour * static_cast<double>(world_.size())), [this] {
    if (stopped_) return;
    const Node node = anybody();
    if (const Host& host = world_.host(node); host.running() && !host.asleep()) {
      world_.suspend(node, between(generator_, sleep_least, sleep_most));
    }
    suspend_later();
  });
}

void Faults::part_later() {
  world_.after(next_arrival(generator_, rates_.partitions_per_hour), [this] {
    if (stopped_) return;
    std::vector<Node> nodes(world_.size());
    std::iota(nodes.begin(), nodes.end(), Node{0});
    generator_.shuffle(std::span(nodes));
    const std::size_t cut = 1 + generator_.below((nodes.size() + 1) / 2);
    ++partitions_;
    world_.heal();
    world_.partition({nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(cut)},
                     {nodes.begin() + static_cast<std::ptrdiff_t>(cut), nodes.end()});
    world_.after(between(generator_, parted_least, parted_most), [this, mine = ++healing_] {
      if (mine == healing_) world_.heal();
    });
    part_later();
  });
}

}  // namespace dugnad::sim
