// One uplink and many who need what lies behind it: they help each other, and whoever lies, stalls or vanishes among them costs little.
// Each end's line carries 8 MiB a second.
#include "tests/core/bulk_bench.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::bulk_bench;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr double line = 8 << 20;
constexpr std::uint8_t submitter = 1;

struct Swarm : Bench {
  explicit Swarm(std::uint8_t donors) : Bench(static_cast<std::uint8_t>(donors + 1)) { uplink = line; }

  /// The submitter tells the donor of those who asked before, as its directory does.
  void donor_fetches(std::uint8_t donor, const BlobId& blob) {
    fetch(donor, blob, submitter, Sharing::shared);
    for (const std::uint8_t before : asked_[blob]) (*this)[donor].transfer.help(blob, peer(before), now);
    asked_[blob].push_back(donor);
    settle();
  }
  bool has(std::uint8_t donor, const BlobId& blob) { return (*this)[donor].store.contains(blob); }
  /// Seconds until every one of these has it.
  double until_there(const std::vector<std::uint8_t>& donors, const BlobId& blob, double most) {
    const BootTime start = now;
    const auto there = [&] { return std::all_of(donors.begin(), donors.end(), [&](std::uint8_t donor) { return has(donor, blob); }); };
    while (!there() && seconds_of(now - start) < most) run(milliseconds(20));
    CHECK(there());
    return seconds_of(now - start);
  }
  /// What the submitter has sent of it, as a multiple of its length.
  double uploads(const BlobId& blob) { return static_cast<double>((*this)[submitter].sent[blob]) / static_cast<double>(blob.length); }

 private:
  std::map<BlobId, std::vector<std::uint8_t>> asked_;
};

std::vector<std::uint8_t> donors_up_to(std::uint8_t last) {
  std::vector<std::uint8_t> all;
  for (std::uint8_t donor = 2; donor <= last; ++donor) all.push_back(donor);
  return all;
}

}  // namespace

TEST_CASE("eight donors that need one blob at once have it for little more than one upload, and in less than half the time of eight") {
  for (const std::size_t chunks : {4, 16, 64}) {
    CAPTURE(chunks);
    Swarm swarm(8);
    const BlobId blob = swarm.hold(submitter, pattern(chunks * chunk_bytes - 7));
    for (const std::uint8_t donor : donors_up_to(9)) swarm.donor_fetches(donor, blob);
    const double time = swarm.until_there(donors_up_to(9), blob, 120);
    MESSAGE(chunks, " chunks: ", swarm.uploads(blob), " uploads in ", time, " s");
    CHECK(swarm.uploads(blob) <= 1.25);
    if (chunks >= 16) CHECK(time < 0.5 * 8 * static_cast<double>(blob.length) / line + 0.5);
    for (const std::uint8_t donor : donors_up_to(9)) CHECK(swarm[donor].charged.empty());
  }
}

TEST_CASE("inputs that two donors each need leave the submitter about once") {
  Swarm swarm(8);
  Generator generator = Generator::from_seed(11);
  std::vector<std::pair<BlobId, std::vector<std::uint8_t>>> needs;
  for (std::uint8_t i = 0; i < 16; ++i) {
    const BlobId blob = swarm.hold(submitter, pattern(8 * chunk_bytes, i));
    const auto first = static_cast<std::uint8_t>(2 + generator.below(8));
    const auto second = static_cast<std::uint8_t>(2 + (first - 2 + 1 + generator.below(7)) % 8);
    needs.push_back({blob, {first, second}});
  }
  for (const auto& [blob, donors] : needs) {
    for (const std::uint8_t donor : donors) swarm.donor_fetches(donor, blob);
  }
  double uploads = 0;
  for (const auto& [blob, donors] : needs) {
    swarm.until_there(donors, blob, 120);
    uploads += swarm.uploads(blob) / static_cast<double>(needs.size());
  }
  MESSAGE("16 inputs to two donors each: ", uploads, " uploads");
  CHECK(uploads <= 1.5);
}

TEST_CASE("whoever comes later gets it from those that have it") {
  Swarm swarm(8);
  const BlobId blob = swarm.hold(submitter, pattern(16 * chunk_bytes));
  for (const std::uint8_t donor : donors_up_to(9)) {
    swarm.donor_fetches(donor, blob);
    swarm.until_there({donor}, blob, 30);
  }
  CHECK(swarm.uploads(blob) <= 1.25);
}

