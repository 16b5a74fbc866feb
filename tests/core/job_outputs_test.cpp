// A Job whose units return large outputs: what is fetched from whom, and what comes of a unit whose output is not to be had.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/job.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

PeerId peer(std::uint8_t name) { return PeerId{{name}}; }
BlobId blob(std::uint8_t name, std::uint64_t length = mebibyte) { return {length, Hash{{name}}}; }

struct Bench {
  std::unique_ptr<Crypto> crypto = make_sodium({});
  Generator generator = Generator::from_seed(5);
  Self self{.id = peer(0), .swarm = {}, .endpoint = {}, .donates = false, .crypto = crypto.get(), .generator = &generator};
  Journal journal;
  Now now{BootTime{} + seconds(1000), WallTime{}};
  BlobWants blobs{self.id};
  JobCommons commons;
  Job job;
  Output out;

  struct Leased {
    LeaseId lease;
    LeasedUnit unit;
  };
  std::map<PeerId, std::vector<Leased>> leased;  // not answered yet
  std::map<std::uint64_t, AcceptedUnit> delivered;
  std::vector<std::uint64_t> journalled;
  std::vector<FetchBlob> fetches;
  std::vector<BlobId> released;
  std::set<std::pair<PeerId, std::uint64_t>> revoked;
  std::optional<JobState> ended;

  explicit Bench(unsigned copies, std::uint64_t room = 64 * mebibyte)
      : commons{blobs, {room, 0}, 1}, job(self, commons, JobId{}, manifest(copies), JobSubmitted{}, now) {}

  static Manifest manifest(unsigned copies) {
    Manifest manifest;
    manifest.task = "test";
    manifest.copies = copies;
    manifest.unit_limit = seconds(60);
    return manifest;
  }

  void units(std::uint64_t count, Value input = Bytes{1}) {
    UnitsAppended appended{JobId{}, {}, true};
    for (std::uint64_t i = 0; i < count; ++i) appended.units.push_back({{i}, input});
    job.append(std::move(appended), now);
    settle();
  }
  void want(const PeerId& donor, unsigned slots = 1) {
    blobs.connected(donor, now, out);
    job.connected(donor);
    job.on_want(donor, Want{JobId{}, slots, seconds(100)});
    settle();
  }
  /// The donor returns its oldest unit.
  void answer(const PeerId& donor, Value output, Outcome outcome = Outcome::ok) {
    REQUIRE_FALSE(leased[donor].empty());
    const Leased lease = leased[donor].front();
    leased[donor].erase(leased[donor].begin());
    CHECK_FALSE(job.on_results(donor, Results{JobId{}, milliseconds(1), {{lease.lease, lease.unit.unit, outcome, std::move(output)}}, {}}, now, out));
    settle();
  }
  void fetched(const BlobId& which) {
    blobs.fetched(which);
    settle();
  }
  void not_fetched(const BlobId& which, const PeerId& from, FetchFailure cause = FetchFailure::withheld) {
    blobs.failed({which, from, "gone", cause}, now, out);
    settle();
  }
  void taken(const BlobId& which) {
    job.on_taken(which, out);
    settle();
  }
  void lose(const PeerId& donor) {
    blobs.lost(donor, now);
    job.lost(donor, now);
    leased[donor].clear();
    settle();
  }
  void pass(Duration time) {
    const BootTime end = now.boot + time;
    const auto next = [&] { return std::min(job.next_deadline(), blobs.next_deadline()); };
    while (next() <= end) {
      now.boot = std::max(now.boot, next());
      blobs.tick(now, out);
      settle();
      if (next() <= now.boot) now.boot += milliseconds(1);
    }
    now.boot = end;
  }
  /// From whom `which` was asked since last asked.
  std::vector<PeerId> asked(const BlobId& which) {
    std::vector<PeerId> from;
    std::erase_if(fetches, [&](const FetchBlob& fetch) {
      if (fetch.blob != which) return false;
      from.push_back(fetch.from);
      return true;
    });
    return from;
  }

