#include "coordinatorless/core/held_values.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {
namespace {

constexpr std::uint64_t length = 100'000;
constexpr std::uint64_t room = 10 * length;

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes.fill(name);
  return id;
}
BlobId blob(std::uint8_t which) { return {length, hash_of(Bytes{which})}; }

/// Of a job whose leader is linked, as donors are.
struct Bench {
  PeerId self = peer(1), leader = peer(2), donor = peer(3);
  BlobWants blobs{self};
  HeldValues values{blobs};
  Now now = start_of_time();
  Output out;

  Bench() {
    blobs.connected(leader, now, out);
    blobs.connected(donor, now, out);
  }
  void output(std::uint8_t unit, const PeerId& holder) { values.add_output({unit}, blob(unit), holder, now, out); }
  void tick(std::uint64_t within = room) { values.tick(within, {leader}, now, out); }
  /// What is asked for, in order, and of whom.
  std::vector<std::pair<BlobId, PeerId>> asked() {
    std::vector<std::pair<BlobId, PeerId>> all;
    for (const Effect& effect : std::exchange(out.effects, {})) {
      if (const auto* fetch = std::get_if<FetchBlob>(&effect)) all.emplace_back(fetch->blob, fetch->from);
    }
    return all;
  }
  void hear() {
    for (const auto& news : blobs.take_news()) values.on_blob(news, out);
  }
  void come(const BlobId& which) {
    blobs.fetched(which);
    hear();
  }
  /// Nobody gives it.
  void fail(const BlobId& which) {
    for (int i = 0; i < 100 && blobs.take_news().empty(); ++i) {
      blobs.failed({which, leader, "", FetchFailure::withheld}, now, out);
      if (const auto news = blobs.take_news(); !news.empty()) {
        for (const auto& each : news) values.on_blob(each, out);
        return;
      }
      now = later(now, limits::blob_retry_most);
      blobs.tick(now, out);
    }
    FAIL("it was not given up");
  }
};

}  // namespace

TEST_CASE("large inputs are fetched from whoever leads, the last units' first, a few at a time") {
  Bench bench;
  for (std::uint8_t i = 0; i < 6; ++i) bench.values.add_input({i}, blob(i));
  bench.tick();
  CHECK(bench.values.lacking() == 6);
  const auto asked = bench.asked();
  REQUIRE(asked.size() == 4);
  for (std::uint8_t i = 0; i < 4; ++i) CHECK(asked[i] == std::pair(blob(5 - i), bench.leader));
  bench.come(blob(4));
  CHECK(bench.values.take_come().inputs == std::vector<UnitIndex>{{4}});
  CHECK(bench.values.lacking() == 5);
  bench.tick();
  CHECK(bench.asked() == std::vector<std::pair<BlobId, PeerId>>{{blob(1), bench.leader}});
}

TEST_CASE("an output comes before any input, from the donor that returned it, who is named once it is here") {
  Bench bench;
  bench.values.add_input({1}, blob(1));
  bench.output(7, bench.donor);
  bench.output(7, peer(9));
  bench.tick();
  const auto asked = bench.asked();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0] == std::pair(blob(7), bench.donor));
  bench.come(blob(7));
  const auto come = bench.values.take_come();
  CHECK(come.outputs == std::vector<std::pair<UnitIndex, PeerId>>{{{7}, bench.donor}, {{7}, peer(9)}});
  bench.output(7, peer(10));  // one that returns it later need not keep it at all
  CHECK(bench.values.take_come().outputs.size() == 1);
}

TEST_CASE("what finds no room is left where it is, and fetched once there is some") {
  Bench bench;
  for (std::uint8_t i = 0; i < 3; ++i) bench.values.add_input({i}, blob(i));
  bench.tick(2 * length);
  CHECK(bench.asked().size() == 2);
  bench.come(blob(2));
  bench.come(blob(1));
  bench.tick(2 * length);
  CHECK(bench.asked().empty());
  CHECK(bench.values.bytes() == 2 * length);
  bench.values.drop_input({2}, bench.out);
  bench.tick(2 * length);
  CHECK(bench.asked() == std::vector<std::pair<BlobId, PeerId>>{{blob(0), bench.leader}});
}

TEST_CASE("where the room becomes less, inputs go, and outputs stay") {
  Bench bench;
  bench.values.add_input({1}, blob(1));
  bench.output(2, bench.donor);
  bench.tick();
  bench.come(blob(1));
  bench.come(blob(2));
  (void)bench.values.take_come();
  bench.tick(length);
  CHECK(bench.values.take_come().lost_inputs == std::vector<UnitIndex>{{1}});
  CHECK(bench.values.bytes() == length);
  CHECK(bench.blobs.here(blob(2)));
  CHECK_FALSE(bench.blobs.here(blob(1)));
}

