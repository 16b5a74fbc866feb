#include "coordinatorless/core/blob_wants.h"

#include <doctest/doctest.h>

#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::seconds;

namespace {

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}
BlobId blob(std::uint64_t length) { return {length, {}}; }

struct Bench {
  BlobWants wants{peer(0)};
  Now now{BootTime{} + seconds(100), WallTime{}};
  Output out;

  /// From whom something was fetched since last asked.
  std::vector<PeerId> fetched_from() {
    std::vector<PeerId> from;
    std::erase_if(out.effects, [&](const Effect& effect) {
      const auto* fetch = std::get_if<FetchBlob>(&effect);
      if (fetch != nullptr) from.push_back(fetch->from);
      return fetch != nullptr;
    });
    return from;
  }
  void fail(const PeerId& from) { wants.failed({blob(5), from, "gone"}, now, out); }
  void pass(Duration time) {
    now.boot += time;
    wants.tick(now, out);
  }
};

using Peers = std::vector<PeerId>;

}  // namespace

TEST_CASE("a blob waits for a holder that is linked") {
  Bench bench;
  CHECK_FALSE(bench.wants.need(blob(5), peer(1), bench.now, bench.out));
  CHECK(bench.fetched_from().empty());
  CHECK(bench.wants.next_deadline() == never);
  bench.wants.connected(peer(2), bench.now, bench.out);
  CHECK(bench.fetched_from().empty());
  bench.wants.connected(peer(1), bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(1)});
}

TEST_CASE("oneself is always there to be asked") {
  Bench bench;
  bench.wants.need(blob(5), peer(0), bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(0)});
}

TEST_CASE("after a failure the next holder is asked") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.wants.connected(peer(2), bench.now, bench.out);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  bench.wants.need(blob(5), peer(2), bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(1)});
  // The second need put its holder first; the one that was asked still counts as asked.
  bench.fail(peer(1));
  bench.pass(limits::blob_retry_first);
  CHECK(bench.fetched_from() == Peers{peer(2)});
  bench.fail(peer(2));
  bench.pass(2 * limits::blob_retry_first);
  CHECK(bench.fetched_from() == Peers{peer(1)});
}

TEST_CASE("a lost link is no failure: another holder is asked at once") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.wants.connected(peer(2), bench.now, bench.out);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  bench.wants.need(blob(5), peer(2), bench.now, bench.out);
  bench.fetched_from();
  bench.wants.lost(peer(1), bench.now);
  CHECK(bench.wants.next_deadline() <= bench.now.boot);
  bench.pass({});
  CHECK(bench.fetched_from() == Peers{peer(2)});
  bench.fail(peer(1));  // the driver's word about the lost one
  bench.pass(seconds(60));
  CHECK(bench.fetched_from().empty());
}

TEST_CASE("what was given up is fetched again when somebody new needs it") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  for (unsigned i = 0; i < limits::blob_tries_max; ++i) {
    bench.fail(peer(1));
    bench.pass(limits::blob_retry_most);
  }
  CHECK(bench.fetched_from().size() == limits::blob_tries_max);
  const auto news = bench.wants.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].kind == BlobWants::News::Kind::given_up);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(1)});
}

TEST_CASE("a blob is released when the last need of it is") {
  Bench bench;
  bench.wants.need(blob(5), peer(0), bench.now, bench.out);
  bench.wants.need(blob(5), peer(0), bench.now, bench.out);
  bench.fetched_from();
  bench.wants.fetched(blob(5));
  CHECK(bench.wants.here(blob(5)));
  CHECK(bench.wants.need(blob(5), peer(0), bench.now, bench.out));
  bench.wants.release(blob(5), bench.out);
  bench.wants.release(blob(5), bench.out);
  CHECK(bench.out.effects.empty());
  bench.wants.release(blob(5), bench.out);
  REQUIRE(bench.out.effects.size() == 1);
  CHECK(std::holds_alternative<ReleaseBlob>(bench.out.effects[0]));
  CHECK(bench.wants.count() == 0);
}

TEST_CASE("no more holders of one blob are remembered than the limit says") {
  Bench bench;
  for (std::uint8_t i = 1; i < 100; ++i) bench.wants.need(blob(5), peer(i), bench.now, bench.out);
  for (std::uint8_t i = 1; i < 100; ++i) bench.wants.connected(peer(i), bench.now, bench.out);
  std::size_t asked = 0;
  for (auto from = bench.fetched_from(); !from.empty(); from = bench.fetched_from()) {
    REQUIRE(from.size() == 1);
    ++asked;
    bench.wants.lost(from[0], bench.now);
    bench.pass({});
  }
  CHECK(asked == limits::blob_holders_max);
}

