#include "worker/node_minter.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "coordinatorless/core/identity_proof.h"
#include "coordinatorless/core/limits.h"
#include "tests/scratch.h"
#include "worker/node_files.h"
#include "worker/node_swarm.h"

namespace dugnad::worker {
namespace {

constexpr auto patience = std::chrono::seconds(60);  // a thread in SCHED_IDLE may have to wait on a busy machine

/// What the minter has told, from whichever thread.
class Told {
 public:
  NodeMinter::Found hook() {
    return [this](const core::IdentityTicket& ticket, std::uint64_t tries) {
      const std::lock_guard lock(mutex_);
      tickets_.push_back(ticket);
      tries_ = tries;
      changed_.notify_all();
    };
  }
  core::IdentityTicket first() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [this] { return !tickets_.empty(); }));
    CHECK(tries_ > 0);
    return tickets_.front();
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return tickets_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<core::IdentityTicket> tickets_;
  std::uint64_t tries_ = 0;
};

bool holds(const SwarmId& swarm, const PublicKey& key, const core::IdentityTicket& ticket, unsigned bits) {
  const core::ProofInput input = core::proof_input(swarm, key, ticket);
  const auto hash = dear_hash(input.password, input.salt);
  REQUIRE(hash);
  return core::meets(*hash, bits);
}

TEST_CASE("a search finds a ticket that holds, of the month asked for last") {
  REQUIRE(sodium_ready());
  const SwarmId swarm{{1}};
  const PublicKey key = public_key_of(fresh_keys());
  Told told;
  NodeMinter minter(swarm, key, told.hook());
  minter.mint({24321, core::limits::proof_bits_most});  // would take hours
  minter.mint({24322, 4});
  const core::IdentityTicket ticket = told.first();
  CHECK(ticket.month == 24322);
  CHECK(holds(swarm, key, ticket, 4));
}

TEST_CASE("a search that is not over does not keep the program from ending") {
  REQUIRE(sodium_ready());
  Told told;
  const auto begin = std::chrono::steady_clock::now();
  {
    NodeMinter minter(SwarmId{}, PublicKey{}, told.hook());
    minter.mint({24322, core::limits::proof_bits_most});
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK(told.count() == 0);
}

TEST_CASE("tickets are kept by swarm beside the key, the last ones, and a damaged file is no obstacle") {
  const Scratch scratch;
  const auto files = NodeFiles::open(scratch.path(), "submitter", 1);
  REQUIRE(files.ok());
  const auto swarm = [](unsigned number) { return SwarmId{{static_cast<std::uint8_t>(number)}}; };
  CHECK_FALSE(files->ticket(swarm(1)));
  for (unsigned i = 0; i < 20; ++i) files->remember_ticket(swarm(i), {24322, i});
  files->remember_ticket(swarm(19), {24323, 77});
  CHECK(files->ticket(swarm(19)) == core::IdentityTicket{24323, 77});
  CHECK(files->ticket(swarm(10)) == core::IdentityTicket{24322, 10});
  CHECK_FALSE(files->ticket(swarm(0)));

  for (const std::string damaged : {"", "dugnad proofs 2\n", "dugnad proofs 1\nnonsense", "\x01\x02"}) {
    put_content(scratch.file("submitter.proof"), damaged);
    CHECK_FALSE(files->ticket(swarm(19)));
  }
  files->remember_ticket(swarm(5), {24322, 5});
  CHECK(files->ticket(swarm(5)) == core::IdentityTicket{24322, 5});
}

TEST_CASE("a private swarm is named by a file with its secret; whatever is wrong with that is one line") {
  const Scratch scratch;
  const std::string path = scratch.file("secret");
  const auto write = [&](const std::string& content, unsigned mode = 0600) {
    put_content(path, content);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  };
  const auto refusal = [&](const std::string& file) {
    const auto swarm = read_swarm("lab", file);
    REQUIRE_FALSE(swarm.ok());
    CHECK(is_one_line(swarm.error().message));
    CHECK(contains(swarm.error().message, file));
    return swarm.error().message;
  };
  write("0123456789abcdef\n");
  const auto swarm = read_swarm("lab", path);
  REQUIRE(swarm.ok());
  CHECK(swarm->secret == "0123456789abcdef");
  CHECK(swarm->difficulty == 0);
  CHECK(swarm->id() != read_swarm("lab:0", "").value().id());

  CHECK(contains(refusal(scratch.file("missing")), "no such file"));
  CHECK(contains(refusal(scratch.path()), "regular file"));
  write("0123456789abcdef\n", 0644);
  CHECK(contains(refusal(path), "chmod 600"));
  write("too short\n");
  CHECK(contains(refusal(path), "16 to 4096"));
  write(std::string(5000, 'x'));
  CHECK(contains(refusal(path), "16 to 4096"));
  CHECK_FALSE(read_swarm("lab:99", "").ok());
}

}  // namespace
}  // namespace dugnad::worker