TEST_CASE("a blob that two units share is needed as long as one of them is") {
  Bench bench;
  bench.values.add_input({1}, blob(1));
  bench.values.add_input({2}, blob(1));
  bench.values.add_output({2}, blob(1), bench.donor, bench.now, bench.out);
  bench.tick();
  bench.come(blob(1));
  CHECK(bench.values.lacking() == 0);
  bench.values.drop({1}, bench.out);
  bench.values.drop_input({2}, bench.out);
  CHECK(bench.blobs.here(blob(1)));
  bench.values.drop({2}, bench.out);
  CHECK(bench.blobs.count() == 0);
  CHECK(bench.values.bytes() == 0);
}

TEST_CASE("what was not to be had is tried again when somebody is linked") {
  Bench bench;
  bench.values.add_input({1}, blob(1));
  bench.tick();
  bench.fail(blob(1));
  CHECK(bench.values.bytes() == 0);
  (void)bench.asked();
  bench.values.linked(bench.leader);
  bench.tick();
  CHECK(bench.asked().size() == 1);
}

TEST_CASE("whoever names outputs that nobody has keeps neither others' outputs out nor inputs") {
  Bench bench;
  const PeerId other = peer(4);
  bench.blobs.connected(other, bench.now, bench.out);
  for (std::uint8_t i = 0; i < 100; ++i) bench.output(i, bench.donor);
  bench.output(200, other);
  bench.values.add_input({201}, blob(201));
  bench.tick();
  bench.tick();  // it looks at so many at a time
  const auto asked = bench.asked();
  REQUIRE(asked.size() == 4);
  CHECK(std::count(asked.begin(), asked.end(), std::pair(blob(200), other)) == 1);
  CHECK(std::count(asked.begin(), asked.end(), std::pair(blob(201), bench.leader)) == 1);
  // One that gave nothing is not asked for its others.
  for (int i = 0; i < 100 && bench.values.bytes() == 4 * length; ++i) {
    bench.blobs.failed({asked[0].first, bench.donor, "", FetchFailure::withheld}, bench.now, bench.out);
    bench.blobs.failed({asked[0].first, bench.leader, "", FetchFailure::withheld}, bench.now, bench.out);
    bench.hear();
    bench.now = later(bench.now, limits::blob_retry_most);
    bench.blobs.tick(bench.now, bench.out);
  }
  (void)bench.asked();
  bench.tick();
  CHECK(bench.asked().empty());
}

TEST_CASE("of the few fetches at a time one is left to inputs, and inputs that take all of them make outputs wait") {
  Bench outputs_first;
  for (std::uint8_t i = 10; i < 16; ++i) {
    outputs_first.blobs.connected(peer(i), outputs_first.now, outputs_first.out);
    outputs_first.output(i, peer(i));
  }
  outputs_first.values.add_input({201}, blob(201));
  outputs_first.tick();
  const auto asked = outputs_first.asked();
  CHECK(asked.size() == 4);
  CHECK(std::count(asked.begin(), asked.end(), std::pair(blob(201), outputs_first.leader)) == 1);

  Bench inputs_first;
  for (std::uint8_t i = 0; i < 4; ++i) inputs_first.values.add_input({i}, blob(i));
  inputs_first.tick();
  CHECK(inputs_first.asked().size() == 4);
  inputs_first.output(10, inputs_first.donor);
  inputs_first.tick();
  CHECK(inputs_first.asked().empty());
}

TEST_CASE("what this peer's own disk refused is not held against the donor, and a donor that gave nothing is asked again once it is linked") {
  for (const bool own_fault : {true, false}) {
    CAPTURE(own_fault);
    Bench bench;
    bench.output(1, bench.donor);
    bench.tick();
    for (int i = 0; i < 100 && bench.values.bytes() > 0; ++i) {
      for (const PeerId& from : {bench.donor, bench.leader}) {
        bench.blobs.failed({blob(1), from, "", own_fault ? FetchFailure::here : FetchFailure::withheld}, bench.now, bench.out);
      }
      bench.hear();
      bench.now = later(bench.now, limits::blob_retry_most);
      bench.blobs.tick(bench.now, bench.out);
    }
    REQUIRE(bench.values.bytes() == 0);
    (void)bench.asked();
    bench.output(2, bench.donor);
    const auto asked_for_it = [&] {
      bench.values.tick(room, {}, bench.now, bench.out);
      const auto asked = bench.asked();
      return std::any_of(asked.begin(), asked.end(), [](const auto& each) { return each.first == blob(2); });
    };
    CHECK(asked_for_it() == own_fault);
    if (own_fault) continue;
    bench.values.linked(bench.donor);
    CHECK(asked_for_it());
  }
}

