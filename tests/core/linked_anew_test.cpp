// What a donor does for a submitter that has sent it away, when that links anew.
#include <doctest/doctest.h>

#include "coordinatorless/core/peer.h"
#include "tests/core/announcements.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

/// A donor linked with a submitter, which has announced a job to it.
class Served {
 public:
  Served()
      : peer_({.swarm = test::swarm, .difficulty = 0, .endpoint = test::loopback(4210), .donates = true, .slots = 1, .tasks = {{"primes", 1}}},
              *donor_.crypto, Generator::from_seed(1)) {
    link();
    hear(posting.announce());
  }

  void link() { link(submitter_); }
  void link(const test::Identity& peer) {
    handle(PeerConnected{peer.self.id, peer.crypto->public_key(), peer.crypto->curve_key(), test::loopback(4211), false});
  }
  void unlink() { handle(PeerLost{submitter_.self.id}); }
  void hear(const Message& message) { handle(MessageReceived{submitter_.self.id, encode(message)}); }
  void pass(Duration by) { now_ = test::later(now_, by); }
  /// How often it has offered itself for the job since last asked.
  std::size_t wants() { return std::exchange(wants_, 0); }

 private:
  test::Identity donor_{1, test::loopback(4210)}, submitter_{2, test::loopback(4211)};
  Now now_ = test::start_of_time();

 public:
  test::Posting posting{submitter_, submitter_, now_};

 private:
  void handle(Event event) {
    peer_.handle(std::move(event), now_);
    while (const auto effect = peer_.next_effect()) {
      const auto* send = std::get_if<SendMessage>(&*effect);
      const auto message = send != nullptr ? decode(send->frame) : std::nullopt;
      const Want* want = message ? std::get_if<Want>(&*message) : nullptr;
      if (want != nullptr && want->slots > 0) ++wants_;
    }
  }

  Peer peer_;
  std::size_t wants_ = 0;
};

TEST_CASE("a donor that was sent away offers itself again when the submitter links anew, where its job goes on") {
  Served donor;
  CHECK(donor.wants() == 1);
  donor.hear(Closed{donor.posting.job()});
  CHECK(donor.wants() == 0);  // it was told that there is no room for it
  donor.unlink();
  SUBCASE("the job goes on") {
    donor.link();
    CHECK(donor.wants() == 1);
  }
  SUBCASE("there are two of them") {
    const test::Posting other(donor.posting.submitter, donor.posting.submitter, test::start_of_time(), 1);
    donor.link();
    donor.hear(other.announce());
    CHECK(donor.wants() >= 2);
    donor.hear(Closed{donor.posting.job()});
    donor.hear(Closed{other.job()});
    donor.unlink();
    donor.link();
    CHECK(donor.wants() == 2);
  }
}

TEST_CASE("a donor offers itself for a job to nobody but its submitter, whoever links") {
  Served donor;
  donor.hear(Closed{donor.posting.job()});
  (void)donor.wants();
  donor.link(test::Identity(3, test::loopback(4212)));
  CHECK(donor.wants() == 0);
}

TEST_CASE("a donor that was sent away does not offer itself again for a job that has ended") {
  Served donor;
  donor.hear(Closed{donor.posting.job()});
  donor.posting.closed = true;
  ++donor.posting.sequence;
  donor.hear(donor.posting.announce());
  (void)donor.wants();
  donor.unlink();
  donor.link();
  CHECK(donor.wants() == 0);
}

TEST_CASE("a donor that was sent away does not offer itself again for a job of which nothing was heard for as long as an announcement lasts") {
  Served donor;
  donor.hear(Closed{donor.posting.job()});
  (void)donor.wants();
  donor.unlink();
  donor.pass(limits::announcement_lease);
  donor.link();
  CHECK(donor.wants() == 0);
}

TEST_CASE("a job that a donor was sent away from keeps none out: it is not taken up where half of the places are taken") {
  Served donor;
  for (std::uint8_t number = 1; number <= limits::donor_jobs_max / 2; ++number) {
    donor.hear(test::Posting(donor.posting.submitter, donor.posting.submitter, test::start_of_time(), number).announce());
  }
  donor.hear(Closed{donor.posting.job()});
  (void)donor.wants();
  donor.unlink();
  donor.link();
  CHECK(donor.wants() == limits::donor_jobs_max / 2);
}

TEST_CASE("a donor offers itself once where the submitter's link was lost for a moment") {
  Served donor;
  (void)donor.wants();
  donor.unlink();
  donor.link();
  CHECK(donor.wants() == 1);
}

}  // namespace
