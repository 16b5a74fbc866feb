#include "worker/run_attempt.h"

#include <doctest/doctest.h>

#include <new>

namespace dugnad::worker {
namespace {

using namespace std::chrono_literals;

Ran run(const tasks::RunUnit& unit) { return run_unit(unit, {}, tasks::StopToken()); }
std::string text(const Ran& ran) { return to_text(ran.output); }

TEST_CASE("what a unit returns is its output") {
  const Ran ran = run_unit([](ByteView input, const tasks::StopToken&) { return Bytes(input.rbegin(), input.rend()); }, view_of("abc"),
                           tasks::StopToken());
  CHECK(ran.outcome == Outcome::ok);
  CHECK(text(ran) == "cba");
}

TEST_CASE("whatever a unit throws becomes an outcome with its reason") {
  const Ran failed = run([](ByteView, const tasks::StopToken&) -> Bytes { throw tasks::UnitFailed("n is too large"); });
  CHECK(failed.outcome == Outcome::failed);
  CHECK(text(failed) == "n is too large");

  const Ran other = run([](ByteView, const tasks::StopToken&) -> Bytes { throw std::out_of_range("index 9"); });
  CHECK(other.outcome == Outcome::failed);
  CHECK(text(other) == "index 9");

  const Ran strange = run([](ByteView, const tasks::StopToken&) -> Bytes { throw 42; });
  CHECK(strange.outcome == Outcome::failed);
  CHECK(text(strange) == "it threw something that is no std::exception");

  const Ran memory = run([](ByteView, const tasks::StopToken&) -> Bytes { throw std::bad_alloc(); });
  CHECK(memory.outcome == Outcome::donor_fault);
  CHECK(text(memory) == "out of memory");

  const Ran stopped = run([](ByteView, const tasks::StopToken&) -> Bytes { throw tasks::Stopped(); });
  CHECK(stopped.outcome == Outcome::cancelled);
}

TEST_CASE("an output above 64 MiB fails the unit, and a long reason is cut") {
  const Ran largest = run([](ByteView, const tasks::StopToken&) { return Bytes(output_max); });
  CHECK(largest.outcome == Outcome::ok);
  const Ran larger = run([](ByteView, const tasks::StopToken&) { return Bytes(output_max + 1); });
  CHECK(larger.outcome == Outcome::failed);
  CHECK(text(larger) == "its output of 67108865 bytes is above the limit of 67108864");
  const Ran chatty = run([](ByteView, const tasks::StopToken&) -> Bytes { throw tasks::UnitFailed(std::string(100'000, 'x')); });
  CHECK(chatty.output.size() == reason_max);
}

TEST_CASE("an attempt that nobody stopped counts as it ran, but may not stop by itself") {
  CHECK(judge({Outcome::ok, to_bytes("1")}, Stop::none, 1s).outcome == Outcome::ok);
  CHECK(judge({Outcome::failed, to_bytes("why")}, Stop::none, 1s).outcome == Outcome::failed);
  CHECK(judge({Outcome::donor_fault, to_bytes("out of memory")}, Stop::none, 1s).outcome == Outcome::donor_fault);
  const Ran by_itself = judge({Outcome::cancelled, {}}, Stop::none, 1s);
  CHECK(by_itself.outcome == Outcome::failed);
  CHECK(text(by_itself) == "it stopped without being asked to");
}

TEST_CASE("a cancelled attempt keeps an output that came all the same, and nothing else") {
  CHECK(judge({Outcome::ok, to_bytes("1")}, Stop::cancelled, 1s).outcome == Outcome::ok);
  for (const Outcome outcome : {Outcome::failed, Outcome::donor_fault, Outcome::cancelled}) {
    const Ran ran = judge({outcome, to_bytes("torn down")}, Stop::cancelled, 1s);
    CHECK(ran.outcome == Outcome::cancelled);
    CHECK(ran.output.empty());
  }
}

TEST_CASE("an attempt that ran over its time is the donor's fault, whatever it returned") {
  for (const Outcome outcome : {Outcome::ok, Outcome::failed, Outcome::donor_fault, Outcome::cancelled}) {
    const Ran ran = judge({outcome, to_bytes("late")}, Stop::overrun, 2500ms);
    CHECK(ran.outcome == Outcome::donor_fault);
    CHECK(text(ran) == "ran over its time limit of 2.5 s");
  }
}

}  // namespace
}  // namespace dugnad::worker