TEST_CASE("a helper that sends garbage is charged and asked for no more, and nothing of what is here is lost") {
  for (const bool truncated : {false, true}) {
    Swarm swarm(3);
    const Bytes bytes = pattern(32 * chunk_bytes);
    const BlobId blob = swarm.hold(submitter, bytes);
    swarm.hold(2, bytes);
    swarm.tamper = [&](const PeerId& from, Bytes& frame) {
      if (from != peer(2) || frame.size() < 1000) return;
      if (truncated) frame.resize(frame.size() - 1);
      else frame.back() ^= 1;
    };
    swarm.fetch(3, blob, submitter, Sharing::shared);
    swarm[3].transfer.help(blob, peer(2), swarm.now);
    swarm.settle();
    swarm.until_there({3}, blob, 30);
    CHECK(swarm[3].charged[peer(2)] >= charges::malformed.score);
    CHECK(swarm[3].failed.empty());
    CHECK(swarm[2].sent[blob] <= 4 * chunk_bytes);
    CHECK(swarm[3].store[blob] == bytes);
    CHECK(swarm.uploads(blob) <= 1.1);
  }
}

TEST_CASE("of several holders one that corrupts or truncates is dropped, the first one asked or another; the rest make the blob whole") {
  for (const bool truncated : {false, true}) {
    for (const std::uint8_t liar : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
      CAPTURE(truncated);
      CAPTURE(int{liar});
      Swarm swarm(4);
      const Bytes bytes = pattern(48 * chunk_bytes);
      const BlobId blob = swarm.hold(submitter, bytes);
      for (std::uint8_t holder = 2; holder <= 4; ++holder) swarm.hold(holder, bytes);
      // Every third chunk of its: it is not enough to be right most of the time.
      unsigned sent = 0;
      swarm.tamper = [&](const PeerId& from, Bytes& frame) {
        if (from != peer(liar) || frame.size() < 1000 || sent++ % 3 != 0) return;
        if (truncated) frame.resize(frame.size() / 2);
        else frame.back() ^= 1;
      };
      swarm.fetch(5, blob, submitter, Sharing::shared);
      for (std::uint8_t helper = 2; helper <= 4; ++helper) swarm[5].transfer.help(blob, peer(helper), swarm.now);
      swarm.settle();
      swarm.until_there({5}, blob, 60);
      CHECK(swarm[5].failed.empty());
      CHECK(swarm[5].store[blob] == bytes);
      for (std::uint8_t holder = 1; holder <= 4; ++holder) {
        if (holder == liar) CHECK(swarm[5].charged[peer(holder)] >= charges::malformed.score);
        else CHECK(swarm[5].charged[peer(holder)] == 0);
      }
      CHECK(swarm[liar].sent[blob] <= 8 * chunk_bytes);  // what was under way when it was noticed
    }
  }
}

TEST_CASE("eight helpers that say they have everything, and give nothing or next to nothing, cost a second or two") {
  for (const bool drip : {false, true}) {
    Swarm swarm(9);
    const Bytes bytes = pattern(32 * chunk_bytes);
    const BlobId blob = swarm.hold(submitter, bytes);
    for (std::uint8_t liar = 2; liar <= 9; ++liar) {
      swarm.hold(liar, bytes);
      swarm.uplinks[peer(liar)] = drip ? 32 << 10 : 1;
    }
    swarm.fetch(10, blob, submitter, Sharing::shared);
    for (std::uint8_t liar = 2; liar <= 9; ++liar) {
      swarm[10].transfer.help(blob, peer(liar), swarm.now);
      swarm[10].transfer.received(peer(liar), bulk::encode(bulk::Have{blob, false, false, ChunkSet::all(32)}), swarm.now);
    }
    swarm.settle();
    const double time = swarm.until_there({10}, blob, 60);
    CHECK(time < static_cast<double>(blob.length) / line + 2.5);
    CHECK(swarm[10].failed.empty());
  }
}