TEST_CASE("what does not fit keeps nothing smaller out, and what nobody there has takes no turn from the rest") {
  Bench bench;
  const BlobId huge{50 * length, hash_of(Bytes{99})};
  bench.values.add_input({90}, huge);
  bench.values.add_output({91}, huge, bench.donor, bench.now, bench.out);
  bench.values.add_input({1}, blob(1));
  for (std::uint8_t i = 10; i < 20; ++i) bench.values.add_output({i}, blob(i), peer(50), bench.now, bench.out);  // whom nobody has met
  bench.values.tick(room, {}, bench.now, bench.out);
  CHECK(bench.asked().empty());
  bench.tick();
  const auto asked = bench.asked();
  CHECK(std::count(asked.begin(), asked.end(), std::pair(blob(1), bench.leader)) == 1);
}

TEST_CASE("a second donor of an output is asked where the first gives nothing") {
  Bench bench;
  const PeerId other = peer(4);
  bench.output(1, peer(50));  // away
  bench.values.tick(room, {}, bench.now, bench.out);
  CHECK(bench.asked().empty());
  bench.blobs.connected(other, bench.now, bench.out);
  bench.output(1, other);
  bench.values.tick(room, {}, bench.now, bench.out);
  CHECK(bench.asked() == std::vector<std::pair<BlobId, PeerId>>{{blob(1), other}});
}

TEST_CASE("what was not to be had is tried again within a minute or so, and nothing is due where nothing is lacking") {
  Bench bench;
  bench.tick();
  CHECK(bench.values.next_deadline() == never);
  bench.values.add_input({1}, blob(1));
  bench.tick();
  bench.fail(blob(1));
  (void)bench.asked();
  REQUIRE(bench.values.next_deadline() <= bench.now.boot + std::chrono::minutes(1));
  bench.now = later(bench.now, std::chrono::minutes(1));
  bench.tick();
  CHECK(bench.asked().size() == 1);
}

TEST_CASE("inputs of a job that is led are offered to whoever asks, whyever they came") {
  Bench bench;
  bench.blobs.need(blob(1), bench.leader, bench.now, bench.out);  // for a unit of its own
  bench.come(blob(1));
  bench.values.add_input({1}, blob(1));
  bench.values.add_input({2}, blob(2));
  bench.tick();
  bench.come(blob(2));
  const auto offered = [&] {
    const auto is_offer = [](const Effect& effect) { return std::holds_alternative<OfferBlob>(effect); };
    return std::count_if(bench.out.effects.begin(), bench.out.effects.end(), is_offer);
  };
  CHECK(offered() == 0);
  bench.values.set_leads(true, bench.out);
  CHECK(offered() == 2);
  // So is one that comes later and is here already.
  bench.blobs.need(blob(3), bench.leader, bench.now, bench.out);
  bench.come(blob(3));
  bench.values.add_input({3}, blob(3));
  bench.tick();
  CHECK(offered() == 3);
}

TEST_CASE("an input that is lost from the disk is here no more, and is again once it was fetched anew") {
  Bench bench;
  bench.values.add_input({1}, blob(1));
  bench.tick();
  bench.come(blob(1));
  (void)bench.values.take_come();
  for (const FetchFailure cause : {FetchFailure::here, FetchFailure::missing}) {
    (void)bench.asked();
    bench.blobs.failed({blob(1), bench.self, "rotten, or gone", cause}, bench.now, bench.out);
    bench.hear();
    CHECK(bench.asked() == std::vector<std::pair<BlobId, PeerId>>{{blob(1), bench.leader}});
    CHECK(bench.values.take_come().lost_inputs == std::vector<UnitIndex>{{1}});
    CHECK(bench.values.lacking() == 1);
    CHECK(bench.values.bytes() == length);
    bench.come(blob(1));
    CHECK(bench.values.take_come().inputs == std::vector<UnitIndex>{{1}});
    CHECK(bench.values.lacking() == 0);
  }
}

TEST_CASE("once all is let go, nothing is needed any more") {
  Bench bench;
  for (std::uint8_t i = 0; i < 8; ++i) bench.values.add_input({i}, blob(i));
  bench.output(9, bench.donor);
  bench.tick();
  bench.come(blob(7));
  bench.values.clear(bench.out);
  CHECK(bench.blobs.count() == 0);
  CHECK(bench.values.lacking() == 0);
  bench.tick();
  CHECK(bench.values.bytes() == 0);
}

}  // namespace dugnad::core::test
