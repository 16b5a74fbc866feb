// The simulated network: links between nodes that behave as ZeroMQ's over TCP do.
//
// - Frames of one direction arrive in the order sent, after a latency of the pair's own and a jitter, at the rate of the line. When the link breaks,
//   what is in flight is lost, both ways.
// - What is under way on one direction is limited, in frames and in bytes; beyond it send() refuses (EAGAIN at the high-water mark).
// - A process that is killed is noticed at once: the kernel resets its connections. A machine that vanishes, sleeps or sits behind a partition is
//   not: frames to it pile up until the heartbeat gives up, 15 to 60 s later, and each end notices by itself. If it is back before that, what was
//   held up arrives late, since TCP has kept it.
// - `loss` is the share of *packets* that get lost; TCP repairs that. A frame that is hit comes later by 200 ms, doubling with each further hit,
//   and holds up those behind it. In one of ten cases the connection does not survive it: so each frame breaks its link with probability
//   loss / 10, and what was in flight is lost. No single frame vanishes from a link that goes on: on TCP that cannot happen.
// - A dial takes four round trips (TCP, CURVE, HELLO); where nobody answers it fails at its timeout. Nobody can dial a node behind a NAT.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/ids.h"
#include "coordinatorless/sim/event_queue.h"

namespace dugnad::sim {

/// A machine, numbered from 0.
using Node = std::uint32_t;

struct LinkQuality {
  Duration latency = std::chrono::milliseconds(20);  // one way, mean over pairs; a pair's own is 0.5 to 1.5 of it
  double jitter = 0.25;                              // share of the latency, uniform on top
  double loss = 0;
  double bytes_per_second = 4e6;  // each direction of each link
  std::size_t queue_frames_max = 1000;
  std::size_t queue_bytes_max = 4 << 20;
};

/// What a node's process hears from the network. Called from events only, never from within a call to Network.
class NetworkUser {
 public:
  virtual ~NetworkUser() = default;
  virtual void connected(Node peer, bool outbound) = 0;
  virtual void lost(Node peer) = 0;
  virtual void dial_failed(const CurveKey& wanted, const std::string& reason) = 0;
  virtual void received(Node from, Bytes frame) = 0;
  /// At the listener: the reason to refuse this dial, which asks for the holder of `wanted`; nullopt admits it.
  [[nodiscard]] virtual std::optional<std::string> refuses(Node dialler, const CurveKey& wanted) = 0;
};

enum class Death : std::uint8_t {
  killed,    // the process ends; its kernel says so
  vanished,  // the machine is gone without a word
};

class Network {
 public:
  Network(EventQueue& queue, LinkQuality quality, Generator generator);

  /// `user` outlives the network. `dialable` is false behind a NAT.
  Node add(NetworkUser& user, bool dialable);

  void start(Node node);
  void stop(Node node, Death death);
  /// The machine sleeps: nothing reaches it, nothing leaves it.
  void suspend(Node node);
  void resume(Node node);

  /// From now on nothing passes between `left` and `right`; whoever is in neither reaches both.
  void partition(const std::vector<Node>& left, const std::vector<Node>& right);
  /// Ends all partitions.
  void heal();

  /// `to`: who listens at the address dialled; nullopt where nobody ever did.
  void dial(Node from, std::optional<Node> to, const CurveKey& wanted, Duration timeout);
  /// False where there is no link, or it is at its high-water mark.
  [[nodiscard]] bool send(Node from, Node to, Bytes& frame);
  /// Closes this end at once; the other hears of it after a latency. lost() is not called for this end.
  void disconnect(Node node, Node peer);

  [[nodiscard]] bool linked(Node node, Node peer) const;
  /// Both run, are awake and on the same side of every partition.
  [[nodiscard]] bool reaches(Node node, Node peer) const { return machines_[node].running && machines_[peer].running && reachable(node, peer); }
  [[nodiscard]] const LinkQuality& quality() const { return quality_; }
  [[nodiscard]] std::size_t links(Node node) const;  // half-open ones included

  struct Counts {
    std::uint64_t frames_sent = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t frames_delivered = 0;
    std::uint64_t frames_lost = 0;
    std::uint64_t sends_refused = 0;
    std::uint64_t links_made = 0;
    std::uint64_t links_broken_by_loss = 0;
    std::uint64_t dials_failed = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  /// Changed by every frame that arrives: when, from whom, to whom, its bytes.
  [[nodiscard]] std::uint64_t trace() const { return trace_; }

 private:
  using LinkId = std::uint64_t;

  struct Frame {
    VirtualTime arrival;
    Bytes bytes;
  };
  struct Direction {
    std::vector<Frame> frames;  // from `head` on, in order
    std::size_t head = 0;
    std::size_t bytes = 0;
    VirtualTime line_free{};
    VirtualTime arrival_last{};
    bool scheduled = false;  // a deliver() is under way
    [[nodiscard]] bool empty() const { return head == frames.size(); }
  };
  /// End 0 dialled. Direction i leads away from end i.
  struct Link {
    Node node[2];
    bool open[2] = {true, true};
    bool reachable = true;
    std::uint64_t outage = 0;  // changes whenever `reachable` does, so that what was scheduled before is stale
    VirtualTime outage_since{};
    Duration latency{};
    Direction direction[2];
  };
  struct Machine {
    NetworkUser* user;
    bool dialable;
    bool running = false;
    bool awake = true;
    std::uint64_t incarnation = 0;
    std::map<Node, LinkId> links;  // ordered: iteration must not depend on hashing
    std::vector<EventQueue::Action> when_resumed;
  };

  void finish_dial(Node from, std::uint64_t incarnation, Node to, const CurveKey& wanted, VirtualTime give_up);
  void fail_dial(Node from, std::uint64_t incarnation, const CurveKey& wanted, const std::string& reason);
  void deliver(LinkId id, int from_end);
  void schedule_delivery(LinkId id, Link& link, int from_end, VirtualTime when);
  void reconsider(LinkId id);
  void reconsider_all(Node node);
  void expect_heartbeat(LinkId id, int end);
  void reset_after(LinkId id, int end, Duration delay);
  void lose_end(LinkId id, int end);
  void close_end(LinkId id, int end);
  void drop_frames(Direction& direction);
  /// Runs `action` now, or once the machine is awake again.
  void when_awake(Node node, EventQueue::Action action);
  [[nodiscard]] bool reachable(Node a, Node b) const;
  [[nodiscard]] bool separated(Node a, Node b) const;
  [[nodiscard]] Link* find(LinkId id);
  [[nodiscard]] int end_of(const Link& link, Node node) const { return link.node[0] == node ? 0 : 1; }

  EventQueue& queue_;
  const LinkQuality quality_;
  Generator generator_;
  std::vector<Machine> machines_;
  std::map<LinkId, Link> links_;
  LinkId next_link_ = 1;
  std::vector<std::vector<std::int8_t>> partitions_;  // per partition, each node's side: 0 neither, 1 or 2
  Counts counts_;
  std::uint64_t trace_ = 0;
};

}  // namespace dugnad::sim