  void settle() {
    for (const BlobWants::News& news : blobs.take_news()) (void)job.on_blob(news);
    job.settle_up(now, journal, out);
    for (Addressed& addressed : std::exchange(out.messages, {})) {
      CHECK_NOTHROW((void)encode(addressed.message));
      if (auto* lease = std::get_if<Lease>(&addressed.message)) {
        for (LeasedUnit& unit : lease->units) leased[addressed.to].push_back({lease->lease, std::move(unit)});
      } else if (auto* revoke = std::get_if<Revoke>(&addressed.message)) {
        for (const UnitIndex unit : revoke->units) {
          revoked.insert({addressed.to, unit.value});
          std::erase_if(leased[addressed.to], [&](const Leased& each) { return each.unit.unit == unit; });
        }
      }
    }
    for (Effect& effect : std::exchange(out.effects, {})) {
      if (auto* deliver = std::get_if<DeliverResults>(&effect)) {
        for (AcceptedUnit& unit : deliver->units) REQUIRE(delivered.emplace(unit.unit.value, std::move(unit)).second);
      } else if (auto* persist = std::get_if<Persist>(&effect)) {
        for (const Row& row : persist->rows) {
          if (const auto* accepted = std::get_if<AcceptedRow>(&row)) {
            for (const AcceptedUnit& unit : accepted->units) journalled.push_back(unit.unit.value);
          }
        }
      } else if (auto* fetch = std::get_if<FetchBlob>(&effect)) {
        fetches.push_back(*fetch);
      } else if (auto* release = std::get_if<ReleaseBlob>(&effect)) {
        released.push_back(release->blob);
      } else if (auto* end = std::get_if<JobEnded>(&effect)) {
        ended = end->state;
      }
    }
  }
};

using Peers = std::vector<PeerId>;

/// Two donors have returned the same large output of the one unit; peer 2 was the later one.
Bench agreed() {
  Bench bench(2);
  bench.want(peer(1));
  bench.want(peer(2));
  bench.units(1);
  bench.answer(peer(1), Value(blob(7)));
  CHECK(bench.fetches.empty());  // nothing is agreed yet
  bench.answer(peer(2), Value(blob(7)));
  return bench;
}

}  // namespace

TEST_CASE("a unit with a large output is accepted once its bytes are here, and its holders may let go then") {
  Bench bench = agreed();
  CHECK(bench.asked(blob(7)) == Peers{peer(2)});  // what was kept last is let go last
  CHECK(bench.delivered.empty());
  CHECK(bench.journalled.empty());
  CHECK(bench.revoked.empty());
  CHECK_FALSE(bench.ended);
  bench.fetched(blob(7));
  REQUIRE(bench.delivered.contains(0));
  CHECK(bench.delivered.at(0).output == Value(blob(7)));
  CHECK(bench.journalled == std::vector<std::uint64_t>{0});
  CHECK(bench.revoked == std::set<std::pair<PeerId, std::uint64_t>>{{peer(1), 0}, {peer(2), 0}});
  CHECK(bench.ended == JobState::done);
  CHECK(bench.released.empty());  // the program has not read it
  bench.taken(blob(7));
  CHECK(bench.released == std::vector<BlobId>{blob(7)});
}

TEST_CASE("where one who returned the output does not give it, another is asked") {
  Bench bench = agreed();
  bench.asked(blob(7));
  bench.not_fetched(blob(7), peer(2));
  bench.pass(limits::blob_retry_first);
  CHECK(bench.asked(blob(7)) == Peers{peer(1)});
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
  CHECK(bench.job.progress().units_reopened == 0);
}

TEST_CASE("an output that nobody gives is computed again, and those who promised it are avoided") {
  Bench bench = agreed();
  bench.want(peer(3));
  bench.want(peer(4));
  while (!bench.job.progress().units_reopened) {
    const auto from = bench.asked(blob(7));
    if (!from.empty()) bench.not_fetched(blob(7), from.front());
    bench.pass(seconds(1));
    REQUIRE(bench.now.boot < BootTime{} + seconds(1100));
  }
  CHECK(bench.delivered.empty());
  CHECK(bench.released == std::vector<BlobId>{blob(7)});
  REQUIRE(bench.leased[peer(3)].size() + bench.leased[peer(4)].size() == 2);
  bench.answer(peer(3), Value(blob(8)));
  bench.answer(peer(4), Value(blob(8)));
  bench.fetched(blob(8));
  CHECK(bench.ended == JobState::done);
  CHECK(bench.delivered.at(0).output == Value(blob(8)));
}

