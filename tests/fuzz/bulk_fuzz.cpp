// Bulk frames against any bytes at all, and bulk::Transfer against any sequence of frames, links, losses and refusals. Peers are honest where the
// script says so, so that fetches get far; what is kept has to be the blob that was asked for all the same.
//
// An input is a list of steps: [what][who][length, 2 bytes, little-endian][that many bytes].
#include <algorithm>
#include <map>

#include "coordinatorless/base/merkle.h"
#include "coordinatorless/core/bulk_transfer.h"
#include "coordinatorless/core/limits.h"
#include "tests/fuzz/fuzz_target.h"

using namespace dugnad;
using namespace dugnad::core;
using bulk::Transfer;

namespace {

constexpr std::uint8_t peers = 4;
enum Step : std::uint8_t { frame, connect, lose, fetch, cancel, refuse, honest, wait, help, steps };

PeerId peer(std::uint8_t who) {
  PeerId id;
  id.bytes[0] = who % peers;
  return id;
}

struct Blob {
  BlobId id;
  Bytes bytes;  // nothing of those that nobody has
};

const std::vector<Blob>& blobs() {
  static const std::vector<Blob> all = [] {
    std::vector<Blob> made;
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{300}, chunk_bytes + 7}) {
      Bytes bytes(size);
      for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
      made.push_back({blob_id_of(bytes), std::move(bytes)});
    }
    made.push_back({{100 * chunk_bytes, {}}, {}});
    made.push_back({{limits::blob_bytes_max + 1, {}}, {}});
    return made;
  }();
  return all;
}
const Blob& blob(std::uint8_t which) { return blobs()[which % blobs().size()]; }
const Blob& named(const BlobId& id) {
  const auto found = std::ranges::find(blobs(), id, &Blob::id);
  fuzz::check(found != blobs().end(), "only what was asked for is fetched");
  return *found;
}

Bytes chunk_of(const Blob& from, std::uint32_t index) {
  std::vector<Hash> leaves;
  for (std::uint64_t i = 0; i < chunk_count(from.id.length); ++i) {
    leaves.push_back(merkle_leaf(ByteView(from.bytes).subspan(i * chunk_bytes, chunk_length(from.id.length, i))));
  }
  const ByteView bytes = ByteView(from.bytes).subspan(index * chunk_bytes, chunk_length(from.id.length, index));
  return bulk::encode(bulk::Chunk{from.id, index, merkle_path(leaves, index), Bytes(bytes.begin(), bytes.end())});
}

struct Bench {
  Transfer transfer;
  BootTime now = BootTime{} + std::chrono::hours(1);
  std::map<BlobId, ChunkSet> kept;                                  // chunks of each fetch that is begun
  std::map<BlobId, std::vector<std::pair<PeerId, std::uint64_t>>> asked;  // what may be given, and is not yet
  bool takes = true;                                                // whether the store has room
  std::map<PeerId, std::size_t> served;

  void settle() {
    std::size_t actions = 0;
    for (auto some = transfer.take(); !some.empty(); some = transfer.take()) {
      actions += some.size();
      fuzz::check(actions < 2000, "one event leads to a bounded number of actions");
      for (const auto& action : some) std::visit([this](const auto& what) { act(what); }, action);
    }
    fuzz::check(transfer.fetches() <= blobs().size(), "a blob is fetched once at a time");
  }

  void act(const Transfer::Send& send) {
    const auto said = bulk::decode(send.frame);
    fuzz::check(said && !std::holds_alternative<bulk::Chunk>(*said), "what is sent is a frame, and chunks come from the store");
    if (const auto* have = std::get_if<bulk::Have>(&*said)) {
      const auto begun = kept.find(have->blob);
      ChunkSet beyond = have->chunks;
      if (begun != kept.end()) beyond.remove(begun->second);
      fuzz::check(begun != kept.end() ? beyond.empty() : have->chunks.empty() || have->chunks.full(), "nothing is said to be here that is not");
    }
    const auto* request = std::get_if<bulk::Request>(&*said);
    if (request == nullptr) return;
    const auto begun = kept.find(request->blob);
    fuzz::check(begun != kept.end(), "questions are asked for what is begun");
    ChunkSet needless = request->wanted;
    needless.keep(begun->second);
    fuzz::check(needless.empty(), "nothing is asked for that is here");
    auto& open = asked[request->blob];
    std::uint8_t more = request->count;
    for (std::uint64_t index = 0; index < request->wanted.size() && more > 0; ++index) {
      if (!request->wanted.has(index)) continue;
      open.emplace_back(send.to, index);
      --more;
    }
  }
  void act(const Transfer::Begin& begin) {
    const ChunkSet none(chunk_count(begin.blob.length));
    fuzz::check(kept.emplace(begin.blob, none).second, "a fetch begins once");
    if (takes) return transfer.begun(begin.blob, none, now);
    kept.erase(begin.blob);
    transfer.refuse(begin.blob, "there is no room", now);
  }
  void act(const Transfer::Keep& keep) {
    const Blob& what = named(keep.blob);
    const auto begun = kept.find(keep.blob);
    fuzz::check(begun != kept.end(), "chunks are kept of what is begun");
    fuzz::check(!begun->second.has(keep.index), "each chunk is kept once");
    begun->second.add(keep.index);
    fuzz::check(std::ranges::equal(keep.bytes, ByteView(what.bytes).subspan(keep.index * chunk_bytes, chunk_length(what.id.length, keep.index))),
                "what is kept is that part of the blob");
  }
  void act(const Transfer::Finish& finish) {
    const auto begun = kept.find(finish.blob);
    fuzz::check(begun != kept.end() && begun->second.full(), "a blob is finished once all of it is here");
    kept.erase(begun);
    takes ? transfer.finished(finish.blob, now) : transfer.refuse(finish.blob, "it cannot be written", now);
  }
  void act(const Transfer::Tell& tell) {
    fuzz::check(!transfer.fetches(tell.blob) || !kept.contains(tell.blob), "the store is asked of what it has");
  }
  void act(const Transfer::BreakOff& off) { kept.erase(off.blob); }
  void act(const Transfer::Failed& failed) { fuzz::check(!failed.reason.empty(), "a failure has a reason"); }
  void act(const Transfer::Serve& serve) {
    fuzz::check(serve.index < chunk_count(serve.blob.length), "chunks are served that there are");
    ++served[serve.to];
  }
  void act(const Transfer::Misbehaved& who) { fuzz::check(who.charge.score > 0, "misbehaviour costs something"); }

