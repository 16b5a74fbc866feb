// Which of a job's stewards leads it out, and when.
#include <doctest/doctest.h>

#include "tests/core/steward_bench.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Bench = StewardBench;

}  // namespace

TEST_CASE("the first steward leads once the submitter was away for its patience, the second after twice that") {
  for (const bool is_second : {false, true}) {
    CAPTURE(is_second);
    Bench bench;
    bench.hold(is_second ? std::vector{bench.fellow.self.id} : std::vector<PeerId>{});
    bench.pass(minutes(10));
    CHECK_FALSE(bench.leads());
    bench.stewardship.lost(bench.submitter(), bench.now);
    const Duration patience = limits::steward_patience * (is_second ? 2 : 1);
    bench.pass(patience - seconds(1));
    CHECK_FALSE(bench.leads());
    CHECK(bench.stewardship.next_deadline() == bench.now.boot + seconds(1));
    bench.pass(seconds(1));
    CHECK(bench.leads());
    const auto turns = bench.stewardship.take_turns();
    REQUIRE(turns.size() == 1);
    CHECK(turns[0].leads);
    CHECK(turns[0].delegation == bench.job.delegation(2, is_second ? std::vector{bench.submitter(), bench.fellow.self.id, bench.me.self.id}
                                                                   : std::vector{bench.submitter(), bench.me.self.id}));
  }
}

TEST_CASE("a submitter that is back in time is followed, and nobody leads") {
  Bench bench;
  bench.hold();
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(limits::steward_patience / 2);
  bench.stewardship.connected(bench.submitter(), bench.now, bench.out);
  CHECK(take<Follow>(bench.out).size() == 1);
  bench.pass(minutes(30));
  CHECK_FALSE(bench.leads());
}

TEST_CASE("who leads stops when the submitter asks again, or is heard to lead, and its donors are sent away") {
  for (const bool by_news : {false, true}) {
    CAPTURE(by_news);
    Bench bench;
    bench.hold();
    CHECK_FALSE(
        bench.tell(bench.submitter(), {bench.job.entry(bench.job.units(0, 50)), bench.job.entry(bench.job.says(bench.job.deed()))}));
    bench.stewardship.lost(bench.submitter(), bench.now);
    bench.pass(limits::steward_patience);
    REQUIRE(bench.leads());
    bench.stewardship.on_want(bench.job.donors[0].self.id, Want{bench.job.id(), 1, seconds(100)}, bench.now, bench.out);
    CHECK(take<Lease>(bench.out).size() == 1);
    CHECK(bench.stewardship.needs(bench.job.donors[0].self.id));
    (void)bench.stewardship.take_turns();
    if (by_news)
      bench.stewardship.on_news(bench.news(bench.job.submitter, 2, {bench.submitter(), bench.me.self.id}), bench.now, bench.out);
    else
      CHECK_FALSE(bench.entrust(3, {bench.submitter(), bench.me.self.id}));
    CHECK_FALSE(bench.leads());
    CHECK(take<Closed>(bench.out).size() == 1);
    const auto turns = bench.stewardship.take_turns();
    REQUIRE(turns.size() == 1);
    CHECK_FALSE(turns[0].leads);
    const auto released = bench.stewardship.take_released();
    CHECK(std::find(released.begin(), released.end(), bench.job.donors[0].self.id) != released.end());
    CHECK_FALSE(bench.stewardship.needs(bench.job.donors[0].self.id));
  }
}

TEST_CASE("a fellow that says it leads is not followed while the submitter is there, and is once it is not") {
  Bench bench;
  bench.hold({bench.fellow.self.id});
  const KnownJob usurped = bench.news(bench.fellow, 2, {bench.submitter(), bench.fellow.self.id, bench.me.self.id});
  bench.stewardship.on_news(usurped, bench.now, bench.out);
  CHECK(bench.stewardship.needs(bench.submitter()));
  CHECK_FALSE(bench.stewardship.needs(bench.fellow.self.id));
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.stewardship.on_news(usurped, bench.now, bench.out);
  CHECK(bench.stewardship.needs(bench.fellow.self.id));
  bench.stewardship.connected(bench.fellow.self.id, bench.now, bench.out);
  CHECK(take<Follow>(bench.out).size() == 1);
  bench.pass(minutes(10));
  CHECK_FALSE(bench.leads());
  bench.stewardship.lost(bench.fellow.self.id, bench.now);
  bench.pass(2 * limits::steward_patience);
  CHECK(bench.leads());
}

