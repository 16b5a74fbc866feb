// The journal and the disk under it, as a user meets their faults.
#include <fstream>
#include <iterator>

#include "tests/e2e/swarm.h"

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

TEST_CASE("a damaged journal is said in one line and left as it is; repaired, its job goes on to the right answer") {
  const Place place;
  const Worker one = start_worker(place, "one");
  const Worker two = start_worker(place, "two", {"--join", one.contact});
  std::string job;
  {
    Process submitter(submit(place, long_job_by_copies, {"--join", one.contact, "--local", "0", "--json"}));
    job = event(submitter, "started")["job"];
    (void)event(submitter, "progress", [](const Json& now) { return now["units_done"] > 20; });
    submitter.signal(SIGKILL);
    REQUIRE(submitter.exit_code());
  }
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
