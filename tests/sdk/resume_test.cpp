// A job that was interrupted goes on where it stood.
#include <filesystem>
#include <map>
#include <mutex>
#include <numeric>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/store/store.h"
#include "tests/sdk/swarms.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

struct Interrupted {
  std::string id;
  std::vector<std::uint64_t> delivered;
};

/// Takes `enough` results of a job, and leaves the swarm while the donor is held up in the next unit.
template <class Begin>
Interrupted interrupt(const Scratch& scratch, Turnstile& turnstile, const tasks::TaskTable& table, std::size_t enough, const Begin& begin) {
  auto helper = donor(table);
  SwarmOptions options = alone_in(scratch, table);
  options.join = {helper->contact()};
  options.local = 0;
  std::optional<Swarm> swarm = joined(std::move(options));
  Job job = begin(*swarm);
  Interrupted interrupted{job.id(), {}};
  turnstile.let_in(enough);
  while (interrupted.delivered.size() < enough) {
    const auto result = job.next();
    REQUIRE(result.has_value());
    interrupted.delivered.push_back(result->unit);
  }
  turnstile.wait_for_somebody_to_wait();
  helper->stop();
  helper->wait();
  turnstile.let_in(everybody);
  helper.reset();
  swarm.reset();
  REQUIRE(good(job.end()).kind == EndKind::swarm_left);
  return interrupted;
}

/// Ten units of the turnstile, added up.
class Sum final : public tasks::Plan {
 public:
  [[nodiscard]] std::optional<Bytes> next() override { return exhausted() ? std::nullopt : std::optional(number(next_++)); }
  Result<void> accept(UnitIndex, ByteView output) override {
    sum_ += number_in(output);
    return {};
  }
  [[nodiscard]] bool exhausted() const override { return next_ == 10; }
  [[nodiscard]] std::optional<std::uint64_t> units_expected() const override { return 10; }
  [[nodiscard]] tasks::Answer answer() override { return {std::to_string(sum_), std::nullopt}; }

 private:
  std::uint64_t next_ = 0, sum_ = 0;
};

tasks::TaskTable summing(Turnstile& turnstile) {
  auto table = test_tasks(&turnstile);
  tasks::Task task = *table.find("turnstile");
  task.plan = [](const tasks::Parameters&) { return std::make_unique<Sum>(); };
  table.add(std::move(task));
  return table;
}

}  // namespace

TEST_CASE("the same call takes an interrupted job up, and computes nothing again that was accepted") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = test_tasks(&turnstile);
  const auto begin = [](Swarm& swarm) { return good(swarm.map("turnstile", numbers(100), one_copy)); };
  const auto [id, delivered] = interrupt(scratch, turnstile, table, 40, begin);

  Swarm swarm = joined(alone_in(scratch, table));
  Job job = begin(swarm);
  CHECK(job.id() == id);
  const auto results = rest_of(job);
  REQUIRE(results.size() == 100);
  for (const UnitResult& result : results) CHECK(number_in(result.output) == result.unit * result.unit);
  const Progress progress = job.progress();
  CHECK(progress.units_resumed == 40);
  CHECK(progress.units_done == 100);
  CHECK(progress.attempts == 60);
  for (const std::uint64_t unit : delivered) CHECK(turnstile.executions(unit) == 1);
  CHECK(good(job.end()).kind == EndKind::complete);

  Job again = begin(swarm);
  CHECK(again.id() != id);
  CHECK(rest_of(again).size() == 100);
  CHECK(again.progress().units_resumed == 0);
}

TEST_CASE("each run of a job delegates later than the one before, also where the clock was put back between them") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = test_tasks(&turnstile);
  const auto begin = [](Swarm& swarm) { return good(swarm.map("turnstile", numbers(10), one_copy)); };
  const auto interrupted = interrupt(scratch, turnstile, table, 4, begin);
  const JobId id = JobId::from_hex(interrupted.id).value();
  const auto papers = [&] {
    const auto store = store::Store::open(scratch.path() + "/submitter.journal");
    REQUIRE(store.ok());
    return (*store)->papers(id).value().value();
  };

  PapersRow earlier = papers();
  core::Delegation delegation = core::decode_delegation(earlier.delegation).value();
  const std::uint64_t ahead = std::uint64_t{1} << 50;  // of a run whose clock was ahead of this one, by some centuries
  delegation.epoch = ahead;
  earlier.delegation = core::encode(delegation);
  {
    const auto store = store::Store::open(scratch.path() + "/submitter.journal");
    REQUIRE(store.ok());
    (*store)->write({1}, {earlier});
  }
  {
    Swarm swarm = joined(alone_in(scratch, table));
    Job job = begin(swarm);
    CHECK(job.id() == interrupted.id);
    CHECK(rest_of(job).size() == 10);
  }
  CHECK(core::decode_delegation(papers().delegation).value().epoch == ahead + 1);
}

