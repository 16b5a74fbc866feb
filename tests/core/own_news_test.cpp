// What a peer hears of its own jobs from others, to whom an earlier process of its told them.
#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/peer.h"
#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

/// One process of a submitter that computes too, and somebody it is linked with.
class Process {
 public:
  Process(const test::Identity& submitter, const test::Identity& neighbour)
      : neighbour_(neighbour),
        peer_({.swarm = test::swarm, .difficulty = 0, .endpoint = test::loopback(4210), .donates = false, .slots = 1, .tasks = {{"test", 1}}},
              *submitter.crypto, Generator::from_seed(1)) {
    handle(PeerConnected{neighbour.self.id, neighbour.crypto->public_key(), neighbour.crypto->curve_key(), test::loopback(4211), true});
  }

  void submit(const test::Identity& submitter, std::uint64_t epoch) {
    Manifest manifest;
    manifest.owner = submitter.crypto->public_key();
    manifest.task = "test";
    manifest.confidence = WantedConfidence{};
    const Signed signed_manifest = submitter.sign(Domain::manifest, encode(manifest));
    const JobId job{hash_of(signed_manifest.body).bytes};
    handle(JobSubmitted{signed_manifest, submitter.sign(Domain::delegation, encode(Delegation{job, epoch, {submitter.self.id}})), {}, 10});
    UnitsAppended appended{job, {}, true};
    for (std::uint64_t unit = 0; unit < 10; ++unit) appended.units.push_back({{unit}, Bytes(4)});
    handle(std::move(appended));
  }

  void hear(Bytes frame) { handle(MessageReceived{neighbour_.self.id, std::move(frame)}); }
  /// The first announcement that went to the neighbour.
  [[nodiscard]] Bytes announced() const {
    for (const Bytes& frame : sent_) {
      const auto message = decode(frame);
      if (message && std::holds_alternative<Announce>(*message)) return frame;
    }
    FAIL("nothing was announced");
    return {};
  }
  std::size_t started = 0;  // attempts of its own

 private:
  void handle(Event event) {
    peer_.handle(std::move(event), now_);
    while (const auto effect = peer_.next_effect()) {
      if (const auto* send = std::get_if<SendMessage>(&*effect)) sent_.push_back(send->frame);
      if (const auto* start = std::get_if<StartAttempts>(&*effect)) started += start->attempts.size();
    }
  }

  const test::Identity& neighbour_;
  Now now_ = test::start_of_time();
  Peer peer_;
  std::vector<Bytes> sent_;
};

TEST_CASE("a submitter that hears of its job before it takes it up again computes too") {
  const test::Identity submitter(1, test::loopback(4210)), neighbour(2, test::loopback(4211));
  Bytes told;
  {
    Process first(submitter, neighbour);
    first.submit(submitter, 1);
    CHECK(first.started > 0);
    told = first.announced();
  }
  Process second(submitter, neighbour);
  second.hear(told);
  CHECK(second.started == 0);
  second.submit(submitter, 2);
  CHECK(second.started > 0);
}

}  // namespace
