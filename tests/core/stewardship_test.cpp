#include "coordinatorless/core/stewardship.h"

#include <doctest/doctest.h>

#include "tests/core/steward_bench.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Bench = StewardBench;

}  // namespace

TEST_CASE("a steward holds what it is asked to hold, and follows whoever asked") {
  Bench bench;
  bench.stewardship.connected(bench.submitter(), bench.now, bench.out);
  CHECK_FALSE(bench.entrust(1, {bench.submitter()}));
  const auto follows = take<Follow>(bench.out);
  REQUIRE(follows.size() == 1);
  CHECK(follows[0].first == bench.submitter());
  CHECK(follows[0].second.from == 0);
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(bench.job.units(0, 5))}));
  CHECK(bench.stewardship.needs(bench.submitter()));
}

TEST_CASE("a steward that is asked once more asks for the record once more: its first question may have come before there was one") {
  Bench bench;
  bench.hold();
  CHECK_FALSE(bench.entrust(3, {bench.submitter(), bench.me.self.id}));
  CHECK(take<Follow>(bench.out).size() == 1);
}

TEST_CASE("a peer that is not willing, and one without room, says so") {
  Bench unwilling(0);
  CHECK_FALSE(unwilling.entrust(1, {unwilling.submitter()}));
  CHECK(take<Closed>(unwilling.out).size() == 1);
  CHECK_FALSE(unwilling.stewardship.holds(unwilling.job.id()));

  Bench bench;
  for (std::size_t i = 0; i <= limits::steward_jobs_per_owner; ++i) {
    bench.job.manifest.nonce.bytes[0] = static_cast<std::uint8_t>(i);
    CHECK_FALSE(bench.entrust(1, {bench.submitter()}));
    CHECK(bench.stewardship.holds(bench.job.id()) == (i < limits::steward_jobs_per_owner));
  }
  CHECK(take<Closed>(bench.out).size() == 1);
}

TEST_CASE("one submitter with many owners' keys has no more room than one owner") {
  Bench bench;
  for (std::size_t i = 0; i < 2 * limits::steward_jobs_per_owner; ++i) {
    const Identity owner(1000 + i);
    bench.job.manifest.owner = owner.crypto->public_key();
    const Entrust asks{owner.sign(Domain::manifest, encode(bench.job.manifest)),
                       owner.sign(Domain::delegation, encode(Delegation{bench.job.id(), 1, {bench.submitter()}}))};
    CHECK_FALSE(bench.stewardship.on(bench.submitter(), asks, bench.now, bench.out));
    CHECK(bench.stewardship.holds(bench.job.id()) == (i < limits::steward_jobs_per_owner));
  }
}

TEST_CASE("one owner with many submitters has no more room, and all owners together hold no more than so many jobs") {
  for (const bool one_owner : {true, false}) {
    CAPTURE(one_owner);
    Bench bench;
    const std::size_t most = one_owner ? limits::steward_jobs_per_owner : limits::steward_jobs_max;
    for (std::size_t i = 0; i < most + 2; ++i) {
      const Identity other(3000 + i), asking(5000 + i);
      const Identity& owner = one_owner ? bench.job.owner : other;
      bench.job.manifest.owner = owner.crypto->public_key();
      bench.job.manifest.nonce.bytes[0] = static_cast<std::uint8_t>(i);
      const Entrust asks{owner.sign(Domain::manifest, encode(bench.job.manifest)),
                         owner.sign(Domain::delegation, encode(Delegation{bench.job.id(), 1, {asking.self.id}}))};
      CHECK_FALSE(bench.stewardship.on(asking.self.id, asks, bench.now, bench.out));
      CHECK(bench.stewardship.holds(bench.job.id()) == (i < most));
    }
  }
}

TEST_CASE("what a donor returns to a steward that leads is refused where it is empty or not signed by it") {
  Bench bench;
  bench.hold();
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(bench.job.units(0, 9)), bench.job.entry(bench.job.says(bench.job.deed()))}));
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(limits::steward_patience);
  REQUIRE(bench.leads());
  const Identity& donor = bench.job.assigned(3);
  const auto charge = [&](const Results& results) {
    const auto due = bench.stewardship.on_results(donor.self.id, donor.crypto->public_key(), results, bench.now, bench.out);
    return due ? due->score : 0;
  };
  CHECK(charge(bench.job.results(donor, {})) == charges::malformed.score);
  CHECK(charge(bench.job.results(bench.job.not_assigned(3), {3})) == charges::forged.score);
}

