// Two or more Transfers with their stores and links played by the test.
#include "tests/core/bulk_bench.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::bulk_bench;

TEST_CASE("a blob comes whole, whatever its size") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{chunk_bytes}, std::size_t{9 * chunk_bytes + 1}}) {
    Bench bench;
    const Bytes blob = pattern(size);
    const BlobId id = bench.hold(1, blob);
    bench.fetch(2, id, 1);
    CHECK(bench[2].store[id] == blob);
    CHECK(bench[2].transfer.fetches() == 0);
    CHECK(bench[1].charged.empty());
    CHECK(bench[2].charged.empty());
  }
}

TEST_CASE("no more stands in a link's queue than the credits say") {
  Bench bench;
  bench.fetch(2, bench.hold(1, pattern(12 * chunk_bytes)), 1);
  CHECK(bench.most_underway > chunk_bytes);
  CHECK(bench.most_underway <= limits::bulk_credits * (chunk_bytes + 1024));
}

TEST_CASE("a fetch goes on from the chunks that are here") {
  Bench bench;
  const Bytes blob = pattern(5 * chunk_bytes);
  const BlobId id = bench.hold(1, blob);
  End::Part& part = bench.part(bench[2], id);
  std::copy(blob.begin(), blob.begin() + 3 * chunk_bytes, part.bytes.begin());
  for (const std::uint64_t index : {0, 1, 2}) part.here.add(index);
  std::size_t sent = 0;
  bench.tamper = [&](const PeerId& from, Bytes& frame) { sent += from == peer(1) ? frame.size() : 0; };
  bench.fetch(2, id, 1);
  CHECK(bench[2].store[id] == blob);
  CHECK(sent < 3 * chunk_bytes);
}

TEST_CASE("a holder that has it no more says so") {
  Bench bench;
  bench.fetch(2, blob_id_of(pattern(77)), 1);
  REQUIRE(bench[2].failed.size() == 1);
  CHECK(bench[2].failed[0].from == peer(1));
  CHECK(bench[2].transfer.fetches() == 0);
}

TEST_CASE("a single changed bit is noticed, nothing of it is kept, and the sender is charged") {
  Bench bench;
  const BlobId id = bench.hold(1, pattern(3 * chunk_bytes));
  bench.tamper = [](const PeerId& from, Bytes& frame) {
    if (from == peer(1) && frame.size() > 1000) frame[frame.size() - 1] ^= 1;
  };
  bench.fetch(2, id, 1);
  CHECK(bench[2].failed.size() == 1);
  CHECK(bench[2].parts.at(id).here.empty());
  CHECK(bench[2].charged[peer(1)] >= charges::forged.score);
}

TEST_CASE("a silent holder is waited for only so long, a lost one not at all") {
  Bench bench;
  const BlobId id = bench.hold(1, pattern(77));
  bench.silent = {peer(1)};
  bench.fetch(2, id, 1);
  CHECK(bench[2].failed.empty());
  bench.run(limits::bulk_patience + std::chrono::seconds(1));
  CHECK(bench[2].failed.size() == 1);
  bench.fetch(2, id, 1);
  bench[2].transfer.lost(peer(1));
  bench.settle();
  CHECK(bench[2].failed.size() == 2);
}

TEST_CASE("blobs of one holder come one after the other, in the order in which they were asked for") {
  Bench bench;
  std::vector<BlobId> ids, order;
  for (std::uint8_t i = 0; i < 5; ++i) ids.push_back(bench.hold(1, pattern(chunk_bytes + 5, i)));
  bench.tamper = [&](const PeerId& from, Bytes& frame) {
    if (from == peer(2)) order.push_back(*blob_id_from(ByteView(frame).subspan(2, blob_id_bytes)));
  };
  for (const BlobId& id : ids) bench[2].transfer.fetch(id, peer(1), Sharing::alone, bench.now);
  bench.settle();
  order.erase(std::unique(order.begin(), order.end()), order.end());
  CHECK(order == ids);
  for (const BlobId& id : ids) CHECK(bench[2].store.contains(id));
}

