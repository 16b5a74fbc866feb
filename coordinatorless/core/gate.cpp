#include "coordinatorless/core/gate.h"

namespace dugnad::core {

PersistSeq Gate::awaited(const Effect& effect) {
  if (const auto* deliver = std::get_if<DeliverResults>(&effect)) return deliver->after;
  if (const auto* ended = std::get_if<JobEnded>(&effect)) return ended->after;
  return {};
}

std::optional<Effect> Gate::pass(Effect effect) {
  if (awaited(effect) <= committed_) return effect;
  held_.push_back(std::move(effect));
  return std::nullopt;
}

std::vector<Effect> Gate::committed(PersistSeq seq) {
  committed_ = std::max(committed_, seq);
  std::vector<Effect> freed;
  while (!held_.empty() && awaited(held_.front()) <= committed_) {
    freed.push_back(std::move(held_.front()));
    held_.pop_front();
  }
  return freed;
}

}  // namespace dugnad::core
