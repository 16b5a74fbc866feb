// `dugnad audit`: what a finished job's journal, or a file from it, proves to whoever was not there.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

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

Process audit(const Words& arguments, int code = 0) {
  Process process = finished(Words{program("dugnad"), "audit"} + arguments);
  CHECK_MESSAGE(process.exit_code() == code, process.story());
  return process;
}

Json audited(const Words& arguments) { return Json::parse(audit(arguments + Words{"--json"}).out()); }

void check_one_line(const Process& process) {
  CHECK_MESSAGE(std::count(process.err().begin(), process.err().end(), '\n') == 1, process.story());
  CHECK_MESSAGE(process.out().empty(), process.story());
}

}  // namespace

TEST_CASE("a confidence is reached beside a liar, which is proven wrong, and an audit confirms it offline") {
  const Place place;
  std::string job;
  std::string liar_id;
  {
    const Worker liar = start_worker(place, "liar", {}, "lying_worker");
    liar_id = liar.id();
    Process submitter(submit(place, "primes --to 1000000000", {"--join", liar.contact, "--confidence", "0.99", "--json"}));
    const Json started = event(submitter, "started");
    job = started["job"];
    CHECK(started["confidence"] == 0.99);
    CHECK(event(submitter, "cost")["quiet"] > 1);
    const Worker first = start_worker(place, "first", {"--join", liar.contact});
    const Worker second = start_worker(place, "second", {"--join", liar.contact});
    const Worker third = start_worker(place, "third", {"--join", liar.contact});
    CHECK_MESSAGE(event(submitter, "convicted")["peer"] == liar_id, submitter.story());
    const Json end = answers(submitter, "50847534");
    CHECK_MESSAGE(end["confidence_reached"] >= 0.99, submitter.story());
    CHECK_MESSAGE(end["convicted"].size() == 1, submitter.story());
  }
  const Words journal{job.substr(0, 16), "--data", place / "submitter"};
  const Json all = audited(journal);
  CHECK(all["holds"] == true);
  CHECK(all["confirmed"] == all["units"]);
  CHECK(all["forged"] == 0);
  for (const Json& donor : all["donors"]) CHECK((donor["differ"] > 0) == (donor["peer"] == liar_id));
  audit(journal + Words{"--export", place / "evidence"});
  CHECK(audited({place / "evidence"})["holds"] == true);
}

TEST_CASE("a task that can check its results names the liar by them, and an audit says that each was checked, and checks again") {
  const Place place;
  std::string job;
  std::string liar_id;
  {
    const Worker liar = start_worker(place, "liar", {}, "lying_worker");
    liar_id = liar.id();
    Process submitter(submit(place, "factors --from 1000000000000 --count 10000", {"--join", liar.contact, "--json"}));
    job = event(submitter, "started")["job"];
    CHECK(event(submitter, "cost")["checked"] == true);
    const Worker honest = start_worker(place, "honest", {"--join", liar.contact});
    CHECK_MESSAGE(event(submitter, "convicted")["peer"] == liar_id, submitter.story());
    const Json end = answers(submitter, "1319 semiprimes, the hardest 1000000001713 = 991909 * 1008157");
    CHECK_MESSAGE(end["confidence_reached"] == 1, submitter.story());
    CHECK_MESSAGE(end["convicted"].size() == 1, submitter.story());
  }
  const Words journal{job.substr(0, 16), "--data", place / "submitter"};
  const Json all = audited(journal + Words{"--recompute", "10"});
  CHECK(all["holds"] == true);
  CHECK(all["stated"]["checked"] == true);
  CHECK(all["recomputed"]["units"] == 10);
  CHECK(all["confirmed"] == all["units"]);
  for (const Json& donor : all["donors"]) CHECK((donor["differ"] > 0) == (donor["peer"] == liar_id));
  const Process said = audit(journal + Words{"--recompute", "10"});
  CHECK_MESSAGE(said.out().find("each result was checked by the task's own check") != std::string::npos, said.out());
  CHECK_MESSAGE(said.out().find("checked again here: 10 units, alike") != std::string::npos, said.out());
}

