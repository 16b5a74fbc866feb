// Large outputs on their way to files: more than the cache holds, and a cache that somebody deletes.
#include "tests/e2e/own_disk.h"
#include "tests/e2e/shouting.h"

namespace dugnad::e2e {
namespace {

namespace fs = std::filesystem;

std::size_t written_in(const std::string& directory) {
  const auto files = fs::directory_iterator(directory);
  return static_cast<std::size_t>(std::count_if(begin(files), end(files), [](const auto& file) { return file.path().extension() == ".out"; }));
}

std::uint64_t bytes_in(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(directory)) bytes += fs::file_size(file.path());
  return bytes;
}

/// So many more outputs are in their files.
void await_outputs(Process& submitter, int count) {
  for (int i = 0; i < count; ++i) event(submitter, "output");
}

/// At once, since its program goes on putting something there.
void delete_cache(const Place& place, const std::string& name) {
  const std::string gone = place / (name + ".gone");
  std::error_code ignored;
  fs::remove_all(gone, ignored);
  fs::rename(place / (name + "/blobs"), gone);
  fs::remove_all(gone, ignored);
}

void check_ended_well(Process& submitter, const Json& end) {
  CHECK_MESSAGE(end["exit"] == 0, submitter.story());
  CHECK_MESSAGE(submitter.exit_code() == 0, submitter.story());
}

}  // namespace

TEST_CASE("a job with several times more output than the cache holds is killed and resumed: nothing accepted is computed again, nor written") {
  const Place place;
  constexpr std::size_t files = 240, file_bytes = 1'000'000;  // three and a half times the cache, and as much again of inputs
  const Shouting shouting(place, files, file_bytes);
  const Worker one = start_worker(place, "one", {"--allow", "any"});
  const Words options = shouting.out() + Words{"--join", one.contact} + words("--local 0 --cache 64M --upload 40M --json");
  std::string job;
  {
    Process first(submit(place, shouting.guest(), shouting.source() + words("--copies 1") + options));
    job = event(first, "started")["job"];
    await_outputs(first, 150);
    first.signal(SIGKILL);
    REQUIRE(first.exit_code() == -SIGKILL);
  }
  const std::size_t written = written_in(place / "out");
  CHECK(written >= 150);
  CHECK(written < files);
  CHECK(bytes_in(place / "submitter/blobs") < written * file_bytes);  // so that some are in the files alone
  const auto date = fs::last_write_time(shouting.output(0));

  Process second(submit(place, "", Words{"--resume", job} + options));
  const Json end = event(second, "end");
  check_ended_well(second, end);
  CHECK_FALSE_MESSAGE(second.err().find("gone from the cache") != std::string::npos, second.story());
  const auto resumed = end["units_resumed"].get<std::uint64_t>(), attempts = end["attempts"].get<std::uint64_t>();
  MESSAGE(written << " outputs were written when the submitter died, " << resumed << " units accepted, " << attempts << " computed since");
  CHECK(resumed >= written);
  CHECK(resumed + attempts <= files);  // fewer by the results that the first run had counted, and had not yet accepted: nobody computes them again
  CHECK(fs::last_write_time(shouting.output(0)) == date);
  shouting.check_outputs();
}

TEST_CASE("a worker's cache that is deleted while it computes costs a few fetches, and nothing else") {
  const Place place;
  const Shouting shouting(place, 100, 600'000);
  const Worker one = start_worker(place, "one", {"--allow", "any"});
  Process submitter(submit(place, shouting.guest(), shouting.source() + shouting.out() + Words{"--join", one.contact} +
                                                        words("--copies 1 --local 0 --upload 12M --json")));
  for (int i = 0; i < 2; ++i) {
    await_outputs(submitter, 25);
    delete_cache(place, "one");
  }
  const Json end = event(submitter, "end");
  check_ended_well(submitter, end);
  shouting.check_outputs();
}

TEST_CASE("a submitter's cache that is deleted while its job runs is said in one line, and interrupted and resumed the job ends well") {
  const Place place;
  const Shouting shouting(place, 100, 600'000);
  const Worker one = start_worker(place, "one", {"--allow", "any"});
  const Words options = shouting.out() + Words{"--join", one.contact} + words("--local 0 --upload 6M --json");
  Process submitter(submit(place, shouting.guest(), shouting.source() + words("--copies 1") + options));
  const std::string job = event(submitter, "started")["job"];
  await_outputs(submitter, 20);
  delete_cache(place, "submitter");
  const Json trouble = event(submitter, "trouble");
  CHECK_MESSAGE(trouble["line"].get<std::string>().find("interrupt the job and resume it") != std::string::npos, submitter.story());
  submitter.signal(SIGINT);
  CHECK_MESSAGE(submitter.exit_code() == 130, submitter.story());
  const std::size_t written = written_in(place / "out");
  CHECK(written >= 20);

  Process again(submit(place, "", Words{"--resume", job} + options));
  const Json end = event(again, "end");
  check_ended_well(again, end);
  CHECK(end["units_resumed"] >= written);
  shouting.check_outputs();
}

TEST_CASE("where the disk of the outputs is full that is one line, and with room for them the job goes on without computing any of them again") {
  if (!namespaces_here()) {
    MESSAGE("not looked at: there are no user and mount namespaces to be had here");
    return;
  }
  const Place place;
  constexpr std::size_t files = 60, file_bytes = 600'000;
  const Shouting shouting(place, files, file_bytes);
  fs::create_directory(place / "out");
  const Worker one = start_worker(place, "one", {"--allow", "any"});
  const Words options = shouting.out() + Words{"--join", one.contact} + words("--local 0 --json");
  const Words command = submit(place, shouting.guest(), shouting.source() + words("--copies 1") + options);
  Process first(with_own_disk(place / "out", "12m", "true", command));
  const std::string job = event(first, "started")["job"];
  const auto computed_first = event(first, "end")["attempts"].get<std::size_t>();
  CHECK_MESSAGE(first.exit_code() == 1, first.story());
  CHECK_MESSAGE(std::count(first.err().begin(), first.err().end(), '\n') == 1, first.story());
  for (const std::string& part : {place / "out/0000", std::string("no space left on device; nothing accepted is lost: dugnad submit --resume")}) {
    CHECK_MESSAGE(first.err().find(part) != std::string::npos, first.story());
  }

  Process second(submit(place, "", Words{"--resume", job} + options));
  const Json end = event(second, "end");
  check_ended_well(second, end);
  CHECK(end["units_resumed"] >= 15);
  // Nothing accepted is computed again. What the first run had counted and not accepted is in neither of these, and seldom computed again.
  CHECK(end["units_resumed"].get<std::size_t>() + end["attempts"].get<std::size_t>() <= files);
  CHECK(computed_first + end["attempts"].get<std::size_t>() >= files);
  shouting.check_outputs();
}

}  // namespace dugnad::e2e
