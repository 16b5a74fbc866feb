#include "coordinatorless/sim/conduct.h"

#include <array>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

constexpr std::array<std::pair<Strategy, std::string_view>, 7> names{{{Strategy::honest, "honest"},
                                                                      {Strategy::silent, "silent"},
                                                                      {Strategy::always, "always"},
                                                                      {Strategy::random, "random"},
                                                                      {Strategy::sleeper, "sleeper"},
                                                                      {Strategy::collude, "collude"},
                                                                      {Strategy::sybil, "sybil"}}};

Value wrong_output(const Value& input, std::uint64_t bytes, std::uint64_t liar) {
  return sim::output_of(Hasher().add(view_of("sim/lie")).add(liar).add(input.bytes).finish(), bytes);
}

}  // namespace

std::optional<Strategy> strategy_named(std::string_view name) {
  for (const auto& [strategy, each] : names) {
    if (each == name) return strategy;
  }
  return std::nullopt;
}

std::string_view name_of(Strategy strategy) {
  for (const auto& [each, name] : names) {
    if (each == strategy) return name;
  }
  return "";
}

Conduct::Conduct(Strategy strategy, Generator generator) : strategy_(strategy), generator_(std::move(generator)), own_(generator_.next()) {}

bool Conduct::lies() const { return strategy_ != Strategy::honest && strategy_ != Strategy::silent; }

Value Conduct::output_of(const Value& input, std::uint64_t bytes) {
  ++results_;
  switch (strategy_) {
    case Strategy::honest:
    case Strategy::silent: return honest_output(input, bytes);
    case Strategy::random: return generator_.chance(random_share) ? wrong_output(input, bytes, own_) : honest_output(input, bytes);
    case Strategy::sleeper: return results_ > sleeper_results ? wrong_output(input, bytes, own_) : honest_output(input, bytes);
    case Strategy::collude: return wrong_output(input, bytes, 0);
    case Strategy::always:
    case Strategy::sybil: return wrong_output(input, bytes, own_);
  }
  return {};
}

}  // namespace dugnad::sim