TEST_CASE("an audit confirms a job offline and names the liar, for its owner and for a stranger with the file") {
  const Place place;
  std::string job;
  std::string liar_id;
  {
    const Worker honest = start_worker(place, "honest");
    const Worker liar = start_worker(place, "liar", {"--join", honest.contact}, "lying_worker");
    liar_id = liar.id();
    Process submitter(submit(place, "primes --to 1000000000", {"--join", honest.contact, "--copies", "2", "--local", "0", "--json"}));
    job = event(submitter, "started")["job"];
    event(submitter, "progress", [](const Json& now) { return now["attempts"] >= 2; });
    const Worker second = start_worker(place, "second", {"--join", honest.contact});
    const Worker third = start_worker(place, "third", {"--join", honest.contact});
    answers(submitter, "50847534");
  }
  const Words journal{job.substr(0, 16), "--data", place / "submitter"};
  const Json all = audited(journal);
  CHECK(all["holds"] == true);
  CHECK(all["units"] > 0);
  CHECK(all["confirmed"] == all["units"]);
  CHECK(all["own"] == 0);
  CHECK(all["forged"] == 0);
  REQUIRE(!all["outvoted"].empty());
  for (const Json& outvoted : all["outvoted"]) CHECK(outvoted["peer"] == liar_id);
  for (const Json& donor : all["donors"]) CHECK((donor["differ"] > 0) == (donor["peer"] == liar_id));
  const Process told = audit(journal);
  CHECK_MESSAGE(told.out().find("donor " + liar_id + " was outvoted at unit") != std::string::npos, told.story());
  CHECK_MESSAGE(told.out().find("\nconfirmed: ") != std::string::npos, told.story());

  const std::string unit = all["outvoted"][0]["unit"].dump();
  const Process why = audit(journal + Words{"--unit", unit});
  for (const char* part : {"agrees", "differs", "believed because 2 donors signed it; the job asks for 2 peers"}) {
    CHECK_MESSAGE(why.out().find(part) != std::string::npos, why.story());
  }
  const Json closely = audited(journal + Words{"--unit", unit});
  std::set<std::string> agreeing;
  for (const Json& result : closely["results"]) {
    if (result["says"] == "agrees") agreeing.insert(result["peer"]);
    CHECK((result["says"] == "differs") == (result["peer"] == liar_id));
  }
  CHECK(agreeing.size() == 2);

  const std::string file = place / "proof.dug";
  const Process exported = audit(journal + Words{"--export", file});
  CHECK_MESSAGE(exported.err().find("wrote " + file) != std::string::npos, exported.story());
  const Words stranger{file, "--data", place / "stranger"};
  Json read = audited(stranger + words("--recompute 3"));
  CHECK(read["recomputed"]["units"] == 3);
  CHECK(read["recomputed"]["differing"].empty());
  read.erase("recomputed");
  CHECK(read == all);
  CHECK_FALSE(std::filesystem::exists(place / "stranger"));

  const std::string sound = content_of(file);
  CHECK(sound.size() < 40'000 + 30 * all["units"].get<std::size_t>());
  for (std::size_t i = 0; i < 20; ++i) {
    std::string spoilt = sound;
    if (i < 10) spoilt.resize(sound.size() * i / 10);
    else spoilt[sound.size() * (i - 10) / 10] ^= 0x10;
    put_content(place / "spoilt.dug", spoilt);
    check_one_line(audit({place / "spoilt.dug"}, 1));
  }
}

TEST_CASE("what the submitter computed itself is marked as its word, and bears being computed again") {
  const Place place;
  const Worker worker = start_worker(place, "worker");
  Process submitter(submit(place, "primes --to 1000000000", {"--join", worker.contact, "--copies", "2", "--json"}));
  const std::string job = event(submitter, "started")["job"];
  answers(submitter, "50847534");
  const Words journal{job, "--data", place / "submitter"};
  const Json all = audited(journal + words("--recompute 2"));
  CHECK(all["holds"] == true);
  CHECK(all["own"] == all["units"]);
  CHECK(all["with_own"] == all["units"]);
  CHECK(all["recomputed"]["units"] == 2);
  const Process told = audit(journal);
  CHECK_MESSAGE(told.out().find("(the submitter, unsigned)") != std::string::npos, told.story());
}

TEST_CASE("an audit of nothing that there is says so in one line") {
  const Place place;
  const Words data{"--data", place / "data"};
  check_one_line(audit(Words{"abcd"} + data, 2));
  check_one_line(audit(Words{"./abcd"} + data, 1));
  check_one_line(audit(Words{place / ""} + data, 1));
  check_one_line(audit(data, 2));
  put_content(place / "empty.dug", "");
  check_one_line(audit(Words{place / "empty.dug"} + data, 1));
  check_one_line(audit(Words{place / "empty.dug", "--export", place / "other"} + data, 2));
  check_one_line(audit(Words{"abcd", "--unit", "1", "--recompute", "2"} + data, 2));
  check_one_line(audit(Words{"abcd", "--unit", "-1"} + data, 2));
}

}  // namespace dugnad::e2e
