// The hostile corpus against the cage that ships: modules and units that do what they can, and a worker that goes on.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <future>

#include "coordinatorless/base/generator.h"
#include "tasks/wasm/command_unit.h"
#include "tests/cage/guests.h"

namespace dugnad::worker {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Launcher> real_launcher() { return launcher_in(BIN_DIRECTORY); }

/// What `speak` returns in a process of its own, where it may give things up.
std::string in_child(const std::function<std::string()>& speak) {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string said = speak();
    ::_exit(::write(pipe[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string said;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(pipe[0], part, sizeof part)) > 0;) said.append(part, static_cast<std::size_t>(got));
  ::close(pipe[0]);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  return said;
}

std::string checked() {
  const auto launcher = Launcher::start();
  if (!launcher) return launcher.error().message;
  const auto layers = (*launcher)->check();
  return layers ? "holds: " + *layers : "refused: " + layers.error().message;
}

/// What check() says on a kernel without these system calls.
std::string checked_without(std::vector<int> calls, int error) {
  ::setenv("DUGNAD_LIBEXEC", BIN_DIRECTORY, 1);
  return in_child([&] {
    const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
    for (const int call : calls) ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, 0);
    return ::seccomp_load(filter) == 0 ? checked() : std::string("no filter");
  });
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the cage that ships locks every layer, and says so") {
  const auto launcher = real_launcher();
  const auto layers = launcher->check();
  REQUIRE_MESSAGE(layers, (layers ? "" : layers.error().message));
  for (const char* layer : {"seccomp", "Landlock", "rlimits", "no_new_privs"}) CHECK(has(*layers, layer));
}

TEST_CASE("where a required layer is missing, the cage refuses and names it; namespaces it does without") {
  const auto without_landlock = checked_without({SCMP_SYS(landlock_create_ruleset)}, ENOSYS);
  CHECK_MESSAGE(without_landlock.starts_with("refused: Landlock"), without_landlock);
  const auto without_seccomp = checked_without({SCMP_SYS(seccomp)}, ENOSYS);
  CHECK_MESSAGE(without_seccomp.starts_with("refused: seccomp"), without_seccomp);
  const auto without_limits = checked_without({SCMP_SYS(prlimit64), SCMP_SYS(setrlimit)}, EPERM);
  CHECK_MESSAGE(!without_limits.starts_with("holds"), without_limits);
  const auto without_namespaces = checked_without({SCMP_SYS(unshare)}, EPERM);
  CHECK_MESSAGE(without_namespaces.starts_with("holds: "), without_namespaces);
  CHECK(has(without_namespaces, "no namespaces"));
}

TEST_CASE("an ordinary user's worker has its cages too") {
  ::setenv("DUGNAD_LIBEXEC", BIN_DIRECTORY, 1);
  const std::string said = in_child([] {
    if (::geteuid() == 0 && (::setresgid(12345, 12345, 12345) != 0 || ::setresuid(12345, 12345, 12345) != 0)) return std::string("still root");
    if (::access(BIN_DIRECTORY "/dugnad-cage", X_OK) != 0) return std::string("unreachable");
    return checked();
  });
  if (said == "unreachable") MESSAGE("the build lies where an ordinary user cannot go, so that this was not seen");
  else CHECK_MESSAGE(said.starts_with("holds: "), said);
}

TEST_CASE("every trap fails its unit with a reason, and the next unit runs") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher);
  const auto all = run_guest(slot, rogue_guest(), {"x1", "t", "x2", "d", "x3", "o", "x4", "r", "x5"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    CAPTURE(text(all[i]));
    if (i % 2 == 0) {
      CHECK(all[i].outcome == Outcome::ok);
      CHECK(text(all[i]) == "x" + std::to_string(i / 2 + 1));
    } else {
      CHECK(all[i].outcome == Outcome::failed);
      CHECK(!all[i].output.empty());
    }
  }
}

TEST_CASE("memory grows to what was declared and not beyond") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher);
  const auto all = run_guest(slot, rogue_guest(), {"g", "G", "g", "x"});
  CHECK(text(all[0]) == "+");
  CHECK(text(all[1]) == "-");
  CHECK(text(all[2]) == "+");
  CHECK(text(all[3]) == "x");
}

TEST_CASE("results outside the guest's memory and results without end fail their unit alone") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher);
  const auto all = run_guest(slot, rogue_guest(), {"w", "F", "x"});
  CHECK(all[0].outcome == Outcome::failed);
  CHECK(all[1].outcome == Outcome::failed);
  CHECK(text(all[2]) == "x");
}

TEST_CASE("an allocator that points outside its memory fails the unit") {
  const auto launcher = real_launcher();
  for (const char* pointer : {"-1", "0x7fffffff", "65536", "65535"}) {
    CageSlot slot(*launcher);
    const std::string module = std::string("(module (memory (export \"memory\") 1)"
                               "(func (export \"dugnad_alloc\") (param i32) (result i32) (i32.const ") +
                               pointer + ")) (func (export \"dugnad_run\") (param i32 i32) (result i64) (i64.const 0)))";
    const auto all = run_guest(slot, guest_from(packed(tests::wat(module))), {"1234", "5678"});
    for (const Ran& ran : all) CHECK(ran.outcome == Outcome::failed);
  }
}

