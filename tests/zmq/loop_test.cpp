#include "coordinatorless/zmq/loop.h"

#include <atomic>
#include <future>
#include <thread>

#include "tests/zmq/swarm.h"

namespace dugnad::zmq {
namespace {

/// A peer that runs on a thread of its own, as in a program.
class Running {
 public:
  explicit Running(Hooks hooks = {}) {
    REQUIRE(sodium_ready());
    auto transport = Transport::open({.swarm = core::swarm_id("test"), .keys = keys_, .listen = {loopback()}}, *crypto_);
    REQUIRE(transport.ok());
    endpoint_ = *(*transport)->bound();
    core::PeerConfig config;
    config.swarm = core::swarm_id("test");
    config.endpoint = endpoint_;
    auto notice = std::move(hooks.notice);
    hooks.notice = [this, notice](core::Effect effect) {
      if (std::holds_alternative<core::Departed>(effect)) departed_ = true;
      if (notice) notice(std::move(effect));
    };
    auto peer = std::make_unique<core::Peer>(std::move(config), *crypto_, Generator::from_seed(1));
    loop_ = std::make_unique<Loop>(std::move(peer), std::move(*transport), std::move(hooks));
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~Running() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] Loop& loop() { return *loop_; }
  [[nodiscard]] PeerId id() const { return peer_id_of(public_key_of(keys_)); }
  [[nodiscard]] core::Contact contact() const { return {.host_port = endpoint_.text(), .peer = id(), .curve = curve_key_of(keys_)}; }
  [[nodiscard]] bool departed() const { return departed_; }
  void join_thread() { thread_.join(); }

  template <class Value>
  [[nodiscard]] Value ask(std::function<Value(core::Peer&)> question) {
    std::promise<Value> answer;
    loop_->call([&](core::Peer& peer) { answer.set_value(question(peer)); });
    auto future = answer.get_future();
    REQUIRE(future.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    return future.get();
  }
  [[nodiscard]] bool knows(const PeerId& other) {
    return ask<bool>([&](core::Peer& peer) {
      for (const auto& info : peer.peers()) {
        if (info.peer == other && info.connected) return true;
      }
      return false;
    });
  }

 private:
  SecretKeys keys_ = fresh_keys();
  std::unique_ptr<Crypto> crypto_ = make_sodium(keys_);
  core::Endpoint endpoint_;
  std::atomic<bool> departed_{false};
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

bool soon(const std::function<bool()>& done) {
  const BootTime deadline = read_clocks().boot + std::chrono::seconds(20);
  while (!done()) {
    if (read_clocks().boot > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("two peers on threads of their own find each other, and one notices that the other has left") {
  Running first;
  auto second = std::make_unique<Running>();
  second->loop().post(core::JoinRequested{first.contact()});
  const PeerId id = second->id();
  REQUIRE(soon([&] { return first.knows(id) && second->knows(first.id()); }));

  second->loop().post(core::LeaveRequested{});
  second->join_thread();
  CHECK(second->departed());
  second.reset();
  CHECK(soon([&] { return !first.knows(id); }));
}

TEST_CASE("what is asked for from many threads is done, each thing once") {
  Running peer;
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) peer.loop().call([&](core::Peer&) { ++done; });
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(soon([&] { return done == 4000; }));
}

TEST_CASE("a sleeping loop collects when it is woken") {
  std::atomic<int> collected{0};
  Hooks hooks;
  hooks.collect = [&] {
    ++collected;
    return std::vector<FinishedAttempt>{};
  };
  Running peer(std::move(hooks));
  (void)peer.knows(PeerId{});
  for (int i = 1; i <= 100; ++i) {
    peer.loop().wake();
    REQUIRE(soon([&] { return collected >= i; }));
  }
}

TEST_CASE("a loop that was stopped returns, whatever goes on") {
  Running peer;
  peer.loop().stop();
  peer.join_thread();
  CHECK_FALSE(peer.departed());
}

}  // namespace dugnad::zmq
