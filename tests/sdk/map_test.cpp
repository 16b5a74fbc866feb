// Mapping over inputs: given, generated, or submitted one by one.
#include <thread>

#include "dugnad/typed.h"
#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

TEST_CASE("every input comes back once, computed") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.map("square", numbers(5000), one_copy));
  const auto results = rest_of(job);
  REQUIRE(results.size() == 5000);
  for (const UnitResult& result : results) {
    REQUIRE(result.ok);
    REQUIRE(number_in(result.output) == result.unit * result.unit);
  }
  CHECK(good(job.end()).kind == EndKind::complete);
  CHECK_FALSE(job.next().has_value());
  const Progress progress = job.progress();
  CHECK(progress.units_known == 5000);
  CHECK(progress.units_expected == 5000);
  CHECK(progress.units_done == 5000);
  CHECK(progress.units_failed == 0);
  CHECK(progress.units_resumed == 0);
  CHECK(progress.attempts >= 5000);
  CHECK(progress.units_per_second > 0);
  CHECK(progress.ended);
}

TEST_CASE("a job without inputs ends at once") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.map("square", std::vector<Bytes>{}, one_copy));
  CHECK_FALSE(job.next().has_value());
  CHECK(good(job.end()).kind == EndKind::complete);
}

TEST_CASE("a unit that fails is named with its reason, and fails alone") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.map("unlucky", numbers(20), one_copy));
  const auto results = rest_of(job);
  REQUIRE(results.size() == 20);
  for (const UnitResult& result : results) CHECK(result.ok == (result.unit != 13));
  CHECK(results[13].reason == "13 brings bad luck");
  const End end = good(job.end());
  CHECK(end.kind == EndKind::units_failed);
  CHECK(end.units_failed == 1);
  CHECK(job.progress().units_failed == 1);
}

TEST_CASE("what is too large to travel is said in one line, and the rest of the job goes on") {
  constexpr std::size_t most = 64 << 20;
  Swarm swarm = joined(alone());
  const auto refused = swarm.map("large", std::vector<Bytes>{number(1), Bytes(most + 1)}, one_copy);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "the input of unit 1 has 67108865 bytes; at most 67108864 travel");

  std::vector<Bytes> inputs{number(65536), Bytes(most + 1), number(most + 1), number(3)};
  std::size_t at = 0;
  Job job = good(swarm.map("large", [&]() { return at == inputs.size() ? std::nullopt : std::optional(inputs[at++]); }, one_copy));
  const auto results = rest_of(job);
  REQUIRE(results.size() == 4);
  CHECK(results[0].output.size() == 65536);
  CHECK(results[1].reason == "the input of unit 1 has 67108865 bytes; at most 67108864 travel");
  CHECK_FALSE(results[2].ok);
  CHECK(contains(results[2].reason, "67108865"));
  CHECK(results[3].output.size() == 3);
  CHECK(good(job.end()).units_failed == 2);
}

TEST_CASE("large inputs come in whole and large outputs out, more of them than memory or store hold at once") {
  Swarm swarm = joined(alone());
  std::vector<Bytes> inputs;
  for (std::size_t i = 0; i < 60; ++i) inputs.push_back(Bytes(6'000'000 + i, static_cast<std::uint8_t>(i)));
  Job job = good(swarm.map("echo", inputs, one_copy));
  std::size_t seen = 0;
  while (auto result = job.next()) {
    REQUIRE(result->ok);
    REQUIRE(result->output == inputs.at(result->unit));
    ++seen;
  }
  CHECK(seen == inputs.size());
  CHECK(good(job.end()).kind == EndKind::complete);
}

TEST_CASE("whoever waits for the end of a job with large outputs takes none of them, and finds them all afterwards") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.map("large", std::vector<Bytes>(60, number(6'000'000)), one_copy));
  CHECK(good(job.end()).kind == EndKind::complete);
  const auto results = rest_of(job);
  REQUIRE(results.size() == 60);
  for (const UnitResult& result : results) REQUIRE(result.output.size() == 6'000'000);
}