TEST_CASE("a flood of log lines goes nowhere") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher);
  const auto all = run_guest(slot, rogue_guest(), {"L", "x"});
  CHECK(all[0].outcome == Outcome::ok);
  CHECK(text(all[1]) == "x");
}

TEST_CASE("a unit finds nothing of the one before it") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher);
  for (const Ran& ran : run_guest(slot, rogue_guest(), {"k", "k", "k"})) CHECK(text(ran) == "1");
}

TEST_CASE("a loop is killed at its limit, and what ran before and after it keeps its results, here and in other slots") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher), other(*launcher);
  auto beside = std::async(std::launch::async, [&] { return run_guest(other, rogue_guest(), std::vector<std::string>(500, "x")); });
  std::vector<std::string> units(50, "x");
  units[30] = "l";
  const auto all = run_guest(slot, rogue_guest(), units, 2s);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    CHECK(all[i].outcome == (i == 30 ? Outcome::cancelled : Outcome::ok));
  }
  for (const Ran& ran : beside.get()) CHECK(text(ran) == "x");
}

TEST_CASE("whatever a unit does, the units of another slot come out as ever") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher), other(*launcher);
  const Guest guest = rogue_guest();
  for (const char* attack : {"t", "d", "o", "r", "g", "G", "w", "F", "L", "k", "l"}) {
    CAPTURE(attack);
    auto beside = std::async(std::launch::async, [&] { return run_guest(other, guest, std::vector<std::string>(300, "xyz")); });
    (void)run_guest(slot, guest, {attack}, 500ms);
    for (const Ran& ran : beside.get()) {
      CHECK(ran.outcome == Outcome::ok);
      CHECK(text(ran) == "xyz");
    }
  }
}

TEST_CASE("a guest cannot tell the time, nor how fast or how busy the machine is, nor how many processors it has") {
  const auto launcher = real_launcher();
  // Reads every clock and the random bytes, works for as long as its argument says, and reads them again; writes all that it saw.
  const Guest watcher = guest_from(packed(tests::wat(R"((module
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $look (param $at i32) (local $clock i32)
      (loop $next
        (i32.store (i32.add (local.get $at) (i32.const 8)) (call $clock (local.get $clock) (i64.const 1) (local.get $at)))
        (i32.store (i32.add (local.get $at) (i32.const 24)) (call $resolution (local.get $clock) (i32.add (local.get $at) (i32.const 16))))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br_if $next (i32.lt_u (local.tee $clock (i32.add (local.get $clock) (i32.const 1))) (i32.const 4))))
      (drop (call $random (local.get $at) (i32.const 16)))
      (drop (call $yield)))
    (func (export "_start") (local $i i32)
      (call $look (i32.const 256))
      (loop $work (br_if $work (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 30000000))))
      (call $look (i32.const 512))
      (i32.store (i32.const 0) (i32.const 256)) (i32.store (i32.const 4) (i32.const 512))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))))")));
  const std::string unit = to_text(tasks::wasm::encode(tasks::wasm::CommandUnit{}));
  CageSlot alone(*launcher);
  const std::string saw = text(run_guest(alone, watcher, {unit})[0]);
  REQUIRE(saw.size() == 512);
  CHECK(saw.find_first_not_of('\0') != std::string::npos);
  // Again and again, later, beside a slot that keeps a processor busy, in one cage and in another.
  CageSlot busy(*launcher), beside(*launcher);
  auto work = std::async(std::launch::async, [&] { return run_guest(busy, rogue_guest(), {"l"}, 1s); });
  for (const Ran& ran : run_guest(beside, watcher, std::vector<std::string>(5, unit))) {
    CHECK(ran.outcome == Outcome::ok);
    CHECK(text(ran) == saw);
  }
  (void)work.get();
  // What would tell is not to be had at all.
  const auto refused = [&](const std::string& module) {
    CageSlot slot(*launcher);
    const auto ran = run_guest(slot, guest_from(packed(tests::wat(module))), {"x"})[0];
    CHECK_MESSAGE(ran.outcome == Outcome::failed, module << ": " << text(ran));
  };
  const std::string reactor = R"((memory (export "memory") 1)
    (func (export "dugnad_alloc") (param i32) (result i32) (i32.const 0)) (func (export "dugnad_run") (param i32 i32) (result i64) (i64.const 0)))";
  refused("(module (import \"wasi\" \"thread-spawn\" (func (param i32) (result i32)))" + reactor + ")");
  refused("(module (import \"env\" \"now\" (func (result f64)))" + reactor + ")");
  refused("(module (import \"wasi_snapshot_preview1\" \"cpu_count\" (func (result i32)))" + reactor + ")");
}

