// Blobs between nodes on loopback: directly, and between two that only a relay joins. What the module does is no matter here: it is none, so that its
// job fails; but a donor leases only once it has the module.
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "coordinatorless/zmq/clocks.h"
#include "tests/scratch.h"
#include "worker/node.h"
#include "worker/owner.h"

namespace dugnad::worker {
namespace {

constexpr auto patience = std::chrono::seconds(60);

class Ended {
 public:
  NodeHooks hooks() {
    return {.notice =
                [this](core::Effect effect) {
                  const auto* ended = std::get_if<core::JobEnded>(&effect);
                  if (ended == nullptr) return;
                  const std::lock_guard lock(mutex_);
                  state_ = ended->state;
                  changed_.notify_all();
                },
            .link = {},
            .stuck = {}};
  }
  std::optional<JobState> wait() {
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, patience, [this] { return state_.has_value(); });
    return state_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<JobState> state_;
};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

NodeOptions light() {
  NodeOptions options;
  options.swarm = "bulk-test:0";
  options.listen = "tcp://127.0.0.1:0";
  options.journal = false;
  return options;
}

NodeOptions donating() {
  NodeOptions options = light();
  options.donates = true;
  options.slots = 1;
  options.code = {.modules = true, .any = true};
  return options;
}

std::unique_ptr<Node> opened(NodeOptions options) {
  auto node = Node::open(std::move(options));
  REQUIRE_MESSAGE(node.ok(), (node.ok() ? "" : node.error().message));
  return *std::move(node);
}

BlobId submit_module(Node& node, ByteView module) {
  const auto kept = node.keep(module);
  REQUIRE(kept);
  const auto owner = node.owner_keys();
  REQUIRE(owner);
  JobOrder order{.task = "guest", .copies = 1, .unit_limit = {}, .recipe = {}};
  order.module = *kept;
  const auto job = make_job(order, *owner, node.id(), node.swarm(), zmq::read_clocks().wall);
  REQUIRE(job);
  node.post({job->event, core::UnitsAppended{job->id, {{{0}, to_bytes("unit")}}, true}});
  return *kept;
}

void check_arrived(Node& node, const BlobId& id, const Bytes& module) {
  const auto arrived = node.blob(id);
  REQUIRE(arrived);
  CHECK(*arrived == module);
}

TEST_CASE("a donor fetches a job's module from its submitter, to its disk") {
  Scratch scratch;
  Ended at_donor, at_submitter;
  NodeOptions options = donating();
  options.journal = true;
  options.data = scratch.path();
  const auto working = opened(options);
  working->start(at_donor.hooks());
  options = light();
  options.join = {working->contact()};
  const auto submitting = opened(options);
  submitting->start(at_submitter.hooks());
  const Bytes module = pattern(9'000'001);

  const BlobId id = submit_module(*submitting, module);

  CHECK(at_submitter.wait() == JobState::failed);
  check_arrived(*working, id, module);
}

TEST_CASE("a module travels through a relay where neither of two peers can be dialled") {
  Ended at_relay, at_donor, at_submitter;
  const auto relay = opened(light());
  relay->start(at_relay.hooks());
  NodeOptions options = donating();
  options.listen = "none";
  options.join = {relay->contact()};
  const auto working = opened(options);
  working->start(at_donor.hooks());
  options = light();
  options.listen = "none";
  options.join = {relay->contact()};
  const auto submitting = opened(options);
  submitting->start(at_submitter.hooks());
  const Bytes module = pattern(300'000);

  const BlobId id = submit_module(*submitting, module);

  CHECK(at_submitter.wait() == JobState::failed);
  check_arrived(*working, id, module);
  CHECK_FALSE(relay->blob(id));
}

}  // namespace
}  // namespace dugnad::worker
