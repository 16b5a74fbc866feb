// The worker's side of a cage, against cages that do all they can to spoil it.
#include "worker/cage_slot.h"

#include <atomic>
#include <fstream>
#include <future>

#include "tests/cage/caged.h"
#include "tests/cage/processes.h"

namespace dugnad::worker {
namespace {

std::vector<std::string> outcomes(const std::vector<Ran>& all) {
  std::vector<std::string> texts;
  for (const Ran& ran : all) {
    switch (ran.outcome) {
      case Outcome::ok: texts.push_back(text(ran)); break;
      case Outcome::failed: texts.push_back("failed: " + text(ran)); break;
      case Outcome::donor_fault: texts.push_back("fault: " + text(ran)); break;
      case Outcome::cancelled: texts.push_back("cancelled"); break;
    }
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a batch goes through one cage, in order") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  Texts units;
  for (int i = 0; i < 3000; ++i) units.push_back("unit " + std::to_string(i));
  CHECK(outcomes(run_all(slot, guest_of("a"), units)) == units);
}

TEST_CASE("inputs and outputs larger than any socket's buffer do not lock the two sides up") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const Texts units{std::string(5'000'000, 'a'), std::string(7'000'000, 'b'), "c"};
  CHECK(outcomes(run_all(slot, guest_of("a"), units)) == units);
}

TEST_CASE("a cage that dies takes one unit with it, and the rest goes on in another") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  CHECK(outcomes(run_all(slot, guest_of("a"), {"1", "die", "2", "3", "die", "4"})) ==
        Texts{"1", "fault: its cage died", "2", "3", "fault: its cage died", "4"});
}

TEST_CASE("results that a dying cage had gathered are not lost, and their units not blamed") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const auto all = outcomes(run_all(slot, guest_of("a"), {"gathered 1", "gathered 2", "die", "gathered 3", "4", "gathered 5", "die", "6"}));
  CHECK(all == Texts{"gathered 1", "gathered 2", "fault: its cage died", "gathered 3", "4", "gathered 5", "fault: its cage died", "6"});
}

TEST_CASE("a cage that begins a frame and never ends it can be stopped") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  slot.stop(1);
  CHECK(outcomes(run_all(slot, guest_of("a"), {"1", "half a frame, and no more", "2"})) == Texts{"1", "cancelled", "2"});
  std::promise<void> reached;
  std::thread stopper([&] {
    reached.get_future().wait();
    slot.stop(1);
  });
  const auto all = run_all(slot, guest_of("a"), {"1", "half a frame, and no more", "2"}, [&](std::size_t index, const Ran&) {
    if (index == 0) reached.set_value();
  });
  stopper.join();
  CHECK(outcomes(all) == Texts{"1", "cancelled", "2"});
}

TEST_CASE("a cage that breaks the protocol is not listened to any more") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  for (const char* what : {"babble", "claim an unknown outcome", "claim to be cancelled", "a reason without end", "load again"}) {
    INFO(what);
    const auto all = run_all(slot, guest_of("a"), {"1", what, "2"});
    CHECK(outcomes(all)[0] == "1");
    CHECK(all[1].outcome == Outcome::donor_fault);
    CHECK(outcomes(all)[2] == "2");
  }
}

TEST_CASE("a guest that kills every cage it gets is given up") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const auto all = outcomes(run_all(slot, guest_of("a"), Texts(10, "die")));
  CHECK(all.front() == "fault: its cage died");
  CHECK(all.back() == "fault: its cage died again and again");
  CHECK(outcomes(run_all(slot, guest_of("a"), {"1"})) == Texts{"1"});
}

TEST_CASE("a unit that is stopped is killed, with nothing lost of the others") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  std::promise<void> reached;
  std::thread stopper([&] {
    reached.get_future().wait();
    slot.stop(1);
  });
  const auto all = run_all(slot, guest_of("a"), {"1", "loop", "2"}, [&](std::size_t index, const Ran&) {
    if (index == 0) reached.set_value();
  });
  stopper.join();
  CHECK(outcomes(all) == Texts{"1", "cancelled", "2"});
}

TEST_CASE("a stop that comes too late for its unit does not hit the next") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const auto all = run_all(slot, guest_of("a"), {"1", "2", "3"}, [&](std::size_t index, const Ran&) { slot.stop(index); });
  CHECK(outcomes(all) == Texts{"1", "2", "3"});
  CHECK(outcomes(run_all(slot, guest_of("a"), {"4", "5", "6"})) == Texts{"4", "5", "6"});
}

