#include "coordinatorless/sim/event_queue.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/base/panic.h"

namespace dugnad::sim {

void EventQueue::at(VirtualTime when, Action action) {
  DUGNAD_ASSERT(when >= now_, "an event in the past");
  std::uint32_t slot;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back(std::move(action));
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(action);
  }
  heap_.push_back({when, order_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
}

std::optional<VirtualTime> EventQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

void EventQueue::step() {
  DUGNAD_ASSERT(!heap_.empty(), "a step with nothing to do");
  std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
  const Entry entry = heap_.back();
  heap_.pop_back();
  const Action action = std::exchange(slots_[entry.slot], nullptr);  // out of its slot: it may schedule more
  free_.push_back(entry.slot);
  now_ = entry.when;
  ++executed_;
  action();
}

void EventQueue::skip_to(VirtualTime when) {
  DUGNAD_ASSERT(when >= now_ && (heap_.empty() || heap_.front().when >= when), "the clock would jump over an event");
  now_ = when;
}

}  // namespace dugnad::sim
