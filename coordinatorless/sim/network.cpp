#include "coordinatorless/sim/network.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/sim/draws.h"
#include "coordinatorless/sim/mix.h"

namespace dugnad::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration heartbeat_interval = seconds(15);  // what the ZeroMQ driver sets
constexpr Duration heartbeat_timeout = seconds(45);
constexpr Duration retransmission_first = milliseconds(200);
constexpr int retransmissions_max = 6;
constexpr Duration retransmission_most = seconds(10);
constexpr double loss_breaks_share = 0.1;
constexpr int dial_round_trips = 4;
constexpr std::size_t compact_at = 64;

}  // namespace

Network::Network(EventQueue& queue, LinkQuality quality, Generator generator)
    : queue_(queue), quality_(quality), generator_(std::move(generator)) {}

Node Network::add(NetworkUser& user, bool dialable) {
  Machine machine;
  machine.user = &user;
  machine.dialable = dialable;
  machines_.push_back(std::move(machine));
  return static_cast<Node>(machines_.size() - 1);
}

Network::Link* Network::find(LinkId id) {
  const auto it = links_.find(id);
  return it == links_.end() ? nullptr : &it->second;
}

bool Network::separated(Node a, Node b) const {
  return std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& side) {
    return a < side.size() && b < side.size() && side[a] != 0 && side[b] != 0 && side[a] != side[b];
  });
}

bool Network::reachable(Node a, Node b) const { return machines_[a].awake && machines_[b].awake && !separated(a, b); }

bool Network::linked(Node node, Node peer) const {
  const auto& links = machines_[node].links;
  const auto it = links.find(peer);
  if (it == links.end()) return false;
  const Link& link = links_.at(it->second);
  return link.open[end_of(link, node)];
}

std::size_t Network::links(Node node) const {
  std::size_t count = 0;
  for (const auto& [peer, id] : machines_[node].links) {
    const Link& link = links_.at(id);
    count += link.open[end_of(link, node)] ? 1 : 0;
  }
  return count;
}

// --- Processes and machines ---

void Network::start(Node node) {
  Machine& machine = machines_[node];
  DUGNAD_ASSERT(!machine.running, "a process is started twice");
  machine.running = true;
  ++machine.incarnation;
  if (!machine.awake) {
    machine.awake = true;
    reconsider_all(node);
  }
}

void Network::stop(Node node, Death death) {
  Machine& machine = machines_[node];
  machine.running = false;
  machine.when_resumed.clear();
  const bool awake = death == Death::killed;
  if (machine.awake != awake) {
    machine.awake = awake;
    reconsider_all(node);
  }
  const std::map<Node, LinkId> links = machine.links;           // a copy: closing erases
  for (const auto& [peer, id] : links) disconnect(node, peer);  // heard only by those who can be reached
}

void Network::suspend(Node node) {
  machines_[node].awake = false;
  reconsider_all(node);
}

void Network::resume(Node node) {
  machines_[node].awake = true;
  reconsider_all(node);
  for (auto& action : std::exchange(machines_[node].when_resumed, {})) queue_.after({}, std::move(action));
}

void Network::when_awake(Node node, EventQueue::Action action) {
  if (machines_[node].awake) return action();
  machines_[node].when_resumed.push_back(std::move(action));
}

// --- Partitions ---

void Network::partition(const std::vector<Node>& left, const std::vector<Node>& right) {
  std::vector<std::int8_t> side(machines_.size(), 0);
  for (const Node node : left) side[node] = 1;
  for (const Node node : right) side[node] = 2;
  partitions_.push_back(std::move(side));
  for (const Node node : left) reconsider_all(node);
}

void Network::heal() {
  partitions_.clear();
  for (Node node = 0; node < machines_.size(); ++node) reconsider_all(node);
}

void Network::reconsider_all(Node node) {
  for (const auto& [peer, id] : machines_[node].links) reconsider(id);
}

