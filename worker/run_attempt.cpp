#include "worker/run_attempt.h"

#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

namespace dugnad::worker {
namespace {

Ran because(Outcome outcome, std::string_view reason) { return {outcome, to_bytes(reason.substr(0, reason_max))}; }

}  // namespace

Ran run_unit(const tasks::RunUnit& run, ByteView input, const tasks::StopToken& token) {
  try {
    Ran ran{Outcome::ok, run(input, token)};
    if (ran.output.size() > output_max) {
      return because(Outcome::failed, "its output of " + std::to_string(ran.output.size()) + " bytes is above the limit of " +
                                          std::to_string(output_max));
    }
    return ran;
  } catch (const tasks::Stopped&) {
    return {Outcome::cancelled, {}};
  } catch (const std::bad_alloc&) {
    return because(Outcome::donor_fault, "out of memory");
  } catch (const std::exception& failure) {
    return because(Outcome::failed, failure.what());
  } catch (...) {
    return because(Outcome::failed, "it threw something that is no std::exception");
  }
}

Ran run_check(const tasks::CheckUnit& check, ByteView input, ByteView claimed, const tasks::StopToken& token) {
  const tasks::RunUnit verdict = [&](ByteView unit, const tasks::StopToken& stop) {
    return Bytes{static_cast<std::uint8_t>(check(unit, claimed, stop))};
  };
  return run_unit(verdict, input, token);
}

Ran judge(Ran ran, Stop stop, Duration limit) {
  switch (stop) {
    case Stop::none:
      // Nobody asked: the unit would stop like this anywhere.
      if (ran.outcome == Outcome::cancelled) return because(Outcome::failed, "it stopped without being asked to");
      return ran;
    case Stop::cancelled:
      if (ran.outcome == Outcome::ok) return ran;
      return {Outcome::cancelled, {}};
    case Stop::overrun: {
      char reason[64];
      std::snprintf(reason, sizeof reason, "ran over its time limit of %g s", seconds_of(limit));
      return because(Outcome::donor_fault, reason);
    }
  }
  DUGNAD_ASSERT(false, "a value outside the enum Stop");
}

}  // namespace dugnad::worker
