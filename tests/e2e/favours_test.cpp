// Receipts between real processes: a worker computes for another user, and both can show it.
#include "tests/e2e/swarm.h"

namespace dugnad::e2e {
namespace {

std::vector<Json> receipts(const Place& place, const std::string& name) {
  Process id = finished(Words{program("dugnad")} + words("id --receipts --json --data") + Words{place / name});
  CHECK_MESSAGE(id.exit_code() == 0, id.story());
  std::vector<Json> all;
  std::istringstream lines(id.out());
  for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
  return all;
}

std::string owner_of(const Place& place, const std::string& name) {
  Process id = finished(Words{program("dugnad"), "id", "--data", place / name});
  const std::string text = id.out();
  const auto at = text.find("owner");
  REQUIRE_MESSAGE(at != std::string::npos, id.story());
  return text.substr(text.find_first_not_of(' ', at + 5), 64);
}

}  // namespace

TEST_CASE("a worker that has computed for somebody can show the thanks, and whoever thanked can show that it did") {
  const Place place;
  const Worker worker = start_worker(place, "neighbour");
  for (int times = 1; times <= 2; ++times) {
    Process submitter = finished(submit(place, "primes --to 1e9 --copies 1", {"--join", worker.contact}));
    REQUIRE_MESSAGE(submitter.out() == "50847534\n", submitter.story());
    const auto held = receipts(place, "neighbour"), given = receipts(place, "submitter");
    REQUIRE(held.size() == 1);
    REQUIRE(given.size() == 1);
    CHECK(held == given);
    const Json& receipt = held.front();
    CHECK(receipt["giver"] == owner_of(place, "submitter"));
    CHECK(receipt["receiver"] == owner_of(place, "neighbour"));
    CHECK(receipt["sequence"] == times);
    CHECK(receipt["cpu_seconds"].get<double>() > 0.01);
    CHECK(receipt["given"] == true);
    CHECK(receipt["taken"] == true);
    CHECK(receipt["contradiction"] == "none");
  }
  Process table = finished(Words{program("dugnad"), "id", "--receipts", "--data", place / "neighbour"});
  CHECK_MESSAGE(table.says("thanks from  " + owner_of(place, "submitter")), table.story());
  CHECK_MESSAGE(table.says("both"), table.story());
}

TEST_CASE("a user's own worker is not thanked") {
  const Place place;
  const Worker worker = start_worker(place, "shared");
  Process submitter = finished(submit(place, "primes --to 1e8 --copies 1", {}, "shared"));
  REQUIRE_MESSAGE(submitter.exit_code() == 0, submitter.story());
  CHECK(receipts(place, "shared").empty());
}

}  // namespace dugnad::e2e