TEST_CASE("holders that are gone are waited for a while, then the unit is computed again, and it is no fault of theirs") {
  Bench bench = agreed();
  bench.lose(peer(1));
  bench.lose(peer(2));
  bench.pass(limits::holder_absence - seconds(1));
  CHECK(bench.job.progress().units_reopened == 0);
  bench.pass(seconds(2));
  CHECK(bench.job.progress().units_reopened == 1);
  bench.want(peer(1));
  bench.want(peer(2));
  bench.answer(peer(1), Value(blob(7)));
  bench.answer(peer(2), Value(blob(7)));
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("a holder that comes back in time is asked again") {
  Bench bench = agreed();
  bench.lose(peer(1));
  bench.lose(peer(2));
  bench.asked(blob(7));
  bench.pass(limits::holder_absence / 2);
  bench.want(peer(1));
  CHECK(bench.asked(blob(7)) == Peers{peer(1)});
  bench.pass(limits::holder_absence * 2);
  CHECK(bench.job.progress().units_reopened == 0);
}

TEST_CASE("a late vote for the awaited output makes one more holder; one for another does not") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(1);
  const Bench::Leased late = bench.leased[peer(1)].front();
  bench.pass(limits::lease_unknown + seconds(1));  // the lease runs out, and another donor gets the unit
  bench.want(peer(2));
  bench.want(peer(3));
  const bool second = !bench.leased[peer(2)].empty();
  const PeerId answering = second ? peer(2) : peer(3);
  bench.answer(answering, Value(blob(7)));
  CHECK(bench.asked(blob(7)) == Peers{answering});
  CHECK_FALSE(bench.job.on_results(peer(1), Results{JobId{}, {}, {{late.lease, {0}, Outcome::ok, Value(blob(7))}}, {}}, bench.now, bench.out));
  bench.settle();
  bench.lose(answering);
  bench.pass(seconds(1));
  CHECK(bench.asked(blob(7)) == Peers{peer(1)});
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("with one copy, two donors that return different large outputs do not pass for one") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(1);
  const Bench::Leased late = bench.leased[peer(1)].front();
  bench.pass(limits::lease_unknown + seconds(1));
  bench.want(peer(2));
  bench.answer(peer(2), Value(blob(7)));
  CHECK_FALSE(bench.job.on_results(peer(1), Results{JobId{}, {}, {{late.lease, {0}, Outcome::ok, Value(blob(8))}}, {}}, bench.now, bench.out));
  bench.settle();
  bench.fetched(blob(7));
  CHECK(bench.delivered.at(0).output == Value(blob(7)));
  CHECK(bench.revoked.contains({peer(1), 0}));  // it holds another output, which nobody needs
}

TEST_CASE("whoever lost a vote with a large output is told to let go of it too") {
  Bench bench(2);
  for (const std::uint8_t each : {1, 2, 3}) bench.want(peer(each));
  bench.units(1);
  std::vector<PeerId> had;
  for (const std::uint8_t each : {1, 2, 3}) {
    if (!bench.leased[peer(each)].empty()) had.push_back(peer(each));
  }
  REQUIRE(had.size() == 2);
  bench.answer(had[0], Value(blob(6)));
  bench.answer(had[1], Value(blob(7)));
  for (const std::uint8_t each : {1, 2, 3}) {
    if (!bench.leased[peer(each)].empty()) bench.answer(peer(each), Value(blob(7)));
  }
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
  CHECK(bench.revoked.contains({had[0], 0}));
}

