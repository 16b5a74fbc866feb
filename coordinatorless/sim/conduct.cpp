#include "coordinatorless/sim/conduct.h"

#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

constexpr std::uint64_t alike = 0;

Value wrong_output(const Value& input, std::uint64_t bytes, std::uint64_t liar) {
  return sim::output_of(Hasher().add(view_of("sim/lie")).add(liar).add(input.bytes).finish(), bytes);
}

}  // namespace

Conduct::Conduct(Gang& gang, Strategy strategy, Generator generator, double hardware_errors)
    : gang_(gang), strategy_(strategy), generator_(std::move(generator)), hardware_errors_(hardware_errors), own_(generator_.next()) {}

void Conduct::take_name(const PeerId& name, double speed) {
  if (strategy_ == Strategy::honest && name_ == PeerId{}) gang_.honest_joined(speed);
  if (lies()) {
    gang_.left(name_);
    gang_.joined(name, speed);
    own_ = generator_.next();
  }
  name_ = name;
}

Value Conduct::output_of(const JobId& job, const Value& input, std::uint64_t bytes) {
  if (!lies()) {
    const bool err = hardware_errors_ > 0 && generator_.chance(hardware_errors_);
    return err ? wrong_output(input, bytes, generator_.next()) : honest_output(input, bytes);
  }
  switch (gang_.answer(name_, strategy_, job, unit_of(input), generator_)) {
    case Gang::Answer::right: return honest_output(input, bytes);
    case Gang::Answer::alike: return wrong_output(input, bytes, alike);
    case Gang::Answer::own: return wrong_output(input, bytes, own_);
  }
  return {};
}

}  // namespace dugnad::sim
