#include "coordinatorless/core/entrusting.h"

#include <doctest/doctest.h>

#include <set>

#include "coordinatorless/core/limits.h"
#include "tests/core/stewarded_job.h"

namespace dugnad::core::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// A submitter, and peers that say they would hold its job, whom the test plays.
struct Bench {
  StewardedJob job;
  Links links{job.submitter.self};
  Membership membership{job.submitter.self, links};
  Entrusting entrusting{job.submitter.self, membership};
  std::deque<Identity> peers;
  std::map<PeerId, std::uint64_t> told;  // places in what each of them tells
  Output out;
  Now now = start_of_time();
  std::vector<DeedDonor> present;

  explicit Bench(std::size_t willing = 6, std::size_t donors = 6) : job(donors) {
    for (std::size_t i = 0; i < willing; ++i) {
      const Identity& peer = peers.emplace_back(200 + i, far_away(static_cast<unsigned>(50 + i)));
      ContactRecord record = peer.record(1, now.wall);
      record.steward_bytes = 1 << 20;
      Output ignored;
      (void)membership.learn(peer.sign(record), peer.self.id, now, ignored);
      entrusting.connected(peer.self.id, now, out);
    }
    present = job.deed().donors;
  }

  void begin(unsigned wanted, std::uint64_t epoch = 1, std::vector<PeerId> stewards = {}, std::uint64_t known = 0) {
    stewards.insert(stewards.begin(), job.submitter.self.id);
    JobSubmitted submitted{
        .manifest = job.signed_manifest(), .delegation = job.delegation(epoch, std::move(stewards)), .recipe = to_bytes("recipe")};
    submitted.stewards = wanted;
    entrusting.begin(job.id(), job.manifest, submitted, known, now, out);
    tick();
  }
  void tick() {
    entrusting.tick(
        now, [this](const JobId&) { return present; }, out);
  }
  void pass(Duration by) {
    const BootTime end = now.boot + by;
    for (int steps = 0; entrusting.next_deadline() <= end; ++steps) {
      REQUIRE(steps < 1000);
      now = later(now, std::max<Duration>(entrusting.next_deadline() - now.boot, Duration::zero()));
      tick();
    }
    now = later(now, end - now.boot);
  }
  std::set<PeerId> asked() {
    std::set<PeerId> all;
    for (const auto& [to, entrust] : take<Entrust>(out)) all.insert(to);
    return all;
  }
  std::optional<Charge> follow(const PeerId& from, Signed shown = {}) {
    const auto due = entrusting.on(from, Follow{job.id(), 0, 0, false, false, std::move(shown)}, now, out);
    tick();
    return due;
  }
  std::optional<Charge> tell(const PeerId& from, std::vector<RecordEntry> entries) {
    std::uint64_t& at = told[from];
    const std::uint64_t first = std::exchange(at, at + entries.size());
    return entrusting.on(from, Record{job.id(), 900, first, at, false, std::move(entries)}, now, out);
  }
  std::optional<Delegation> delegated() {
    const auto all = entrusting.take_delegated();
    return all.empty() ? std::nullopt : decode_delegation(all.back().delegation.body);
  }
  /// Which results came in since last asked, by unit and donor.
  std::set<std::pair<std::uint64_t, PublicKey>> gathered() {
    std::set<std::pair<std::uint64_t, PublicKey>> all;
    for (const Entrusting::Gathered& each : entrusting.take_gathered()) {
      for (std::size_t place = 0; place < each.counts.size(); ++place) {
        if (each.counts[place]) all.emplace(each.results.results.results[place].unit.value, each.results.donor);
      }
    }
    return all;
  }
  /// What a steward has been told, by the owner's word.
  std::vector<OwnersWord> words_for(const PeerId& steward) {
    out = {};
    (void)entrusting.on(steward, Follow{job.id(), 0, 0, false, true, {}}, now, out);
    std::vector<OwnersWord> words;
    for (const auto& [to, record] : take<Record>(out)) {
      for (const RecordEntry& entry : record.entries) words.push_back(decode_owners_word(entry.body).value());
    }
    return words;
  }
  /// Back after an absence, with these as its stewards, all of which have been heard to follow.
  void come_back(std::size_t stewards) {
    std::vector<PeerId> before;
    for (std::size_t i = 0; i < stewards; ++i) before.push_back(peers[i].self.id);
    begin(static_cast<unsigned>(stewards), 7, before);
    for (const PeerId& each : before) CHECK_FALSE(follow(each));
    REQUIRE(entrusting.gathers(job.id()));
  }
};

}  // namespace