TEST_CASE("holders that send a chunk now and then do not stop all fetching: in a crowd the slow give up their places") {
  constexpr auto slow = static_cast<std::uint8_t>(limits::bulk_fetches_max);
  Bench bench(slow + 2);
  std::map<BlobId, Bytes> trickled;
  for (std::uint8_t i = 2; i < slow + 2; ++i) {
    const Bytes bytes = pattern(40 * chunk_bytes, i);
    bench.silent.insert(peer(i));
    const BlobId blob = bench.hold(i, bytes);
    trickled[blob] = bytes;
    bench.fetch(1, blob, i);
  }
  const BlobId wanted = bench.hold(slow + 2, pattern(chunk_bytes, 99));
  const auto trickle = [&](std::uint32_t index) {
    for (std::uint8_t i = 2; i < slow + 2; ++i) {
      for (const auto& [blob, bytes] : trickled) {
        if (!bench[i].store.contains(blob)) continue;
        const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(index * chunk_bytes);
        const bulk::Chunk chunk{blob, index, merkle_path(blob_leaves(bytes), index), Bytes(at, at + static_cast<std::ptrdiff_t>(chunk_bytes))};
        bench[1].transfer.received(peer(i), bulk::encode(chunk), bench.now);
      }
    }
    bench.settle();
  };
  // Nobody waits: they may take their time.
  for (std::uint32_t index = 0; index < 3; ++index) {
    bench.run(std::chrono::seconds(25));
    trickle(index);
  }
  CHECK(bench[1].failed.empty());
  CHECK(bench[1].transfer.fetches() == slow);
  bench.fetch(1, wanted, slow + 2);
  bench.run(std::chrono::seconds(1));
  CHECK(bench[1].store.contains(wanted));
  REQUIRE_FALSE(bench[1].failed.empty());
  CHECK(bench[1].failed[0].reason.find("too slowly") != std::string::npos);
}

TEST_CASE("a fetch that is let go sends no more questions, and what still comes of it is no offence") {
  Bench bench;
  const BlobId id = bench.hold(1, pattern(9 * chunk_bytes));
  bench[2].transfer.fetch(id, peer(1), Sharing::alone, bench.now);
  bench.tamper = [&](const PeerId& from, Bytes&) {
    if (from == peer(1)) bench[2].transfer.cancel(id);
  };
  bench.settle();
  CHECK(bench[2].transfer.fetches() == 0);
  CHECK(bench[2].charged.empty());
  CHECK(bench[2].failed.empty());
}

TEST_CASE("chunks that nobody asked for, and more questions than there are credits, are charged") {
  Bench bench;
  const Bytes blob = pattern(8 * chunk_bytes);
  const BlobId id = bench.hold(1, blob);
  bench[2].transfer.received(peer(1), bulk::encode(bulk::Chunk{{3, {}}, 0, {}, Bytes(3)}), bench.now);
  for (int i = 0; i < 200; ++i) bench[1].transfer.received(peer(2), bulk::encode(bulk::Request{id, 1, false, ChunkSet::all(8)}), bench.now);
  bench[1].transfer.received(peer(2), Bytes{bulk::mark, 9}, bench.now);
  std::map<PeerId, double> served;
  for (auto& action : bench[1].transfer.take()) {
    if (auto* bad = std::get_if<Transfer::Misbehaved>(&action)) bench[1].charged[bad->peer] += bad->charge.score;
    if (auto* serve = std::get_if<Transfer::Serve>(&action)) served[serve->to] += chunk_bytes;
  }
  bench.settle();
  CHECK(bench[2].charged[peer(1)] >= charges::unasked.score);
  CHECK(bench[1].charged[peer(2)] >= limits::score_ban);
  CHECK(served[peer(2)] <= limits::bulk_burst_bytes);
}

TEST_CASE("a peer is served at its rate, over a relay far more slowly") {
  for (const bool direct : {true, false}) {
    Bench bench(2, direct);
    const std::size_t size = direct ? 200 * chunk_bytes : 8 * chunk_bytes;
    const Bytes blob = pattern(size);
    const BlobId id = bench.hold(1, blob);
    const double rate = direct ? limits::bulk_bytes_per_second : limits::bulk_relayed_bytes_per_second;
    bench.fetch(2, id, 1);
    bench.run(from_seconds(0.7 * static_cast<double>(size) / rate));
    CHECK_FALSE(bench[2].store.contains(id));
    bench.run(from_seconds(0.5 * static_cast<double>(size) / rate));
    CHECK(bench[2].store[id] == blob);
    CHECK(bench[2].failed.empty());
  }
}

TEST_CASE("with frames lost, changed and links broken at random, all that is kept is right, and every fetch ends") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Generator generator = Generator::from_seed(seed);
    Bench bench(4);
    std::vector<BlobId> ids;
    for (std::uint8_t i = 0; i < 6; ++i) ids.push_back(bench.hold(1 + i % 4, pattern(generator.below(3 * chunk_bytes), i)));
    bench.tamper = [&](const PeerId&, Bytes& frame) {
      if (generator.chance(0.05)) frame[generator.below(frame.size())] ^= static_cast<std::uint8_t>(1 << generator.below(8));
      if (generator.chance(0.05)) frame.resize(generator.below(frame.size() + 1));
    };
    for (int step = 0; step < 100; ++step) {
      const auto who = static_cast<std::uint8_t>(1 + generator.below(4));
      const auto other = static_cast<std::uint8_t>(1 + generator.below(4));
      const BlobId& id = ids[generator.below(ids.size())];
      if (who == other) continue;
      switch (generator.below(8)) {
        case 0: bench[who].transfer.lost(peer(other)); break;
        case 1: bench[who].transfer.connected(peer(other)); break;
        case 2: bench[who].transfer.cancel(id); break;
        case 3: bench[who].transfer.help(id, peer(other), bench.now); break;
        default:
          if (!bench[who].store.contains(id)) bench[who].transfer.fetch(id, peer(other), static_cast<Sharing>(generator.below(3)), bench.now);
      }
      bench.settle();
      bench.run(std::chrono::milliseconds(generator.below(2000)));
    }
    bench.run(std::chrono::minutes(10));
    for (auto& [name, end] : bench.ends) {
      CHECK(end.transfer.fetches() == 0);
      CHECK(end.transfer.next_deadline() == never);
    }
  }
}