TEST_CASE("nothing is held that the owner has not signed, that wants no stewards, or that somebody else submits") {
  Bench bench;
  const std::vector<PeerId> peers{bench.submitter(), bench.me.self.id};
  const Entrust right{bench.job.signed_manifest(), bench.job.delegation(1, peers)};
  const auto charge = [&](auto spoil, const PeerId& from) {
    Entrust asks = right;
    spoil(asks);
    const auto due = bench.stewardship.on(from, asks, bench.now, bench.out);
    CHECK_FALSE(bench.stewardship.holds(bench.job.id()));
    return due ? due->score : 0;
  };
  CHECK(charge([](Entrust& e) { e.manifest.signature[0] ^= 1; }, bench.submitter()) == charges::forged.score);
  CHECK(charge([](Entrust& e) { e.delegation.signature[0] ^= 1; }, bench.submitter()) == charges::forged.score);
  CHECK(charge([&](Entrust& e) { e.delegation = bench.fellow.sign(Domain::delegation, e.delegation.body); }, bench.submitter()) ==
        charges::forged.score);
  CHECK(charge(
            [&](Entrust& e) {
              e.delegation = bench.job.owner.sign(Domain::delegation, encode(Delegation{JobId{{1}}, 1, {bench.submitter()}}));
            },
            bench.submitter()) == charges::forged.score);
  CHECK(charge([](Entrust& e) { e.manifest.body = {1, 2}; }, bench.submitter()) == charges::malformed.score);
  CHECK(charge([&](Entrust& e) { e.delegation = bench.job.delegation(1, {}); }, bench.submitter()) == charges::malformed.score);
  CHECK(charge([](Entrust&) {}, bench.fellow.self.id) == charges::unasked.score);
  bench.job.manifest.stewarded.reset();
  CHECK(bench.entrust(1, {bench.submitter()})->score == charges::malformed.score);
}

TEST_CASE("a job is forgotten when it has ended, and when nobody has heard of its submitter for a week by a clock that nobody sets") {
  Bench bench;
  bench.hold();
  bench.stewardship.on_news(bench.news(bench.job.submitter, 2, {bench.submitter(), bench.me.self.id}, true), bench.now, bench.out);
  CHECK_FALSE(bench.stewardship.holds(bench.job.id()));

  Bench abandoned;
  abandoned.hold();
  abandoned.now.wall += std::chrono::hours(24 * 30);
  abandoned.pass(minutes(1));
  CHECK(abandoned.stewardship.holds(abandoned.job.id()));
  CHECK(abandoned.stewardship.next_deadline() <= abandoned.now.boot + limits::steward_keep);
  abandoned.stewardship.lost(abandoned.submitter(), abandoned.now);
  abandoned.pass(limits::steward_patience);
  REQUIRE(abandoned.leads());
  abandoned.pass(limits::steward_keep);
  CHECK_FALSE(abandoned.stewardship.holds(abandoned.job.id()));
  CHECK_FALSE(abandoned.stewardship.leads_any());
}

TEST_CASE("a job that outgrows its share is given up, and whoever leads it is told") {
  Bench bench(1 << 20);
  bench.hold();
  OwnersWord word = bench.job.word();
  for (std::uint64_t unit = 0; unit < 10; ++unit) word.units.push_back({{unit}, Bytes(30'000, static_cast<std::uint8_t>(unit))});
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(word)}));
  CHECK_FALSE(bench.stewardship.holds(bench.job.id()));
  const auto closed = take<Closed>(bench.out);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].first == bench.submitter());
}

TEST_CASE("the submitter and the other stewards of a job that is held are fellows, whoever leads, and nobody else is") {
  Bench bench;
  CHECK_FALSE(bench.stewardship.is_fellow(bench.submitter()));
  bench.hold({bench.fellow.self.id});
  CHECK(bench.stewardship.is_fellow(bench.submitter()));
  CHECK(bench.stewardship.is_fellow(bench.fellow.self.id));
  CHECK_FALSE(bench.stewardship.is_fellow(bench.job.donors[0].self.id));
  bench.stewardship.hand_back(bench.job.id(), bench.out);
  CHECK_FALSE(bench.stewardship.is_fellow(bench.fellow.self.id));
}