TEST_CASE("one that promises everything and gives nothing costs the job the time of one fetch") {
  Bench bench(1);
  bench.want(peer(1), 8);
  bench.units(8);
  const std::size_t all = bench.leased[peer(1)].size();
  REQUIRE(all >= 4);
  for (std::uint8_t i = 0; i < all; ++i) bench.answer(peer(1), Value(blob(static_cast<std::uint8_t>(10 + i))));
  REQUIRE(bench.fetches.size() >= all);
  const BlobId first = bench.fetches.front().blob;
  for (int tries = 0; tries < 2; ++tries) {
    bench.not_fetched(first, peer(1));
    bench.pass(seconds(2));
  }
  CHECK(bench.job.progress().units_reopened >= all);
}

TEST_CASE("outputs are fetched within the room for them, nothing is leased meanwhile, and what is taken makes room") {
  Bench bench(1, 2 * mebibyte);
  bench.want(peer(1), 4);
  bench.units(40);
  const std::size_t at_first = bench.leased[peer(1)].size();
  REQUIRE(at_first >= 4);
  for (std::uint8_t i = 0; i < 4; ++i) bench.answer(peer(1), Value(blob(static_cast<std::uint8_t>(10 + i))));
  CHECK(bench.fetches.size() == 2);
  const std::size_t waiting = bench.leased[peer(1)].size();
  bench.fetched(blob(10));
  bench.fetched(blob(11));
  bench.pass(seconds(1));
  CHECK(bench.delivered.size() == 2);
  CHECK(bench.fetches.size() == 2);
  CHECK(bench.leased[peer(1)].size() <= waiting);
  bench.taken(blob(10));
  bench.taken(blob(11));
  CHECK(bench.fetches.size() == 4);
}

TEST_CASE("a job whose outputs find all room taken by another job's still gets one at a time") {
  Bench bench(1, 2 * mebibyte);
  bench.commons.outputs.taken = 2 * mebibyte;  // not read yet, and will not be before this job's
  bench.want(peer(1), 4);
  bench.units(4);
  REQUIRE(bench.leased[peer(1)].size() >= 2);
  for (std::uint8_t i = 0; i < 2; ++i) bench.answer(peer(1), Value(blob(static_cast<std::uint8_t>(10 + i))));
  CHECK(bench.asked(blob(10)) == Peers{peer(1)});
  CHECK(bench.asked(blob(11)).empty());
  bench.fetched(blob(10));
  bench.pass(seconds(1));
  CHECK(bench.delivered.size() == 1);
  CHECK(bench.asked(blob(11)).empty());
  bench.taken(blob(10));
  CHECK(bench.asked(blob(11)) == Peers{peer(1)});
  CHECK(bench.commons.outputs.taken == 3 * mebibyte);
}

TEST_CASE("a job that is cancelled lets go of what it fetches") {
  Bench bench = agreed();
  bench.job.cancel();
  bench.settle();
  CHECK(bench.ended == JobState::cancelled);
  CHECK(bench.released == std::vector<BlobId>{blob(7)});
  CHECK(bench.commons.outputs.taken == 0);
  CHECK(bench.blobs.count() == 0);
}

TEST_CASE("a unit that fails settles at once, by its reason") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(1);
  bench.answer(peer(1), to_bytes("no"), Outcome::failed);
  CHECK(bench.ended == JobState::failed);
  CHECK(bench.fetches.empty());
}

TEST_CASE("inputs leased to one donor keep within what its outbox takes, however many slots it has") {
  Bench bench(1);
  bench.units(1000, Bytes(limits::unit_bytes_max, 1));
  bench.want(peer(1), 1000);
  const std::size_t leased = bench.leased[peer(1)].size();
  CHECK(leased * limits::unit_bytes_max >= limits::leased_bytes_max);
  CHECK(leased * limits::unit_bytes_max <= limits::leased_bytes_max + limits::unit_bytes_max);
  bench.pass(seconds(1));
  CHECK(bench.leased[peer(1)].size() == leased);
  bench.answer(peer(1), Bytes{});
  CHECK(bench.leased[peer(1)].size() == leased);  // one back, one more out
}

TEST_CASE("so do outputs, as far as they can be foreseen") {
  Bench bench(1);
  bench.units(1000);
  bench.want(peer(1), 64);
  for (int i = 0; i < 600; ++i) bench.answer(peer(1), Bytes(limits::unit_bytes_max, 1));
  CHECK(bench.leased[peer(1)].size() * limits::unit_bytes_max <= limits::leased_bytes_max + 2 * limits::unit_bytes_max);
  CHECK(bench.leased[peer(1)].size() >= 32);
}