TEST_CASE("helpers that vanish in the middle are missed for a moment only") {
  Swarm swarm(8);
  const BlobId blob = swarm.hold(submitter, pattern(64 * chunk_bytes));
  for (const std::uint8_t donor : donors_up_to(9)) swarm.donor_fetches(donor, blob);
  swarm.run(seconds(1));
  for (const std::uint8_t gone : {2, 4, 6, 8}) swarm.vanish(gone);
  swarm.until_there({3, 5, 7, 9}, blob, 60);
  CHECK(swarm.uploads(blob) <= 2);
}

TEST_CASE("where the main holder has it no more, helpers make the blob whole; where they cannot, that is the main holder's failure") {
  for (const bool enough : {true, false}) {
    Swarm swarm(3);
    const Bytes bytes = pattern(8 * chunk_bytes);
    const BlobId blob = blob_id_of(bytes);
    if (enough) swarm.hold(2, bytes);
    swarm.fetch(3, blob, submitter, Sharing::shared);
    swarm[3].transfer.help(blob, peer(2), swarm.now);
    swarm[3].transfer.received(peer(2), bulk::encode(bulk::Have{blob, false, false, ChunkSet::all(8)}), swarm.now);
    swarm.settle();
    swarm.run(seconds(60));
    CHECK(swarm.has(3, blob) == enough);
    REQUIRE(swarm[3].failed.size() == (enough ? 0 : 1));
    if (enough) continue;
    CHECK(swarm[3].failed[0].from == peer(submitter));
    CHECK(swarm[3].failed[0].cause == FetchFailure::missing);
  }
}

TEST_CASE("of a blob that is not shared nobody is told: whoever asks hears that it is not here, and no chunk of it is announced") {
  Swarm swarm(3);
  const BlobId blob = swarm.hold(submitter, pattern(16 * chunk_bytes));
  std::size_t told = 0;
  swarm.tamper = [&](const PeerId& from, Bytes& frame) {
    const auto decoded = bulk::decode(frame);
    if (from == peer(2) && decoded && std::holds_alternative<bulk::Have>(*decoded)) ++told;
  };
  swarm.fetch(2, blob, submitter, Sharing::alone);
  swarm[2].transfer.received(peer(3), bulk::encode(bulk::Have{blob, true, true, ChunkSet(16)}), swarm.now);
  swarm.settle();
  swarm.until_there({2}, blob, 30);
  CHECK(told == 0);
}

TEST_CASE("a blob that is helped comes from the helper, who hears that it is fetched and nothing else; nobody besides hears anything") {
  Swarm swarm(4);
  const Bytes bytes = pattern(64 * chunk_bytes);
  const BlobId blob = swarm.hold(submitter, bytes);
  // The first one: nothing of it was sent before, so that it need not wait for anybody.
  swarm.fetch(2, blob, submitter, Sharing::helped);
  CHECK(swarm.until_there({2}, blob, 30) < static_cast<double>(blob.length) / line + 0.2);
  std::set<PeerId> told;
  swarm.tamper = [&](const PeerId& from, Bytes& frame) {
    const auto decoded = bulk::decode(frame);
    const auto* have = decoded ? std::get_if<bulk::Have>(&*decoded) : nullptr;
    if (have == nullptr || from != peer(3)) return;
    told.insert(from);
    CHECK(have->asks);
    CHECK_FALSE(have->fetching);
    CHECK(have->chunks.empty());
  };
  swarm.fetch(3, blob, submitter, Sharing::helped);
  swarm[3].transfer.help(blob, peer(2), swarm.now);
  swarm.settle();
  // Whoever asks the one that fetches is told nothing.
  std::size_t missing = 0;
  swarm[3].transfer.received(peer(4), bulk::encode(bulk::Have{blob, true, true, ChunkSet(64)}), swarm.now);
  for (const auto& action : swarm[3].transfer.take()) {
    const auto* send = std::get_if<Transfer::Send>(&action);
    if (send == nullptr || send->to != peer(4)) continue;
    const auto frame = bulk::decode(send->frame);
    REQUIRE(frame);
    missing += std::holds_alternative<bulk::Missing>(*frame);
  }
  CHECK(missing == 1);
  swarm.until_there({3}, blob, 30);
  CHECK(told == std::set<PeerId>{peer(3)});
  MESSAGE("two donors, one after the other: ", swarm.uploads(blob), " uploads");
  CHECK(swarm.uploads(blob) <= 1.1);
  CHECK(swarm[3].store[blob] == bytes);
}

