#include "coordinatorless/sim/churn.h"

#include "coordinatorless/sim/draws.h"

namespace dugnad::sim {
namespace {

constexpr Duration tries_again = std::chrono::seconds(10);  // where it is down, or asleep

}  // namespace

Churn::Churn(World& world, const std::vector<Node>& donors, Duration over, const WorkerOptions& successor)
    : world_(world), successor_(successor), generator_(world.generator().key()) {
  for (const Node donor : donors) leave_after(between(generator_, {}, over), donor);
}

void Churn::leave_after(Duration delay, Node donor) {
  world_.after(delay, [this, donor] {
    if (const Host& host = world_.host(donor); !host.running() || host.asleep()) return leave_after(tries_again, donor);
    ++left_;
    world_.retire(donor, generator_.chance(0.5));
    world_.add_worker(successor_);
  });
}

}  // namespace dugnad::sim