TEST_CASE("other inputs, other options or no wish to resume make a new job") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = test_tasks(&turnstile);
  const auto [id, delivered] =
      interrupt(scratch, turnstile, table, 10, [](Swarm& swarm) { return good(swarm.map("turnstile", numbers(50), one_copy)); });
  Swarm swarm = joined(alone_in(scratch, table));
  for (Job job : {good(swarm.map("turnstile", numbers(51), one_copy)), good(swarm.map("square", numbers(50), one_copy)),
                  good(swarm.map("turnstile", numbers(50), {.copies = 1, .resume = false})),
                  good(swarm.map("turnstile", numbers(50), {.copies = 1, .unit_timeout = std::chrono::seconds(7)}))}) {
    CHECK(job.id() != id);
    CHECK(rest_of(job).size() >= 50);
    CHECK(job.progress().units_resumed == 0);
  }
}

TEST_CASE("a unit whose input has changed meanwhile is computed again") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = test_tasks(&turnstile);
  const auto stream = [](std::uint64_t changed) {
    return [changed, n = std::uint64_t{0}]() mutable -> std::optional<Bytes> {
      if (n == 30) return std::nullopt;
      const std::uint64_t unit = n++;
      return number(unit == changed ? 1000 : unit);
    };
  };
  const auto [id, delivered] =
      interrupt(scratch, turnstile, table, 20, [&](Swarm& swarm) { return good(swarm.map("turnstile", stream(everybody), one_copy)); });
  const std::uint64_t changed = *std::max_element(delivered.begin(), delivered.end());  // not the first, which tells the job
  Swarm swarm = joined(alone_in(scratch, table));
  Job job = good(swarm.map("turnstile", stream(changed), one_copy));
  CHECK(job.id() == id);
  const auto results = rest_of(job);
  REQUIRE(results.size() == 30);
  CHECK(number_in(results[changed].output) == 1'000'000);
  CHECK(turnstile.executions(1000) == 1);
  CHECK(job.progress().units_resumed == 19);
}

TEST_CASE("an interrupted run goes on under its id, and its answer counts every unit once") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = summing(turnstile);
  const auto [id, delivered] = interrupt(scratch, turnstile, table, 4, [](Swarm& swarm) { return good(swarm.run("turnstile", {}, one_copy)); });

  Swarm swarm = joined(alone_in(scratch, table));
  Job job = good(swarm.resume(id));
  CHECK(job.id() == id);
  CHECK(good(job.answer()).text == "285");
  CHECK(job.progress().units_resumed == 4);
  CHECK_FALSE(swarm.resume(id).ok());
}

TEST_CASE("two swarms from one data directory are two peers, and do not take up each other's running jobs") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = test_tasks(&turnstile);
  Swarm first = joined(alone_in(scratch, table));
  Swarm second = joined(alone_in(scratch, table));
  CHECK(first.contact() != second.contact());
  Job running = good(first.map("turnstile", numbers(10), one_copy));
  turnstile.wait_for_somebody_to_wait();
  Job same = good(second.map("turnstile", numbers(10), one_copy));
  CHECK(same.id() != running.id());
  const auto taken = second.resume(running.id());
  CHECK_FALSE(taken.ok());
  turnstile.let_in(everybody);
  CHECK(rest_of(running).size() == 10);
  CHECK(rest_of(same).size() == 10);
}