TEST_CASE("who was left out of a newer delegation keeps what it has, and leads nothing") {
  for (const bool by_news : {false, true}) {
    CAPTURE(by_news);
    Bench bench;
    bench.hold();
    const std::vector<PeerId> others{bench.submitter(), bench.fellow.self.id};
    if (by_news)
      bench.stewardship.on_news(bench.news(bench.job.submitter, 3, others), bench.now, bench.out);
    else
      CHECK_FALSE(bench.entrust(3, others));
    bench.stewardship.lost(bench.submitter(), bench.now);
    bench.pass(minutes(30));
    bench.stewardship.tick(bench.now, bench.out);  // due or not
    CHECK_FALSE(bench.leads());
    CHECK(bench.stewardship.holds(bench.job.id()));
  }
}

TEST_CASE("who was asked and is in no delegation yet leads nothing") {
  Bench bench;
  bench.stewardship.connected(bench.submitter(), bench.now, bench.out);
  CHECK_FALSE(bench.entrust(1, {bench.submitter()}));
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(minutes(30));
  bench.stewardship.tick(bench.now, bench.out);
  CHECK_FALSE(bench.leads());
  CHECK(bench.stewardship.holds(bench.job.id()));
}

TEST_CASE("an older delegation than the newest changes nothing") {
  Bench bench;
  bench.hold();
  CHECK_FALSE(bench.entrust(5, {bench.submitter(), bench.me.self.id}));
  bench.out = {};
  CHECK_FALSE(bench.entrust(4, {bench.fellow.self.id, bench.me.self.id}));
  bench.stewardship.on_news(bench.news(bench.fellow, 4, {bench.fellow.self.id, bench.me.self.id}), bench.now, bench.out);
  CHECK(bench.out.messages.empty());
  CHECK(bench.stewardship.needs(bench.submitter()));
  CHECK_FALSE(bench.stewardship.needs(bench.fellow.self.id));
}

TEST_CASE("stewards take turns: once a shift is one in which another stands before the leader, that one leads, and the leader follows") {
  Bench bench;
  bench.hold({bench.fellow.self.id});
  const std::vector<PeerId> peers{bench.submitter(), bench.fellow.self.id, bench.me.self.id};
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.stewardship.on_news(bench.news(bench.fellow, 2, peers), bench.now, bench.out);
  bench.stewardship.connected(bench.fellow.self.id, bench.now, bench.out);
  bench.pass(limits::steward_shift - seconds(1));
  CHECK_FALSE(bench.leads());
  CHECK(bench.stewardship.next_deadline() == bench.now.boot + seconds(1));
  bench.pass(seconds(1));
  CHECK_FALSE(bench.leads());  // its clock may be ahead
  bench.pass(limits::steward_patience);
  CHECK(bench.leads());
  CHECK(bench.stewardship.take_turns().size() == 1);

  // The fellow goes on saying that it leads, and is not listened to until its shift.
  bench.pass(limits::steward_shift - limits::steward_patience - seconds(1));
  CHECK(bench.leads());
  bench.pass(seconds(2));
  bench.out = {};
  bench.stewardship.on_news(bench.news(bench.fellow, 2, peers), bench.now, bench.out);
  CHECK_FALSE(bench.leads());
  CHECK(take<Follow>(bench.out).size() == 1);
  bench.pass(minutes(10));
  CHECK_FALSE(bench.leads());
}

