// The journal and the disk under it, as a user meets their faults.
#include <fstream>
#include <iterator>

#include "tests/e2e/own_disk.h"
#include "tests/e2e/turnstile.h"

namespace dugnad::e2e {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void put_content(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  REQUIRE(out.flush());
}

/// One line on standard error that has all of `parts`, and this exit code.
void check_says(Process program, int code, const std::vector<std::string>& parts) {
  CHECK_MESSAGE(program.exit_code() == code, program.story());
  const std::string& said = program.err();
  CHECK_MESSAGE(std::count(said.begin(), said.end(), '\n') == 1, program.story());
  for (const std::string& part : parts) CHECK_MESSAGE(said.find(part) != said.npos, "\"" << part << "\" is missing\n" << program.story());
}

Process on_its_own_disk(const std::string& directory, const std::string& prepare, const Words& command) {
  return finished(with_own_disk(directory, "1m", prepare, command));
}

TEST_CASE("a full disk and a read-only one are said in one line each by every program") {
  if (!namespaces_here()) {
    MESSAGE("not looked at: there are no user and mount namespaces to be had here");
    return;
  }
  const Place place;
  const std::string directory = place / "disk";
  std::filesystem::create_directory(directory);
  const Words data{"--data", directory};
  const std::string full = "dd if=/dev/zero of=\"$0\"/fill bs=4k 2>/dev/null ; true", nearly_full = full + " ; truncate -s -8k \"$0\"/fill";
  const std::string read_only = "mount -o remount,ro \"$0\"";
  const std::string nobody = "tcp://127.0.0.1:9/" + std::string(64, '1') + "/" + std::string(64, '2');
  const Words submit =
      Words{program("dugnad"), "submit"} + words("primes --to 1000 --copies 1 --listen tcp://127.0.0.1:0 --join " + nobody) + data;
  const Words worker = Words{program("dugnad-worker")} + words("--listen tcp://127.0.0.1:0") + data;
  for (const Words& program : {submit, worker}) {
    check_says(on_its_own_disk(directory, full, program), 1, {directory, "no space left on device"});
    check_says(on_its_own_disk(directory, nearly_full, program), 1, {directory, "the disk is full; make room there"});
    check_says(on_its_own_disk(directory, read_only, program), 1, {directory, "read-only file system; choose another with --data"});
  }
  for (const std::string& command : {std::string("jobs --repair"), "submit --resume " + std::string(64, 'a')}) {
    check_says(on_its_own_disk(directory, read_only, Words{program("dugnad")} + words(command) + data), 1,
               {directory, "read-only file system"});
  }
  check_says(on_its_own_disk(directory, read_only, Words{program("dugnad"), "jobs"} + data), 0, {"no jobs yet"});
  for (const char* command : {"status 12ab", "results 12ab", "cancel 12ab", "submit --resume 12ab"}) {
    check_says(on_its_own_disk(directory, read_only, Words{program("dugnad")} + words(command) + data), 2, {"has no job 12ab"});
  }
}

TEST_CASE("jobs that are over or interrupted are read from a data directory that nobody can write to") {
  if (!namespaces_here()) {
    MESSAGE("not looked at: there are no user and mount namespaces to be had here");
    return;
  }
  const Place place;
  Worker quick = start_worker(place, "quick");
  const auto ends_well = [&](const std::string& submitter) {
    Process ended(submit(place, "nqueens --n 9 --copies 1", {"--join", quick.contact, "--json"}, submitter));
    const std::string id = event(ended, "started")["job"];
    answers(ended, "352");
    return id;
  };
  const std::string done = ends_well("closed"), also_done = ends_well("killed");
  quick.process.signal(SIGTERM);
  REQUIRE(quick.process.exit_code() == 0);
  std::string interrupted;
  {
    const Turnstile turnstile(place, 4);
    const Worker held = start(turnstile.behind(worker(place, "held")));
    Process submitter(submit(place, "primes --to 10000000000 --copies 1", {"--join", held.contact, "--local", "0", "--json"}, "killed"));
    interrupted = event(submitter, "started")["job"];
    middle(submitter);
    submitter.signal(SIGKILL);
    REQUIRE(submitter.exit_code());
  }
  const std::string disk = place / "disk";
  std::filesystem::create_directory(disk);
  const auto read_only = [&](const std::string& submitter, const std::string& command) {
    const std::string copied = "cp -a \"" + place / submitter + "/.\" \"$0\" && mount -o remount,ro \"$0\"";
    Process process = finished(with_own_disk(disk, "64m", copied, Words{program("dugnad")} + words(command) + Words{"--data", disk}));
    return process;
  };
  struct Expected {
    std::string submitter, command;
    int code;
    std::string says;
  };
  for (const Expected& expected : std::vector<Expected>{
           {"closed", "jobs --json", 0, "\"job\":\"" + done + "\""},
           {"closed", "status " + done, 0, "done"},
           {"closed", "results " + done, 0, "352"},
           {"killed", "jobs --json", 0, "\"job\":\"" + interrupted + "\""},
           {"killed", "jobs --json", 0, "\"job\":\"" + also_done + "\""},
           {"killed", "status " + interrupted, 0, "unfinished"},
           {"killed", "results " + also_done, 0, "352"},
           {"killed", "audit " + also_done, 0, "confirmed"},
       }) {
    Process process = read_only(expected.submitter, expected.command);
    CHECK_MESSAGE(process.exit_code() == expected.code, process.story());
    CHECK_MESSAGE(process.says(expected.says), process.story());
  }
  check_says(read_only("killed", "cancel " + interrupted), 1, {"read-only file system"});
  std::filesystem::remove(place / "killed/submitter.journal-shm");  // as where only the journal and its log were copied
  check_says(read_only("killed", "jobs"), 1, {"its log lacks its index", "copy the directory to where you can write"});
}

TEST_CASE("a damaged journal is said in one line and left as it is; repaired, its job goes on to the right answer") {
  const Place place;
  const Turnstile turnstile(place, 30);  // of 38
  const Worker one = start(turnstile.behind(worker(place, "one")));
  const Worker two = start(turnstile.behind(worker(place, "two", {"--join", one.contact})));
  std::string job;
  {
    Process submitter(submit(place, long_job_by_copies, {"--join", one.contact, "--local", "0", "--json"}));
    job = event(submitter, "started")["job"];
    (void)event(submitter, "progress", [](const Json& now) { return now["units_done"] > 20; });
    submitter.signal(SIGKILL);
    REQUIRE(submitter.exit_code());
  }
  turnstile.open();
  const std::string journal = place / "submitter/submitter.journal", log = journal + "-wal";
  std::string bytes = content_of(log);
  REQUIRE(bytes.size() > 20 * 4096);
  for (std::size_t at = 9 * 4096; at < 9 * 4096 + 300; ++at) bytes[at] = static_cast<char>(at);
  put_content(log, bytes);
  const std::string before = content_of(journal);

  const std::vector<std::string> says{"submitter.journal", "is damaged", "dugnad jobs --repair --data " + place / "submitter"};
  const Words data{"--data", place / "submitter"};
  for (const Words& command : {words("jobs"), words("status") + Words{job}, words("results") + Words{job}, words("cancel") + Words{job}}) {
    check_says(finished(Words{program("dugnad")} + command + data), 1, says);
  }
  check_says(finished(Words{program("dugnad"), "submit", "--resume", job, "--join", one.contact} + data), 1, says);
  CHECK((content_of(log) == bytes));
  CHECK((content_of(journal) == before));

  Process repair = finished(Words{program("dugnad"), "jobs", "--repair"} + data);
  CHECK_MESSAGE(repair.exit_code() == 0, repair.story());
  CHECK_MESSAGE(repair.says("kept as " + journal + ".damaged-1"), repair.story());
  CHECK_MESSAGE(repair.says(job.substr(0, 8)), repair.story());
  CHECK((content_of(journal + ".damaged-1-wal") == bytes));

  Process resumed(Words{program("dugnad"), "submit", "--resume", job, "--join", one.contact, "--local", "0", "--json"} + data);
  const Json end = answers(resumed, long_answer);
  CHECK_MESSAGE(end["units_resumed"] > 0, resumed.story());
}

}  // namespace
}  // namespace dugnad::e2e
