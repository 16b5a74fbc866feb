#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "coordinatorless/sim/network.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

/// A node that notes down all it hears.
class Listener final : public NetworkUser {
 public:
  explicit Listener(EventQueue& queue) : queue_(queue) {}
  void connected(Node peer, bool outbound) override { said.push_back((outbound ? "reached " : "reached by ") + std::to_string(peer)); }
  void lost(Node peer) override {
    said.push_back("lost " + std::to_string(peer));
    lost_at = queue_.now();
  }
  void dial_failed(const CurveKey&, const std::string& reason) override {
    said.push_back("dial failed: " + reason);
    failed_at = queue_.now();
  }
  void received(Node, Bytes frame) override {
    frames.push_back(to_text(frame));
    received_at.push_back(queue_.now());
  }
  std::optional<std::string> refuses(Node, const CurveKey&) override { return refusal; }

  std::vector<std::string> said;
  std::vector<std::string> frames;
  std::vector<VirtualTime> received_at;
  VirtualTime lost_at{}, failed_at{};
  std::optional<std::string> refusal;

 private:
  EventQueue& queue_;
};

/// Nodes 0, 1, ... of which the last may sit behind a NAT, all started.
struct Net {
  explicit Net(LinkQuality quality = {}, std::size_t nodes = 2, bool last_behind_nat = false)
      : network(queue, quality, Generator::from_seed(1)) {
    for (std::size_t i = 0; i < nodes; ++i) {
      at.push_back(std::make_unique<Listener>(queue));
      const Node node = network.add(*at.back(), !(last_behind_nat && i + 1 == nodes));
      network.start(node);
    }
  }
  void link(Node from = 0, Node to = 1) {
    network.dial(from, to, {}, 15s);
    run_for(5s);
    REQUIRE(network.linked(from, to));
  }
  bool send(Node from, Node to, const std::string& text) {
    Bytes frame = to_bytes(text);
    return network.send(from, to, frame);
  }
  void run_for(Duration duration) {
    const VirtualTime end = queue.now() + duration;
    while (queue.next() && *queue.next() <= end) queue.step();
    queue.skip_to(end);
  }

  EventQueue queue;
  Network network;
  std::vector<std::unique_ptr<Listener>> at;
};

using Said = std::vector<std::string>;

}  // namespace

TEST_CASE("a dial takes four round trips and then both sides know") {
  Net net({.latency = 20ms});
  net.network.dial(0, 1, {}, 15s);
  net.run_for(75ms);  // four round trips of a pair at half the mean latency take 80 ms
  CHECK(net.at[0]->said.empty());
  net.run_for(200ms);
  CHECK(net.at[0]->said == Said{"reached 1"});
  CHECK(net.at[1]->said == Said{"reached by 0"});
}

TEST_CASE("two nodes that dial each other at once get one link") {
  Net net;
  net.network.dial(0, 1, {}, 15s);
  net.network.dial(1, 0, {}, 15s);
  net.run_for(60s);
  CHECK(net.at[0]->said.size() == 1);
  CHECK(net.at[1]->said.size() == 1);
  CHECK(net.network.links(0) == 1);
}

TEST_CASE("frames arrive in order whatever the jitter and the loss") {
  Net net({.jitter = 3, .loss = 0.1});
  std::size_t arrived = 0;
  for (int round = 0; round < 20; ++round) {
    if (!net.network.linked(0, 1)) net.link();
    net.at[1]->frames.clear();
    for (int i = 0; i < 50; ++i) {
      (void)net.send(0, 1, std::to_string(i));
      net.run_for(3ms);
    }
    net.run_for(60s);
    const auto& frames = net.at[1]->frames;
    arrived += frames.size();
    for (std::size_t i = 0; i < frames.size(); ++i) CHECK(frames[i] == std::to_string(i));  // none is missing before the link broke
  }
  CHECK(arrived > 200);
  CHECK(arrived < 1000);
}

