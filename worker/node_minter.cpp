#include "worker/node_minter.h"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

#include "coordinatorless/core/identity_proof.h"
#include "worker/signals.h"

namespace dugnad::worker {
namespace {

constexpr auto until_there_is_memory = std::chrono::seconds(1);

void yield_to_everybody() {
  const sched_param none{};
  (void)sched_setscheduler(0, SCHED_IDLE, &none);  // 0: the calling thread
}

std::uint64_t random_start() {
  std::uint64_t number;
  std::memcpy(&number, fresh_seed().data(), sizeof number);
  return number;
}

}  // namespace

/// What the thread shares with whoever began it.
struct NodeMinter::Search {
  SwarmId swarm;
  PublicKey key;
  core::MintIdentity wanted;
  std::atomic<bool> given_up{false};
  std::mutex mutex;
  Found found;  // guarded by mutex; empty once given up

  void run() {
    yield_to_everybody();
    core::IdentityTicket ticket{wanted.month, random_start()};
    for (std::uint64_t tries = 1; !given_up.load(std::memory_order_relaxed); ++tries, ++ticket.nonce) {
      const core::ProofInput input = core::proof_input(swarm, key, ticket);
      const auto hash = dear_hash(input.password, input.salt);
      if (!hash) std::this_thread::sleep_for(until_there_is_memory);
      if (!hash || !core::meets(*hash, wanted.difficulty)) continue;
      const std::lock_guard lock(mutex);
      if (found) found(ticket, tries);
      return;
    }
  }
};

NodeMinter::NodeMinter(const SwarmId& swarm, const PublicKey& key, Found found) : swarm_(swarm), key_(key), found_(std::move(found)) {}

NodeMinter::~NodeMinter() { give_up(); }

void NodeMinter::mint(const core::MintIdentity& wanted) {
  give_up();
  search_ = std::make_shared<Search>();
  search_->swarm = swarm_;
  search_->key = key_;
  search_->wanted = wanted;
  search_->found = found_;
  const SignalsBlocked blocked;
  std::thread([search = search_] { search->run(); }).detach();
}

void NodeMinter::give_up() {
  if (!search_) return;
  search_->given_up = true;
  const std::lock_guard lock(search_->mutex);
  search_->found = nullptr;
}

}  // namespace dugnad::worker
