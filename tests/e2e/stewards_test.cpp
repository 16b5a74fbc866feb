// A job whose submitter is killed goes on with its stewards, and ends rightly where its owner's key comes back.
#include <filesystem>

#include "tests/e2e/turnstile.h"

namespace dugnad::e2e {
namespace {

struct Held {
  std::uint64_t units = 0, gathered = 0;
  bool leads = false;
};

/// What a worker says that it holds; nullopt where it holds nothing.
std::optional<Held> held_by(const std::string& data) {
  Process asked = finished({program("dugnad"), "jobs", "--held", "--json", "--data", data});
  REQUIRE_MESSAGE(asked.exit_code() == 0, asked.story());
  if (asked.out().empty()) return std::nullopt;
  const Json said = Json::parse(asked.out());
  return Held{said["units"], said["units_gathered"], said["leads"]};
}

/// Until that worker leads, and has gathered every unit.
[[nodiscard]] bool gathers_all(const std::string& worker) {
  for (const auto until = std::chrono::steady_clock::now() + 2 * patience; std::chrono::steady_clock::now() < until;) {
    const auto held = held_by(worker);
    if (held && held->leads && held->units > 0 && held->gathered == held->units) return true;
  }
  return false;
}

}  // namespace

TEST_CASE(
    "a submitter is killed, and so is one of its stewards; the other gathers every unit, is started again, and on another machine the owner's key "
    "ends the job with what it has, though no donor is left") {
  Place place;
  const Turnstile turnstile(place, 2);
  Worker first = start(turnstile.behind(worker(place, "first")));
  const Words joins{"--join", first.contact};
  // Twice as many as stewards: no unit is a steward's, who may die with it.
  std::vector<Worker> others;
  for (const char* name : {"second", "third", "fourth"}) others.push_back(start(turnstile.behind(worker(place, name, joins))));
  std::vector<Worker> stewards;
  for (const char* name : {"one", "two"}) stewards.push_back(start(turnstile.behind(worker(place, name, joins + Words{"--steward", "64MiB"}))));

  Process submitter(submit(place, "twinprimes --to 10000000000 --copies 2 --stewards 2 --local 0", joins + Words{"--json"}));
  const std::string job = event(submitter, "started")["job"];
  (void)event(submitter, "stewards", [](const Json& said) { return said["holding"] == 2; });
  submitter.signal(SIGKILL);
  REQUIRE(submitter.exit_code() == -SIGKILL);
  stewards.front().process.signal(SIGKILL);
  turnstile.open();
  REQUIRE(gathers_all(place / "two"));

  first.process.signal(SIGTERM);
  REQUIRE(first.process.exit_code() == 0);
  for (Worker& other : others) {
    other.process.signal(SIGTERM);
    REQUIRE(other.process.exit_code() == 0);
  }
  stewards[1].process.signal(SIGTERM);
  REQUIRE(stewards[1].process.exit_code() == 0);
  const Worker again = start_worker(place, "two", {"--steward", "64MiB"});
  std::filesystem::create_directories(place / "elsewhere");
  std::filesystem::copy_file(place / "submitter/owner.key", place / "elsewhere/owner.key");
  Process elsewhere({program("dugnad"), "submit", "--resume", job, "--local", "0", "--data", place / "elsewhere", "--json", "--listen",
                     "tcp://127.0.0.1:0", "--join",
                     again.contact});
  const Json end = answers(elsewhere, "27412679");
  CHECK(end["job"] == job);
}

}  // namespace dugnad::e2e