/// Takes note of whether the two machines of a link can hear each other now.
void Network::reconsider(LinkId id) {
  Link& link = *find(id);
  const bool now_reachable = reachable(link.node[0], link.node[1]);
  if (now_reachable == link.reachable) return;
  link.reachable = now_reachable;
  ++link.outage;
  if (!now_reachable) {
    link.outage_since = queue_.now();
    for (const int end : {0, 1}) {
      if (link.open[end]) expect_heartbeat(id, end);
    }
    return;
  }
  for (const int end : {0, 1}) {
    if (!link.open[end]) continue;
    if (!link.open[1 - end]) {
      reset_after(id, end,
                  between(generator_, Duration{}, heartbeat_interval));  // the next heartbeat meets a kernel that knows nothing of it
    } else if (!link.direction[end].empty() && !link.direction[end].scheduled) {
      // TCP's next retransmission: about as far away as the outage was long.
      const Duration backoff = std::clamp(queue_.now() - link.outage_since, retransmission_first, retransmission_most);
      schedule_delivery(id, link, end, queue_.now() + between(generator_, Duration{}, backoff));
    }
  }
}

// --- Ends of links ---

void Network::expect_heartbeat(LinkId id, int end) {
  const std::uint64_t outage = find(id)->outage;
  const Duration patience = between(generator_, heartbeat_interval, heartbeat_interval + heartbeat_timeout);
  queue_.after(patience, [this, id, end, outage] {
    const Link* link = find(id);
    if (link == nullptr || !link->open[end] || link->outage != outage || !machines_[link->node[end]].awake) return;
    lose_end(id, end);
  });
}

void Network::reset_after(LinkId id, int end, Duration delay) {
  queue_.after(delay, [this, id, end] {
    const Link* link = find(id);
    if (link != nullptr && link->open[end] && link->reachable) lose_end(id, end);  // else the heartbeat, or reconsider(), sees to it
  });
}

void Network::lose_end(LinkId id, int end) {
  const Link* link = find(id);
  const Node node = link->node[end], peer = link->node[1 - end];
  const bool other_unaware = link->open[1 - end] && link->reachable;
  close_end(id, end);
  if (other_unaware) reset_after(id, 1 - end, quality_.latency);
  machines_[node].user->lost(peer);
}

void Network::drop_frames(Direction& direction) {
  counts_.frames_lost += direction.frames.size() - direction.head;
  direction.frames = {};
  direction.head = 0;
  direction.bytes = 0;
}

void Network::close_end(LinkId id, int end) {
  Link& link = *find(id);
  link.open[end] = false;
  for (Direction& direction : link.direction) drop_frames(direction);
  if (link.open[1 - end]) return;
  for (const int each : {0, 1}) machines_[link.node[each]].links.erase(link.node[1 - each]);
  links_.erase(id);
}

void Network::disconnect(Node node, Node peer) {
  const auto it = machines_[node].links.find(peer);
  if (it == machines_[node].links.end()) return;
  const LinkId id = it->second;
  Link& link = *find(id);
  const int end = end_of(link, node);
  if (!link.open[end]) return;
  const Duration latency = link.latency;
  const bool tell = link.open[1 - end] && link.reachable;
  close_end(id, end);
  if (tell) reset_after(id, 1 - end, latency);
}

// --- Dialling ---

void Network::dial(Node from, std::optional<Node> to, const CurveKey& wanted, Duration timeout) {
  const std::uint64_t incarnation = machines_[from].incarnation;
  const VirtualTime give_up = queue_.now() + timeout;
  if (!to || *to == from || !machines_[*to].dialable) {
    queue_.at(give_up, [=, this] { fail_dial(from, incarnation, wanted, "no answer"); });
    return;
  }
  const Duration round_trip = 2 * between(generator_, quality_.latency / 2, quality_.latency * 3 / 2);
  queue_.after(dial_round_trips * round_trip, [=, this] { finish_dial(from, incarnation, *to, wanted, give_up); });
}

void Network::fail_dial(Node from, std::uint64_t incarnation, const CurveKey& wanted, const std::string& reason) {
  when_awake(from, [=, this] {
    const Machine& machine = machines_[from];
    if (!machine.running || machine.incarnation != incarnation) return;
    ++counts_.dials_failed;
    machine.user->dial_failed(wanted, reason);
  });
}