TEST_CASE("as many willing peers are asked as are wanted, the same for the same job, and others for others") {
  Bench one, again;
  one.begin(3);
  again.begin(3);
  const auto asked = one.asked();
  CHECK(asked.size() == 3);
  CHECK(again.asked() == asked);
  std::set<std::set<PeerId>> different;
  for (std::uint8_t i = 1; i < 8; ++i) {
    Bench other;
    other.job.manifest.nonce.bytes[0] = i;
    other.begin(3);
    different.insert(other.asked());
  }
  CHECK(different.size() > 3);
}

TEST_CASE("those that follow are delegated together, in an order that follows from the job") {
  Bench bench;
  bench.begin(2);
  const auto asked = bench.asked();
  REQUIRE(asked.size() == 2);
  CHECK_FALSE(bench.follow(*asked.begin()));
  CHECK_FALSE(bench.delegated());
  CHECK_FALSE(bench.follow(*asked.rbegin()));
  const auto delegation = bench.delegated();
  REQUIRE(delegation);
  CHECK(delegation->epoch == 2);
  REQUIRE(delegation->peers.size() == 3);
  CHECK(delegation->peers[0] == bench.job.submitter.self.id);
  CHECK(std::set(delegation->peers.begin() + 1, delegation->peers.end()) == asked);
  CHECK(bench.asked() == asked);  // they are told
}

TEST_CASE("whoever refuses or says nothing is passed over, until nobody else is left") {
  Bench bench(3);
  bench.begin(1);
  const auto first = bench.asked();
  REQUIRE(first.size() == 1);
  bench.entrusting.on_closed(*first.begin(), bench.job.id(), bench.now);
  bench.tick();
  const auto second = bench.asked();
  REQUIRE(second.size() == 1);
  CHECK(second != first);
  bench.pass(limits::entrust_retry + seconds(5));  // silent
  const auto third = bench.asked();
  REQUIRE(third.size() == 1);
  CHECK(third != second);
  CHECK(third != first);
  bench.entrusting.on_closed(*third.begin(), bench.job.id(), bench.now);
  bench.tick();
  CHECK(bench.asked().empty());
  bench.pass(2 * limits::entrust_retry);
  CHECK_FALSE(bench.asked().empty());
}

TEST_CASE("a steward that is lost for long is replaced, and one that is soon back is not") {
  Bench bench;
  bench.begin(1);
  const PeerId first = *bench.asked().begin();
  CHECK_FALSE(bench.follow(first));
  CHECK(bench.delegated());
  bench.out = {};
  bench.entrusting.lost(first, bench.now);
  bench.pass(minutes(1));
  bench.entrusting.connected(first, bench.now, bench.out);
  CHECK(bench.asked() == std::set{first});
  bench.pass(minutes(5));
  CHECK(bench.asked().empty());
  bench.entrusting.lost(first, bench.now);
  bench.pass(minutes(3));
  const auto other = bench.asked();
  CHECK_FALSE(other.empty());
  CHECK_FALSE(other.contains(first));
}

TEST_CASE("a steward that comes and goes has the job delegated every few seconds at most, and is not taken at its word again") {
  Bench bench(1);
  bench.begin(1);
  const PeerId peer = bench.peers[0].self.id;
  unsigned delegations = 0;
  for (int i = 0; i < 200; ++i) {
    (void)bench.follow(peer, bench.job.delegation(1, {peer}));
    bench.entrusting.on_closed(peer, bench.job.id(), bench.now);
    bench.tick();
    delegations += static_cast<unsigned>(bench.entrusting.take_delegated().size());
  }
  CHECK(delegations <= 1);

  Bench many;
  many.begin(1);
  delegations = 0;
  for (const Identity& each : many.peers) {
    (void)many.follow(each.self.id, many.job.delegation(1, {each.self.id}));
    many.entrusting.on_closed(each.self.id, many.job.id(), many.now);
    many.tick();
    delegations += static_cast<unsigned>(many.entrusting.take_delegated().size());
  }
  CHECK(delegations == 1);
  CHECK(bench.follow(peer, bench.job.delegation(1, {peer}))->score == charges::unasked.score);
}