TEST_CASE("a processor with protection keys does not stand in a cage's way") {
  ::setenv("DUGNAD_LIBEXEC", BIN_DIRECTORY, 1);
  const Guest guest = rogue_guest();
  const std::string said = in_child([&guest] {
    // Such a machine's kernel has fifteen keys for each process. V8 would use one by a system call that a cage does not have.
    const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
    ::seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(pkey_alloc), 0);
    if (::seccomp_load(filter) != 0) return std::string("no filter");
    std::thread([kernel = ::seccomp_notify_fd(filter)] {
      seccomp_notif* asked = nullptr;
      seccomp_notif_resp* answer = nullptr;
      if (::seccomp_notify_alloc(&asked, &answer) != 0) return;
      std::map<std::uint32_t, int> given;
      for (; std::memset(asked, 0, sizeof *asked), ::seccomp_notify_receive(kernel, asked) == 0; ::seccomp_notify_respond(kernel, answer)) {
        const int key = ++given[asked->pid];
        *answer = {asked->id, key, 0, 0};
        if (key > 15) *answer = {asked->id, 0, -ENOSPC, 0};
      }
    }).detach();
    const auto launcher = Launcher::start();
    if (!launcher) return launcher.error().message;
    CageSlot slot(**launcher);
    return text(run_guest(slot, guest, {"it runs"})[0]);
  });
  CHECK(said == "it runs");
}

TEST_CASE("a loop without end ends with its fuel, each unit has a full tank, and without fuel nothing is counted") {
  const auto launcher = real_launcher();
  CageSlot slot(*launcher);
  const auto fuelled = run_guest(slot, guest_from(packed(tests::wat(rogue)), 10'000), {"l", "first", "l", "L", "second"});
  for (const std::size_t endless : {0, 2, 3}) {
    CHECK(fuelled[endless].outcome == Outcome::failed);
    CHECK(text(fuelled[endless]).starts_with("out of fuel"));
  }
  CHECK(text(fuelled[1]) == "first");
  CHECK(text(fuelled[4]) == "second");
  const auto uncounted = run_guest(slot, rogue_guest(), {"L", "g"});  // twenty thousand rounds, and 66 MB filled
  CHECK(text(uncounted[0]) == "L");
  CHECK(text(uncounted[1]) == "+");
}

TEST_CASE("modules that donors do not run are refused with a reason") {
  const auto launcher = real_launcher();
  const auto refused = [&](Bytes module) {
    CageSlot slot(*launcher);
    const auto all = run_guest(slot, guest_from(std::move(module)), {"x", "y"});
    for (const Ran& ran : all) {
      CHECK(ran.outcome == Outcome::failed);
      CHECK(!ran.output.empty());
    }
    return text(all[0]);
  };
  CHECK(has(refused(to_bytes("no zstd at all")), "zstd"));
  CHECK(has(refused(packed(Bytes(33 << 20, 0))), "32 MiB"));  // a bomb: a kilobyte
  Bytes twice = packed(tests::wat(rogue));
  twice.insert(twice.end(), twice.begin(), twice.end());
  CHECK(has(refused(twice), "behind"));
  (void)refused({});
  (void)refused(packed({}));
  (void)refused(packed(to_bytes("\0asm")));
  (void)refused(packed(Bytes(1 << 20, 0xff)));
  (void)refused(packed(tests::wat("(module (import \"env\" \"system\" (func (param i32))))")));
  Bytes huge{0, 'a', 's', 'm', 1, 0, 0, 0, 10, 0xff, 0xff, 0xff, 0xff, 0x0f};  // a section of 4 GiB
  (void)refused(packed(huge));
}

TEST_CASE("damaged modules are refused, run or kill their cage, and the worker goes on") {
  const auto launcher = real_launcher();
  const Bytes whole = tests::wat(rogue);
  const char* more = std::getenv("DUGNAD_MUTANTS");
  const int mutants = more != nullptr ? std::atoi(more) : 200;
  auto generator = Generator::from_seed(7);
  std::size_t refused = 0, ran = 0, dead = 0;
  for (int i = 0; i < mutants; ++i) {
    Bytes module = whole;
    if (i % 4 == 0) module.resize(generator.below(module.size()));
    else for (auto flips = 1 + generator.below(8); flips > 0; --flips) module[generator.below(module.size())] ^= 1u << generator.below(8);
    Bytes travels = packed(module);
    if (i % 10 == 9) travels[generator.below(travels.size())] ^= 1u << generator.below(8);
    CageSlot slot(*launcher);
    const auto all = run_guest(slot, guest_from(std::move(travels)), {"x"}, 5s);
    switch (all[0].outcome) {
      case Outcome::ok: ++ran; break;
      case Outcome::failed: ++refused; break;
      case Outcome::donor_fault: case Outcome::cancelled: ++dead; break;
    }
  }
  MESSAGE(mutants << " damaged modules: " << refused << " failed with a reason, " << ran << " ran, " << dead << " cost their cage");
  CHECK(refused > 0);
  CageSlot slot(*launcher);
  CHECK(text(run_guest(slot, rogue_guest(), {"x"})[0]) == "x");
}

}  // namespace dugnad::worker