TEST_CASE("chunks of a fetch that was moved to another holder are no offence of the first one's") {
  Bench bench(3);
  const Bytes bytes = pattern(4 * chunk_bytes);
  const BlobId blob = bench.hold(2, bytes);
  Transfer& transfer = bench[1].transfer;
  transfer.fetch(blob, peer(2), Sharing::alone, bench.now);
  transfer.begun(blob, ChunkSet(chunk_count(blob.length)), bench.now);
  transfer.fetch(blob, peer(3), Sharing::alone, bench.now);
  transfer.begun(blob, ChunkSet(chunk_count(blob.length)), bench.now);
  (void)transfer.take();
  const Bytes first(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(chunk_bytes));
  transfer.received(peer(2), bulk::encode(bulk::Chunk{blob, 0, merkle_path(blob_leaves(bytes), 0), first}), bench.now);
  CHECK(transfer.take().empty());
  transfer.received(peer(2), bulk::encode(bulk::Chunk{bench.hold(2, pattern(5)), 0, {}, pattern(5)}), bench.now);
  CHECK(transfer.take().size() == 1);  // what nobody ever asked for is one
}

TEST_CASE("a holder that sends each chunk just in time keeps its place no longer than the slowest line would") {
  Bench bench;
  constexpr std::size_t chunks = 40;
  const Bytes bytes = pattern(chunks * chunk_bytes);
  const BlobId blob = bench.hold(2, bytes);
  const auto leaves = blob_leaves(bytes);
  Transfer& transfer = bench[1].transfer;
  transfer.fetch(blob, peer(2), Sharing::alone, bench.now);
  transfer.begun(blob, ChunkSet(chunk_count(blob.length)), bench.now);
  const BootTime start = bench.now;
  bool failed = false;
  for (std::uint32_t index = 0; index < chunks && !failed; ++index) {
    bench.now += limits::bulk_patience - std::chrono::seconds(1);
    CHECK(transfer.next_deadline() <= start + limits::bulk_patience + limits::blob_time_most(blob.length));
    transfer.tick(bench.now);
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(index * chunk_bytes);
    const Bytes chunk(from, from + static_cast<std::ptrdiff_t>(chunk_bytes));
    transfer.received(peer(2), bulk::encode(bulk::Chunk{blob, index, merkle_path(leaves, index), chunk}), bench.now);
    for (const Transfer::Action& action : transfer.take()) failed = failed || std::holds_alternative<Transfer::Failed>(action);
  }
  CHECK(failed);
  CHECK(bench.now - start <= 2 * limits::bulk_patience + limits::blob_time_most(blob.length));
  CHECK(transfer.fetches() == 0);
}

TEST_CASE("why a fetch failed is told: a store that takes nothing, a holder that has it no more, one that is silent") {
  Bench bench;
  const BlobId blob = blob_id_of(pattern(9));
  const auto cause = [&] {
    std::optional<FetchFailure> found;
    for (const Transfer::Action& action : bench[1].transfer.take()) {
      if (const auto* failed = std::get_if<Transfer::Failed>(&action)) found = failed->cause;
    }
    return found;
  };
  Transfer& transfer = bench[1].transfer;
  transfer.fetch(blob, peer(2), Sharing::alone, bench.now);
  transfer.refuse(blob, "full", bench.now);
  CHECK(cause() == FetchFailure::here);
  transfer.fetch(blob, peer(2), Sharing::alone, bench.now);
  transfer.begun(blob, ChunkSet(chunk_count(blob.length)), bench.now);
  transfer.received(peer(2), bulk::encode(bulk::Missing{blob}), bench.now);
  CHECK(cause() == FetchFailure::missing);
  transfer.fetch(blob, peer(2), Sharing::alone, bench.now);
  transfer.begun(blob, ChunkSet(chunk_count(blob.length)), bench.now);
  transfer.tick(bench.now + limits::bulk_patience);
  CHECK(cause() == FetchFailure::withheld);
}
