// Tasks that split themselves, whose outputs are combined on the way.
#include <filesystem>

#include "dugnad/picture_png.h"
#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

/// Wants sums below 100 of its units, and waits for each pair of them before it goes on.
class Choosy final : public tasks::Plan {
 public:
  [[nodiscard]] std::optional<Bytes> next() override {
    if (cut_ == 10 || cut_ - accepted_ == 2) return std::nullopt;
    return number(cut_++);
  }
  Result<void> accept(UnitIndex, ByteView output) override {
    const std::uint64_t n = number_in(output);
    if (n >= 100) return Error{"a number below 100 was asked for"};
    sum_ += n;
    ++accepted_;
    return {};
  }
  [[nodiscard]] bool exhausted() const override { return accepted_ == 10; }
  [[nodiscard]] std::optional<std::uint64_t> units_expected() const override { return 10; }
  [[nodiscard]] tasks::Answer answer() override { return {std::to_string(sum_), std::nullopt}; }

 private:
  std::uint64_t cut_ = 0, accepted_ = 0, sum_ = 0;
};

tasks::TaskTable choosy(std::uint64_t spoiled, std::uint64_t thrown) {
  auto table = test_tasks();
  auto task = task_of<std::uint64_t, std::uint64_t>("choosy", 1, [=](std::uint64_t n) {
    if (n == thrown) throw tasks::UnitFailed("no such number");
    return n == spoiled ? 1000 : n;
  });
  task.plan = [](const tasks::Parameters&) { return std::make_unique<Choosy>(); };
  table.add(std::move(task));
  return table;
}

}  // namespace

TEST_CASE("built-in tasks come to their published answers") {
  Swarm swarm = joined(alone());
  CHECK(good(good(swarm.run("nqueens", {{"n", 8}}, one_copy)).answer()).text == "92");
  CHECK(good(good(swarm.run("primes", {{"to", 1'000'000}}, one_copy)).answer()).text == "78498");
}

TEST_CASE("waves of units follow each other to the answer") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.run("golomb", {{"n", 10}}, one_copy));
  CHECK(good(job.answer()).text == "55");
  CHECK(job.progress().units_expected == job.progress().units_done);
}

TEST_CASE("a run job's results can be taken one by one before its answer") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.run("mandelbrot", {{"width", 300}, {"height", 200}}, one_copy));
  CHECK(rest_of(job).size() == 6);
  const tasks::Answer answer = good(job.answer());
  REQUIRE(answer.picture.has_value());
  CHECK(answer.picture->rgb.size() == 300u * 200 * 3);

  const Scratch scratch;
  const std::string path = scratch.file("picture.png");
  CHECK(write_png(*answer.picture, path).ok());
  CHECK(std::filesystem::file_size(path) > 1000);
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  const auto nowhere = write_png(*answer.picture, scratch.file("no/such/folder.png"));
  REQUIRE_FALSE(nowhere.ok());
  CHECK(contains(nowhere.error().message, "no/such/folder.png"));
}

TEST_CASE("a plan that waits for outputs gets them") {
  Swarm swarm = joined(alone(choosy(99, 99)));
  CHECK(good(good(swarm.run("choosy", {}, one_copy)).answer()).text == "45");
}

TEST_CASE("an output that the plan refuses fails its unit, and the job ends") {
  Swarm swarm = joined(alone(choosy(3, 99)));
  Job job = good(swarm.run("choosy", {}, one_copy));
  const auto answer = job.answer();
  REQUIRE_FALSE(answer.ok());
  CHECK(contains(answer.error().message, "there is no answer: 1 unit has failed; unit 3: its output is not what the task returns"));
  CHECK(good(job.end()).kind == EndKind::units_failed);
}

TEST_CASE("a plan that waits for a unit that has failed does not wait for ever") {
  Swarm swarm = joined(alone(choosy(99, 4)));
  Job job = good(swarm.run("choosy", {}, one_copy));
  const auto answer = job.answer();
  REQUIRE_FALSE(answer.ok());
  CHECK(contains(answer.error().message, "unit 4: no such number"));
}

TEST_CASE("a cancelled job has no answer") {
  Swarm swarm = joined(alone());
  Job job = good(swarm.run("nqueens", {{"n", 20}}, one_copy));
  job.cancel();
  const auto answer = job.answer();
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().message == "there is no answer: the job was cancelled");
}
