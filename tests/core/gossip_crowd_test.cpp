// Gossip among many peers: how far rumours get, what is repaired, and what an idle swarm says.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "coordinatorless/core/gossip.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {
namespace {

using std::chrono::seconds;

/// Gossips on a graph; each message takes one step, and hops are what the messages say.
struct Crowd {
  std::vector<std::unique_ptr<Identity>> identities;
  std::vector<std::unique_ptr<Gossip>> gossips;
  std::map<PeerId, std::size_t> numbers;
  std::deque<std::pair<std::size_t, Addressed>> under_way;  // from whom
  std::set<std::size_t> cut_off;                            // hear and say nothing
  std::uint8_t hops_seen = 0;
  std::size_t charged = 0;
  Now now = start_of_time();

  explicit Crowd(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      identities.push_back(std::make_unique<Identity>(10'000 + i));
      gossips.push_back(std::make_unique<Gossip>(identities[i]->self));
      numbers[identities[i]->self.id] = i;
    }
  }
  void link(std::size_t one, std::size_t other) {
    for (const auto& [here, there] : {std::pair(one, other), std::pair(other, one)}) {
      act(here, [&](Output& out) { gossips[here]->connected(identities[there]->self.id, now, out); });
    }
  }
  void act(std::size_t who, const std::function<void(Output&)>& what) {
    Output out;
    what(out);
    for (Addressed& addressed : out.messages) under_way.emplace_back(who, std::move(addressed));
  }
  void settle() {
    while (!under_way.empty()) {
      const auto [from, addressed] = std::move(under_way.front());
      under_way.pop_front();
      const std::size_t to = numbers.at(addressed.to);
      if (cut_off.contains(from) || cut_off.contains(to)) continue;
      const PeerId sender = identities[from]->self.id;
      act(to, [&, &message = addressed.message](Output& out) {
        Charge charge;
        if (const auto* announce = std::get_if<Announce>(&message)) {
          hops_seen = std::max(hops_seen, announce->hops);
          charge = gossips[to]->on(sender, *announce, now, out);
        } else if (const auto* digest = std::get_if<Digest>(&message)) {
          charge = gossips[to]->on(sender, *digest, now, out);
        } else {
          charge = gossips[to]->on(sender, std::get<Pull>(message), now, out);
        }
        if (charge) ++charged;
      });
    }
  }
  void pass(Duration by) {
    now = later(now, by);
    for (std::size_t i = 0; i < gossips.size(); ++i) {
      if (gossips[i]->next_deadline() <= now.boot) act(i, [&](Output& out) { gossips[i]->tick(now, out); });
    }
    settle();
  }
  std::size_t informed() const {
    std::size_t count = 0;
    for (const auto& gossip : gossips) count += gossip->held() > 0;
    return count;
  }
  void publish(std::size_t who, const Posting& posting) {
    gossips[who]->set_own_record(identities[who]->sign(posting.record));
    act(who, [&](Output& out) { CHECK(gossips[who]->publish(posting.signed_manifest(), posting.signed_delegation(), now, out)); });
    settle();
  }
};

TEST_CASE("a rumour reaches all of 200 peers on a random graph of degree 8, far within the hop cap, and its end does too") {
  Crowd crowd(200);
  // Four random rings on top of each other.
  Generator generator = Generator::from_seed(8);
  for (int ring = 0; ring < 4; ++ring) {
    std::vector<std::size_t> order(200);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    generator.shuffle(std::span(order));
    for (std::size_t i = 0; i < order.size(); ++i) crowd.link(order[i], order[(i + 1) % order.size()]);
  }
  const Identity owner(2);
  const Posting posting(owner, *crowd.identities[0], crowd.now);
  crowd.publish(0, posting);
  CHECK(crowd.informed() == 200);
  CHECK(crowd.hops_seen <= 12);

  crowd.act(0, [&](Output& out) { crowd.gossips[0]->close(posting.job(), crowd.now, out); });
  crowd.settle();
  std::size_t closed = 0;
  for (const auto& gossip : crowd.gossips) {
    for (const KnownJob& job : gossip->known()) closed += job.closed;
  }
  CHECK(closed == 199);
  CHECK(crowd.charged == 0);
}

TEST_CASE("a peer that missed a rumour gets it by digest, and one that joins in the middle at once") {
  Crowd crowd(12);
  for (std::size_t i = 0; i < 10; ++i) {
    crowd.link(i, (i + 1) % 10);
    crowd.link(i, (i + 3) % 10);
  }
  crowd.cut_off = {5};
  const Identity owner(2);
  crowd.publish(0, Posting(owner, *crowd.identities[0], crowd.now));
  CHECK(crowd.informed() == 9);
  CHECK(crowd.gossips[5]->held() == 0);

  crowd.cut_off.clear();
  for (int i = 0; i < 20 && crowd.gossips[5]->held() == 0; ++i) crowd.pass(seconds(5));
  CHECK(crowd.gossips[5]->held() == 1);

  crowd.link(10, 4);
  crowd.settle();
  CHECK(crowd.gossips[10]->held() == 1);
  CHECK(crowd.charged == 0);
}

TEST_CASE("an idle swarm says nothing") {
  Crowd crowd(4);
  for (std::size_t i = 0; i < 4; ++i) crowd.link(i, (i + 1) % 4);
  CHECK(crowd.under_way.empty());
  for (const auto& gossip : crowd.gossips) CHECK(gossip->next_deadline() == never);
}

}  // namespace
}  // namespace dugnad::core::test
