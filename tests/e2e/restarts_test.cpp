// Attempts that take minutes, and processes that are killed meanwhile: nothing is begun anew. It takes minutes itself.
#include <fstream>

#include "coordinatorless/store/store.h"
#include "tests/e2e/swarm.h"

namespace dugnad::e2e {
namespace {

using Clock = std::chrono::steady_clock;

/// Submits one unit of so many million steps.
Words submit_steps(const Place& place, std::uint64_t millions, const Worker& worker) {
  std::ofstream(place / "steps.txt") << millions << "\n";
  return submit(place, "", {std::string(DUGNAD_GUEST_DIR) + "/patient.wasm", "--lines", place / "steps.txt", "--copies", "1", "--local", "0",
                            "--timeout-unit", "3600", "--json", "--join", worker.contact});
}

/// Millions of steps that this machine takes that long for.
std::uint64_t steps_in(double wanted_seconds, const Place& place, const Worker& worker) {
  constexpr std::uint64_t tried = 20'000;
  const auto start = Clock::now();
  Process trial = finished(submit_steps(place, tried, worker));
  REQUIRE_MESSAGE(trial.exit_code() == 0, trial.story());
  return static_cast<std::uint64_t>(static_cast<double>(tried) * wanted_seconds / std::chrono::duration<double>(Clock::now() - start).count());
}

/// Until that journal, of a program that runs, has a note of that kind.
[[nodiscard]] bool is_noted(const std::string& journal, NoteKind kind, Process& program) {
  for (const auto until = Clock::now() + 2 * patience; Clock::now() < until && !program.ended_within(std::chrono::milliseconds(200));) {
    const auto store = store::Store::open_for_reading(journal);
    const auto notes = store ? (*store)->notes(kind) : Result<std::vector<NoteRow>>(store.error());
    if (notes && !notes->empty()) return true;
  }
  return false;
}

void kill(Process& process) {
  process.signal(SIGKILL);
  REQUIRE(process.exit_code() == -SIGKILL);
}

}  // namespace

TEST_CASE("a submitter is killed in the middle of an attempt, and its worker after it: the result is there as soon as both are back") {
  Place place;
  Worker worker = start_worker(place, "worker", {"--allow", "any"});
  const std::uint64_t steps = steps_in(95, place, worker);
  Process submitter(submit_steps(place, steps, worker));
  const std::string job = event(submitter, "started")["job"];
  REQUIRE(is_noted(place / "submitter/submitter.journal", NoteKind::lease, submitter));
  kill(submitter);
  REQUIRE(is_noted(place / "worker/worker.journal", NoteKind::waiting, worker.process));
  kill(worker.process);

  const Worker again = start_worker(place, "worker", {"--allow", "any"});
  const auto start = Clock::now();
  Process resumed(submit_steps(place, steps, again));
  CHECK(event(resumed, "started")["job"] == job);
  const Json end = event(resumed, "end");
  CHECK_MESSAGE(end["exit"] == 0, resumed.story());
  CHECK(Clock::now() - start < seconds(45));  // half of what it would take again
}

TEST_CASE("a submitter is killed in the middle of an attempt, and started again: the attempt goes on") {
  Place place;
  const Worker worker = start_worker(place, "worker", {"--allow", "any"});
  const std::uint64_t steps = steps_in(95, place, worker);
  const auto start = Clock::now();
  Process submitter(submit_steps(place, steps, worker));
  REQUIRE(is_noted(place / "submitter/submitter.journal", NoteKind::lease, submitter));
  kill(submitter);
  Process resumed(submit_steps(place, steps, worker));
  const Json end = event(resumed, "end");
  CHECK_MESSAGE(end["exit"] == 0, resumed.story());
  CHECK(Clock::now() - start < seconds(135));  // it would take some 160 if it had begun anew
}

}  // namespace dugnad::e2e
