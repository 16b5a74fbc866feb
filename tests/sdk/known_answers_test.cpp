// Units whose output is known beforehand, mixed into a job.
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "sdk/known_units.h"
#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

/// Waited for by the submitter, whose own threads would else be done before anybody else has heard of the job.
using Door = std::shared_ptr<std::atomic<bool>>;

tasks::TaskTable squares(const Door& door, bool is_donor, bool lies = false) {
  auto table = tasks::builtin_tasks();
  table.add(task_of<std::uint64_t, std::uint64_t>("square", 1, [door, is_donor, lies](std::uint64_t n) {
    if (!is_donor) door->wait(false);
    else if (!door->exchange(true)) door->notify_all();
    return n * n + (lies ? 1 : 0);
  }));
  return table;
}

std::vector<KnownAnswer> answers(std::uint64_t count, std::uint64_t wrong_by = 0) {
  std::vector<KnownAnswer> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back({number(1'000'000 + i), number((1'000'000 + i) * (1'000'000 + i) + wrong_by)});
  return all;
}

struct Heard {
  std::mutex mutex;
  std::set<std::string> convicted;
  std::size_t at_known = 0, wrong = 0;
  void listen(Job& job) {
    job.on_notice([this](const Notice& notice) {
      const std::lock_guard lock(mutex);
      if (notice.kind == Notice::Kind::convicted) convicted.insert(notice.peer), at_known += notice.known;
      if (notice.kind == Notice::Kind::known_answer_wrong) ++wrong;
    });
  }
};

JobOptions options_with(std::vector<KnownAnswer> known) {
  JobOptions options;
  options.confidence = Confidence{.probability = 0.9};
  options.known = std::move(known);
  return options;
}

}  // namespace

TEST_CASE("numbers of units with known ones in between lead to one another, wherever those stand") {
  for (const std::uint64_t count : {0, 1, 3, 10}) {
    using Expected = std::optional<std::uint64_t>;
    for (const Expected expected : {Expected(), Expected(1), Expected(30)}) {
      const KnownUnits known(answers(count), hash_of(view_of("secret")), expected);
      std::set<std::uint64_t> numbers;
      std::set<std::uint64_t> placed;
      for (std::uint64_t unit = 0; unit < 1000; ++unit) {
        const std::uint64_t number = known.number_of(unit);
        REQUIRE(numbers.insert(number).second);
        REQUIRE(*numbers.rbegin() == number);
        CHECK_FALSE(known.unit_of(number).known);
        CHECK(known.unit_of(number).unit == unit);
        for (const bool behind : {false, true}) {
          const auto beside = known.beside(unit, behind);
          if (!beside) continue;
          REQUIRE(placed.insert(beside->unit.value).second);
          CHECK(known.unit_of(beside->unit.value).known);
        }
      }
      CHECK(placed.size() == count);
      numbers.merge(placed);
      CHECK(numbers.size() == 1000 + count);
      CHECK(*numbers.rbegin() == 999 + count);  // no number is left out
    }
  }
}

TEST_CASE("where known units stand follows from the secret") {
  const auto places = [](const char* secret) {
    const KnownUnits known(answers(20), hash_of(view_of(secret)), 2000);
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t unit = 0; unit < 2000; ++unit) numbers.push_back(known.number_of(unit));
    return numbers;
  };
  CHECK(places("one") == places("one"));
  CHECK(places("one") != places("other"));
}

TEST_CASE("known answers are asked among the units and delivered to nobody") {
  const Door door = std::make_shared<std::atomic<bool>>(false);
  const auto neighbour = donor(squares(door, true));
  SwarmOptions options = joining(neighbour->contact());
  options.tasks = squares(door, false);
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("square", numbers(300), options_with(answers(30))));
  Heard heard;
  heard.listen(job);
  const auto results = rest_of(job);
  REQUIRE(results.size() == 300);
  for (std::uint64_t n = 0; n < 300; ++n) {
    CHECK(results[n].unit == n);
    CHECK(number_in(results[n].output) == n * n);
  }
  CHECK(job.progress().units_done == 300);
  const std::lock_guard lock(heard.mutex);
  CHECK(heard.convicted.empty());
  CHECK(heard.wrong == 0);
}

TEST_CASE("answers that were given wrong are said to be, and convict nobody") {
  const Door door = std::make_shared<std::atomic<bool>>(false);
  const auto neighbour = donor(squares(door, true));
  SwarmOptions options = joining(neighbour->contact());
  options.tasks = squares(door, false);
  Swarm swarm = joined(std::move(options));
  Job job = good(swarm.map("square", numbers(400), options_with(answers(200, 1))));
  Heard heard;
  heard.listen(job);
  const auto results = rest_of(job);
  REQUIRE(results.size() == 400);
  for (std::uint64_t n = 0; n < 400; ++n) CHECK(number_in(results[n].output) == n * n);
  const std::lock_guard lock(heard.mutex);
  CHECK(heard.convicted.empty());
  CHECK(heard.wrong > 0);
}

TEST_CASE("known answers want a job that is mapped, a confidence, and small inputs") {
  Swarm swarm = joined(alone());
  const auto complaint = [](const auto& job) {
    REQUIRE_FALSE(job.ok());
    return job.error().message;
  };
  JobOptions by_copies = options_with(answers(1));
  by_copies.confidence.reset();
  CHECK(contains(complaint(swarm.map("square", numbers(2), by_copies)), "want a confidence"));
  CHECK(contains(complaint(swarm.open("square", options_with(answers(1)))), "mapped over inputs"));
  CHECK(contains(complaint(swarm.map("echo", numbers(2), options_with({{Bytes(70'000), {}}}))), "less than"));
}
