// A cage whose engine lies: it is the one that ships, linked so that each of its calls of Engine::run comes here first (--wrap). The last bit of
// each output is flipped, and an output of nothing becomes a byte. Only tests are built with it.
#include "worker/cage/engine.h"

using dugnad::ByteView;
using dugnad::worker::cage::Engine;
using dugnad::worker::cage::UnitOutcome;

// The names are the linker's, which knows the method by its mangled one; a method's object comes as its first argument.
#define HONEST __real__ZN6dugnad6worker4cage6Engine3runESt4spanIKhLm18446744073709551615EEm
#define LYING __wrap__ZN6dugnad6worker4cage6Engine3runESt4spanIKhLm18446744073709551615EEm
extern "C" UnitOutcome HONEST(Engine* engine, ByteView unit, std::uint64_t fuel);
extern "C" UnitOutcome LYING(Engine* engine, ByteView unit, std::uint64_t fuel);

UnitOutcome LYING(Engine* engine, ByteView unit, std::uint64_t fuel) {
  UnitOutcome outcome = HONEST(engine, unit, fuel);
  if (outcome.output.empty()) {
    outcome.output.push_back(0);
  } else {
    outcome.output.back() ^= 1;
  }
  return outcome;
}