TEST_CASE("stewards are told the recipe, units, large inputs by their names, what is final, and who may compute what") {
  Bench bench;
  bench.begin(1);
  const PeerId steward = *bench.asked().begin();
  UnitsAppended appended{bench.job.id(), {}, true};
  for (std::uint64_t unit = 0; unit < 5; ++unit) appended.units.push_back({{unit}, StewardedJob::input(unit)});
  appended.units.push_back({{5}, Value(BlobId{70'000, Hash{}})});
  appended.units.push_back({{6}, Bytes{1}, Value(Bytes{2})});  // a known answer, which is nobody else's affair
  bench.entrusting.appended(appended, bench.now);
  bench.entrusting.accepted(bench.job.id(), {{{2}, 77, Outcome::ok, Bytes{3}}}, bench.now);
  CHECK_FALSE(bench.follow(steward));
  bench.pass(minutes(5));
  Bytes recipe;
  std::set<std::uint64_t> units, finals;
  std::optional<Deed> deed;
  for (const OwnersWord& word : bench.words_for(steward)) {
    if (!word.recipe.empty()) recipe = word.recipe;
    for (const LeasedUnit& unit : word.units) units.insert(unit.unit.value);
    for (const FinalUnit& unit : word.finals) finals.insert(unit.unit.value);
    if (word.deed) deed = word.deed;
  }
  CHECK(recipe == to_bytes("recipe"));
  CHECK(units == std::set<std::uint64_t>{0, 1, 2, 3, 4, 5});
  CHECK(finals == std::set<std::uint64_t>{2});
  REQUIRE(deed);
  CHECK(is_sound(*deed, bench.job.secret));
  CHECK(deed->donors.size() == 6);
}

TEST_CASE("a steward holds the job once it has been told all and lacks no large input") {
  Bench bench;
  bench.begin(1);
  const PeerId steward = *bench.asked().begin();
  const auto holding = [&] {
    unsigned stewards = 0;
    for (const Effect& effect : bench.out.effects) {
      if (const auto* hold = std::get_if<StewardsHold>(&effect)) stewards = hold->stewards;
    }
    return stewards;
  };
  const auto follow = [&](std::uint32_t lacks) {
    CHECK_FALSE(bench.entrusting.on(steward, Follow{bench.job.id(), 0, 0, false, false, {}, lacks}, bench.now, bench.out));
    const auto records = take<Record>(bench.out);
    REQUIRE_FALSE(records.empty());
    const Record& last = records.back().second;
    CHECK_FALSE(bench.entrusting.on(steward, Follow{bench.job.id(), last.series, last.next, true, false, {}, lacks}, bench.now, bench.out));
    bench.tick();
  };
  UnitsAppended appended{bench.job.id(), {{{0}, Value(BlobId{70'000, Hash{}})}}, false};
  bench.entrusting.appended(appended, bench.now);
  CHECK_FALSE(bench.follow(steward));
  bench.pass(minutes(5));
  follow(0);
  CHECK(holding() == 0);  // more may come
  bench.entrusting.appended({bench.job.id(), {{{1}, Bytes{1}}}, true}, bench.now);
  follow(1);
  CHECK(holding() == 0);
  follow(0);
  CHECK(holding() == 1);
}

TEST_CASE("what was gathered with a large output counts like what is small, and names who may have it") {
  Bench bench;
  bench.come_back(2);
  const PeerId steward = bench.peers[0].self.id;
  const Identity& donor = bench.job.assigned(3);
  Results results = bench.job.results(donor, {3});
  results.results[0].output = Value(BlobId{70'000, Hash{}});
  StewardedJob::sign(results, donor);
  CHECK_FALSE(bench.tell(steward, {bench.job.entry(bench.job.says(bench.job.deed())), bench.job.entry(donor, results)}));
  bench.pass(minutes(5));
  const auto gathered = bench.entrusting.take_gathered();
  REQUIRE(gathered.size() == 1);
  CHECK(gathered[0].counts == std::vector<bool>{true});
  CHECK(std::set<PeerId>(gathered[0].stewards.begin(), gathered[0].stewards.end()).contains(steward));
}

TEST_CASE("a newer deed comes where a quarter of its donors is new, and none that no steward is there to get") {
  Bench bench;
  bench.begin(1);
  const PeerId steward = *bench.asked().begin();
  CHECK_FALSE(bench.follow(steward));
  const auto deeds = [&] {
    std::vector<Deed> all;
    for (const OwnersWord& word : bench.words_for(steward)) {
      if (word.deed) all.push_back(*word.deed);
    }
    return all;
  };
  bench.pass(minutes(5));
  REQUIRE(deeds().size() == 1);
  bench.present.push_back({PeerId{{1}}, far_away(150)});
  bench.pass(minutes(5));
  CHECK(deeds().size() == 1);
  bench.present.push_back({PeerId{{2}}, far_away(151)});
  bench.entrusting.lost(steward, bench.now);
  bench.pass(minutes(1));
  bench.entrusting.connected(steward, bench.now, bench.out);
  CHECK(deeds().size() == 1);
  bench.pass(minutes(5));
  REQUIRE(deeds().size() == 2);
  CHECK(deeds()[1].version > deeds()[0].version);
  for (std::size_t i = 0; i < 4; ++i) bench.present[i].newcomer = true;  // so are those of whom the submitter knows something else by now
  bench.pass(minutes(5));
  CHECK(deeds().size() == 3);
  bench.present.push_back({steward, far_away(152)});
  bench.present.push_back({PeerId{{3}}, far_away(153)});
  bench.present.push_back({PeerId{{4}}, far_away(154)});
  bench.pass(minutes(5));
  for (const Deed& deed : deeds()) {
    for (const DeedDonor& donor : deed.donors) CHECK(donor.donor != steward);
  }
}

TEST_CASE("a submitter that is back leases nothing until its stewards have told all, and judges then") {
  Bench bench;
  bench.come_back(2);
  const Identity& donor = bench.job.assigned(3);
  const Identity& stranger = bench.job.not_assigned(3);
  CHECK_FALSE(bench.tell(bench.peers[0].self.id,
                         {bench.job.entry(bench.job.says(bench.job.deed())), bench.job.entry(donor, bench.job.results(donor, {3})),
                          bench.job.entry(stranger, bench.job.results(stranger, {3}))}));
  CHECK(bench.entrusting.gathers(bench.job.id()));
  CHECK(bench.gathered().empty());
  CHECK_FALSE(bench.tell(bench.peers[1].self.id, {}));
  CHECK_FALSE(bench.entrusting.gathers(bench.job.id()));
  CHECK(bench.gathered() == std::set{std::pair(std::uint64_t{3}, donor.crypto->public_key())});
  CHECK(bench.entrusting.take_told() == std::vector{bench.job.id()});
}

TEST_CASE("stewards that were linked before the job was taken up again are asked at once: they have asked in vain") {
  Bench bench;
  CHECK_FALSE(bench.follow(bench.peers[0].self.id));
  bench.out = {};
  bench.begin(2, 7, {bench.peers[0].self.id, bench.peers[1].self.id});
  CHECK(bench.asked() == std::set{bench.peers[0].self.id, bench.peers[1].self.id});
}

TEST_CASE("stewards that say nothing are waited for so long, and less once one has told all") {
  Bench silent;
  silent.come_back(2);
  silent.pass(limits::gather_patience - seconds(1));
  CHECK(silent.entrusting.gathers(silent.job.id()));
  silent.pass(seconds(1));
  CHECK_FALSE(silent.entrusting.gathers(silent.job.id()));
  CHECK(silent.entrusting.take_told().size() == 1);

  Bench one;
  one.come_back(2);
  CHECK_FALSE(one.tell(one.peers[0].self.id, {}));
  one.pass(limits::gather_patience / 2);
  CHECK_FALSE(one.entrusting.gathers(one.job.id()));
}

TEST_CASE("of several deeds the newest alone lets results count: more would be a choice") {
  Bench bench(6, 40);
  bench.come_back(1);
  std::vector<RecordEntry> entries;
  const Deed newest = bench.job.deed(5);
  for (const std::uint64_t version : {1, 2, 5, 3, 4}) entries.push_back(bench.job.entry(bench.job.says(bench.job.deed(version))));
  for (const Identity& donor : bench.job.donors) {
    for (std::uint64_t unit = 0; unit < 20; ++unit) entries.push_back(bench.job.entry(donor, bench.job.results(donor, {unit})));
  }
  CHECK_FALSE(bench.tell(bench.peers[0].self.id, std::move(entries)));
  const auto gathered = bench.gathered();
  CHECK(gathered.size() == 2 * 20);
  const Assignment assignment(newest);
  for (const auto& [unit, donor] : gathered) CHECK(assignment.assigns({unit}, peer_id_of(donor), 2));
}

TEST_CASE("a deed whose key is not that of its list lets nothing count, though its owner signed it") {
  Bench bench;
  bench.come_back(1);
  Deed chosen = bench.job.deed(9);
  chosen.key.bytes[0] ^= 1;
  const Identity& donor = bench.job.donors[0];
  std::vector<RecordEntry> entries{bench.job.entry(bench.job.says(chosen))};
  for (std::uint64_t unit = 0; unit < 20; ++unit) entries.push_back(bench.job.entry(donor, bench.job.results(donor, {unit})));
  CHECK_FALSE(bench.tell(bench.peers[0].self.id, std::move(entries)));
  CHECK(bench.gathered().empty());
}

TEST_CASE("what the owner says that it collected counts, whoever it asked, and nobody else's word does") {
  Bench bench;
  bench.come_back(1);
  const Identity& stranger = bench.job.not_assigned(3);
  OwnersWord word = bench.job.word();
  word.collected = CollectedResults{stranger.crypto->public_key(), encode(Message(bench.job.results(stranger, {3})))};
  Bytes body = encode(word);
  const Signature by_steward = bench.peers[0].self.sign(Domain::word, body);
  CHECK(bench.tell(bench.peers[0].self.id, {RecordEntry{std::nullopt, body, by_steward}})->score == charges::forged.score);
  --bench.told[bench.peers[0].self.id];
  bench.told[bench.peers[0].self.id] = 1;
  CHECK_FALSE(bench.tell(bench.peers[0].self.id, {bench.job.entry(word)}));
  CHECK(bench.gathered() == std::set{std::pair(std::uint64_t{3}, stranger.crypto->public_key())});
}

TEST_CASE("a steward of an earlier run that shows an owner's delegation may tell, and whoever shows none may not") {
  Bench bench;
  bench.come_back(1);
  const PeerId& old = bench.peers[4].self.id;
  CHECK(bench.follow(old)->score == charges::unasked.score);
  CHECK(bench.follow(old, bench.peers[4].sign(Domain::delegation, encode(Delegation{bench.job.id(), 3, {old}})))->score ==
        charges::forged.score);
  CHECK(bench.follow(old, bench.job.delegation(3, {bench.peers[5].self.id}))->score == charges::unasked.score);
  CHECK(bench.follow(old, bench.job.owner.sign(Domain::delegation, encode(Delegation{JobId{{3}}, 3, {old}})))->score ==
        charges::unasked.score);
  CHECK(bench.tell(bench.peers[5].self.id, {})->score == charges::unasked.score);
  bench.entrusting.on_closed(old, bench.job.id(), bench.now);  // it is nobody's word yet
  bench.told[old] = 0;
  CHECK_FALSE(bench.follow(old, bench.job.delegation(3, {old})));
  CHECK_FALSE(bench.tell(old, {}));
  CHECK(bench.entrusting.needs(old));
}

TEST_CASE("beyond so many stewards not even one that shows an owner's delegation is followed") {
  Bench bench(limits::stewards_max + 1);
  bench.come_back(limits::stewards_max);
  const PeerId& old = bench.peers[limits::stewards_max].self.id;
  CHECK(bench.follow(old, bench.job.delegation(3, {old}))->score == charges::unasked.score);
  CHECK_FALSE(bench.entrusting.needs(old));
}

TEST_CASE("a peer that does not say it is willing is not asked to be a steward") {
  Bench bench(1);
  const Identity unwilling(300, far_away(80));
  Output ignored;
  (void)bench.membership.learn(unwilling.sign(unwilling.record(1, bench.now.wall)), unwilling.self.id, bench.now, ignored);
  bench.entrusting.connected(unwilling.self.id, bench.now, bench.out);
  REQUIRE(bench.membership.record_of(unwilling.self.id));
  bench.begin(2);
  CHECK(bench.asked() == std::set{bench.peers[0].self.id});
}

TEST_CASE("a steward cannot fill the submitter with what donors never signed up for, nor with more than its share") {
  Bench bench;
  bench.come_back(2);
  std::vector<RecordEntry> entries;
  for (std::uint64_t i = 0; i < 50; ++i) {  // names are free
    const Identity invented(5000 + i);
    entries.push_back(bench.job.entry(invented, bench.job.results(invented, {i})));
  }
  CHECK_FALSE(bench.tell(bench.peers[0].self.id, std::move(entries)));
  // None of it is passed on to the other steward either.
  CHECK(bench.words_for(bench.peers[1].self.id).size() == 1);
}

TEST_CASE("an epoch that was announced meanwhile is outdone, whatever the clock says") {
  Bench bench;
  bench.begin(2, 7, {bench.peers[0].self.id}, 1'000'000);
  const auto delegation = bench.delegated();
  REQUIRE(delegation);
  CHECK(delegation->epoch > 1'000'000);
  CHECK(delegation->peers == std::vector{bench.job.submitter.self.id, bench.peers[0].self.id});
  CHECK(bench.entrusting.gathers(bench.job.id()));
  CHECK(decode_delegation(bench.entrusting.delegation_of(bench.job.id(), {}).body) == delegation);
}

TEST_CASE("a job that is sought is delegated to this peer, and found with its recipe and what is final") {
  Bench bench;
  bench.entrusting.seek(bench.job.id(), bench.now);
  const PeerId elsewhere{{0x77}};
  KnownJob known;
  known.job = bench.job.id();
  known.manifest = bench.job.manifest;
  known.manifest_body = bench.job.signed_manifest().body;
  known.manifest_signature = bench.job.signed_manifest().signature;
  known.submitter = bench.peers[0].self.id;
  known.delegated = {bench.job.id(), 40, {elsewhere, bench.peers[0].self.id, bench.peers[1].self.id}};
  bench.entrusting.on_news(known, bench.now, bench.out);
  bench.tick();
  const auto delegation = bench.delegated();
  REQUIRE(delegation);
  CHECK(delegation->epoch > 40);
  CHECK(delegation->peers.front() == bench.job.submitter.self.id);
  CHECK(std::find(delegation->peers.begin(), delegation->peers.end(), elsewhere) == delegation->peers.end());
  for (int i = 0; i < 2; ++i) CHECK_FALSE(bench.follow(bench.peers[static_cast<std::size_t>(i)].self.id));
  OwnersWord recipe = bench.job.word();
  recipe.recipe = to_bytes("how");
  OwnersWord finals = bench.job.finals(0, 3);
  finals.finals.push_back({{3}, 1, Outcome::ok, Value(BlobId{100'000, Hash{}})});  // whose bytes are not here
  CHECK_FALSE(bench.tell(bench.peers[0].self.id, {bench.job.entry(recipe), bench.job.entry(finals)}));
  CHECK_FALSE(bench.tell(bench.peers[1].self.id, {}));
  const auto found = all<JobFound>(bench.out);
  REQUIRE(found.size() == 1);
  CHECK(found[0].recipe == to_bytes("how"));
  CHECK(found[0].finals.size() == 3);
}

TEST_CASE("a job of another owner, or that wants no stewards, is not entrusted to anybody") {
  Bench other;
  other.job.manifest.owner = other.peers[0].crypto->public_key();
  other.begin(3);
  CHECK_FALSE(other.entrusting.entrusts(other.job.id()));
  Bench plain;
  plain.job.manifest.stewarded.reset();
  plain.begin(3);
  CHECK_FALSE(plain.entrusting.entrusts(plain.job.id()));
  CHECK(plain.asked().empty());
}

}  // namespace dugnad::core::test