TEST_CASE("a packet that is lost comes late, and sometimes takes the link with it") {
  Net net({.latency = 10ms, .jitter = 0, .loss = 0.2}, 2);
  int late = 0, broken = 0;
  for (int i = 0; i < 2000; ++i) {
    if (!net.network.linked(0, 1)) net.link();
    net.at[1]->received_at.clear();
    const VirtualTime start = net.queue.now();
    REQUIRE(net.send(0, 1, "x"));
    net.run_for(30s);
    if (net.at[1]->received_at.empty())
      ++broken;
    else if (net.at[1]->received_at[0] - start > 150ms)
      ++late;
  }
  CHECK(late > 330);  // 2,000 * 0.2 * 0.98 expected: 392
  CHECK(late < 460);
  CHECK(broken + net.network.counts().links_broken_by_loss > 40);  // 2,000 * 0.02 expected, whether or not its frame came first
  CHECK(net.network.counts().links_broken_by_loss > 20);
  CHECK(net.network.counts().links_broken_by_loss < 65);
}

TEST_CASE("a killed process is noticed at once and takes what is in flight with it") {
  Net net({.latency = 100ms});
  net.link();
  REQUIRE(net.send(0, 1, "in flight to it"));
  REQUIRE(net.send(1, 0, "in flight from it"));
  net.network.stop(1, Death::killed);
  net.run_for(1s);
  CHECK(net.at[0]->said == Said{"reached 1", "lost 1"});
  CHECK(net.at[0]->frames.empty());
  CHECK(net.at[1]->frames.empty());
  CHECK(net.network.counts().frames_lost == 2);
  CHECK_FALSE(net.send(0, 1, "after"));
}

TEST_CASE("a machine that vanishes is noticed by the heartbeat alone, and what is sent meanwhile is lost") {
  Net net;
  net.link();
  const VirtualTime vanished = net.queue.now();
  net.network.stop(1, Death::vanished);
  net.run_for(14s);
  CHECK(net.at[0]->said == Said{"reached 1"});
  CHECK(net.send(0, 1, "into the void"));
  net.run_for(60s);
  CHECK(net.at[0]->said == Said{"reached 1", "lost 1"});
  CHECK(net.at[0]->lost_at - vanished >= 15s);
  CHECK(net.at[0]->lost_at - vanished <= 60s);
  CHECK(net.at[1]->frames.empty());
}

TEST_CASE("whoever comes back after a crash and dials replaces the link that the other still believes in") {
  Net net;
  net.link();
  net.network.stop(0, Death::vanished);
  net.run_for(1s);
  net.network.start(0);
  net.network.dial(0, 1, {}, 15s);
  net.run_for(1s);
  CHECK(net.at[1]->said == Said{"reached by 0", "lost 0", "reached by 0"});
  CHECK(net.send(1, 0, "hello again"));
  net.run_for(1s);
  CHECK(net.at[0]->frames == std::vector<std::string>{"hello again"});
}

TEST_CASE("a short partition only holds frames up; a long one breaks the link on both sides") {
  Net net({}, 3);
  net.link(0, 1);
  net.link(0, 2);
  net.network.partition({0}, {1});
  REQUIRE(net.send(0, 1, "patience"));
  REQUIRE(net.send(0, 2, "not concerned"));
  net.run_for(10s);
  CHECK(net.at[1]->frames.empty());
  CHECK(net.at[2]->frames.size() == 1);
  net.network.heal();
  net.run_for(10s);
  CHECK(net.at[1]->frames == std::vector<std::string>{"patience"});

  net.network.partition({0}, {1});
  REQUIRE(net.send(0, 1, "lost"));
  net.run_for(61s);
  net.network.heal();
  net.run_for(61s);
  CHECK(net.at[0]->said.back() == "lost 1");
  CHECK(net.at[1]->said.back() == "lost 0");
  CHECK(net.at[1]->frames.size() == 1);
  CHECK(net.network.links(0) == 1);
}