TEST_CASE("a unit stopped before its batch begins never runs") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  slot.stop(0);
  CHECK(outcomes(run_all(slot, guest_of("a"), {"loop", "2"})) == Texts{"cancelled", "2"});
}

TEST_CASE("another slot's units are unharmed by a loop in this one") {
  const auto launcher = probe_launcher();
  CageSlot first(*launcher), second(*launcher);
  auto looping = std::async(std::launch::async, [&] { return run_all(first, guest_of("a"), {"loop", "1"}); });
  const Texts units(100, "fine");
  CHECK(outcomes(run_all(second, guest_of("a"), units)) == units);
  first.stop(0);
  CHECK(outcomes(looping.get()) == Texts{"cancelled", "1"});
}

TEST_CASE("each guest has a cage of its own, and one guest keeps its cage") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const Guest one = guest_of("a"), other = guest_of("b");
  const auto first = outcomes(run_all(slot, one, {"who"}));
  CHECK(outcomes(run_all(slot, one, {"who"})) == first);
  const auto second = outcomes(run_all(slot, other, {"who"}));
  CHECK(second != first);
  CHECK(slot.awake());
  slot.rest();
  CHECK_FALSE(slot.awake());
  CHECK(outcomes(run_all(slot, other, {"who"})) != second);
}

TEST_CASE("of two guests by turns each keeps its cage; a third takes the place of the one that was longer not needed") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const Guest a = guest_of("a"), b = guest_of("b"), c = guest_of("c");
  const auto who = [&slot](const Guest& guest) { return outcomes(run_all(slot, guest, {"who"}))[0]; };
  const std::string of_a = who(a), of_b = who(b);
  CHECK(of_a != of_b);
  CHECK(who(a) == of_a);
  CHECK(who(b) == of_b);
  const std::string of_c = who(c);
  CHECK(who(b) == of_b);
  CHECK(who(c) == of_c);
  CHECK(who(a) != of_a);
}

TEST_CASE("the cage of a guest that is not needed for long is ended, in the middle of another's unit too") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher, std::chrono::milliseconds(50));
  const Watched idle(std::stoi(text(run_all(slot, guest_of("a"), {"who"})[0])));
  CHECK_FALSE(idle.dies(0));
  const auto all = outcomes(run_all(slot, guest_of("b"), {"take half a second", "1"}, [&idle](std::size_t index, const Ran&) {
    if (index == 0) CHECK(idle.dies());
  }));
  CHECK(all == Texts{"take half a second", "1"});
}

TEST_CASE("the cage of a guest that may take much memory is not kept beside another's") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const Guest large = guest_at_hand(to_bytes("a"), std::uint64_t{1} << 30);
  const Watched cage(std::stoi(text(run_all(slot, large, {"who"})[0])));
  CHECK(outcomes(run_all(slot, guest_of("b"), {"1"})) == Texts{"1"});
  CHECK(cage.dies());
}

TEST_CASE("a guest whose cage died does not cost the other guest's") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const Guest a = guest_of("a"), b = guest_of("b");
  const auto of_a = outcomes(run_all(slot, a, {"who"}));
  CHECK(outcomes(run_all(slot, b, {"die"})) == Texts{"fault: its cage died"});
  CHECK(outcomes(run_all(slot, b, {"1"})) == Texts{"1"});
  CHECK(outcomes(run_all(slot, a, {"who"})) == of_a);
}

TEST_CASE("a cage that was killed while it had nothing to do costs no unit") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const std::string who = text(run_all(slot, guest_of("a"), {"who"})[0]);
  kill_and_wait(std::stoi(who));
  const auto all = outcomes(run_all(slot, guest_of("a"), {"who"}));
  CHECK(all[0] != who);
  CHECK(all[0].find("fault") == std::string::npos);
}

TEST_CASE("a unit's time begins when its cage is ready, and again when it gets another") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  std::vector<std::pair<std::size_t, bool>> told;
  const auto timing = [&told](std::size_t index, bool runs) { told.emplace_back(index, runs); };
  const auto run = [&](const std::vector<std::string>& units) {
    told.clear();
    std::vector<Bytes> inputs;
    for (const std::string& unit : units) inputs.push_back(to_bytes(unit));
    const std::vector<ByteView> views(inputs.begin(), inputs.end());
    slot.run(guest_of("a"), views, [](std::size_t, const Ran&) {}, timing);
    return std::exchange(told, {});
  };
  using Told = std::vector<std::pair<std::size_t, bool>>;
  CHECK(run({"1", "2"}) == Told{{0, false}, {0, true}});
  CHECK(run({"3", "4"}) == Told{{0, true}});
  CHECK(run({"die"}) == Told{{0, true}});
  CHECK(run({"5"}) == Told{{0, false}, {0, true}});
}