void Network::finish_dial(Node from, std::uint64_t incarnation, Node to, const CurveKey& wanted, VirtualTime give_up) {
  if (!machines_[from].running || machines_[from].incarnation != incarnation) return;
  if (!machines_[to].running || !reachable(from, to)) {
    queue_.at(std::max(give_up, queue_.now()), [=, this] { fail_dial(from, incarnation, wanted, "no answer"); });
    return;
  }
  if (const auto reason = machines_[to].user->refuses(from, wanted)) return fail_dial(from, incarnation, wanted, *reason);

  // Both may have dialled at once: then one link is enough, and both have been told of it. A link that only one side still believes in gives way.
  if (const auto it = machines_[from].links.find(to); it != machines_[from].links.end()) {
    const LinkId old = it->second;
    const Link& link = *find(old);
    if (link.open[0] && link.open[1]) return;
    const int end = link.open[0] ? 0 : 1;
    const Node believer = link.node[end], gone = link.node[1 - end];
    close_end(old, end);
    machines_[believer].user->lost(gone);
    if (!machines_[from].running || !machines_[to].running || machines_[from].links.contains(to)) return;
  }

  const LinkId id = next_link_++;
  Link link;
  link.node[0] = from;
  link.node[1] = to;
  link.latency = between(generator_, quality_.latency / 2, quality_.latency * 3 / 2);
  links_.emplace(id, std::move(link));
  machines_[from].links[to] = id;
  machines_[to].links[from] = id;
  ++counts_.links_made;
  machines_[to].user->connected(from, false);
  const Link* made = find(id);
  if (made != nullptr && made->open[0]) machines_[from].user->connected(to, true);
}

// --- Frames ---

bool Network::send(Node from, Node to, Bytes& frame) {
  const auto it = machines_[from].links.find(to);
  Link* link = it == machines_[from].links.end() ? nullptr : find(it->second);
  const int end = link == nullptr ? 0 : end_of(*link, from);
  if (link == nullptr || !link->open[end]) {
    ++counts_.sends_refused;
    return false;
  }
  const LinkId id = it->second;
  Direction& direction = link->direction[end];
  if (direction.frames.size() - direction.head >= quality_.queue_frames_max || direction.bytes + frame.size() > quality_.queue_bytes_max) {
    ++counts_.sends_refused;
    return false;
  }
  ++counts_.frames_sent;
  counts_.bytes_sent += frame.size();
  direction.line_free =
      std::max(direction.line_free, queue_.now()) + from_seconds(static_cast<double>(frame.size()) / quality_.bytes_per_second);
  Duration delay = link->latency + from_seconds(seconds_of(link->latency) * quality_.jitter * generator_.share());
  if (quality_.loss > 0) {
    Duration retransmission = retransmission_first;
    for (int hit = 0; hit < retransmissions_max && generator_.chance(quality_.loss); ++hit, retransmission *= 2) delay += retransmission;
    if (generator_.chance(quality_.loss * loss_breaks_share)) {
      ++counts_.links_broken_by_loss;
      for (const int each : {0, 1}) reset_after(id, each, delay);
    }
  }
  const VirtualTime arrival = std::max(direction.arrival_last, direction.line_free + delay);
  direction.arrival_last = arrival;
  direction.bytes += frame.size();
  direction.frames.push_back({arrival, std::move(frame)});
  if (!direction.scheduled && link->reachable) schedule_delivery(id, *link, end, arrival);
  return true;
}

void Network::schedule_delivery(LinkId id, Link& link, int from_end, VirtualTime when) {
  link.direction[from_end].scheduled = true;
  queue_.at(std::max(when, queue_.now()), [this, id, from_end] { deliver(id, from_end); });
}

void Network::deliver(LinkId id, int from_end) {
  for (;;) {
    Link* link = find(id);  // anew each time: who receives may close it
    if (link == nullptr) return;
    Direction& direction = link->direction[from_end];
    direction.scheduled = false;
    if (direction.empty()) {
      direction.frames.clear();
      direction.head = 0;
      return;
    }
    if (!link->reachable || !link->open[1 - from_end]) return;  // held up; reconsider() takes it on
    Frame& first = direction.frames[direction.head];
    if (first.arrival > queue_.now()) return schedule_delivery(id, *link, from_end, first.arrival);
    Bytes frame = std::move(first.bytes);
    if (++direction.head >= compact_at && 2 * direction.head >= direction.frames.size()) {
      direction.frames.erase(direction.frames.begin(), direction.frames.begin() + static_cast<std::ptrdiff_t>(direction.head));
      direction.head = 0;
    }
    direction.bytes -= frame.size();
    direction.scheduled = true;  // what the receiver sends back must not start a second delivery
    ++counts_.frames_delivered;
    const Node from = link->node[from_end], to = link->node[1 - from_end];
    trace_ = mix(mix(mix(trace_, static_cast<std::uint64_t>(queue_.now().count())), std::uint64_t{from} << 32 | to), frame);
    machines_[to].user->received(from, std::move(frame));
  }
}

}  // namespace dugnad::sim