TEST_CASE("a record is told to the job's delegates and whoever shows that it is one, and to nobody else") {
  Bench bench;
  bench.hold();
  const auto charge = [&](const PeerId& from, Signed shown) {
    const auto due = bench.stewardship.on(from, Follow{bench.job.id(), 0, 0, false, false, std::move(shown)}, bench.out);
    return due ? due->score : 0;
  };
  CHECK(charge(bench.fellow.self.id, {}) == charges::unasked.score);
  CHECK(
      charge(bench.fellow.self.id, bench.fellow.sign(Domain::delegation, encode(Delegation{bench.job.id(), 9, {bench.fellow.self.id}}))) ==
      charges::forged.score);
  CHECK(charge(bench.fellow.self.id, bench.job.owner.sign(Domain::delegation, encode(Delegation{JobId{{3}}, 9, {bench.fellow.self.id}}))) ==
        charges::unasked.score);
  CHECK(charge(bench.fellow.self.id, bench.job.delegation(9, {bench.submitter()})) == charges::unasked.score);
  CHECK(take<Record>(bench.out).empty());
  CHECK(bench.tell(bench.fellow.self.id, {})->score == charges::unasked.score);  // nor is it followed
  CHECK(charge(bench.submitter(), {}) == 0);
  CHECK(charge(bench.fellow.self.id, bench.job.delegation(1, {bench.fellow.self.id})) == 0);
  CHECK(take<Record>(bench.out).size() == 2);
  (void)bench.stewardship.on(bench.fellow.self.id, Follow{JobId{{3}}, 0, 0, false, false, {}}, bench.out);
  CHECK(take<Closed>(bench.out).size() == 1);
}

TEST_CASE("what proves nothing is charged to whoever gave it, and what is not wanted is not kept") {
  Bench bench;
  bench.hold();
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(bench.job.units(0, 9)), bench.job.entry(bench.job.says(bench.job.deed()))}));
  const Identity& donor = bench.job.assigned(3);
  Results forged = bench.job.results(donor, {3});
  forged.results[0].output.bytes[0] ^= 1;
  CHECK(bench.tell(bench.submitter(), {bench.job.entry(donor, forged)}, 2)->score == charges::forged.score);
  const Identity& stranger = bench.job.not_assigned(3);
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(stranger, bench.job.results(stranger, {3}))}, 3));
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(donor, bench.job.results(donor, {3}))}, 4));

  CHECK(bench.told_to_submitter() == 3);
}

TEST_CASE("a large input is fetched from whoever leads, and the submitter is told what is lacking, and once it is nothing") {
  Bench bench;
  bench.blobs.connected(bench.submitter(), bench.now, bench.out);
  bench.hold();
  const BlobId input{70'000, Hash{}};
  OwnersWord word = bench.job.word();
  word.units.push_back({{0}, Value(input)});
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(word)}));
  const auto fetches = [&] {
    const auto is_fetch = [](const Effect& effect) { return std::holds_alternative<FetchBlob>(effect); };
    return std::count_if(bench.out.effects.begin(), bench.out.effects.end(), is_fetch);
  };
  CHECK(fetches() == 1);
  auto follows = take<Follow>(bench.out);
  REQUIRE(follows.size() == 1);
  CHECK(follows[0].second.lacks == 1);
  bench.blobs.fetched(input);
  for (const auto& news : bench.blobs.take_news()) bench.stewardship.on_blob(news, bench.now, bench.out);
  follows = take<Follow>(bench.out);
  REQUIRE(follows.size() == 1);
  CHECK(follows[0].second.lacks == 0);
  CHECK(follows[0].second.from == 1);
}

TEST_CASE("large inputs beyond a steward's share are not fetched, and the job is held all the same") {
  Bench bench(4 << 20);  // of which a quarter is one job's
  bench.blobs.connected(bench.submitter(), bench.now, bench.out);
  bench.hold();
  OwnersWord word = bench.job.word();
  word.units.push_back({{0}, Value(BlobId{2 << 20, Hash{}})});
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(word)}));
  CHECK(bench.stewardship.holds(bench.job.id()));
  CHECK(bench.blobs.count() == 0);
}