TEST_CASE("a holder that has just failed is asked only where no other is linked, and what was asked of it is asked of others") {
  Bench bench;
  for (std::uint8_t i = 1; i <= 2; ++i) bench.wants.connected(peer(i), bench.now, bench.out);
  const Peers both{peer(1), peer(2)};
  bench.wants.need(blob(5), both, 3, bench.now, bench.out);
  bench.wants.need(blob(6), both, 3, bench.now, bench.out);
  bench.wants.need(blob(7), peer(1), bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(1), peer(1), peer(1)});
  bench.fail(peer(1));
  CHECK(bench.fetched_from() == Peers{peer(2)});  // the second blob; the third has no other holder
  bench.wants.need(blob(8), both, 3, bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(2)});
  // Once it has given something it is as good as others again.
  bench.wants.fetched(blob(7));
  bench.wants.need(blob(9), both, 3, bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(1)});
}

TEST_CASE("a need that is less patient gives up sooner, and the most patient one decides") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  const Peers one{peer(1)};
  bench.wants.need(blob(5), one, 1, bench.now, bench.out);
  bench.fail(peer(1));
  CHECK(bench.wants.take_news().size() == 1);
  bench.wants.need(blob(5), one, 2, bench.now, bench.out);
  bench.fail(peer(1));
  CHECK(bench.wants.take_news().empty());
}

TEST_CASE("what the driver has kept unasked is here, also for whoever was fetching it") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  bench.wants.kept(blob(5));
  const auto news = bench.wants.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].kind == BlobWants::News::Kind::here);
  bench.wants.release(blob(5), bench.out);
  CHECK(bench.wants.here(blob(5)));
  bench.wants.release(blob(5), bench.out);
  CHECK(bench.wants.count() == 0);
}

TEST_CASE("somebody who has it too is asked where nobody else is linked") {
  Bench bench;
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  bench.wants.connected(peer(2), bench.now, bench.out);
  CHECK(bench.fetched_from().empty());
  bench.wants.also_held(blob(5), peer(2), bench.now, bench.out);
  CHECK(bench.fetched_from() == Peers{peer(2)});
  bench.wants.also_held(blob(6), peer(2), bench.now, bench.out);
  CHECK(bench.wants.count() == 1);
}

TEST_CASE("a holder whose link breaks again and again while it is asked has failed") {
  Bench bench;
  const PeerId holder = peer(1);
  bench.wants.need(blob(5), {&holder, 1}, 2, bench.now, bench.out);
  int asked = 0;
  for (; asked < 10 && bench.wants.take_news().empty(); ++asked) {
    bench.wants.connected(holder, bench.now, bench.out);
    REQUIRE(bench.fetched_from() == Peers{holder});
    bench.wants.lost(holder, bench.now);
  }
  CHECK(asked == 3);  // the first break is free
}

TEST_CASE("whose fault it was that a blob is given up is told") {
  Bench bench;
  for (std::uint8_t i = 1; i <= 2; ++i) bench.wants.connected(peer(i), bench.now, bench.out);
  const Peers holders{peer(1), peer(2)};
  bench.wants.need(blob(5), holders, 2, bench.now, bench.out);
  bench.wants.failed({blob(5), peer(1), "gone", FetchFailure::missing}, bench.now, bench.out);
  bench.pass(seconds(60));
  bench.wants.failed({blob(5), peer(2), "late"}, bench.now, bench.out);
  const auto news = bench.wants.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].kind == BlobWants::News::Kind::given_up);
  CHECK_FALSE(news[0].own_fault);
  CHECK(news[0].excused == Peers{peer(1)});
}

TEST_CASE("what this peer's own disk refuses is tried again later") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  std::vector<BlobWants::News> news;
  for (unsigned i = 0; i < limits::blob_tries_max; ++i) {
    REQUIRE(bench.fetched_from() == Peers{peer(1)});
    bench.wants.failed({blob(5), peer(1), "full", FetchFailure::here}, bench.now, bench.out);
    news = bench.wants.take_news();
    if (i + 1 < limits::blob_tries_max) bench.pass(seconds(60));
  }
  REQUIRE(news.size() == 1);
  CHECK(news[0].own_fault);
  bench.wants.try_again(blob(5));
  CHECK(bench.fetched_from().empty());
  CHECK(bench.wants.next_deadline() == bench.now.boot + limits::blob_retry_most);
  bench.pass(limits::blob_retry_most);
  CHECK(bench.fetched_from() == Peers{peer(1)});
}

TEST_CASE("of more holders than are remembered, those that are linked stay") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.wants.need(blob(5), peer(1), bench.now, bench.out);
  REQUIRE(bench.fetched_from() == Peers{peer(1)});
  for (std::uint8_t i = 2; i < 40; ++i) bench.wants.need(blob(5), peer(i), bench.now, bench.out);
  CHECK(bench.wants.in_reach(blob(5)));
}

namespace {

struct SharedBench : Bench {
  const BlobId wanted{4 * chunk_bytes, Hash{{7}}};
  bool need(std::uint8_t holder) {
    const PeerId from = peer(holder);
    return wants.need(wanted, {&from, 1}, 3, now, out, Sharing::shared);
  }
  std::vector<PeerId> helped_by() {
    std::vector<PeerId> by;
    std::erase_if(out.effects, [&](const Effect& effect) {
      const auto* help = std::get_if<HelpFetch>(&effect);
      if (help != nullptr) by.push_back(help->from);
      return help != nullptr;
    });
    return by;
  }
};

}  // namespace