TEST_CASE("large results that were not taken are there when the swarm was left") {
  auto swarm = std::make_unique<Swarm>(joined(alone()));
  Job job = good(swarm->map("large", std::vector<Bytes>(3, number(100'000)), one_copy));
  while (job.progress().units_done < 3) {
  }
  swarm.reset();
  const auto results = rest_of(job);
  REQUIRE(results.size() == 3);
  for (const UnitResult& result : results) CHECK(result.output.size() == 100'000);
}

TEST_CASE("an opened job takes large inputs too") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.open("echo", one_copy));
  CHECK(good(job.submit(Bytes(100'000, 1))) == 0);
  CHECK(good(job.submit(std::vector<Bytes>{Bytes(3, 2), Bytes(200'000, 3)})) == 1);
  job.close_input();
  const auto results = rest_of(job);
  REQUIRE(results.size() == 3);
  CHECK(results[0].output == Bytes(100'000, 1));
  CHECK(results[1].output == Bytes(3, 2));
  CHECK(results[2].output == Bytes(200'000, 3));
}

TEST_CASE("inputs from a function are asked for only so far ahead") {
  Turnstile turnstile;
  Swarm swarm = joined(alone(test_tasks(&turnstile)));
  std::atomic<std::uint64_t> asked{0};
  Job job = good(swarm.map("turnstile", [&] { return std::optional(number(asked++ % Turnstile::units_max)); }, one_copy));
  turnstile.wait_for_somebody_to_wait();
  turnstile.let_in(10);
  for (int i = 0; i < 10; ++i) CHECK(job.next().has_value());
  job.cancel();
  turnstile.let_in(everybody);
  CHECK(good(job.end()).kind == EndKind::cancelled);
  CHECK(asked <= (16 << 10) + 10);
}

TEST_CASE("inputs from a function end when it says so") {
  Swarm swarm = joined(alone());
  std::uint64_t next = 0;
  Job job = good(swarm.map("square", [&] { return next == 50'000 ? std::nullopt : std::optional(number(next++)); }, one_copy));
  const auto results = rest_of(job);
  REQUIRE(results.size() == 50'000);
  for (const UnitResult& result : results) REQUIRE(number_in(result.output) == result.unit * result.unit);
}

TEST_CASE("an opened job takes inputs until it is closed") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.open("square", one_copy));
  for (std::uint64_t n = 0; n < 20; ++n) {
    CHECK(good(job.submit(number(n))) == n);
    const auto result = job.next();
    REQUIRE(result.has_value());
    CHECK(number_in(result->output) == n * n);
  }
  CHECK(good(job.submit(numbers(100))) == 20);
  const auto refused = job.submit(Bytes((64 << 20) + 1));
  REQUIRE_FALSE(refused.ok());
  CHECK(contains(refused.error().message, "unit 120"));
  job.close_input();
  CHECK_FALSE(job.submit(number(1)).ok());
  CHECK(rest_of(job).size() == 100);
  CHECK(good(job.end()).kind == EndKind::complete);
}

TEST_CASE("a cancelled job ends, and its results so far stay to be taken") {
  Turnstile turnstile;
  Swarm swarm = joined(alone(test_tasks(&turnstile)));
  Job job = good(swarm.map("turnstile", numbers(100), one_copy));
  turnstile.let_in(5);
  turnstile.wait_for_somebody_to_wait();
  std::vector<UnitResult> taken;
  taken.push_back(*job.next());
  std::thread canceller([&] { job.cancel(); });
  CHECK(good(job.end()).kind == EndKind::cancelled);
  canceller.join();
  turnstile.let_in(everybody);
  while (auto result = job.next()) taken.push_back(*std::move(result));
  CHECK(taken.size() <= 100);
  CHECK(job.progress().ended);
  CHECK(taken.size() == job.progress().units_done);
}

TEST_CASE("next_within() gives up, and the job goes on") {
  Turnstile turnstile;
  Swarm swarm = joined(alone(test_tasks(&turnstile)));
  Job job = good(swarm.map("turnstile", numbers(1), one_copy));
  turnstile.wait_for_somebody_to_wait();
  CHECK_FALSE(job.next_within(std::chrono::milliseconds(1)).has_value());
  CHECK_FALSE(job.progress().ended);
  turnstile.let_in(1);
  CHECK(job.next().has_value());
}

TEST_CASE("a job that outlives its swarm has ended") {
  Turnstile turnstile;
  std::optional<Swarm> swarm = joined(alone(test_tasks(&turnstile)));
  Job job = good(swarm->map("turnstile", numbers(100), one_copy));
  turnstile.wait_for_somebody_to_wait();
  turnstile.let_in(everybody);
  swarm.reset();
  while (job.next()) {}
  const EndKind kind = good(job.end()).kind;
  CHECK((kind == EndKind::swarm_left || kind == EndKind::complete));
  job.cancel();
  CHECK(job.progress().ended);
}

TEST_CASE("many jobs, one after the other and beside each other, are kept apart") {
  Swarm swarm = joined(alone());
  for (int round = 0; round < 20; ++round) {
    Job first = good(swarm.map("square", numbers(10), one_copy));
    Job second = good(swarm.map("unlucky", numbers(10), one_copy));
    CHECK(first.id() != second.id());
    for (const UnitResult& result : rest_of(second)) CHECK(number_in(result.output) == result.unit);
    for (const UnitResult& result : rest_of(first)) CHECK(number_in(result.output) == result.unit * result.unit);
  }
}

TEST_CASE("values go out and come back as values") {
  Swarm swarm = joined(alone());
  auto job = good(map<std::uint64_t>(swarm, "square", std::vector<std::uint64_t>{3, 4, 5}, one_copy));
  CHECK(good(job.all()) == std::vector<std::uint64_t>{9, 16, 25});

  auto wrong = good(map<std::uint32_t>(swarm, "square", std::vector<std::uint64_t>{3}, one_copy));
  const auto mismatched = wrong.next();
  REQUIRE(mismatched.has_value());
  CHECK_FALSE(mismatched->output.has_value());
  CHECK(mismatched->reason == "its output of 8 bytes is not of the expected type");

  auto failing = good(map<std::uint64_t>(swarm, "unlucky", std::vector<std::uint64_t>{13}, one_copy));
  const auto all = failing.all();
  REQUIRE_FALSE(all.ok());
  CHECK(all.error().message == "unit 0: 13 brings bad luck");
}