TEST_CASE("large inputs leased to one donor keep within what it can keep, and one always goes") {
  Bench bench(1);
  bench.units(100, Value(blob(1, limits::leased_blobs_max / 2)));
  bench.want(peer(1), 100);
  CHECK(bench.leased[peer(1)].size() == 2);
  Bench huge(1);
  huge.units(3, Value(blob(1, limits::blob_bytes_max)));
  huge.want(peer(1), 3);
  CHECK(huge.leased[peer(1)].size() == 1);
  // A lease lasts long enough for a slow line: nobody takes over while the input is on its way.
  huge.want(peer(2), 3);
  REQUIRE(huge.leased[peer(2)].size() == 1);
  huge.pass(from_seconds(static_cast<double>(limits::blob_bytes_max) / limits::blob_bytes_per_second_least));
  CHECK(huge.job.progress().attempts_running == 2);
}

TEST_CASE("a donor is not leased more large outputs than it can keep until they are fetched") {
  Bench bench(1, 1024 * mebibyte);
  const auto huge = [](std::uint8_t name) { return Value(blob(name, limits::blob_bytes_max)); };
  bench.want(peer(1), 8);
  bench.units(100);
  while (!bench.leased[peer(1)].empty() && bench.job.progress().attempts < 50) {
    bench.answer(peer(1), huge(static_cast<std::uint8_t>(10 + bench.job.progress().attempts)));
  }
  const std::uint64_t before = bench.job.progress().attempts;
  CHECK(before < 50);
  for (std::uint8_t i = 0; i < before; ++i) bench.fetched(blob(static_cast<std::uint8_t>(10 + i), limits::blob_bytes_max));
  // What it is leased now is what it is expected to keep.
  CHECK(bench.leased[peer(1)].size() == limits::promised_blobs_max / limits::blob_bytes_max);
  bench.answer(peer(1), huge(100));
  CHECK(bench.leased[peer(1)].size() == limits::promised_blobs_max / limits::blob_bytes_max - 1);  // and one that is awaited
}

TEST_CASE("a donor that says it has an output no more has that unit again, and neither it nor its others suffer") {
  Bench bench(1);
  bench.want(peer(1), 2);
  bench.units(2);
  REQUIRE(bench.leased[peer(1)].size() == 2);
  const std::uint64_t lost = bench.leased[peer(1)].front().unit.unit.value;
  bench.answer(peer(1), Value(blob(100)));
  bench.answer(peer(1), Value(blob(101)));
  const auto say_missing = [&] {
    const std::uint64_t before = bench.job.progress().units_reopened;
    for (int tries = 0; tries < 2; ++tries) {
      bench.not_fetched(blob(100), peer(1), FetchFailure::missing);
      if (tries == 0) bench.pass(limits::blob_retry_first);
    }
    CHECK(bench.job.progress().units_reopened == before + 1);
  };
  say_missing();
  bench.fetched(blob(101));  // it is awaited still
  bench.pass(milliseconds(100));
  CHECK(bench.delivered.contains(1 - lost));
  for (std::size_t round = 0; round <= limits::donor_faults_per_unit_max; ++round) {
    for (int waited = 0; bench.leased[peer(1)].empty(); ++waited) {  // it is left out for a while in between
      REQUIRE(waited < 300);
      bench.pass(seconds(1));
    }
    CHECK(bench.leased[peer(1)].front().unit.unit == UnitIndex{lost});
    bench.answer(peer(1), Value(blob(100)));
    say_missing();
  }
  while (bench.leased[peer(1)].empty() && bench.now.boot < BootTime{} + seconds(5000)) bench.pass(seconds(1));
  bench.answer(peer(1), Value(blob(100)));
  bench.fetched(blob(100));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("one that comes and goes holds its unit up for a while only") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(1);
  bench.answer(peer(1), Value(blob(7)));
  const BootTime start = bench.now.boot;
  while (bench.job.progress().units_reopened == 0 && bench.now.boot < start + std::chrono::hours(2)) {
    bench.lose(peer(1));
    bench.pass(limits::holder_absence - seconds(1));
    bench.want(peer(1));
    bench.pass(limits::bulk_patience - seconds(1));
  }
  CHECK(bench.job.progress().units_reopened == 1);
  CHECK(bench.now.boot < start + std::chrono::minutes(5));
}