namespace {

Bytes bulky_output(std::uint64_t unit) {
  Bytes output(120'000, 5);
  const Bytes first = number(unit);
  std::copy(first.begin(), first.end(), output.begin());
  return output;
}

/// 100,000 bytes in, 120,000 out, through the turnstile.
tasks::TaskTable bulky(Turnstile& turnstile) {
  auto table = test_tasks(&turnstile);
  table.add({.name = "bulky",
             .version = 1,
             .help = "",
             .parameters = {},
             .run =
                 [&turnstile](ByteView input, const tasks::StopToken&) {
                   turnstile.enter(number_in(input.first(8)));
                   return bulky_output(number_in(input.first(8)));
                 },
             .plan = {},
             .check = {}});
  return table;
}

std::vector<Bytes> bulky_inputs(std::uint64_t count) {
  std::vector<Bytes> inputs = numbers(count);
  for (Bytes& input : inputs) input.resize(100'000, 3);
  return inputs;
}

/// How many files of that kind the cache has of outputs that were accepted.
std::size_t kept_in(const std::string& blobs, store::KeptOutputs::Kind kind) {
  const auto files = std::filesystem::directory_iterator(blobs);
  return static_cast<std::size_t>(std::count_if(begin(files), end(files), [&](const auto& file) {
    return store::KeptOutputs::kind_of(file.path().filename().string()) == kind;
  }));
}

/// The units of which it was said that their output is gone.
std::vector<std::uint64_t> gone_of(Job& job) {
  std::vector<std::uint64_t> gone;
  job.on_notice([&gone](const Notice& notice) {
    if (notice.kind == Notice::Kind::output_gone) gone.push_back(notice.unit);
  });
  job.on_notice({});
  return gone;
}

void check_bulky(const std::vector<UnitResult>& results, std::size_t count) {
  REQUIRE(results.size() == count);
  for (const UnitResult& result : results) {
    REQUIRE(result.output.size() == 120'000);
    CHECK(number_in(ByteView(result.output).first(8)) == result.unit);
  }
}

}  // namespace

TEST_CASE("large outputs that were accepted before an interruption come from the disk") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = bulky(turnstile);
  const auto begin = [](Swarm& swarm) { return good(swarm.map("bulky", bulky_inputs(30), one_copy)); };
  const auto [id, delivered] = interrupt(scratch, turnstile, table, 12, begin);
  Swarm swarm = joined(alone_in(scratch, table));
  Job job = begin(swarm);
  CHECK(job.id() == id);
  check_bulky(rest_of(job), 30);
  CHECK(job.progress().units_resumed == 12);
  for (const std::uint64_t unit : delivered) CHECK(turnstile.executions(unit) == 1);
}

TEST_CASE("where a cache has no room for all large inputs of a job with stewards, that is said, once, and the job goes on") {
  struct Case {
    unsigned stewards;
    std::uint64_t units;
    std::size_t said;
  };
  // A quarter of 64 MiB has room for 167 of them.
  for (const Case& expected : {Case{1, 400, 1}, Case{1, 100, 0}, Case{0, 400, 0}}) {
    const Scratch scratch;
    Turnstile turnstile;
    turnstile.let_in(everybody);
    SwarmOptions options = alone_in(scratch, bulky(turnstile));
    options.cache = 64 << 20;
    Swarm swarm = joined(std::move(options));
    JobOptions wanted = one_copy;
    wanted.stewards = expected.stewards;
    Job job = good(swarm.map("bulky", bulky_inputs(expected.units), wanted));
    check_bulky(rest_of(job), expected.units);
    std::size_t said = 0;
    job.on_notice([&said](const Notice& notice) { said += notice.kind == Notice::Kind::inputs_wait; });
    CHECK(said == expected.said);
    job.on_notice({});
  }
}

TEST_CASE("they are there also where others have filled the cache since, and nothing is kept of the job once it is over") {
  const Scratch scratch;
  const std::string blobs = scratch.path() + "/blobs";
  Turnstile turnstile;
  const auto table = bulky(turnstile);
  const auto begin = [](Swarm& swarm) { return good(swarm.map("bulky", bulky_inputs(30), one_copy)); };
  const auto [id, delivered] = interrupt(scratch, turnstile, table, 12, begin);
  for (const auto& file : std::filesystem::directory_iterator(blobs)) {
    std::filesystem::last_write_time(file.path(), std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
  auto files = store::files_in(blobs);
  REQUIRE(files);
  store::BlobStore others(*std::move(files), 12 * 120'000 + 250'000);
  for (std::uint8_t i = 0; i < 30; ++i) {
    const auto put = others.put(Bytes(100'000, static_cast<std::uint8_t>(100 + i)));
    REQUIRE(put);
    others.unpin(*put);
  }
  {
    Swarm swarm = joined(alone_in(scratch, table));
    Job job = begin(swarm);
    CHECK(job.id() == id);
    check_bulky(rest_of(job), 30);
    CHECK(job.progress().units_resumed == 12);
    for (const std::uint64_t unit : delivered) CHECK(turnstile.executions(unit) == 1);
  }
  for (const auto& file : std::filesystem::directory_iterator(blobs)) {
    CHECK(store::KeptOutputs::kind_of(file.path().filename().string()) == store::KeptOutputs::Kind::none);
  }
}

TEST_CASE("outputs that the program has stored are not computed again, whatever the cache has lost, unless they are not what was accepted") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = bulky(turnstile);
  std::mutex mutex;
  std::map<std::uint64_t, Bytes> stored;
  JobOptions options = one_copy;
  options.stored_output = [&](std::uint64_t unit) {
    const std::lock_guard lock(mutex);
    const auto at = stored.find(unit);
    return at == stored.end() ? std::nullopt : std::optional(at->second);
  };
  const auto begin = [&](Swarm& swarm) { return good(swarm.map("bulky", bulky_inputs(30), options)); };
  const auto [id, delivered] = interrupt(scratch, turnstile, table, 12, begin);
  REQUIRE(delivered.size() == 12);
  // Nobody has said that they are stored: the cache keeps them for a resumption, whatever others put there.
  using Kind = store::KeptOutputs::Kind;
  const std::string blobs = scratch.path() + "/blobs";
  CHECK(kept_in(blobs, Kind::untaken) == 12);
  CHECK(kept_in(blobs, Kind::read) == 0);
  std::filesystem::remove_all(blobs);

  const std::uint64_t changed = delivered[3], cut_off = delivered[5], moved = delivered[7];
  for (const std::uint64_t unit : delivered) stored[unit] = bulky_output(unit);
  stored[changed].back() ^= 1;
  stored[cut_off].pop_back();
  stored.erase(moved);
  Swarm swarm = joined(alone_in(scratch, table));
  Job job = begin(swarm);
  CHECK(job.id() == id);
  std::vector<UnitResult> results;
  while (auto result = job.next()) {
    if (results.size() == 29) CHECK(kept_in(blobs, Kind::untaken) >= 30 - 9);
    results.push_back(*std::move(result));
  }
  std::sort(results.begin(), results.end(), [](const auto& a, const auto& b) { return a.unit < b.unit; });
  check_bulky(results, 30);
  CHECK(job.progress().units_resumed == 9);
  for (const UnitResult& result : results) {
    const bool again = result.unit == changed || result.unit == cut_off || result.unit == moved;
    const bool before = std::find(delivered.begin(), delivered.end(), result.unit) != delivered.end();
    if (before) CHECK(turnstile.executions(result.unit) == (again ? 2 : 1));
    CHECK(result.earlier == (before && !again));
  }
  CHECK(gone_of(job).size() == 1);
  std::vector<std::uint64_t> all(30);
  std::iota(all.begin(), all.end(), std::uint64_t{0});
  job.stored(all);
  CHECK(kept_in(blobs, Kind::untaken) == 0);
}

TEST_CASE("those that the disk has lost since are computed again, and that is said once") {
  const Scratch scratch;
  Turnstile turnstile;
  const auto table = bulky(turnstile);
  const auto begin = [](Swarm& swarm) { return good(swarm.map("bulky", bulky_inputs(30), one_copy)); };
  const auto [id, delivered] = interrupt(scratch, turnstile, table, 12, begin);
  std::filesystem::remove_all(scratch.path() + "/blobs");
  Swarm swarm = joined(alone_in(scratch, table));
  Job job = begin(swarm);
  CHECK(job.id() == id);
  check_bulky(rest_of(job), 30);
  CHECK(job.progress().units_resumed == 0);
  CHECK(gone_of(job) == std::vector<std::uint64_t>{*std::min_element(delivered.begin(), delivered.end())});
  for (const std::uint64_t unit : delivered) CHECK(turnstile.executions(unit) == 2);
}
