#include "coordinatorless/core/outbox.h"

#include <algorithm>

namespace dugnad::core {

void Outbox::send(const PeerId& to, Bytes frame, Output& out) {
  const auto at = queues_.find(to);
  if (at == queues_.end()) {
    out.push(SendMessage{to, std::move(frame)});
    return;
  }
  keep(to, at->second, at->second.waiting, std::move(frame), out);
}

void Outbox::refused(const PeerId& to, Bytes frame, Now now, Output& out) {
  const auto [at, first] = queues_.try_emplace(to);
  if (first) at->second.retry_at = now.boot + at->second.delay;
  keep(to, at->second, at->second.returned, std::move(frame), out);
}

void Outbox::keep(const PeerId& to, Queue& queue, std::deque<Bytes>& end, Bytes frame, Output& out) {
  if (queue.broken) return;
  queue.bytes += frame.size();
  end.push_back(std::move(frame));
  if (queue.bytes <= limits::outbox_bytes_max) return;
  queue = Queue{};
  queue.broken = true;
  out.push(Disconnect{to});
}

void Outbox::lost(const PeerId& peer) { queues_.erase(peer); }

void Outbox::tick(Now now, Output& out) {
  for (auto at = queues_.begin(); at != queues_.end();) {
    auto& [peer, queue] = *at;
    if (queue.broken || queue.retry_at > now.boot) {
      ++at;
      continue;
    }
    if (queue.returned.empty() && queue.waiting.empty()) {  // the last round was taken, and nothing came since
      at = queues_.erase(at);
      continue;
    }
    const bool taken = queue.returned.size() < queue.tried;
    queue.delay = taken || queue.tried == 0 ? limits::outbox_retry : std::min(queue.delay * 2, limits::outbox_retry_most);
    queue.retry_at = now.boot + queue.delay;

    // What came back stands before what has waited. From here on everything counts as waiting: what is refused again comes back in order.
    for (; !queue.returned.empty(); queue.returned.pop_back()) queue.waiting.push_front(std::move(queue.returned.back()));
    std::size_t bytes = 0;
    for (queue.tried = 0; !queue.waiting.empty() && bytes < limits::outbox_round_bytes; ++queue.tried) {
      bytes += queue.waiting.front().size();
      out.push(SendMessage{peer, std::move(queue.waiting.front())});
      queue.waiting.pop_front();
    }
    queue.bytes -= bytes;
    ++at;
  }
}

BootTime Outbox::next_deadline() const {
  BootTime next = never;
  for (const auto& [peer, queue] : queues_) {
    if (!queue.broken) next = std::min(next, queue.retry_at);
  }
  return next;
}

std::size_t Outbox::bytes_waiting(const PeerId& peer) const {
  const auto at = queues_.find(peer);
  return at == queues_.end() ? 0 : at->second.bytes;
}

}  // namespace dugnad::core