TEST_CASE("the holder of a shared blob is asked who else has it, and those help once they are linked") {
  SharedBench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  bench.need(1);
  CHECK(bench.fetched_from() == Peers{peer(1)});
  REQUIRE(bench.out.messages.size() == 1);
  CHECK(std::get<Seek>(bench.out.messages[0].message) == Seek{bench.wanted, 0});
  bench.wants.connected(peer(2), bench.now, bench.out);
  const Peers others{peer(0), peer(2), peer(3)};
  CHECK(bench.wants.found(bench.wanted, others, bench.now, bench.out) == Peers{peer(2), peer(3)});
  CHECK(bench.helped_by() == Peers{peer(2)});
  bench.wants.connected(peer(3), bench.now, bench.out);
  CHECK(bench.helped_by() == Peers{peer(3)});
  CHECK(bench.wants.counts_on(peer(3)));
  // Where the holder is gone a helper is asked like one.
  bench.wants.lost(peer(1), bench.now);
  bench.pass(seconds(0));
  CHECK(bench.fetched_from().size() == 1);
  bench.wants.fetched(bench.wanted);
  CHECK(bench.wants.may_tell(bench.wanted));
  CHECK_FALSE(bench.wants.counts_on(peer(3)));
}

TEST_CASE("of a blob that is not shared nobody is asked, told or believed") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  const BlobId wanted{4 * chunk_bytes, {}};
  bench.wants.need(wanted, peer(1), bench.now, bench.out);
  CHECK(bench.out.messages.empty());
  const Peers others{peer(2)};
  CHECK(bench.wants.found(wanted, others, bench.now, bench.out).empty());
  bench.wants.fetched(wanted);
  CHECK_FALSE(bench.wants.may_tell(wanted));
}

TEST_CASE("of a blob that may be helped its holder is asked, and it alone is believed; no neighbour is, nor told of it") {
  Bench bench;
  bench.wants.connected(peer(1), bench.now, bench.out);
  const BlobId wanted{4 * chunk_bytes, {}};
  const PeerId holder = peer(1);
  bench.wants.need(wanted, {&holder, 1}, 3, bench.now, bench.out, Sharing::helped);
  REQUIRE(bench.out.messages.size() == 1);
  CHECK(bench.out.messages[0].to == peer(1));
  CHECK(std::get<Seek>(bench.out.messages[0].message) == Seek{wanted, 0});
  REQUIRE(bench.out.effects.size() == 1);
  CHECK(std::get<FetchBlob>(bench.out.effects[0]).sharing == Sharing::helped);
  CHECK(bench.wants.may_name(wanted, peer(1)));
  CHECK_FALSE(bench.wants.may_name(wanted, peer(2)));
  const Peers others{peer(2)};
  CHECK(bench.wants.found(wanted, others, bench.now, bench.out) == others);
  CHECK(bench.wants.counts_on(peer(2)));
  bench.wants.connected(peer(2), bench.now, bench.out);
  REQUIRE(bench.out.effects.size() == 2);
  CHECK(std::get<HelpFetch>(bench.out.effects[1]).from == peer(2));
  // Where nobody is linked that has it, it is waited for.
  bench.wants.lost(peer(2), bench.now);
  bench.wants.lost(peer(1), bench.now);
  bench.pass(seconds(2) + limits::seek_after);
  CHECK(bench.wants.take_sought().empty());
  bench.wants.fetched(wanted);
  CHECK_FALSE(bench.wants.may_tell(wanted));
  CHECK_FALSE(bench.wants.may_name(wanted, peer(1)));
}

TEST_CASE("of several needs of a blob the most secretive counts") {
  for (const bool first : {true, false}) {
    SharedBench bench;
    const PeerId holder = peer(1);
    const auto helped = [&] { bench.wants.need(bench.wanted, {&holder, 1}, 3, bench.now, bench.out, Sharing::helped); };
    if (first) helped();
    bench.need(1);
    if (!first) helped();
    CHECK_FALSE(bench.wants.may_name(bench.wanted, peer(2)));
    bench.wants.need(bench.wanted, holder, bench.now, bench.out);
    bench.wants.connected(peer(1), bench.now, bench.out);
    CHECK_FALSE(bench.wants.may_name(bench.wanted, peer(1)));
    CHECK(bench.out.messages.empty());
  }
}

TEST_CASE("where no holder of a shared blob is linked, neighbours are asked after a while, and again") {
  SharedBench bench;
  bench.need(1);
  CHECK(bench.wants.take_sought().empty());
  CHECK(bench.wants.next_deadline() == bench.now.boot + limits::seek_after);
  bench.pass(limits::seek_after);
  CHECK(bench.wants.take_sought() == std::vector<BlobId>{bench.wanted});
  bench.pass(limits::seek_again);
  CHECK(bench.wants.take_sought().size() == 1);
  bench.wants.connected(peer(5), bench.now, bench.out);
  const Peers found{peer(5)};
  CHECK(bench.wants.found(bench.wanted, found, bench.now, bench.out) == found);
  CHECK(bench.fetched_from() == found);
  bench.pass(limits::seek_again);
  CHECK(bench.wants.take_sought().empty());
}