TEST_CASE("a launcher that dies is started again, and what runs in its cages is run once more") {
  const auto launcher = probe_launcher();
  std::atomic<int> told = 0;
  launcher->on_death([&told](const std::string&) { ++told; });
  CageSlot slot(*launcher);
  for (int round = 1; round <= 3; ++round) {
    std::vector<std::string> units(1000, "fine");
    units[500] = "who";
    std::string who;
    const auto all = run_all(slot, guest_of("a"), units, [&](std::size_t index, const Ran&) {
      if (index == 10) kill_and_wait(launcher_process());
    });
    for (std::size_t i = 0; i < all.size(); ++i) {
      INFO(i);
      CHECK_MESSAGE(all[i].outcome == Outcome::ok, text(all[i]));
    }
    slot.rest();
    CHECK(outcomes(run_all(slot, guest_of("b"), {"1"})) == Texts{"1"});
    CHECK(told == round);
  }
}

TEST_CASE("a launcher that hangs is ended, and a new one answers") {
  const auto launcher = probe_launcher();
  REQUIRE(launcher->check());  // so that it has become what it is looked for as
  const pid_t first = launcher_process();
  REQUIRE(::kill(first, SIGSTOP) == 0);
  const auto layers = launcher->check();
  CHECK_MESSAGE(layers, (layers ? "" : layers.error().message));
  CHECK(launcher_process() != first);
}

TEST_CASE("a launcher that cannot live is given up for a while, with a reason, and does not hold up the end") {
  ::setenv("DUGNAD_LIBEXEC", SHORT_LIVED_LIBEXEC, 1);
  auto launcher = Launcher::start();
  REQUIRE(launcher);
  const auto layers = (*launcher)->check();
  REQUIRE_FALSE(layers);
  CHECK(layers.error().message == "dugnad-launcher died and is not back yet");
}

TEST_CASE("a module that is refused fails its units with the reason; one that kills its compiler is the donor's fault") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  CHECK(outcomes(run_all(slot, guest_of("is refused"), {"1", "2"})) ==
        Texts{"failed: it imports env.system", "failed: it imports env.system"});
  const auto dead = run_all(slot, guest_of("dies when it is compiled"), {"1", "2"});
  CHECK(dead[0].outcome == Outcome::donor_fault);
  CHECK(dead[1].outcome == Outcome::donor_fault);
  CHECK(run_all(slot, guest_of("answers with something else"), {"1"})[0].outcome == Outcome::donor_fault);
  CHECK(outcomes(run_all(slot, guest_of("a"), {"1"})) == Texts{"1"});
}

TEST_CASE("a unit can be stopped while its module compiles") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  slot.stop(0);
  CHECK(outcomes(run_all(slot, guest_of("takes for ever"), {"1"})) == Texts{"cancelled"});
}

TEST_CASE("a cage has no more memory than it was granted") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const auto all = run_all(slot, guest_of("a"), {"take memory", "2"});
  CHECK(all[0].outcome == Outcome::donor_fault);
  CHECK(text(all[1]) == "2");
}

TEST_CASE("a machine that runs out of memory ends its cages first") {
  const auto launcher = probe_launcher();
  CageSlot slot(*launcher);
  const std::string cage = text(run_all(slot, guest_of("a"), {"who"})[0]);
  std::ifstream order("/proc/" + cage + "/oom_score_adj");
  int said = 0;
  REQUIRE(static_cast<bool>(order >> said));
  CHECK(said == 1000);
}

TEST_CASE("where the programs are missing, the reason names where they were looked for") {
  ::setenv("DUGNAD_LIBEXEC", "/nonexistent", 1);
  const auto launcher = Launcher::start();
  // Beside the tests there may be real ones; then they are found.
  if (!launcher) CHECK(launcher.error().message.find("dugnad-launcher") != std::string::npos);
  else CHECK(::access((std::string(BIN_DIRECTORY) + "/dugnad-cage").c_str(), X_OK) == 0);
}

}  // namespace dugnad::worker