TEST_CASE("a machine that sleeps hears nothing, and all of it when it wakes in time") {
  Net net;
  net.link();
  net.network.suspend(1);
  REQUIRE(net.send(0, 1, "wake up"));
  net.run_for(10s);
  CHECK(net.at[1]->frames.empty());
  net.network.resume(1);
  net.run_for(15s);
  CHECK(net.at[1]->frames == std::vector<std::string>{"wake up"});
}

TEST_CASE("a machine that sleeps too long finds its links gone when it wakes") {
  Net net;
  net.link();
  net.network.suspend(1);
  net.run_for(120s);
  CHECK(net.at[0]->said.back() == "lost 1");
  CHECK(net.at[1]->said == Said{"reached by 0"});
  net.network.resume(1);
  net.run_for(20s);
  CHECK(net.at[1]->said.back() == "lost 0");
  CHECK(net.network.links(0) == 0);
  CHECK(net.network.links(1) == 0);
}

TEST_CASE("beyond the high-water mark a send is refused and the frame stays with its sender") {
  Net net({.queue_frames_max = 10});
  net.link();
  for (int i = 0; i < 10; ++i) REQUIRE(net.send(0, 1, "x"));
  Bytes frame = to_bytes("kept");
  CHECK_FALSE(net.network.send(0, 1, frame));
  CHECK(to_text(frame) == "kept");
  net.run_for(1s);
  CHECK(net.at[1]->frames.size() == 10);
  CHECK(net.send(0, 1, "room again"));
}

TEST_CASE("the high-water mark counts bytes, and a line has a rate") {
  Net net({.jitter = 0, .bytes_per_second = 1e6, .queue_bytes_max = 1 << 20});
  net.link();
  const std::string half(600 << 10, 'x');
  const VirtualTime start = net.queue.now();
  REQUIRE(net.send(0, 1, half));
  CHECK_FALSE(net.send(0, 1, half));
  net.run_for(5s);
  REQUIRE(net.at[1]->received_at.size() == 1);
  CHECK(net.at[1]->received_at[0] - start > 600ms);
}

TEST_CASE("dials fail at their timeout: into a NAT, to a dead process, through a partition") {
  Net net({}, 4, true);
  net.network.stop(1, Death::killed);
  net.network.partition({0}, {2});
  for (const Node to : {Node{1}, Node{2}, Node{3}}) {
    CAPTURE(to);
    const VirtualTime start = net.queue.now();
    const std::size_t before = net.at[0]->said.size();
    net.network.dial(0, to, {}, 15s);
    net.run_for(20s);
    CHECK(net.at[0]->said.size() == before + 1);
    CHECK(net.at[0]->said.back() == "dial failed: no answer");
    CHECK(net.at[0]->failed_at - start == 15s);
  }
}

TEST_CASE("a node behind a NAT reaches others, and both use the link") {
  Net net({}, 2, true);
  net.link(1, 0);
  CHECK(net.send(0, 1, "down"));
  CHECK(net.send(1, 0, "up"));
  net.run_for(1s);
  CHECK(net.at[0]->frames.size() == 1);
  CHECK(net.at[1]->frames.size() == 1);
}

TEST_CASE("a listener that refuses says why, before the timeout") {
  Net net;
  net.at[1]->refusal = "banned";
  net.network.dial(0, 1, {}, 15s);
  net.run_for(1s);
  CHECK(net.at[0]->said == Said{"dial failed: banned"});
  CHECK(net.at[1]->said.empty());
}

TEST_CASE("a process that dies while its dial is under way is never called back") {
  Net net;
  net.network.dial(0, 1, {}, 15s);
  net.network.stop(0, Death::killed);
  net.network.start(0);
  net.run_for(30s);
  CHECK(net.at[0]->said.empty());
  CHECK(net.at[1]->said.empty());
}

TEST_CASE("a disconnect is heard by the other side after a latency") {
  Net net;
  net.link();
  net.network.disconnect(0, 1);
  CHECK_FALSE(net.network.linked(0, 1));
  CHECK(net.network.linked(1, 0));
  net.run_for(1s);
  CHECK(net.at[0]->said == Said{"reached 1"});
  CHECK(net.at[1]->said == Said{"reached by 0", "lost 0"});
}