TEST_CASE("what a job's units take of a steward's share is not there for its large inputs") {
  Bench bench(4 << 20);
  bench.blobs.connected(bench.submitter(), bench.now, bench.out);
  bench.hold();
  OwnersWord word = bench.job.word();
  for (std::uint64_t unit = 0; unit < 10; ++unit) word.units.push_back({{unit}, Bytes(30'000, static_cast<std::uint8_t>(unit))});
  word.units.push_back({{10}, Value(BlobId{900'000, Hash{}})});
  CHECK_FALSE(bench.tell(bench.submitter(), {bench.job.entry(word)}));
  CHECK(bench.stewardship.holds(bench.job.id()));
  CHECK(bench.blobs.count() == 0);
}

namespace {

/// What is on its disk by now.
HeldRestored on_disk(Output& out) {
  HeldRestored disk;
  for (Effect& effect : out.effects) {
    if (std::holds_alternative<DropHeld>(effect)) disk.jobs.clear();
    auto* keep = std::get_if<KeepHeld>(&effect);
    if (keep == nullptr) continue;
    if (disk.jobs.empty()) disk.jobs.emplace_back();
    if (keep->papers) disk.jobs[0].manifest = keep->papers->manifest, disk.jobs[0].delegation = keep->papers->delegation;
    for (RecordEntry& entry : keep->entries) disk.jobs[0].entries.push_back(std::move(entry));
  }
  return disk;
}

}  // namespace

TEST_CASE("a steward that is started again has what it held, leads when its time has come, and hands it over") {
  HeldRestored disk;
  {
    Bench before;
    before.stewardship.connected(before.submitter(), before.now, before.out);
    CHECK_FALSE(before.entrust(1, {before.submitter()}));
    CHECK_FALSE(before.entrust(2, {before.submitter(), before.me.self.id}));
    CHECK_FALSE(before.tell(before.submitter(), {before.job.entry(before.job.units(0, 5)), before.job.entry(before.job.says(before.job.deed())),
                                                 before.job.entry(before.job.finals(0, 2))}));
    disk = on_disk(before.out);
  }
  REQUIRE(disk.jobs.size() == 1);
  CHECK(disk.jobs[0].entries.size() == 3);
  disk.jobs[0].silent_for = minutes(5);
  Bench bench;
  bench.stewardship.restored(std::move(disk), bench.now, bench.out);
  REQUIRE(bench.stewardship.jobs().size() == 1);
  CHECK(bench.stewardship.jobs()[0].units == 5);
  CHECK(bench.stewardship.jobs()[0].units_done == 2);
  CHECK_FALSE(bench.leads());
  bench.pass(limits::steward_patience);
  CHECK(bench.leads());
  CHECK(bench.told_to_submitter() == 3);
}

TEST_CASE("what is on a steward's disk is believed no more than what others say, and a job forgotten is there no more") {
  Bench before;
  before.stewardship.connected(before.submitter(), before.now, before.out);
  CHECK_FALSE(before.entrust(1, {before.submitter()}));
  CHECK_FALSE(before.tell(before.submitter(), {before.job.entry(before.job.units(0, 5))}));
  const HeldRestored disk = on_disk(before.out);
  before.stewardship.on_news(before.news(before.job.submitter, 3, {before.submitter()}, true), before.now, before.out);
  CHECK_FALSE(before.stewardship.holds(before.job.id()));
  CHECK(on_disk(before.out).jobs.empty());

  const auto restored = [&](const std::function<void(HeldRestored::Job&)>& change) {
    Bench bench;
    HeldRestored changed = disk;
    change(changed.jobs[0]);
    bench.stewardship.restored(std::move(changed), bench.now, bench.out);
    return bench.stewardship.jobs().empty() ? -1 : static_cast<int>(bench.stewardship.jobs()[0].units);
  };
  CHECK(restored([](auto&) {}) == 5);
  CHECK(restored([](auto& job) { job.entries[0].body[9] ^= 1; }) == 0);
  CHECK(restored([](auto& job) { job.delegation.signature[3] ^= 1; }) == -1);
  CHECK(restored([](auto& job) { job.manifest.body.clear(); }) == -1);
  CHECK(restored([](auto& job) { job.silent_for = limits::steward_keep; }) == -1);
}

TEST_CASE("a job that this peer submits itself is handed back, without being left to others") {
  Bench bench;
  bench.hold();
  bench.stewardship.lost(bench.submitter(), bench.now);
  bench.pass(limits::steward_patience);
  REQUIRE(bench.leads());
  (void)bench.stewardship.take_turns();
  bench.stewardship.hand_back(bench.job.id(), bench.out);
  CHECK_FALSE(bench.stewardship.holds(bench.job.id()));
  CHECK(bench.stewardship.take_turns().empty());
}

}  // namespace dugnad::core::test