TEST_CASE("a helper of one fetch that lies, is silent or vanishes costs it little: the rest comes from the main holder") {
  enum class Fault { corrupts, truncates, silent, vanishes, missing };
  for (const Fault fault : {Fault::corrupts, Fault::truncates, Fault::silent, Fault::vanishes, Fault::missing}) {
    CAPTURE(static_cast<int>(fault));
    Swarm swarm(3);
    const Bytes bytes = pattern(32 * chunk_bytes);
    const BlobId blob = swarm.hold(submitter, bytes);
    if (fault != Fault::missing) swarm.hold(2, bytes);
    swarm.fetch(4, blob, submitter, Sharing::helped);  // everything has been sent to somebody
    swarm.until_there({4}, blob, 30);
    unsigned sent = 0;
    swarm.tamper = [&](const PeerId& from, Bytes& frame) {
      if (from != peer(2) || frame.size() < 1000 || sent++ < 5) return;
      if (fault == Fault::corrupts) frame.back() ^= 1;
      if (fault == Fault::truncates) frame.resize(frame.size() / 2);
      if (fault == Fault::silent) swarm.silent.insert(peer(2));
    };
    swarm.fetch(3, blob, submitter, Sharing::helped);
    swarm[3].transfer.help(blob, peer(2), swarm.now);
    swarm.settle();
    if (fault == Fault::vanishes) {
      swarm.run(milliseconds(400));
      CHECK(swarm[2].sent[blob] > 0);
      CHECK_FALSE(swarm.has(3, blob));
      swarm.vanish(2);
    }
    CHECK(swarm.until_there({3}, blob, 60) < static_cast<double>(blob.length) / line + 2.5);
    CHECK(swarm[3].store[blob] == bytes);
    CHECK(swarm[3].failed.empty());
    const bool lied = fault == Fault::corrupts || fault == Fault::truncates;
    CHECK((swarm[3].charged[peer(2)] > 0) == lied);
    CHECK(swarm[3].charged[peer(submitter)] == 0);
  }
}

TEST_CASE("two that hold the same output are asked for different halves of it") {
  Swarm swarm(2);
  const Bytes bytes = pattern(32 * chunk_bytes);
  const BlobId blob = swarm.hold(2, bytes);
  swarm.hold(3, bytes);
  swarm.fetch(submitter, blob, 2, Sharing::alone);
  swarm[submitter].transfer.help(blob, peer(3), swarm.now);
  swarm.settle();
  const double time = swarm.until_there({submitter}, blob, 30);
  CHECK(time < 0.7 * static_cast<double>(blob.length) / line + 0.1);
  CHECK(swarm[2].sent[blob] + swarm[3].sent[blob] <= blob.length + 4 * chunk_bytes);
  CHECK(swarm[3].sent[blob] >= blob.length / 3);
}

TEST_CASE("uploads and downloads keep within what the user allows, and nobody is passed over") {
  for (const bool up : {true, false}) {
    Swarm swarm(4);
    const double rate = 1 << 20;
    if (up) swarm[submitter].transfer.limit(rate, 0);
    std::map<std::uint8_t, BlobId> blobs;
    for (std::uint8_t donor = 2; donor <= 5; ++donor) blobs[donor] = swarm.hold(submitter, pattern(16 * chunk_bytes, donor));
    if (!up) swarm[2].transfer.limit(0, rate);
    for (const auto& [donor, blob] : blobs) {
      if (up || donor == 2) swarm.fetch(donor, blob, submitter);
    }
    swarm.run(seconds(3));
    double all = 0;
    for (const auto& [donor, blob] : blobs) {
      const auto sent = static_cast<double>(swarm[submitter].sent[blob]);
      all += sent;
      if (up) CHECK(sent >= 2 * chunk_bytes);
    }
    CHECK(all <= 3 * rate + std::max(rate, 4.0 * chunk_bytes) + chunk_bytes);
    CHECK(all >= 2 * rate);
    swarm.run(seconds(30));
    for (const auto& [donor, blob] : blobs) CHECK(swarm.has(donor, blob) == (up || donor == 2));
  }
}