TEST_CASE("an output has its time, whoever holds it and however often it seems about to come") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(1);
  bench.answer(peer(1), Value(blob(7)));
  bench.pass(limits::output_patience + limits::blob_time_most(mebibyte) - seconds(1));
  CHECK(bench.job.progress().units_reopened == 0);
  bench.pass(seconds(2));
  CHECK(bench.job.progress().units_reopened == 1);
  bench.answer(peer(1), Value(blob(7)));
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("of many holders the last that is there is asked") {
  constexpr std::uint8_t copies = limits::blob_holders_max + 1;
  Bench bench(copies);
  for (std::uint8_t i = 1; i <= copies; ++i) bench.want(peer(i));
  bench.units(1);
  for (std::uint8_t i = 1; i <= copies; ++i) bench.answer(peer(i), Value(blob(7)));
  REQUIRE(bench.asked(blob(7)).size() == 1);
  for (std::uint8_t i = copies; i > 1; --i) bench.lose(peer(i));
  bench.pass(seconds(1));
  const Peers asked = bench.asked(blob(7));
  REQUIRE_FALSE(asked.empty());
  CHECK(asked.back() == peer(1));
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("what this peer's own disk refuses is nobody's fault and is fetched later") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(1);
  bench.answer(peer(1), Value(blob(7)));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(bench.asked(blob(7)) == Peers{peer(1)});
    bench.not_fetched(blob(7), peer(1), FetchFailure::here);
    bench.pass(limits::blob_retry_most);
  }
  CHECK(bench.job.progress().units_reopened == 0);
  bench.fetched(blob(7));
  CHECK(bench.ended == JobState::done);
}

TEST_CASE("a donor that promises and is gone, again and again, is left out for a while") {
  Bench bench(1);
  bench.want(peer(1));
  bench.units(20);
  unsigned rounds = 0;
  for (; rounds < 10; ++rounds) {
    if (bench.leased[peer(1)].empty()) break;
    while (!bench.leased[peer(1)].empty() && bench.job.progress().attempts < 20 * (rounds + 1)) {
      bench.answer(peer(1), Value(blob(static_cast<std::uint8_t>(10 + bench.job.progress().attempts))));
    }
    bench.lose(peer(1));
    bench.pass(limits::holder_absence + milliseconds(1));
    bench.want(peer(1));
  }
  CHECK(rounds == limits::outputs_unkept_max);
}

TEST_CASE("events that change nothing for outputs that are awaited do not look at each of them") {
  BlobWants wants(peer(0));
  OutputRoom room{64 * mebibyte, 0};
  AwaitedOutputs outputs(wants, room);
  Output out;
  const Now now{BootTime{} + seconds(1), WallTime{}};
  wants.connected(peer(1), now, out);
  std::size_t looks = 0;
  const auto is_linked = [&](const PeerId&) {
    ++looks;
    return true;
  };
  constexpr std::size_t count = limits::window_units_max;
  const auto output_of = [](std::uint64_t i) { return BlobId{mebibyte + i, {}}; };
  for (std::uint64_t i = 0; i < count; ++i) {
    outputs.await({i}, output_of(i), {peer(1)});
    CHECK(outputs.tick(now, is_linked, out).empty());
  }
  CHECK(looks <= 2 * count);
  CHECK(outputs.bytes_of(peer(1)) > count * mebibyte);
  // One seed gives all of them up, in one pass.
  CHECK(outputs.on_blob({output_of(0), BlobWants::News::Kind::given_up, false, {}}));
  CHECK(outputs.tick(now, is_linked, out).size() == count);
  CHECK(looks <= 2 * count);
  CHECK(outputs.bytes_of(peer(1)) == 0);
  CHECK(room.taken == 0);
}
