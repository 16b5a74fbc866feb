// A swarm of memberships in one process: links are made and messages passed on the spot, in virtual time, through the codec.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "coordinatorless/core/membership.h"
#include "tests/core/identities.h"

namespace dugnad::core::test {

class SmallSwarm {
 public:
  struct Member {
    std::uint64_t number;
    Identity identity;
    Links links;
    Membership membership;
    bool alive = true;
    std::size_t bytes_sent = 0;
    std::vector<Row> rows;
    double score = 0;

    Member(std::uint64_t which, std::optional<Endpoint> endpoint)
        : number(which), identity(which, endpoint), links(identity.self), membership(identity.self, links) {}
    [[nodiscard]] const PeerId& id() const { return identity.self.id; }
  };

  Now now = start_of_time();
  std::vector<std::unique_ptr<Member>> members;
  /// Whether two members can reach each other.
  std::function<bool(const Member&, const Member&)> reachable = [](const Member&, const Member&) { return true; };

  Member& add(std::optional<Endpoint> endpoint) { return add(1 + members.size(), endpoint); }
  /// A new process of somebody who is not alive any more, where it was.
  Member& restart(const Member& member) { return add(member.number, member.identity.self.endpoint); }
  Member& add(std::uint64_t number, std::optional<Endpoint> endpoint) {
    members.push_back(std::make_unique<Member>(number, endpoint));
    by_id_[members.back()->id()] = members.back().get();
    return *members.back();
  }
  void join(Member& member, const Member& contact) {
    Output out;
    member.links.join({contact.identity.self.endpoint->text(), contact.id(), contact.identity.crypto->curve_key()}, now, out);
    carry_out(member, std::move(out));
    settle();
  }
  void crash(Member& member) {
    member.alive = false;
    for (const PeerId& peer : member.links.neighbours()) lose(*by_id_.at(peer), member.id());
    settle();
  }
  /// In order, with a goodbye.
  void leave(Member& member) {
    Output out;
    member.membership.leave(now, out);
    carry_out(member, std::move(out));
    settle();
    crash(member);
  }
  void cut(Member& a, Member& b) {
    if (a.links.is_up(b.id())) lose(a, b.id());
    if (b.links.is_up(a.id())) lose(b, a.id());
    settle();
  }
  void run(Duration duration) {
    const BootTime end = now.boot + duration;
    while (true) {
      BootTime next = never;
      for (const auto& member : members) {
        if (member->alive) next = std::min({next, member->links.next_deadline(), member->membership.next_deadline()});
      }
      if (next > end) break;
      now = later(now, std::max<Duration>(next - now.boot, Duration::zero()));
      for (const auto& member : members) {
        if (!member->alive) continue;
        Output out;
        member->links.tick(now, out);
        member->membership.tick(now, out);
        for (auto& row : member->membership.take_rows(now)) member->rows.push_back(std::move(row));
        carry_out(*member, std::move(out));
      }
      settle();
    }
    now = later(now, end - now.boot);
  }
  [[nodiscard]] bool knows(const Member& member, const Member& other) const { return member.membership.record_of(other.id()) != std::nullopt; }
  [[nodiscard]] std::size_t pairs_unknown() const {
    std::size_t count = 0;
    for (const auto& a : members) {
      for (const auto& b : members) {
        if (a->alive && b->alive && a != b && !knows(*a, *b)) ++count;
      }
    }
    return count;
  }
  [[nodiscard]] bool all_know_all() const { return pairs_unknown() == 0; }
  /// A message of which the sender's membership knows nothing.
  void inject(Member& from, Member& to, Contacts message) {
    Output out;
    const Charge charge = to.membership.contacts(from.id(), message, now, out);
    to.score += charge.score;
    carry_out(to, std::move(out));
    settle();
  }

 private:
  void lose(Member& member, const PeerId& peer) {
    if (const auto link = member.links.lost(peer, now)) member.membership.lost(peer, *link, now);
  }
  void link(Member& from, Member& to) {
    const auto introduce = [&](Member& here, const Member& there, bool outbound, std::optional<Endpoint> seen_at) {
      Output out;
      const PeerConnected event{there.id(), there.identity.crypto->public_key(), there.identity.crypto->curve_key(), seen_at, outbound};
      here.links.connected(event, now, out);
      here.membership.connected(event, now, out);
      carry_out(here, std::move(out));
    };
    std::optional<Endpoint> seen = from.identity.self.endpoint;
    if (seen) seen->port = 0;
    introduce(to, from, false, seen);
    introduce(from, to, true, to.identity.self.endpoint);
  }
  void dial(Member& from, const Dial& dial) {
    const auto at = by_id_.find(dial.peer);
    const bool there = at != by_id_.end() && at->second->alive && at->second->identity.self.endpoint == dial.endpoint && reachable(from, *at->second);
    if (there) {
      link(from, *at->second);
    } else {
      from.links.dial_failed(dial.peer, now);
      from.membership.dial_failed(dial.peer, now);
    }
  }
  void carry_out(Member& from, Output out) {
    for (auto& addressed : out.messages) {
      const Bytes frame = encode(addressed.message);
      from.bytes_sent += frame.size();
      waiting_.push_back([this, &from, to = addressed.to, frame] {
        Member& receiver = *by_id_.at(to);
        if (!receiver.alive || !receiver.links.is_up(from.id())) return;
        Output answer;
        receiver.score += receiver.membership.contacts(from.id(), std::get<Contacts>(decode(frame).value()), now, answer).score;
        carry_out(receiver, std::move(answer));
      });
    }
    for (auto& effect : out.effects) {
      if (const auto* dialled = std::get_if<Dial>(&effect)) waiting_.push_back([this, &from, d = *dialled] { dial(from, d); });
      if (const auto* gone = std::get_if<Disconnect>(&effect)) {
        waiting_.push_back([this, &from, peer = gone->peer] {
          lose(from, peer);
          if (const auto at = by_id_.find(peer); at != by_id_.end() && at->second->alive) lose(*at->second, from.id());
        });
      }
    }
  }
  void settle() {
    while (!waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

  std::map<PeerId, Member*> by_id_;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace dugnad::core::test