  void step(std::uint8_t what, std::uint8_t who, ByteView content) {
    const std::uint8_t first = content.empty() ? 0 : content[0];
    switch (static_cast<Step>(what % steps)) {
      case frame: transfer.received(peer(who), content, now); break;
      case connect: transfer.connected(peer(who)); break;
      case lose: transfer.lost(peer(who)); break;
      case fetch: transfer.fetch(blob(first).id, peer(who), static_cast<Sharing>(content.size() % 3), now); break;
      case help: transfer.help(blob(first).id, peer(who), now); break;
      case cancel: transfer.cancel(blob(first).id); break;
      case refuse: takes = !takes; break;
      case honest: {  // whoever was asked for it sends the next chunk
        const Blob& of = blob(first);
        const auto open = asked.find(of.id);
        if (open == asked.end() || open->second.empty() || of.bytes.size() != of.id.length) return;
        const auto [from, index] = open->second.front();
        open->second.erase(open->second.begin());
        transfer.received(from, chunk_of(of, static_cast<std::uint32_t>(index)), now);
        break;
      }
      case wait:
        now += std::chrono::milliseconds(1) * (1 << (who % 20));
        transfer.tick(now);
        break;
      case steps: return;
    }
    settle();
    if (what % steps == wait) fuzz::check(transfer.next_deadline() > now, "what is due is done");
  }

  void end() {
    for (std::uint8_t who = 0; who < peers; ++who) transfer.lost(peer(who));
    settle();
    fuzz::check(transfer.fetches() == 0, "no fetch outlives its link");
    for (const auto& [who, count] : served) fuzz::check(count < 100'000, "nobody is served without end");
  }
};

void write_step(Bytes& script, Step what, std::uint8_t who, ByteView content = {}) {
  script.push_back(what);
  script.push_back(who);
  script.push_back(static_cast<std::uint8_t>(content.size()));
  script.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  script.insert(script.end(), content.begin(), content.end());
}

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator& generator) {
  std::vector<Bytes> inputs;
  for (std::uint8_t which = 0; which < blobs().size(); ++which) {  // each blob's fetch, from one who is linked and one who is not
    const Bytes name{which};
    Bytes script;
    write_step(script, connect, 1);
    write_step(script, fetch, static_cast<std::uint8_t>(1 + generator.below(2)), name);
    for (int chunk = 0; chunk < 2; ++chunk) write_step(script, honest, 0, name);
    write_step(script, wait, 8);
    inputs.push_back(std::move(script));
  }
  for (int round = 0; round < 8; ++round) {  // frames from strangers, among them right answers to questions
    const Blob& of = blob(static_cast<std::uint8_t>(generator.below(3)));
    const Bytes name{static_cast<std::uint8_t>(&of - blobs().data())};
    Bytes script;
    write_step(script, fetch, 1, name);
    write_step(script, frame, static_cast<std::uint8_t>(generator.below(3)), bulk::encode(bulk::Missing{of.id}));
    write_step(script, frame, 2, bulk::encode(bulk::Request{of.id, 1, false, ChunkSet::all(chunk_count(of.id.length))}));
    write_step(script, fetch, 1, round % 2 == 0 ? name : Bytes{name[0], 0});
    const std::uint64_t chunks = chunk_count(of.id.length);
    write_step(script, help, 3, name);
    write_step(script, frame, 2, bulk::encode(bulk::Have{of.id, true, true, ChunkSet::all(chunks)}));
    write_step(script, frame, 3, bulk::encode(bulk::Have{of.id, false, false, ChunkSet::all(chunks)}));
    write_step(script, frame, 1, bulk::encode(bulk::Spread{of.id, 1}));
    write_step(script, frame, 1, chunk_of(of, 0));
    write_step(script, frame, 2, bulk::encode(bulk::Request{blob(4).id, 2, true, ChunkSet::all(100)}));
    write_step(script, static_cast<Step>(generator.below(steps)), static_cast<std::uint8_t>(generator.next()), name);
    write_step(script, wait, 19);
    inputs.push_back(std::move(script));
  }
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = bulk::decode({data, size});
  if (decoded) fuzz::check(std::ranges::equal(bulk::encode(*decoded), ByteView(data, size)), "what decodes has one encoding");
  Bench bench;
  std::size_t at = 0;
  while (at + 4 <= size) {
    const std::uint8_t what = data[at], who = data[at + 1];
    const std::size_t length = std::min<std::size_t>(data[at + 2] | data[at + 3] << 8, size - at - 4);
    bench.step(what, who, {data + at + 4, length});
    at += 4 + length;
  }
  bench.end();
  return 0;
}
