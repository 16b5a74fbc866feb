// Behind a NAT nobody can be dialled: such a peer works through the connections that it dialled, or through a relay.
#include "tests/e2e/swarm.h"

namespace dugnad::e2e {

// Whom a relay alone joins hear of each other's jobs only once the submitter has its proof of work: a small one, which takes some 64 tries.
TEST_CASE("workers and submitters that nobody can dial take part") {
  const Place place;
  const Words swarm = words("--swarm nat:6");
  const Worker open = start_worker(place, "open", swarm);
  const Worker hidden = start_worker(place, "hidden", swarm + Words{"--listen", "none", "--join", open.contact});
  // Two copies and two donors: both have to compute every unit.
  const Words options = swarm + Words{"--join", open.contact, "--copies", "2", "--local", "0", "--json"};

  SUBCASE("the hidden worker dials the submitter") {
    Process submitter(submit(place, "nqueens --n 12", options));
    answers(submitter, "14200");
  }
  SUBCASE("the hidden submitter reaches the hidden worker through the open one") {
    Process submitter(submit(place, "nqueens --n 12", options + words("--listen none")));
    answers(submitter, "14200");
  }
}

TEST_CASE("a submitter that nobody can dial dials its donors") {
  const Place place;
  const Worker one = start_worker(place, "one");
  const Worker two = start_worker(place, "two", {"--join", one.contact});
  Process submitter(submit(place, "nqueens --n 12", {"--join", one.contact, "--local", "0", "--listen", "none", "--json"}));
  answers(submitter, "14200");
}

}  // namespace dugnad::e2e