TEST_CASE("a steward whose shift it is leads until it is over, whoever else says that it leads") {
  Bench bench;
  bench.hold({bench.fellow.self.id});
  bench.pass(limits::steward_shift);
  bench.stewardship.lost(bench.submitter(), bench.now);
  const KnownJob usurped = bench.news(bench.fellow, 2, {bench.submitter(), bench.fellow.self.id, bench.me.self.id});
  CHECK(usurped.mandate.rank(shift_at(bench.now.wall)) == 2);
  bench.stewardship.on_news(usurped, bench.now, bench.out);
  bench.stewardship.connected(bench.fellow.self.id, bench.now, bench.out);
  CHECK_FALSE(bench.leads());
  bench.pass(limits::steward_patience);
  CHECK(bench.leads());
}

TEST_CASE("nobody takes turns with a submitter that is there") {
  Bench bench;
  bench.hold({bench.fellow.self.id});
  for (int shift = 0; shift < 4; ++shift) {
    bench.pass(limits::steward_shift);
    CHECK_FALSE(bench.leads());
  }
}

TEST_CASE("the last of three takes over from a leader whose shift is over where the one before it does not") {
  Bench bench;
  const Identity third(52, far_away(92));
  bench.hold({third.self.id, bench.fellow.self.id});  // in the second shift: fellow, me, third
  const std::vector<PeerId> peers{bench.submitter(), third.self.id, bench.fellow.self.id, bench.me.self.id};
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.stewardship.on_news(bench.news(third, 2, peers), bench.now, bench.out);
  bench.stewardship.connected(third.self.id, bench.now, bench.out);
  bench.pass(limits::steward_shift);
  bench.pass(2 * limits::steward_patience - seconds(1));
  CHECK_FALSE(bench.leads());
  bench.pass(seconds(1));
  CHECK(bench.leads());
}

TEST_CASE("a newer delegation is heard of while its submitter is gone: this peer leads by it") {
  Bench bench;
  bench.stewardship.connected(bench.submitter(), bench.now, bench.out);
  CHECK_FALSE(bench.entrust(1, {bench.submitter()}));
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(seconds(5));
  bench.stewardship.on_news(bench.news(bench.job.submitter, 2, {bench.submitter(), bench.me.self.id}), bench.now, bench.out);
  bench.pass(limits::steward_patience);
  CHECK(bench.leads());
}

TEST_CASE("who begins to lead says by what right, and who stops says nothing of the kind") {
  Bench bench;
  bench.hold({bench.fellow.self.id});
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(2 * limits::steward_patience);
  const auto turns = bench.stewardship.take_turns();
  REQUIRE(turns.size() == 1);
  CHECK(turns[0].mandate == Mandate{2, 2, 3});
}

TEST_CASE("a steward whose announcement nobody would take leads again a little later") {
  Bench bench;
  bench.hold();
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(limits::steward_patience);
  REQUIRE(bench.leads());
  bench.stewardship.step_back(bench.job.id(), bench.now, bench.out);
  CHECK_FALSE(bench.leads());
  bench.stewardship.step_back(bench.job.id(), bench.now, bench.out);
  bench.stewardship.step_back(JobId{{1}}, bench.now, bench.out);
  bench.pass(limits::steward_patience - seconds(1));
  CHECK_FALSE(bench.leads());
  bench.pass(seconds(1));
  CHECK(bench.leads());
  CHECK(bench.stewardship.take_turns().size() == 3);
}

TEST_CASE("stewards that say by turns that they lead, and are not there, keep nobody else from it for long") {
  Bench bench;
  const Identity third(52, far_away(92));
  bench.hold({third.self.id, bench.fellow.self.id});
  const std::vector<PeerId> peers{bench.submitter(), third.self.id, bench.fellow.self.id, bench.me.self.id};
  bench.stewardship.lost(bench.submitter(), bench.now);
  Duration passed{};
  for (bool by_third = true; !bench.leads() && passed < minutes(10); by_third = !by_third, passed += seconds(10)) {
    bench.stewardship.on_news(bench.news(by_third ? third : bench.fellow, 2, peers), bench.now, bench.out);
    bench.pass(seconds(10));
  }
  CHECK(bench.leads());
  CHECK(passed <= (3 + 4) * limits::steward_patience);
}

}  // namespace dugnad::core::test
